"""The table of base models, and finding a model in it by its config.json."""

import re
from pathlib import Path

import pytest

from mg_provider.cloud.toy_model import _config
from mg_provider.data import table
from mg_provider.preflight.weights.base_models import identify
from tests.support.samples.tensors import real_models

FAMILIES = table("base_models")["families"]
EXPERTS = {"llama4": "num_local_experts", "deepseek_v3": "n_routed_experts"}
MODELS = [(family, model) for family in FAMILIES for model in family["models"]]

ROOT = Path(__file__).parents[2]
# A family and a size, as documents write them: llama-3.1-8b-tuned, Qwen3-4B, gpt-oss-20B.
NAMED = re.compile(
    r"(?i)\b(?:code|med)?(?:llama|gemma|qwen|mistral|mixtral|phi|deepseek|gpt-oss)"
    r"(?:-?[0-9.]+)?(?:-[a-z]+)?-[0-9.]+b(?:-(?:it|instruct|tuned))?\b"
)
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
    "Gemma-4-26B-A4B-it",
    "Gemma-4-31B-it",
    "Gemma-4-E2B-it",
    "Gemma-4-E4B-it",
    "Qwen2-1.5B",
    "Qwen2.5-0.5B",
    "Qwen2.5-1.5B",
    "Qwen2.5-7B",
    "Qwen2.5-32B",
    "Qwen3-0.6B",
    "Qwen3-1.7B",
    "Qwen3-4B",
    "Qwen3-8B",
    "Qwen3-32B",
    "Qwen3-Coder-480B-A35B-Instruct",
    "Qwen3-Next-80B-A3B-Instruct",
    "Qwen3-Next-80B-A3B-Thinking",
    "Qwen3-VL-8B-Instruct",
    "Qwen3.5-9B",
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
    shape = {name: value for name, value in model.items() if name not in {"name", "experts", "architecture", "alike"}}
    experts = {EXPERTS.get(kind, "num_experts"): model["experts"]} if "experts" in model else {}
    architecture = model.get("architecture", family["architectures"][0])
    return {"architectures": [architecture], "model_type": kind, **shape, **experts}


def test_the_table_has_every_model_of_the_product_document_and_no_other():
    assert sorted(model["name"] for _, model in MODELS) == sorted(LISTED)


def test_every_row_tells_the_sizes_that_a_model_is_known_by():
    sizes = {"hidden_size", "num_hidden_layers", "intermediate_size", "vocab_size"}
    assert all(sizes <= model.keys() for _, model in MODELS)


def test_every_model_that_the_documents_name_has_a_row_or_is_of_a_family_with_one():
    text = "\n".join(path.read_text() for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))])
    named = {match.group(0) for match in NAMED.finditer(text)}
    assert named
    spelt = [re.sub("[^a-z0-9]", "", model["name"].lower()) for _, model in MODELS]
    unknown = [name for name in named if not any(row.startswith(_spelt(name)) for row in spelt)]
    assert unknown == []


def _spelt(name):
    return re.sub("[^a-z0-9]", "", re.sub("(?i)-(it|instruct|tuned)$", "", name.lower()))


def test_the_table_says_when_and_where_it_is_from():
    assert table("base_models")["as_of"] == "2026-11-28"
    assert "Deploy models with custom weights" in table("base_models")["source"]


def test_a_model_of_the_same_shape_as_a_listed_one_has_its_own_name():
    config = real_models()["phi-4"]["config"]
    assert identify(config, "gs://b/config.json").base_model == "Phi-4-reasoning or phi-4"
    told = identify({**config, "rope_theta": 250000.0}, "gs://b/config.json")
    assert told.base_model == "phi-4"
    assert [(finding.severity, finding.code) for finding in told.findings] == [("note", "alike")]
    listed = identify({**config, "rope_theta": 500000.0}, "gs://b/config.json")
    assert (listed.base_model, listed.findings) == ("Phi-4-reasoning", ())


@pytest.mark.parametrize(
    ("name", "label", "codes"),
    [
        ("Meta-Llama-3-8B-Instruct", "Llama-3-8B", ["alike"]),
        ("Llama-3.1-8B-Instruct", "Llama-3.1-8B", []),
        ("DeepSeek-R1-Distill-Llama-8B", "Llama-3.1-8B", []),
    ],
)
def test_the_context_length_tells_llama_3_from_llama_3_1(name, label, codes):
    identity = identify(real_models()[name]["config"], "")
    assert identity.base_model == label
    assert [finding.code for finding in identity.findings] == codes


@pytest.mark.parametrize("length", [None, 32768, 1_048_576])
def test_another_context_than_it_was_published_with_does_not_hide_a_model(length):
    config = real_models()["Llama-3.1-8B-Instruct"]["config"]
    assert identify({**config, "max_position_embeddings": length}, "").base_model == "Llama-3.1-8B"


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


LLAMA = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
MISTRAL = {"architectures": ["MistralForCausalLM"], "model_type": "mistral"}


