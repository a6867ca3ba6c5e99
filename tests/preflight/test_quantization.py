"""Quantized weights are refused, but for formats that a base model is published in."""

import json

import numpy
import pytest
from safetensors.numpy import save

from tests.preflight.conftest import LLAMA

GPT_OSS = {
    "architectures": ["GptOssForCausalLM"],
    "model_type": "gpt_oss",
    "hidden_size": 2880,
    "num_hidden_layers": 24,
    "num_local_experts": 32,
    "vocab_size": 201088,
}
DEEPSEEK = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "hidden_size": 7168,
    "num_hidden_layers": 61,
    "n_routed_experts": 256,
    "vocab_size": 129280,
}
MXFP4 = {"quantization_config": {"quant_method": "mxfp4"}}
FP8 = {"quantization_config": {"quant_method": "fp8"}}


def only_file(weights, content):
    weights.delete_weights()
    weights.put("model.safetensors", content)


def eight_bit():
    """numpy has no eight-bit floats, so the file is made by hand."""
    entry = {"dtype": "F8_E4M3", "shape": [2, 2], "data_offsets": [0, 4]}
    text = json.dumps({"model.layers.0.mlp.down_proj.weight": entry}).encode()
    return len(text).to_bytes(8, "little") + text + b"\0" * 4


@pytest.mark.parametrize(
    "config",
    [
        {"quantization_config": {"quant_method": "gptq", "bits": 4}},
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}},
        {"quantization_config": {"group_size": 64, "bits": 4}},
        {"quantization": {"group_size": 64, "bits": 4}},
        {"text_config": {"quantization_config": {"quant_method": "awq"}}},
        FP8,
    ],
)
def test_a_config_that_says_quantized_is_refused_with_what_to_do(weights, config):
    weights.put("config.json", {**LLAMA, **config})
    finding = weights.only()
    assert (finding.severity, finding.code) == ("error", "quantized")
    assert "bfloat16" in finding.message
    assert "allow_quantized" in finding.message


@pytest.mark.parametrize("name", ["quantize_config.json", "quant_config.json", "hf_quant_config.json"])
def test_a_file_that_says_quantized_is_refused(weights, name):
    weights.put(name, {})
    assert weights.only().object == f"{weights.uri}/{name}"


def test_quantized_tensors_are_refused_whatever_config_says(weights):
    only_file(weights, save({"layer.qweight": numpy.ones((2, 2), numpy.int32)}))
    finding = weights.only()
    assert (finding.severity, finding.code) == ("error", "quantized")
    assert "layer.qweight (I32)" in finding.message


def test_eight_bit_tensors_are_refused_whatever_config_says(weights):
    only_file(weights, eight_bit())
    assert weights.codes() == ["quantized"]


def test_quantization_that_is_said_twice_is_one_finding(weights):
    weights.put("config.json", {**LLAMA, **FP8})
    only_file(weights, eight_bit())
    assert weights.codes() == ["quantized"]


def test_a_user_who_wants_quantized_weights_is_only_warned(weights):
    weights.put("config.json", {**LLAMA, **FP8})
    only_file(weights, eight_bit())
    report = weights.check(allow_quantized=True)
    assert [(finding.severity, finding.code) for finding in report.findings] == [("warning", "quantized")]
    assert report.ok


def test_gpt_oss_comes_in_mxfp4(weights):
    weights.put("config.json", {**GPT_OSS, **MXFP4})
    blocks = numpy.ones((2, 2), numpy.uint8)
    only_file(weights, save({"mlp.experts.down_proj_blocks": blocks, "mlp.experts.down_proj_scales": blocks}))
    report = weights.check()
    assert report.findings == []
    assert report.base_model == "gpt-oss-20B"


def test_deepseek_comes_in_fp8(weights):
    weights.put("config.json", {**DEEPSEEK, **FP8})
    only_file(weights, eight_bit())
    report = weights.check()
    assert report.findings == []
    assert "DeepSeek-V3" in report.base_model


@pytest.mark.parametrize(("config", "method"), [(GPT_OSS, FP8), (DEEPSEEK, MXFP4)])
def test_another_format_than_its_own_is_refused(weights, config, method):
    weights.put("config.json", json.dumps({**config, **method}).encode())
    assert weights.codes() == ["quantized"]


def test_a_mask_of_bytes_is_no_quantization(weights):
    only_file(weights, save({"rotary.mask": numpy.ones(4, numpy.uint8), "a.weight": numpy.ones(4, numpy.float16)}))
    assert weights.codes() == []
