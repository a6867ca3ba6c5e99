"""No GPU is asked for on behalf of weights that cannot be served."""

import json

import pytest

from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from tests.support.host import HostError
from tests.support.life import Life
from tests.support.weights import BUCKET, CONFIG, make_bucket, put, put_weights


@pytest.fixture
def life(emulator, host):
    make_bucket(emulator)
    return Life(host, CustomWeightsModelProvider)


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
    assert "quota in us-central1 does not suffice for g2-standard-12" in told
    assert "or deploy in europe-west4" in told
    assert emulator.ledger()["empty"]


def test_each_choice_that_is_smaller_than_recommended_is_told(emulator, host, life):
    uri = put_weights(emulator, "llama")
    small = {"machine_type": "n1-standard-8", "accelerator_type": "NVIDIA_TESLA_T4", "accelerator_count": 1}
    before = len(host.said)
    life.up({"gcs_uri": uri, "machine_spec": [L4, small]})
    told = "\n".join(host.said[before:])
    assert "n1-standard-8 (1 x NVIDIA_TESLA_T4) has 16 GB of accelerator memory" in told
    life.destroy()


def test_a_caller_who_may_not_read_the_bucket_may_still_deploy(emulator, life):
    uri = put_weights(emulator, "llama")
    emulator.fail(rpc="storage.objects.list", fault="status", status=403, times=5)
    assert life.up({"gcs_uri": uri})["deployed_model_id"]
    life.destroy()
