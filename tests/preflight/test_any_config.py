"""Whatever somebody's config.json holds, it ends in findings and never in a crash."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mg_provider.data import table
from mg_provider.preflight.machines.fit import cache_bytes, context_length
from mg_provider.preflight.tensors.dtypes import declared
from mg_provider.preflight.tensors.layouts import layout_of
from mg_provider.preflight.tensors.tensor_shapes import compare_bytes, compare_shapes
from mg_provider.preflight.weights.base_models import identify
from tests.preflight.conftest import LLAMA
from tests.preflight.test_real_models import FOLDER, stored_of
from tests.support.running.memory import at_most
from tests.support.samples.tensors import real_models

pytestmark = pytest.mark.usefixtures("little_memory")

ARCHITECTURES = sorted(table("tensor_layouts")["architectures"])
KEYS = sorted({key for row in table("tensor_layouts")["defaults"].values() for key in row})
MORE = ["layer_types", "mlp_only_layers", "moe_layers", "per_layer_config", "rope_parameters", "dtype", "torch_dtype"]
EXTRA_COUNTS = ["num_nextn_predict_layers", "num_kv_shared_layers", "num_experts", "n_routed_experts"]
EMBEDDINGS = {f"{prefix}embed_tokens.weight": ("BF16", (8, 8)) for prefix in ("", "model.", "language_model.model.")}
small = st.integers(-2, 9)
huge = st.integers(300, 4000).map(lambda digits: 10**digits)
junk = st.none() | st.booleans() | st.integers() | huge | small | st.floats() | st.text(max_size=5)
value = junk | st.lists(junk, max_size=4) | st.dictionaries(st.text(max_size=5), junk, max_size=2)
sizes = st.dictionaries(st.sampled_from([*KEYS, *MORE]), value, max_size=6)
tensors = st.dictionaries(
    st.sampled_from(["model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight", "lm_head.weight", "x"]),
    st.tuples(st.sampled_from(["BF16", "U8"]), st.lists(st.integers(0, 4), max_size=3).map(tuple)),
)


@pytest.fixture(scope="module")
def little_memory():
    """A check that counts to a number in config.json runs out of memory here, and not the machine."""
    with at_most(megabytes=500):
        yield


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(ARCHITECTURES), sizes, sizes | junk, tensors)
def test_odd_values_never_raise(architecture, top, text, stored):
    config = {"architectures": [architecture], **top, "text_config": text}
    identify(config, "")
    declared(config)
    context_length(config)
    cache_bytes(config)
    layout = layout_of(architecture, config)
    if layout is not None:
        compare_shapes(FOLDER, config, stored_of(stored), layout)
        compare_bytes(FOLDER, config, layout, 100, ())


@pytest.mark.parametrize("digits", [400, 4000])
def test_numbers_of_any_length_are_findings(digits):
    for key in [*KEYS, *MORE, "rope_theta", "max_position_embeddings", "head_dim", "num_attention_heads"]:
        for architecture in ("LlamaForCausalLM", "Qwen3MoeForCausalLM", "Gemma3ForConditionalGeneration"):
            config = {**LLAMA, "architectures": [architecture], key: 10**digits}
            identify(config, "")
            context_length(config)
            cache_bytes(config)
            if (layout := layout_of(architecture, config)) is not None:
                compare_shapes(FOLDER, config, stored_of(EMBEDDINGS), layout)
                compare_bytes(FOLDER, config, layout, 100, ())


def test_numbers_without_end_take_no_time():
    huge = {"num_hidden_layers": 1000, "num_experts": 10**12}
    assert layout_of("Qwen3MoeForCausalLM", {**real_models()["Qwen3-30B-A3B"]["config"], **huge}) is None


@pytest.mark.parametrize("key", sorted({*KEYS, *EXTRA_COUNTS}))
def test_no_number_is_counted_to(key):
    for architecture in ARCHITECTURES:
        config = {"num_hidden_layers": 2, "num_experts": 2, "vocab_size": 8, "hidden_size": 8, key: 10**12}
        cache_bytes(config)
        layout = layout_of(architecture, config)
        if layout is not None:
            compare_shapes(FOLDER, config, stored_of(EMBEDDINGS), layout)
            compare_bytes(FOLDER, config, layout, 100, ())


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(sorted(real_models())), sizes)
def test_one_odd_value_in_a_real_config_never_raises(name, change):
    config = {**real_models()[name]["config"], **change}
    layout = layout_of(config["architectures"][0], config)
    if layout is not None:
        compare_shapes(FOLDER, config, stored_of({"x": ("BF16", (2,))}), layout)
