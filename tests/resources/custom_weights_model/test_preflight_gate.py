"""No GPU is asked for on behalf of weights that cannot be served."""

import json

import pytest

from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.samples.tensors import put_tensors, real_models, real_tensors
from tests.support.samples.weights import BUCKET, CONFIG, make_bucket, put, put_weights


@pytest.fixture
def life(emulator, host):
    make_bucket(emulator)
    return Life(host, CustomWeightsModelProvider)


def put_seven_billion(emulator, folder):
    """Llama-2-7B as it is published; answers its URI."""
    uri = put_weights(emulator, folder)
    put(emulator, f"{folder}/config.json", json.dumps(real_models()["Llama-2-7b-hf"]["config"]).encode())
    files = {f"model-0000{number}-of-00002.safetensors": {} for number in (1, 2)}
    tensors = real_tensors("Llama-2-7b-hf")
    for at, (name, entry) in enumerate(tensors.items()):
        list(files.values())[at % 2][name] = entry
    for file, part in files.items():
        put_tensors(emulator, f"{folder}/{file}", part)
    weight_map = {name: file for file, part in files.items() for name in part}
    index = {"metadata": {}, "weight_map": weight_map}
    put(emulator, f"{folder}/model.safetensors.index.json", json.dumps(index).encode())
    return uri


def asked(emulator):
    return [entry["rpc"] for entry in emulator.requests() if entry["rpc"].endswith("locations.deploy")]


def test_a_missing_shard_is_told_and_nothing_is_made(emulator, life):
    uri = put_weights(emulator, "broken")
    index = {"metadata": {"total_size": 1}, "weight_map": {"lm_head.weight": "model-00009-of-00009.safetensors"}}
    put(emulator, "broken/model.safetensors.index.json", json.dumps(index).encode())
    with pytest.raises(HostError, match=r"model-00009-of-00009\.safetensors") as failure:
        life.up({"gcs_uri": uri})
    assert failure.value.kept is None
    assert asked(emulator) == []
    assert emulator.ledger()["empty"]


def test_an_empty_folder_is_told_and_nothing_is_made(emulator, life):
    with pytest.raises(HostError, match="cannot be served"):
        life.up({"gcs_uri": f"gs://{BUCKET}/nothing"})
    assert asked(emulator) == []


def test_quantized_weights_are_refused_unless_the_user_says_so(emulator, life):
    uri = put_weights(emulator, "quantized")
    config = {**CONFIG, "quantization_config": {"quant_method": "awq", "bits": 4}}
    put(emulator, "quantized/config.json", json.dumps(config).encode())
    with pytest.raises(HostError, match="quantiz"):
        life.up({"gcs_uri": uri})
    assert asked(emulator) == []
    assert life.up({"gcs_uri": uri, "allow_quantized": True})["deployed_model_id"]
    life.destroy()


def test_the_check_can_be_left_out(emulator, life):
    uri = put_weights(emulator, "llama")
    before = len(emulator.requests())
    life.up({"gcs_uri": uri, "preflight": False})
    assert not any(entry["rpc"].startswith("storage.") for entry in emulator.requests()[before:])
    life.destroy()


L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}


def test_without_a_machine_spec_the_recommendation_is_told_with_quota_and_regions(emulator, host, life):
    uri = put_weights(emulator, "llama")
    emulator.behave(recommended_regions=["europe-west4"])
    before = len(host.said)
    life.up({"gcs_uri": uri})
    told = "\n".join(host.said[before:])
    assert "Model Garden recommends g2-standard-12 with 1 x NVIDIA_L4; quota suffices" in told
    assert "it would work in europe-west4 as well" in told
    life.destroy()


def test_a_quota_that_does_not_suffice_is_told_with_the_regions_that_would_work(emulator, host, life):
    uri = put_weights(emulator, "llama")
    emulator.behave(recommended_regions=["europe-west4"])
    emulator.set_quota({"my-project/us-central1/NVIDIA_L4": 0})
    before = len(host.said)
    with pytest.raises(HostError, match="quota"):
        life.up({"gcs_uri": uri, "machine_spec": L4})
    told = "\n".join(host.said[before:])
    assert "quota in us-central1 is too small for g2-standard-12" in told
    assert "or deploy in europe-west4" in told
    assert emulator.ledger()["empty"]


def test_each_choice_that_is_smaller_than_recommended_is_told(emulator, host, life):
    uri = put_seven_billion(emulator, "llama")
    small = {"machine_type": "n1-standard-8", "accelerator_type": "NVIDIA_TESLA_T4", "accelerator_count": 1}
    before = len(host.said)
    life.up({"gcs_uri": uri, "machine_spec": [L4, small]})
    told = "\n".join(host.said[before:])
    assert "n1-standard-8 (1 x NVIDIA_TESLA_T4) is smaller than recommended" in told
    life.destroy()


def test_a_machine_that_the_weights_do_not_fit_is_refused_and_nothing_is_made(emulator, life):
    uri = put_seven_billion(emulator, "llama")
    small = {"machine_type": "n1-standard-8", "accelerator_type": "NVIDIA_TESLA_P4", "accelerator_count": 1}
    with pytest.raises(HostError, match="cannot fit into the 8 GB") as failure:
        life.up({"gcs_uri": uri, "machine_spec": small})
    assert "preflight=False" in failure.value.text
    assert asked(emulator) == []


OWN = {
    "image_uri": "us-central1-docker.pkg.dev/my-project/serving/server:1",
    "predict_route": "/v1/chat/completions",
    "health_route": "/health",
    "ports": [{"container_port": 8000}],
}


def test_with_a_container_of_the_users_own_what_no_list_has_is_a_note(emulator, host, life):
    uri = put_weights(emulator, "unlisted")
    config = {**CONFIG, "architectures": ["BertModel"], "model_type": "bert"}
    put(emulator, "unlisted/config.json", json.dumps(config).encode())
    with pytest.raises(HostError, match="an embedding model"):
        life.up({"gcs_uri": uri, "machine_spec": L4})
    before = len(host.said)
    assert life.up({"gcs_uri": uri, "machine_spec": L4, "container_spec": OWN})["deployed_model_id"]
    assert "an embedding model" in "\n".join(host.said[before:])
    life.destroy()


def test_an_architecture_that_no_list_has_is_told_and_deployed(emulator, host, life):
    uri = put_weights(emulator, "new")
    config = {**CONFIG, "architectures": ["AcmeForCausalLM"], "model_type": "acme"}
    put(emulator, "new/config.json", json.dumps(config).encode())
    before = len(host.said)
    assert life.up({"gcs_uri": uri, "machine_spec": L4})["deployed_model_id"]
    assert "AcmeForCausalLM is not in the list" in "\n".join(host.said[before:])
    life.destroy()


def test_a_caller_who_may_not_read_the_bucket_may_still_deploy(emulator, life):
    uri = put_weights(emulator, "llama")
    emulator.fail(rpc="storage.objects.list", fault="status", status=403, times=5)
    assert life.up({"gcs_uri": uri})["deployed_model_id"]
    life.destroy()
