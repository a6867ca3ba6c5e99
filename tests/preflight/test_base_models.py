"""The table of base models, and finding a model in it by its config.json."""

import pytest

from mg_provider.data import table
from mg_provider.preflight.weights.base_models import identify

FAMILIES = table("base_models")["families"]
EXPERTS = {"llama4": "num_local_experts", "deepseek_v3": "n_routed_experts"}
MODELS = [(family, model) for family in FAMILIES for model in family["models"]]

# What the product document lists, its mistranslated sizes of Gemma-3 read as they are meant.
LISTED = [
    "Llama-2-7B",
    "Llama-2-13B",
    "Llama-3.1-8B",
    "Llama-3.1-70B",
    "Llama-3.2-1B",
    "Llama-3.2-3B",
    "Llama-4-Scout-17B",
    "Llama-4-Maverick-17B",
    "CodeLlama-13B",
    "Gemma-2-9B",
    "Gemma-2-27B",
    "Gemma-3-1B",
    "Gemma-3-4B",
    "Gemma-3-12B",
    "Gemma-3-27B",
    "MedGemma-4B",
    "MedGemma-27B-text",
    "Qwen2-1.5B",
    "Qwen2.5-0.5B",
    "Qwen2.5-1.5B",
    "Qwen2.5-7B",
    "Qwen2.5-32B",
    "Qwen3-0.6B",
    "Qwen3-1.7B",
    "Qwen3-8B",
    "Qwen3-32B",
    "Qwen3-Coder-480B-A35B-Instruct",
    "Qwen3-Next-80B-A3B-Instruct",
    "Qwen3-Next-80B-A3B-Thinking",
    "DeepSeek-R1",
    "DeepSeek-V3",
    "DeepSeek-V3.1",
    "Mistral-7B-v0.1",
    "Mixtral-8x7B-v0.1",
    "Mistral-Nemo-Base-2407",
    "Phi-4-reasoning",
    "gpt-oss-20B",
    "gpt-oss-120B",
]


def config_of(family, model):
    kind = family["model_types"][0]
    shape = {name: value for name, value in model.items() if name not in {"name", "experts"}}
    experts = {EXPERTS.get(kind, "num_experts"): model["experts"]} if "experts" in model else {}
    return {"architectures": family["architectures"][:1], "model_type": kind, **shape, **experts}


def test_the_table_has_every_model_of_the_product_document_and_no_other():
    assert sorted(model["name"] for _, model in MODELS) == sorted(LISTED)


def test_the_table_says_when_and_where_it_is_from():
    assert table("base_models")["as_of"] == "2026-11-22"
    assert "Deploy models with custom weights" in table("base_models")["source"]


@pytest.mark.parametrize(("family", "model"), MODELS, ids=lambda row: row.get("name", row.get("family")))
def test_a_listed_model_is_found_by_its_shape(family, model):
    identity = identify(config_of(family, model), "gs://b/config.json")
    assert model["name"] in identity.base_model.split(" or ")
    assert identity.findings == ()


@pytest.mark.parametrize(("family", "model"), MODELS, ids=lambda row: row.get("name", row.get("family")))
def test_a_vocabulary_that_fine_tuning_has_changed_does_not_hide_the_model(family, model):
    config = config_of(family, model)
    grown = identify({**config, "vocab_size": config["vocab_size"] + 3}, "gs://b/config.json")
    assert model["name"] in grown.base_model.split(" or ")


def test_models_of_one_shape_are_told_apart_by_their_vocabulary():
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 5120}
    config |= {"num_hidden_layers": 40, "intermediate_size": 13824}
    assert identify({**config, "vocab_size": 32000}, "").base_model == "Llama-2-13B"
    assert identify({**config, "vocab_size": 32016}, "").base_model == "CodeLlama-13B"


def test_a_model_that_also_sees_images_keeps_its_shape_one_level_down():
    text = {"hidden_size": 2560, "num_hidden_layers": 34, "model_type": "gemma3_text"}
    config = {"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "text_config": text}
    assert identify(config, "").base_model == "Gemma-3-4B or MedGemma-4B"


@pytest.mark.parametrize("junk", [True, "4096", 1.5, None, [], {}])
def test_a_shape_that_is_no_number_is_an_unlisted_size_and_no_crash(junk):
    config = {"architectures": ["LlamaForCausalLM"], "model_type": junk, "hidden_size": junk, "text_config": junk}
    assert "unlisted_size" in [finding.code for finding in identify(config, "").findings]


@pytest.mark.parametrize("junk", [[], [1], "x", None, {}])
def test_architectures_that_are_none_are_an_error_that_names_the_right_one(junk):
    [finding] = identify({"architectures": junk, "model_type": "qwen3"}, "").findings
    assert finding.code == "no_architecture"
    assert "Qwen3ForCausalLM" in finding.message
