"""Who holds machines, from when they are added until they are given back, and whose it was what a request changed."""

from __future__ import annotations

import pytest

from mg_provider.emulator.core import ledger
from tests.emulator.client import LOCATION

HOLDER = "endpoints/chat/deployedModels/"
TWO_L4 = {
    "machine_type": "g2-standard-24",
    "accelerator_type": "NVIDIA_L4",
    "accelerator_count": 2,
    "replicas": 1,
    "nodes": 1,
}


def held(emulator):
    return [{name: value for name, value in each.items() if name != "holder"} for each in emulator.ledger()["machines"]]


def test_machines_are_held_before_the_deployment_shows_and_until_it_is_off(client, emulator):
    client.put_weights()
    operation = client.deploy()
    emulator.advance(20 + 160 + 240 + 240 + 1)
    (machines,) = emulator.ledger()["machines"]
    assert HOLDER in machines["holder"]
    assert held(emulator) == [TWO_L4]
    assert "deployedModels" not in client.ok("GET", f"{LOCATION}/endpoints/chat")
    client.response(operation)
    (deployed,) = client.ok("GET", f"{LOCATION}/endpoints/chat")["deployedModels"]
    assert machines["holder"].endswith(HOLDER + deployed["id"])
    undeploying = client.ok("POST", f"{LOCATION}/endpoints/chat:undeployModel", {"deployedModelId": deployed["id"]})
    assert held(emulator) == [TWO_L4]
    client.response(undeploying)
    assert held(emulator) == []


def test_a_replica_of_several_machines_holds_and_needs_the_gpus_of_all(client, emulator):
    spec = {"machineType": "a3-highgpu-8g", "acceleratorType": "NVIDIA_H100_80GB", "acceleratorCount": 8}
    spec["multihostGpuNodeCount"] = 2
    deployment = {"dedicatedResources": {"machineSpec": spec, "minReplicaCount": 1, "maxReplicaCount": 2}}
    emulator.set_quota({"my-project/us-central1/NVIDIA_H100_80GB": 31})
    client.put_weights()
    assert client.finished(client.deploy(deployConfig=deployment))["error"]["code"] == 8
    emulator.set_quota({"my-project/us-central1/NVIDIA_H100_80GB": 32})
    again = {"modelConfig": {"modelUserId": "b"}, "endpointConfig": {"endpointUserId": "b"}}
    client.response(client.deploy(deployConfig=deployment, **again))
    assert emulator.ledger()["gpus_in_use"] == {"NVIDIA_H100_80GB": 16}
    assert [(each["replicas"], each["nodes"]) for each in held(emulator)] == [(1, 2)]


def test_machines_without_gpus_are_held_too(client, emulator):
    resources = {"machineSpec": {"machineType": "n1-standard-4"}, "minReplicaCount": 2}
    client.deployed(deployConfig={"dedicatedResources": resources})
    (machines,) = held(emulator)
    assert (machines["machine_type"], machines["accelerator_count"], machines["replicas"]) == ("n1-standard-4", 0, 2)
    assert emulator.ledger()["gpus_in_use"] == {}
    assert emulator.ledger()["gpu_seconds_total"] == 0


def test_a_change_is_recorded_with_what_it_was_done_to_and_the_labels_until_then(client, emulator):
    client.emulator.behave(fields_of_no_client="kept")
    client.deployed()
    client.ok("PATCH", f"{LOCATION}/endpoints/chat", {"labels": {"team": "ads"}}, updateMask="labels")
    client.ok("PATCH", f"{LOCATION}/endpoints/chat", {"labels": {}}, updateMask="labels")
    client.ok("GET", f"{LOCATION}/endpoints/chat")
    first, second, look = emulator.requests()[-3:]
    assert first["target"]["name"].endswith("/endpoints/chat")
    assert first["target"]["labels"] == {"team": "search"}
    assert second["target"]["labels"] == {"team": "ads"}
    assert "target" not in look


def test_cancelling_what_is_still_being_made_is_recorded_with_the_labels_that_it_would_have(client, emulator):
    client.emulator.behave(fields_of_no_client="kept")
    client.put_weights()
    operation = client.deploy()
    client.ok("POST", f"{operation['name']}:cancel")
    assert emulator.requests()[-1]["target"] == {"name": operation["name"], "labels": {"team": "search"}}


@pytest.mark.parametrize(
    ("place", "register"), [("_DATA", ledger.counts_data), ("_RESOURCES", ledger.counts_resources)]
)
def test_what_exists_is_listed_in_one_order_whatever_was_imported_first(emulator, monkeypatch, place, register):
    usual = getattr(ledger, place)
    assert len(usual) > 1
    monkeypatch.setattr(ledger, place, [])
    for contribution in reversed(usual):
        register(contribution)
    assert getattr(ledger, place) == usual
