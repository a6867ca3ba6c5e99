"""The tensors are those of this config.json, or the finding says which is not, and what repairs it."""

import pytest

from tests.preflight.conftest import LLAMA
from tests.support.samples.tensors import llama, real_models, real_tensors

EIGHT = {
    **LLAMA,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "tie_word_embeddings": False,
}


def only_error(weights, config, tensors):
    weights.put_model(config, tensors)
    [finding] = [finding for finding in weights.check().findings if finding.severity == "error"]
    return finding


def renamed(tensors, change):
    return {change(name): entry for name, entry in tensors.items()}


def reshaped(tensors, name, shape):
    return {**tensors, name: (tensors[name][0], shape)}


def without(tensors, *parts):
    return {name: entry for name, entry in tensors.items() if not any(part in name for part in parts)}


def test_placeholders_of_a_zero_3_run_are_named_with_the_command_that_gathers(weights):
    finding = only_error(weights, EIGHT, {name: (dtype, (0,)) for name, (dtype, _) in llama(EIGHT).items()})
    assert finding.code == "empty_tensors"
    assert "291 of 291 tensors are empty" in finding.message
    assert "zero_to_fp32.py" in finding.message


def test_a_single_empty_tensor_is_an_error(weights):
    finding = only_error(weights, LLAMA, reshaped(llama(LLAMA), "model.layers.3.mlp.up_proj.weight", (0, 2048)))
    assert finding.code == "empty_tensors"
    assert "model.layers.3.mlp.up_proj.weight is [0, 2048]" in finding.message


def test_the_config_of_another_size_is_told_with_both_sizes(weights):
    finding = only_error(weights, EIGHT, llama(LLAMA))
    assert finding.code == "other_size"
    assert "hidden size 2048 and 16 layers" in finding.message
    assert "hidden_size 4096 and num_hidden_layers 32" in finding.message
    assert "upload the config.json that was saved with these weights" in finding.message


@pytest.mark.parametrize(
    ("layers", "said"),
    [(12, "layers 12 to 15 are missing"), (15, "layer 15 is missing"), (20, "the weights have 20 layers")],
)
def test_fewer_or_more_layers_are_an_error(weights, layers, said):
    finding = only_error(weights, LLAMA, llama({**LLAMA, "num_hidden_layers": layers}))
    assert finding.code == "other_size"
    assert said in finding.message


@pytest.mark.parametrize(
    ("change", "mark", "repair"),
    [
        (lambda name: f"_orig_mod.{name}", "_orig_mod.", "model._orig_mod.save_pretrained"),
        (lambda name: f"module.{name}", "module.", "model.module.save_pretrained"),
        (lambda name: f"base_model.model.{name}", "base_model.model.", "merge_and_unload()"),
        (lambda name: name.replace("_proj.weight", "_proj.base_layer.weight"), ".base_layer.", "merge_and_unload()"),
        (lambda name: f"_fsdp_wrapped_module.{name}", "_fsdp_wrapped_module.", "accelerator"),
        (lambda name: name.replace("layers.", "layers._orig_mod."), "_orig_mod.", "model._orig_mod"),
        (lambda name: f"pretrained_model.{name}", "pretrained_model.", "model.pretrained_model"),
    ],
)
def test_names_of_a_training_wrapper_are_an_error_with_how_to_save_without(weights, change, mark, repair):
    finding = only_error(weights, LLAMA, renamed(llama(LLAMA), change))
    assert finding.code == "wrapper_names"
    assert mark in finding.message
    assert repair in finding.message


def test_lora_tensors_beside_whole_weights_are_an_error(weights):
    extra = {"model.layers.0.self_attn.q_proj.lora_A.weight": ("BF16", (16, 2048))}
    finding = only_error(weights, LLAMA, {**llama(LLAMA), **extra})
    assert finding.code == "wrapper_names"
    assert "1 of 147 tensors" in finding.message


