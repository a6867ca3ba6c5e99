"""Folders that are something else than Hugging Face weights are named as what they are."""

import numpy
import pytest
from safetensors.numpy import save

from tests.preflight.conftest import LLAMA
from tests.support.samples.weights import BUCKET, put

OTHER = [
    ("lora_adapter", ["adapter_config.json", "adapter_model.safetensors"]),
    ("gguf", ["model-Q4_K_M.gguf"]),
    ("diffusers", ["model_index.json", "unet/config.json"]),
    ("megatron", ["latest_checkpointed_iteration.txt", "iter_0000100/mp_rank_00/model.pt"]),
    ("megatron", ["mp_rank_00/model_optim_rng.pt"]),
    ("distributed_checkpoint", ["__0_0.distcp", ".metadata"]),
    ("distributed_checkpoint", ["zero_to_fp32.py", "global_step100/x.pt"]),
    ("original_format", ["consolidated.00.pth", "params.json", "tokenizer.model"]),
    ("nemo", ["llama.nemo"]),
    ("orbax", ["manifest.ocdbt", "_METADATA", "d/1f0c"]),
    ("archive", ["llama.tar.gz"]),
    ("archive", ["llama.zip", "readme.txt"]),
    ("onnx", ["model.onnx"]),
    ("tensorflow", ["tf_model.h5"]),
    ("tensorflow", ["saved_model.pb", "variables/variables.index"]),
    ("flax", ["flax_model.msgpack"]),
    ("pytorch_checkpoint", ["last.ckpt"]),
]


@pytest.mark.parametrize(("code", "files"), OTHER)
@pytest.mark.parametrize("with_config", [False, True])
def test_a_folder_of_another_kind_is_named_as_what_it_is(weights, code, files, with_config):
    weights.delete_all()
    for name in [*files, *(["config.json"] if with_config else [])]:
        weights.put(name, LLAMA)
    finding = weights.only()
    assert (finding.severity, finding.code) == ("error", code)


def test_a_lora_adapter_names_its_base_model_and_what_to_do(weights):
    weights.delete_all()
    weights.put("adapter_config.json", {"base_model_name_or_path": "meta-llama/Llama-3.2-1B"})
    weights.put("adapter_model.safetensors", save({"a": numpy.ones(2, numpy.float16)}))
    message = weights.only().message
    assert "meta-llama/Llama-3.2-1B" in message
    assert "merge_and_unload" in message


def test_an_adapter_beside_whole_weights_is_a_warning(weights):
    weights.put("adapter_config.json", {})
    weights.put("adapter_model.safetensors", save({"a": numpy.ones(2, numpy.float16)}))
    finding = weights.only()
    assert (finding.severity, finding.code) == ("warning", "unused_files")


def test_the_subfolder_that_has_the_model_is_named(weights):
    finding = weights.only(uri=f"gs://{BUCKET}")
    assert finding.code == "nested_folder"
    assert f"give {weights.uri}" in finding.message


def test_a_model_below_an_archive_is_found_all_the_same(weights, emulator):
    put(emulator, "logs.zip", b"x")
    assert weights.only(uri=f"gs://{BUCKET}").code == "nested_folder"


def test_the_parent_folder_that_has_the_model_is_named(weights):
    weights.put("logs/events", b"x")
    finding = weights.only(uri=f"{weights.uri}/logs/")
    assert finding.code == "nested_folder"
    assert finding.message.endswith(f"give {weights.uri}")


def test_a_file_given_for_its_folder_is_told(weights):
    finding = weights.only(uri=f"{weights.uri}/config.json")
    assert finding.code == "not_a_folder"
    assert finding.message.endswith(f"{weights.uri}")


def test_a_folder_with_nothing_in_it_is_told(weights):
    assert weights.only(uri=f"gs://{BUCKET}/lama").code == "no_such_folder"


def test_a_folder_without_config_is_told(weights):
    put(weights.emulator, "other/readme.txt", b"x")
    assert weights.only(uri=f"gs://{BUCKET}/other").code == "no_config"


def test_a_folder_without_weights_is_told(weights):
    weights.delete_weights()
    assert weights.codes() == ["no_weights"]


def test_a_model_some_folders_deeper_is_found_with_one_more_listing(weights, emulator):
    deep = f"{weights.name}-tuned/postprocess/node-0/checkpoints/final"
    put(emulator, f"{deep}/config.json", b"{}")
    put(emulator, f"{weights.name}-tuned/postprocess/node-0/checkpoints/100/config.json", b"{}")
    put(emulator, f"{weights.name}-tuned/log.txt", b"x")
    seen = len(emulator.requests())
    finding = weights.only(uri=f"{weights.uri}-tuned")
    assert finding.code == "nested_folder"
    assert f"some folders deeper: give gs://{BUCKET}/{deep}," in finding.message
    assert [entry["rpc"] for entry in emulator.requests()[seen:]].count("storage.objects.list") == 2


def test_adapters_below_are_named_with_their_base_the_latest_first(weights):
    for step in (500, 1000):
        put(weights.emulator, f"run/checkpoint-{step}/adapter_config.json", b'{"base_model_name_or_path": "acme/base"}')
    finding = weights.only(uri=f"gs://{BUCKET}/run")
    assert finding.code == "lora_adapter"
    assert "LoRA adapters of acme/base" in finding.message
    assert f"gs://{BUCKET}/run/checkpoint-1000, gs://{BUCKET}/run/checkpoint-500" in finding.message
    assert "merge_and_unload" in finding.message


@pytest.mark.parametrize("with_config", [False, True])
def test_fsdp_shards_below_are_told_with_the_command_that_gathers_them(weights, with_config):
    weights.delete_all()
    weights.put("pytorch_model_fsdp_0/__0_0.distcp", b"x")
    weights.put("optimizer_0/__0_0.distcp", b"x")
    if with_config:
        weights.put("config.json", LLAMA)
    finding = weights.only()
    assert (finding.severity, finding.code) == ("error", "distributed_checkpoint")
    assert "accelerate merge-weights pytorch_model_fsdp_0 whole/" in finding.message


def test_the_files_of_an_embedding_model_beside_the_weights_are_a_warning(weights):
    weights.put("modules.json", [])
    finding = weights.only()
    assert (finding.severity, finding.code) == ("warning", "embedding_model")
