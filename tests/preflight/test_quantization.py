"""Quantized weights are refused, but for formats that a base model is published in."""

import pytest

from tests.preflight.conftest import LLAMA
from tests.support.samples.tensors import llama, real_models, real_tensors

GPT_OSS = real_models()["gpt-oss-20b-bf16"]["config"]
DEEPSEEK = real_models()["DeepSeek-V2-Lite-Chat"]["config"] | {
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
}
MXFP4 = {"quantization_config": {"quant_method": "mxfp4"}}
FP8 = {"quantization_config": {"quant_method": "fp8"}}
BNB = {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}


def mxfp4():
    """gpt-oss with its experts in blocks of 32 numbers of four bits, as OpenAI published it."""
    found = {}
    for name, (dtype, shape) in real_tensors("gpt-oss-20b-bf16").items():
        if name.endswith(("gate_up_proj", "down_proj")):
            count, inner, outer = shape
            found[f"{name}_blocks"] = "U8", (count, outer, inner // 32, 16)
            found[f"{name}_scales"] = "U8", (count, outer, inner // 32)
        else:
            found[name] = dtype, shape
    return found


def fp8(name="DeepSeek-V2-Lite-Chat"):
    """A model with its matrices in fp8 and a scale for each block of 128 x 128."""
    found = {}
    for tensor, (dtype, shape) in real_tensors(name).items():
        found[tensor] = dtype, shape
        if "_proj" in tensor and len(shape) == 2:
            found[tensor] = "F8_E4M3", shape
            found[f"{tensor}_scale_inv"] = "F32", tuple(-(-size // 128) for size in shape)
    return found


def packed():
    """Llama-3.2-1B in GPTQ's form."""
    tensors = llama(LLAMA)
    inner = [name for name in tensors if "_proj" in name]
    return {
        **{name: entry for name, entry in tensors.items() if name not in inner},
        **{name.replace(".weight", ".qweight"): ("I32", (8, 8)) for name in inner},
        **{name.replace(".weight", ".scales"): ("F16", (8, 8)) for name in inner},
    }


# What each quantizer writes in place of one matrix, by what is appended to the layer's name.
FORMATS = {
    "awq": lambda o, i: {
        "qweight": ("I32", (i, o // 8)),
        "qzeros": ("I32", (i // 128, o // 8)),
        "scales": ("F16", (i // 128, o)),
    },
    "gptq": lambda o, i: {
        "qweight": ("I32", (i // 8, o)),
        "qzeros": ("I32", (i // 128, o // 8)),
        "scales": ("F16", (i // 128, o)),
        "g_idx": ("I32", (i,)),
    },
    "compressed-tensors": lambda o, i: {"weight": ("I8", (o, i)), "weight_scale": ("BF16", (o, 1))},
    "pack-quantized": lambda o, i: {
        "weight_packed": ("I32", (o, i // 8)),
        "weight_scale": ("BF16", (o, i // 128)),
        "weight_shape": ("I64", (2,)),
    },
    "fp8": lambda o, i: {"weight": ("F8_E4M3", (o, i)), "weight_scale": ("F32", ()), "input_scale": ("F32", ())},
    "nf4": lambda o, i: {
        "weight": ("U8", (o * i // 2, 1)),
        "weight.absmax": ("U8", (o * i // 64,)),
        "weight.quant_map": ("F32", (16,)),
        "weight.quant_state.bitsandbytes__nf4": ("U8", (150,)),
    },
    "int8": lambda o, i: {"weight": ("I8", (o, i)), "SCB": ("F32", (o,)), "weight_format": ("U8", ())},
    "nvfp4": lambda o, i: {
        "weight": ("U8", (o, i // 2)),
        "weight_scale": ("F8_E4M3", (o, i // 16)),
        "weight_scale_2": ("F32", ()),
        "input_scale": ("F32", ()),
    },
    "mlx": lambda o, i: {
        "weight": ("U32", (o, i // 8)),
        "scales": ("BF16", (o, i // 64)),
        "biases": ("BF16", (o, i // 64)),
    },
    "exl2": lambda o, i: {
        "q_weight": ("I32", (i // 8, o)),
        "q_scale": ("I32", (i // 128, o // 8)),
        "q_scale_max": ("F16", (i // 128,)),
        "q_groups": ("I16", (2 * i // 128,)),
        "q_invperm": ("I32", (i,)),
    },
    "marlin": lambda o, i: {"B": ("I32", (i // 16, o * 2)), "s": ("F16", (i // 128, o))},
    "aqlm": lambda o, i: {"codes": ("I16", (o, i // 8, 1)), "codebooks": ("F16", (1, 65536, 1, 8))},
    "quip": lambda o, i: {"Qidxs": ("I64", (o, i // 64)), "SU": ("F16", (i,)), "SV": ("F16", (o,))},
}


def quantized(name):
    """Llama-3.2-1B in one of these."""
    found = {}
    for tensor, (dtype, shape) in llama(LLAMA).items():
        found |= (
            {tensor.removesuffix("weight") + more: entry for more, entry in FORMATS[name](*shape).items()}
            if "_proj" in tensor
            else {tensor: (dtype, shape)}
        )
    return found


def codes(weights, **options):
    found = weights.check(**options).findings
    return [(finding.severity, finding.code) for finding in found]


METHODS = [
    {"quantization_config": {"quant_method": "gptq", "bits": 4}},
    BNB,
    {"quantization_config": {"group_size": 64, "bits": 4}},
    {"quantization": {"group_size": 64, "bits": 4}},
    {"text_config": {"quantization_config": {"quant_method": "awq"}}},
]


@pytest.mark.parametrize("config", METHODS)
def test_quantized_weights_of_which_config_says_so_are_refused_with_what_to_do(weights, config):
    weights.put_model({**LLAMA, **config}, packed())
    finding = weights.only()
    assert (finding.severity, finding.code) == ("error", "quantized")
    assert "bfloat16" in finding.message
    assert "allow_quantized" in finding.message


@pytest.mark.parametrize("config", [*METHODS, FP8, MXFP4])
def test_a_block_left_over_beside_16_bit_weights_is_an_error_that_says_to_remove_it(weights, config):
    weights.put("config.json", {**LLAMA, **config})
    finding = weights.only()
    assert (finding.severity, finding.code) == ("error", "quantization_left_over")
    assert "the weights are BF16; only config.json says" in finding.message
    assert "remove quantization" in finding.message
    assert "allow_quantized" not in finding.message


@pytest.mark.parametrize(("config", "method"), [(GPT_OSS, MXFP4), (DEEPSEEK, FP8)])
def test_a_native_block_left_over_beside_16_bit_weights_is_an_error(weights, config, method):
    name = "gpt-oss-20b-bf16" if method is MXFP4 else "DeepSeek-V2-Lite-Chat"
    weights.put_model({**config, **method}, real_tensors(name))
    assert ("error", "quantization_left_over") in codes(weights)


@pytest.mark.parametrize("name", ["quantize_config.json", "quant_config.json", "hf_quant_config.json"])
def test_a_file_left_over_beside_16_bit_weights_is_an_error_that_names_it(weights, name):
    weights.put(name, {})
    finding = weights.only()
    assert finding.code == "quantization_left_over"
    assert finding.object == f"{weights.uri}/{name}"


def test_a_file_that_says_quantized_is_refused(weights):
    weights.put_model(LLAMA, packed())
    weights.put("quantize_config.json", {})
    finding = weights.only()
    assert (finding.code, finding.object) == ("quantized", f"{weights.uri}/quantize_config.json")


def test_quantized_tensors_of_which_config_says_nothing_are_refused(weights):
    weights.put_model(LLAMA, packed())
    finding = weights.only()
    assert (finding.severity, finding.code) == ("error", "quantized")
    assert "q_proj.qweight (I32)" in finding.message
    assert "no quantization_config" in finding.message


@pytest.mark.parametrize(("config", "tensors"), [(GPT_OSS, mxfp4()), (DEEPSEEK, fp8())])
def test_native_quantized_tensors_without_their_block_are_an_error_that_names_it(weights, config, tensors):
    weights.put_model(config, tensors)
    [finding] = [finding for finding in weights.check().findings if finding.severity == "error"]
    assert finding.code == "quantization_missing"
    assert '"quant_method"' in finding.message


@pytest.mark.parametrize("block", [{}, {"quantization_config": {"quant_method": "any"}}, {"quantization": {"bits": 4}}])
@pytest.mark.parametrize("name", FORMATS)
def test_weights_of_each_quantizer_are_one_finding_that_follows_what_the_user_wants(weights, name, block):
    weights.put_model({**LLAMA, **block}, quantized(name))
    assert codes(weights) == [("error", "quantized")]
    assert codes(weights, allow_quantized=True) == [("warning", "quantized")]
    assert codes(weights, own_container=True) == [("note", "quantized")]


def test_quantization_that_is_said_twice_is_one_finding(weights):
    weights.put_model({**LLAMA, **FP8}, {name: ("F8_E4M3", shape) for name, (_, shape) in llama(LLAMA).items()})
    assert codes(weights) == [("error", "quantized")]


def test_a_user_who_wants_quantized_weights_is_only_warned(weights):
    weights.put_model({**LLAMA, **BNB}, packed())
    report = weights.check(allow_quantized=True)
    assert [(finding.severity, finding.code) for finding in report.findings] == [("warning", "quantized")]
    assert report.ok


def test_with_a_container_of_the_users_own_quantization_is_a_note(weights):
    weights.put_model({**LLAMA, **BNB}, packed())
    report = weights.check(own_container=True)
    assert [(finding.severity, finding.code) for finding in report.findings] == [("note", "quantized")]
    assert report.ok


def test_gpt_oss_comes_in_mxfp4(weights):
    weights.put_model({**GPT_OSS, **MXFP4}, mxfp4())
    report = weights.check()
    assert report.findings == []
    assert report.base_model == "gpt-oss-20B"


def test_deepseek_comes_in_fp8(weights):
    weights.put_model({**DEEPSEEK, **FP8}, fp8())
    assert codes(weights) == [("warning", "unlisted_size")]


@pytest.mark.parametrize(("config", "method", "tensors"), [(GPT_OSS, FP8, mxfp4()), (DEEPSEEK, MXFP4, fp8())])
def test_another_format_than_its_own_is_refused(weights, config, method, tensors):
    weights.put_model({**config, **method}, tensors)
    assert ("error", "quantized") in codes(weights)


@pytest.mark.parametrize(
    ("name", "shape"), [("rotary.mask", (4,)), ("gpt.attention.bias", (1, 1, 64, 64)), ("gpt.attn.masked_bias", (1, 4))]
)
def test_a_mask_of_bytes_is_no_quantization(weights, name, shape):
    weights.put_model(LLAMA, {**llama(LLAMA), name: ("U8", shape)})
    assert codes(weights) == []


@pytest.mark.parametrize("dtype", ["U16", "I16", "I32", "I64", "U64"])
def test_weights_of_whole_numbers_are_refused_with_how_to_save_them(weights, dtype):
    weights.put_model(LLAMA, {name: (dtype, shape) for name, (_, shape) in llama(LLAMA).items()})
    finding = weights.only()
    assert (finding.severity, finding.code) == ("error", "not_floating_point")
    assert "model.to(torch.bfloat16).save_pretrained(folder)" in finding.message
    assert codes(weights, allow_quantized=True) == [("error", "not_floating_point")]


def test_positions_beside_the_weights_are_no_quantization(weights):
    weights.put_model(LLAMA, {**llama(LLAMA), "model.embeddings.position_ids": ("I64", (1, 131072))})
    assert ("error", "quantized") not in codes(weights)