@pytest.mark.parametrize(
    ("change", "repair"),
    [
        (lambda name: name.removeprefix("model."), "AutoModelForCausalLM"),
        (lambda name: f"language_model.{name}", "inside language_model, so that no name begins with language_model."),
        (lambda name: f"policy.actor.{name}", "inside policy.actor, so that no name begins with policy.actor."),
        (
            lambda name: name.replace("model.embed_tokens", "tok_embeddings").replace("model.layers", "blocks"),
            "format of",
        ),
    ],
)
def test_names_that_the_architecture_does_not_know_are_an_error(weights, change, repair):
    finding = only_error(weights, LLAMA, renamed(llama(LLAMA), change))
    assert finding.code == "other_names"
    assert "LlamaForCausalLM has a tensor model.embed_tokens.weight" in finding.message
    assert repair in finding.message


def test_text_weights_with_the_config_of_a_model_that_sees_are_told_what_to_set(weights):
    config = real_models()["gemma-3-4b-it"]["config"]
    tensors = without(real_tensors("gemma-3-4b-it"), "vision_tower")
    finding = only_error(weights, config, renamed(tensors, lambda name: name.removeprefix("language_model.")))
    assert finding.code == "other_names"
    assert "text_config" in finding.message


def test_an_embedding_with_more_rows_than_the_vocabulary_is_told_with_both(weights):
    tensors = reshaped(llama(LLAMA), "model.embed_tokens.weight", (128264, 2048))
    finding = only_error(weights, LLAMA, tensors)
    assert finding.code == "other_vocabulary"
    assert "is [128264, 2048], config.json makes it [128256, 2048]: set vocab_size to 128264" in finding.message
    assert "resize_token_embeddings" in finding.message


def test_a_head_of_another_vocabulary_is_an_error(weights):
    config = {**LLAMA, "tie_word_embeddings": False}
    finding = only_error(weights, config, reshaped(llama(config), "lm_head.weight", (128000, 2048)))
    assert finding.code == "other_vocabulary"
    assert "lm_head.weight is [128000, 2048]" in finding.message


def test_weights_without_a_head_are_an_error_unless_it_is_the_embedding(weights):
    config = {**LLAMA, "tie_word_embeddings": False}
    finding = only_error(weights, config, llama(LLAMA))
    assert finding.code == "no_head"
    assert '"tie_word_embeddings": false: set it to true' in finding.message


def test_a_tied_model_may_have_a_head_as_well(weights):
    weights.put_model(LLAMA, llama({**LLAMA, "tie_word_embeddings": False}))
    assert weights.codes() == []


@pytest.mark.parametrize(
    ("name", "shape", "keys"),
    [
        ("model.layers.3.mlp.up_proj.weight", (8000, 2048), "intermediate_size"),
        ("model.layers.9.self_attn.k_proj.weight", (1024, 2048), "num_key_value_heads"),
        ("model.layers.9.input_layernorm.weight", (2047,), "hidden_size"),
    ],
)
def test_a_shape_of_another_config_is_told_with_the_keys_to_look_at(weights, name, shape, keys):
    finding = only_error(weights, LLAMA, reshaped(llama(LLAMA), name, shape))
    assert finding.code == "other_shapes"
    assert f"{name} is {list(shape)}, config.json makes it [" in finding.message
    assert keys in finding.message


def test_a_missing_tensor_is_named(weights):
    finding = only_error(weights, LLAMA, without(llama(LLAMA), "layers.7.mlp.down_proj"))
    assert finding.code == "missing_weights"
    assert "1 tensor that LlamaForCausalLM needs is missing: model.layers.7.mlp.down_proj.weight" in finding.message