def sized(hidden, inner, layers, vocabulary, **more):
    shape = {"hidden_size": hidden, "intermediate_size": inner, "num_hidden_layers": layers}
    return {**shape, "vocab_size": vocabulary, **more}


@pytest.mark.parametrize(
    ("config", "nearest"),
    [
        ({**MISTRAL, **sized(5120, 32768, 40, 131072)}, ""),
        ({**LLAMA, **sized(8192, 28672, 80, 32000)}, "the nearest is Llama-3.1-70B"),
        ({**MISTRAL, **sized(4096, 14336, 32, 32768)}, "the nearest is Mistral-7B-v0.1"),
        ({**LLAMA, **sized(4096, 11008, 32, 32016, rope_theta=1e6)}, "the nearest is Llama-2-7B"),
        ({"architectures": ["Phi3ForCausalLM"], "model_type": "phi3", **sized(5120, 17920, 40, 32064)}, "Phi-4"),
    ],
)
def test_a_model_that_is_not_listed_has_no_name_of_a_listed_one(config, nearest):
    identity = identify(config, "")
    assert identity.base_model is None
    [finding] = identity.findings
    assert (finding.severity, finding.code) == ("warning", "unlisted_size")
    assert nearest in finding.message


@pytest.mark.parametrize(
    ("rope", "name"),
    [
        ({"rope_theta": 10000.0}, "Llama-2-13B"),
        ({"rope_theta": 1000000}, "CodeLlama-13B"),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0}}, "CodeLlama-13B"),
        ({}, "Llama-2-13B or CodeLlama-13B"),
    ],
)
def test_the_rotary_base_tells_llama_2_from_codellama(rope, name):
    assert identify({**LLAMA, **sized(5120, 13824, 40, 32064), **rope}, "").base_model == name


@pytest.mark.parametrize(
    ("architecture", "what"),
    [
        ("BertModel", "an embedding model"),
        ("XLMRobertaModel", "an embedding model"),
        ("Qwen2Model", "embedding models"),
        ("SiglipVisionModel", "a vision tower"),
        ("CLIPModel", "a vision tower"),
        ("ViTForImageClassification", "a vision tower"),
        ("LlamaForSequenceClassification", "a classifier or reward model"),
        ("WhisperForConditionalGeneration", "a speech model"),
        ("T5ForConditionalGeneration", "an encoder-decoder model"),
        ("ModernBertModel", "an embedding model"),
        ("NewModel", "an embedding model"),
        ("GteNewForSequenceClassification", "a classifier or reward model"),
        ("Gemma3TextModel", "embedding models"),
        ("MistralModel", "embedding models"),
        ("PixtralVisionModel", "a vision tower"),
        ("PeftModelForCausalLM", "an adapter"),
    ],
)
def test_a_model_that_writes_no_text_is_an_error_that_says_what_it_is(architecture, what):
    identity = identify({"architectures": [architecture], "model_type": "x"}, "")
    [finding] = identity.findings
    assert (finding.severity, finding.code) == ("error", "not_a_language_model")
    assert what in identity.kind
    assert what in finding.message


# Classes that a common model server runs and that write text, whatever their names resemble.
WRITING = (
    "AcmeForCausalLM Qwen9ForCausalLM FalconForCausalLM Phi4MMForCausalLM GPT2LMHeadModel JAISLMHeadModel "
    "QWenLMHeadModel ChatGLMModel ChatGLMForConditionalGeneration InternVLChatModel H2OVLChatModel SkyworkR1VChatModel "
    "NVLM_D NVLM_D_Model AquilaModel DreamModel UltravoxModel MiDashengLMModel Qwen2_5OmniModel "
    "PixtralForConditionalGeneration Blip2ForConditionalGeneration Grok1ModelForCausalLM GritLM "
    "LLaDAModelLM Ernie4_5ForCausalLM NewsForCausalLM BigBirdForCausalLM ViTextForCausalLM DiffusionGemmaForCausalLM "
    "MiniCPMV Ovis2_5 Llama_Nemotron_Nano_VL"
)


@pytest.mark.parametrize("architecture", WRITING.split())
def test_an_architecture_that_no_list_has_is_a_warning_with_the_date_of_the_list(architecture):
    [finding] = identify({"architectures": [architecture], "model_type": "x"}, "").findings
    assert (finding.severity, finding.code) == ("warning", "unsupported_architecture")
    assert table("base_models")["as_of"] in finding.message
    assert "container_spec" in finding.message


@pytest.mark.parametrize("architectures", [["AcmeForCausalLM"], ["BertModel"], [], ["LlamaForCausalLM"]])
def test_with_a_container_of_the_users_own_the_lists_do_not_bind(architectures):
    findings = identify({"architectures": architectures, "model_type": "x"}, "", own_container=True).findings
    assert {finding.severity for finding in findings} == {"note"}


def test_a_toy_of_an_emulated_cloud_gets_no_note_on_its_size_and_its_shape_elsewhere_does():
    toy = _config()
    assert identify(toy, "gs://a/b").findings == ()
    assert "shape" in identify({**toy, "_name_or_path": "own/model"}, "gs://a/b").findings[0].message
