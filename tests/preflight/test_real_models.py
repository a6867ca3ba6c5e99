"""Public models pass as they are: each name and shape is one that transformers writes for the model's config.json."""

import re

import pytest

from mg_provider.preflight.folder import Folder
from mg_provider.preflight.tensors.layouts import layout_of
from mg_provider.preflight.tensors.safetensors_header import Tensor
from mg_provider.preflight.tensors.stored_tensors import StoredTensors, empty_tensors, wrapper_names
from mg_provider.preflight.tensors.tensor_shapes import compare_bytes, compare_shapes
from tests.support.samples.tensors import BITS, real_models, real_tensors

FOLDER = Folder(None, "b", "m/", {}, [])
OUTPUTS = ("down_proj", "dense_4h", "c_proj", "w2", "fc2", "output_linear")
# Of the largest, one of each kind suffices.
FEW = [name for name, model in real_models().items() if "*.mlp.experts.*" not in str(model["tensors"])]
CONFIGS = [
    (name, spelling) for name, model in real_models().items() for spelling in ("config", "saved") if spelling in model
]


def stored_of(tensors):
    stored = StoredTensors()
    entries = {}
    for name, (dtype, shape) in tensors.items():
        size = BITS[dtype] // 8
        for length in shape:
            size *= length
        entries[name] = Tensor(dtype, shape, 0, size)
    stored.add("model.safetensors", entries)
    return stored


def findings_of(config, tensors):
    architecture = config["architectures"][0]
    layout, stored = layout_of(architecture, config), stored_of(tensors)
    assert layout is not None, f"{architecture} is not known"
    alike = [*empty_tensors(FOLDER, stored), *wrapper_names(FOLDER, stored, known=True)]
    return [*alike, *compare_shapes(FOLDER, config, stored, layout)]


@pytest.mark.parametrize(("name", "spelling"), CONFIGS)
def test_a_public_model_has_the_tensors_that_its_config_makes(name, spelling):
    assert findings_of(real_models()[name][spelling], real_tensors(name)) == []


@pytest.mark.parametrize("name", FEW)
def test_the_bytes_of_a_public_model_are_those_that_its_config_makes(name):
    config, tensors = real_models()[name]["config"], real_tensors(name)
    size = sum(tensor.end for tensor in stored_of(tensors).tensors.values())
    layout = layout_of(config["architectures"][0], config)
    assert compare_bytes(FOLDER, config, layout, size, ()) == []
    halved = compare_bytes(FOLDER, config, layout, size * 3 // 8, ())
    assert [finding.code for finding in halved] == ["other_size"] or model_sees(config)


@pytest.mark.parametrize("name", FEW)
def test_a_public_model_without_its_last_layer_is_an_error(name):
    config, tensors = real_models()[name]["config"], real_tensors(name)
    last = {**config, **config.get("text_config", {})}["num_hidden_layers"] - 1
    cut = {key: value for key, value in tensors.items() if not {f"layers.{last}.", f"h.{last}."} & parts(key)}
    [finding] = findings_of(config, cut)
    assert (finding.severity, finding.code) == ("error", "other_size")
    assert "missing" in finding.message


@pytest.mark.parametrize("name", FEW)
def test_a_public_model_of_another_inner_size_is_an_error(name):
    config, tensors = real_models()[name]["config"], real_tensors(name)
    changed = dict(tensors)
    for key, (dtype, shape) in tensors.items():
        if any(part in key for part in OUTPUTS) and len(shape) > 1:
            changed[key] = (dtype, (*shape[:-1], shape[-1] + 8))
    [finding] = findings_of(config, changed)
    assert (finding.severity, finding.code) == ("error", "other_shapes")


def parts(name):
    return {f"{kind}.{number}." for kind, number in re.findall(r"(layers|h)\.(\d+)\.", name)}


def model_sees(config):
    return "vision_config" in config


def test_the_families_that_custom_weights_list_are_known():
    known = {model["config"]["architectures"][0] for model in real_models().values()}
    for wanted in ("Llama", "Mistral", "Mixtral", "Qwen2", "Qwen3", "Gemma3", "Gemma4", "DeepseekV3", "GptOss", "Phi3"):
        assert any(name.startswith(wanted) for name in known)