@pytest.mark.parametrize(("has", "says"), [("Qwen2.5-1.5B-Instruct", "qwen3"), ("Qwen3-0.6B", "qwen2")])
def test_the_weights_of_another_family_are_missing_what_the_class_needs(weights, has, says):
    config = real_models()[has]["config"] | {"architectures": [f"{says.capitalize()}ForCausalLM"], "model_type": says}
    sizes = {"head_dim": 128} if has.startswith("Qwen2") else {}
    finding = only_error(weights, {**config, **sizes}, real_tensors(has))
    assert finding.code == "missing_weights"
    assert "instead" in finding.message


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("model.layers.0.self_attn.q_norm.weight", (64,)),
        ("v_head.summary.weight", (1, 2048)),
        ("score.weight", (2, 2048)),
        ("value_head.0.weight", (1, 2048)),
    ],
)
def test_tensors_that_the_class_does_not_have_are_a_warning(weights, name, shape):
    weights.put_model(LLAMA, {**llama(LLAMA), name: ("BF16", shape)})
    finding = weights.only()
    assert (finding.severity, finding.code) == ("warning", "unknown_tensors")


def test_what_old_versions_of_transformers_saved_beside_the_weights_is_nothing(weights):
    more = {f"model.layers.{layer}.self_attn.rotary_emb.inv_freq": ("F32", (32,)) for layer in range(16)}
    weights.put_model(LLAMA, {**llama(LLAMA), **more})
    assert weights.codes() == []


@pytest.mark.parametrize(("lost", "name"), [("experts.77.", "missing"), ("mlp.gate.weight", "missing")])
def test_a_lost_expert_or_router_is_an_error(weights, lost, name):
    config = real_models()["Qwen3-30B-A3B"]["config"]
    finding = only_error(weights, config, without(real_tensors("Qwen3-30B-A3B"), lost))
    assert finding.code == "missing_weights"
    assert name in finding.message


def test_an_architecture_that_is_not_known_is_not_judged_by_shapes(weights):
    weights.put_model({"architectures": ["AcmeForCausalLM"], "model_type": "acme"}, {"x.weight": ("BF16", (4, 4))})
    assert weights.codes() == ["unsupported_architecture"]


@pytest.mark.parametrize(
    ("declares", "stored", "codes"),
    [
        ({"torch_dtype": "bfloat16"}, "BF16", []),
        ({"torch_dtype": "bfloat16"}, "F32", ["other_dtype"]),
        ({"torch_dtype": None, "dtype": "float16"}, "BF16", ["other_dtype"]),
        ({"torch_dtype": "torch.float32"}, "F32", []),
        ({"torch_dtype": None}, "F32", []),
    ],
)
def test_the_number_format_is_that_which_config_declares(weights, declares, stored, codes):
    weights.put_model({**LLAMA, **declares}, llama(LLAMA, stored))
    findings = weights.check().findings
    assert [finding.code for finding in findings] == codes
    assert all("save_pretrained" in finding.message and "100 %" in finding.message for finding in findings)


def test_wider_numbers_take_16_bits_in_memory(weights):
    weights.put_model({**LLAMA, "torch_dtype": "float32"}, llama(LLAMA, "F32"))
    report = weights.check()
    assert (report.parameter_bytes, report.loaded_bytes) == (2 * weights.size, weights.size)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("num_hidden_layers", 16.0),
        ("num_hidden_layers", "16"),
        ("num_hidden_layers", 2001),
        ("num_hidden_layers", 0),
        ("num_key_value_heads", 8.0),
        ("num_attention_heads", "32"),
        ("vocab_size", 128256.0),
        ("vocab_size", -1),
        ("hidden_size", True),
        ("intermediate_size", {}),
        ("num_local_experts", 10**9),
    ],
)
def test_a_size_that_is_no_count_is_an_error_and_turns_no_check_off_in_silence(weights, key, value):
    weights.put_model({**LLAMA, key: value}, {"model.embed_tokens.weight": ("BF16", (7, 3))})
    finding = next(each for each in weights.check().findings if each.code == "bad_size")
    assert finding.severity == "error"
    assert finding.message.startswith(f"config.json: {key} is {value!r}, not a whole number from ")


@pytest.mark.parametrize("key", ["num_key_value_heads", "head_dim", "num_local_experts"])
def test_a_size_that_is_left_open_is_none(weights, key):
    weights.put("config.json", {**LLAMA, key: None})
    assert "bad_size" not in [each.code for each in weights.check().findings]
