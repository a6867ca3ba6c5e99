"""Models of Model Garden and of Hugging Face: whole lives, the licence, the token, and names that are not listed."""

import json

import pytest

from tests.support.lives.host import HostError
from tests.support.lives.life import CheckFailed

L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
LLAMA = "publishers/meta/models/llama3_1@llama-3.1-8b-instruct"
GATED = "meta-llama/Llama-3.1-8B"
TOKEN = "hf_abcdefghijklmnop"
DEPLOY = "aiplatform.projects.locations.deploy"


def sent(emulator):
    return [entry["body"] for entry in emulator.requests() if entry["rpc"] == DEPLOY]


@pytest.mark.parametrize(
    "source",
    [
        {"publisher_model_name": LLAMA, "accept_eula": True},
        {"publisher_model_name": "publishers/qwen/models/qwen3@qwen3-8b"},
        {"hugging_face_model_id": "Qwen/Qwen3-8B", "hugging_face_cache_enabled": True},
        {"hugging_face_model_id": GATED, "hugging_face_access_token": TOKEN},
    ],
    ids=["licensed", "open", "cached", "gated"],
)
@pytest.mark.parametrize("machine", [{}, {"machine_spec": L4}], ids=["default", "machine"])
def test_a_listed_model_lives_from_create_to_destroy(emulator, life, source, machine):
    wanted = {**source, **machine}
    outputs = life.up(wanted)
    assert outputs["deployed_model_id"]
    assert outputs["machine_type"] == "g2-standard-12"
    assert life.preview(wanted) == ("same", [])
    assert life.refresh() == {}
    changed = {**wanted, "max_replica_count": 2, "description": "changed"}
    assert life.preview(changed) == ("update", [])
    assert life.up(changed)["deployed_model_id"] == outputs["deployed_model_id"]
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_the_cached_download_is_asked_for(emulator, life):
    life.up({"hugging_face_model_id": "Qwen/Qwen3-8B", "hugging_face_cache_enabled": True})
    assert sent(emulator)[0]["modelConfig"]["huggingFaceCacheEnabled"] is True
    life.destroy()


def test_a_licence_that_is_not_accepted_is_told_with_what_to_do(emulator, life):
    with pytest.raises(HostError, match="EULA") as failure:
        life.up({"publisher_model_name": LLAMA})
    assert "accept_eula" in failure.value.text
    assert failure.value.kept is None
    assert emulator.ledger()["empty"]
    assert life.up({"publisher_model_name": LLAMA, "accept_eula": True})["deployed_model_id"]
    life.destroy()


def test_a_gated_model_without_a_token_is_told_with_what_to_do(emulator, life):
    with pytest.raises(HostError, match="Hugging Face access token") as failure:
        life.up({"hugging_face_model_id": GATED})
    assert "set hugging_face_access_token to a read token" in failure.value.text
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("publishers/meta/models/llama3_1@llama-3.1-8b-instrukt", LLAMA),
        ("publishers/meta/models/llama-3.1-8b-instruct", LLAMA),
        ("publishers/qwen/models/qwen3@qwen3-9b", "publishers/qwen/models/qwen3@qwen3-8b"),
        ("publishers/google/models/gemma-3@gemma-3-4b-it", "publishers/google/models/gemma3@gemma-3-4b-it"),
    ],
)
def test_a_name_that_is_not_listed_is_told_with_the_nearest(emulator, life, wrong, right):
    with pytest.raises(HostError, match="is not found") as failure:
        life.up({"publisher_model_name": wrong, "accept_eula": True})
    assert f"did you mean {right}" in failure.value.text or f" or {right}" in failure.value.text
    assert failure.value.kept is None
    assert emulator.ledger()["empty"]


def test_where_the_list_cannot_be_read_the_refusal_is_told_all_the_same(emulator, life):
    emulator.fail(rpc="publishers.models.list", fault="status", status=403)
    with pytest.raises(HostError, match="is not found"):
        life.up({"publisher_model_name": "publishers/meta/models/lama@lama"})


def test_exactly_one_source_is_needed(life):
    for wanted in ({}, {"gcs_uri": "gs://bucket/folder", "publisher_model_name": LLAMA}):
        with pytest.raises(CheckFailed, match="exactly one of gcs_uri, publisher_model_name, hugging_face_model_id"):
            life.preview(wanted)


def test_the_token_goes_to_google_and_nowhere_else(emulator, host, life):
    wanted = {"hugging_face_model_id": GATED, "hugging_face_access_token": TOKEN}
    before = len(host.said)
    emulator.fail(rpc=DEPLOY, fault="operation_error", code="INTERNAL", message=f"download with {TOKEN} failed")
    with pytest.raises(HostError) as failure:
        life.up(wanted)
    assert TOKEN not in failure.value.text
    life.up(wanted)
    assert sent(emulator)[-1]["modelConfig"]["huggingFaceAccessToken"] == TOKEN
    assert TOKEN not in "\n".join(host.said[before:])
    shown = {name: value for name, value in life.outputs.items() if name != "hugging_face_access_token"}
    assert TOKEN not in json.dumps(shown, default=str)
    other = {**wanted, "hugging_face_access_token": "hf_another_token"}
    assert life.preview(other) == ("update", [])
    life.destroy()
