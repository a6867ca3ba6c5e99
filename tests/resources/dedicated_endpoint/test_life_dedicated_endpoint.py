"""An endpoint's life with several named models and the traffic between them."""

import pytest

from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from tests.resources.conftest import QUICK, config
from tests.support.lives.endpoints import Hand, masks
from tests.support.lives.host import Host, HostError
from tests.support.lives.life import Life
from tests.support.samples.weights import call, make_bucket, put_weights

L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
PARENT = "projects/my-project/locations/us-central1"


@pytest.fixture
def model(emulator):
    """The resource name of an uploaded Model."""
    make_bucket(emulator)
    body = {"model": {"displayName": "llama", "artifactUri": put_weights(emulator)}, "modelId": "llama"}
    body["model"]["containerSpec"] = {"imageUri": "us-docker.pkg.dev/vertex-ai/vertex-vision-model-garden/vllm"}
    call(f"{emulator.url}/v1beta1/{PARENT}/models:upload", body)
    emulator.advance(600)
    return f"{PARENT}/models/llama"


@pytest.fixture
def life(host):
    return Life(host, DedicatedEndpointProvider, name="chat")


def served(model, **more):
    return {"model": model, "machine_spec": L4, **more}


def split(emulator, life):
    endpoint = call(f"{emulator.url}/v1beta1/{life.id}", method="GET")
    names = {entry["id"]: entry["displayName"] for entry in endpoint.get("deployedModels", [])}
    return {names[id]: percent for id, percent in endpoint.get("trafficSplit", {}).items() if percent}


def leftovers(emulator):
    return [entry for entry in emulator.ledger()["resources"] if entry["kind"] != "aiplatform.Model"]


def test_an_endpoint_lives_with_two_models_and_their_traffic(emulator, life, model):
    wanted = {
        "deployed_models": {"stable": served(model), "canary": served(model, min_replica_count=2)},
        "traffic_split": {"stable": 90, "canary": 10},
    }
    outputs = life.up(wanted)
    assert split(emulator, life) == {"stable": 90, "canary": 10}
    assert outputs["dedicated_endpoint_dns"].endswith(".prediction.vertexai.goog")
    assert set(outputs["deployed_model_ids"]) == {"stable", "canary"}
    assert life.preview(wanted) == ("same", [])
    assert life.refresh() == {}

    shifted = {**wanted, "traffic_split": {"stable": 50, "canary": 50}, "labels": {"team": "search"}}
    assert life.preview(shifted) == ("update", [])
    assert life.up(shifted)["deployed_model_ids"] == outputs["deployed_model_ids"]
    assert split(emulator, life) == {"stable": 50, "canary": 50}
    assert life.refresh() == {}
    life.destroy()
    assert leftovers(emulator) == []


def test_models_come_and_go_without_touching_the_others(emulator, life, model):
    first = life.up({"deployed_models": {"v1": served(model)}})
    both = life.up({"deployed_models": {"v1": served(model), "v2": served(model)}, "traffic_split": {"v1": 100}})
    assert both["deployed_model_ids"]["v1"] == first["deployed_model_ids"]["v1"]
    assert split(emulator, life) == {"v1": 100}
    last = life.up({"deployed_models": {"v2": served(model)}})
    assert last["endpoint"] == first["endpoint"]
    assert split(emulator, life) == {"v2": 100}
    assert life.refresh() == {}
    life.destroy()
    assert leftovers(emulator) == []


def test_another_machine_is_deployed_beside_before_the_old_one_goes(emulator, life, model):
    life.up({"deployed_models": {"v1": served(model)}})
    bigger = {**L4, "machine_type": "g2-standard-24", "accelerator_count": 2}
    before = len(emulator.requests())
    life.up({"deployed_models": {"v1": {"model": model, "machine_spec": bigger}}})
    calls = [entry["rpc"].rsplit(".", 1)[-1] for entry in emulator.requests()[before:]]
    changing = [name for name in calls if name in ("deployModel", "patch", "undeployModel")]
    assert changing == ["deployModel", "patch", "patch", "patch", "undeployModel"]
    assert split(emulator, life) == {"v1": 100}
    assert life.refresh() == {}
    life.destroy()
    assert leftovers(emulator) == []


def test_a_model_deployed_by_hand_is_told_and_left_alone(emulator, life, model):
    wanted = {"deployed_models": {"v1": served(model)}}
    life.up(wanted)
    body = {
        "deployedModel": {"model": model, "dedicatedResources": {"machineSpec": {"machineType": "n1-standard-4"}}},
        "trafficSplit": {"0": 0, life.outputs["deployed_model_ids"]["v1"]: 100},
    }
    body["deployedModel"]["dedicatedResources"]["minReplicaCount"] = 1
    call(f"{emulator.url}/v1beta1/{life.id}:deployModel", body)
    emulator.advance(7200)
    assert life.refresh() == {}
    assert len(life.outputs["unmanaged_deployed_models"]) == 1
    life.up({**wanted, "description": "still there"})
    endpoint = call(f"{emulator.url}/v1beta1/{life.id}", method="GET")
    assert len(endpoint["deployedModels"]) == 2


def test_traffic_moved_by_hand_drifts_and_heals(emulator, life, model):
    wanted = {
        "deployed_models": {"v1": served(model), "v2": served(model)},
        "traffic_split": {"v1": 90, "v2": 10},
    }
    ids = life.up(wanted)["deployed_model_ids"]
    body = {"trafficSplit": {ids["v1"]: 0, ids["v2"]: 100}}
    call(f"{emulator.url}/v1beta1/{life.id}?updateMask=trafficSplit", body, "PATCH")
    assert life.refresh() == {"traffic_split": {"v2": 100}}
    life.up(wanted)
    assert split(emulator, life) == {"v1": 90, "v2": 10}
    life.destroy()


def test_a_model_that_only_gets_another_name_is_not_deployed_again(emulator, life, model):
    bigger = {**L4, "machine_type": "g2-standard-24", "accelerator_count": 2}
    stable, canary = served(model), served(model, machine_spec=bigger)
    before = life.up({"deployed_models": {"v1": stable, "v2": canary}, "traffic_split": {"v1": 90, "v2": 10}})
    ids, since = before["deployed_model_ids"], len(emulator.requests())
    renamed = {"deployed_models": {"stable": stable, "v2": canary}, "traffic_split": {"stable": 90, "v2": 10}}
    assert life.up(renamed)["deployed_model_ids"] == {"stable": ids["v1"], "v2": ids["v2"]}
    assert masks(emulator, since) == []
    assert life.refresh() == {}
    # Two that swap their names: only the traffic moves.
    swapped = {"deployed_models": {"stable": canary, "v2": stable}, "traffic_split": {"stable": 90, "v2": 10}}
    assert life.up(swapped)["deployed_model_ids"] == {"stable": ids["v2"], "v2": ids["v1"]}
    assert masks(emulator, since) == [("patch", "trafficSplit")]
    assert life.refresh() == {}
    assert life.preview(swapped) == ("same", [])
    life.destroy()
    assert leftovers(emulator) == []


def test_a_parked_endpoint_costs_no_machine_and_keeps_its_address_and_comes_back(emulator, life, model):
    wanted = {"deployed_models": {"v1": served(model), "v2": served(model)}, "traffic_split": {"v1": 90, "v2": 10}}
    before = life.up(wanted)
    parked = {**wanted, "parked": True}
    assert life.preview(parked) == ("update", [])
    outputs = life.up(parked)
    assert emulator.ledger()["gpus_in_use"] == {}
    for name in ("endpoint", "dedicated_endpoint_dns"):
        assert outputs[name] == before[name]
    assert outputs["deployed_model_ids"] == {}
    assert life.refresh() == {}
    assert life.preview(parked) == ("same", [])
    # What is parked can be changed: it counts when it comes back.
    life.up({**parked, "traffic_split": {"v1": 50, "v2": 50}})
    assert life.refresh() == {}
    assert life.up({**wanted, "traffic_split": {"v1": 50, "v2": 50}})["endpoint"] == before["endpoint"]
    assert split(emulator, life) == {"v1": 50, "v2": 50}
    assert life.refresh() == {}
    life.destroy()
    assert leftovers(emulator) == []


def test_a_deployment_on_a_parked_endpoint_is_drift_and_goes(emulator, life, model):
    """As after a run that was killed in the middle of parking."""
    wanted = {"deployed_models": {"v1": served(model)}}
    life.up(wanted)
    state = dict(life.outputs)
    life.up({**wanted, "parked": True})
    life.outputs = {**life.outputs, "deployed_model_ids": state["deployed_model_ids"]}
    shown = {"machineType": "g2-standard-12", "acceleratorType": "NVIDIA_L4", "acceleratorCount": 1}
    Hand(emulator).deploy(life.id, model, {"0": 100}, shown, id=state["deployed_model_ids"]["v1"])
    assert life.refresh()["parked"] is False
    assert life.preview({**wanted, "parked": True}) == ("update", [])
    life.up({**wanted, "parked": True})
    assert emulator.ledger()["gpus_in_use"] == {}
    assert life.refresh() == {}
    life.destroy()


def test_a_failed_deployment_leaves_the_endpoint_in_state_and_the_next_run_finishes(emulator, life, model):
    emulator.fail(
        rpc="aiplatform.projects.locations.endpoints.deployModel",
        fault="operation_error",
        code="INTERNAL",
        message="broken",
    )
    wanted = {"deployed_models": {"v1": served(model)}}
    with pytest.raises(HostError, match="broken") as failure:
        life.up(wanted)
    assert failure.value.kept is not None
    assert [fault["met"] for fault in emulator.faults()] == [1]
    life.up(wanted)
    assert split(emulator, life) == {"v1": 100}
    life.destroy()
    assert leftovers(emulator) == []


def test_deployment_ids_are_the_same_in_every_process(emulator, model):
    """A set's order differs between processes; an id must not."""
    wanted = {"deployed_models": {"v1": served(model)}}
    emulator.set_speed(QUICK)
    first, second = Host(config(emulator)), Host(config(emulator))
    try:
        life = Life(first, DedicatedEndpointProvider, name="chat")
        life.up(wanted)
        life.kind.host = second
        assert life.refresh() == {}
        life.destroy()
    finally:
        first.close()
        second.close()
    assert leftovers(emulator) == []


def test_a_fast_tryout_is_asked_for(emulator, life, model):
    life.up({"deployed_models": {"v1": served(model, fast_tryout_enabled=True)}})
    sent = [entry["body"] for entry in emulator.requests() if entry["rpc"].endswith("endpoints.deployModel")]
    assert [body["deployedModel"].get("fasterDeploymentConfig") for body in sent] == [{"fastTryoutEnabled": True}]
    life.destroy()


def test_an_endpoint_whose_making_was_not_seen_to_end_is_kept_in_state(emulator, life):
    emulator.set_speed(0.01)
    with pytest.raises(HostError, match="has not ended after") as failure:
        life.up({"timeouts": {"create": 0.5}})
    assert failure.value.kept is not None
    emulator.set_speed(QUICK)
    life.destroy()
    assert leftovers(emulator) == []


def test_an_endpoint_does_not_move_away_from_a_model_that_is_named_where_it_was(emulator, life, model):
    here = {"deployed_models": {"chat": served(model)}}
    life.up(here)
    before = emulator.ledger()["resources"]
    for moved in ({"region": "europe-west4"}, {"project": "other-project"}):
        calls = len(emulator.requests())
        with pytest.raises(HostError, match="name a Model that is where the endpoint goes") as refused:
            life.preview({**here, **moved})
        assert f"chat is {model}, and the endpoint moves from" in refused.value.text
        assert len(emulator.requests()) == calls
    assert emulator.ledger()["resources"] == before

    there = {
        "deployed_models": {"chat": served(model.replace("us-central1", "europe-west4"))},
        "region": "europe-west4",
    }
    assert life.preview(there) == ("replace", ["endpoint_id", "region"])
    # A number may be that of the project that the endpoint goes to.
    numbered = {"deployed_models": {"chat": served(model.replace("my-project", "123"))}, "project": "other-project"}
    assert life.preview(numbered)[0] == "replace"
    assert life.preview({"region": "europe-west4", "parked": True, **here})[0] == "replace"
    life.destroy()
    assert leftovers(emulator) == []


def test_a_new_endpoint_may_serve_a_model_of_another_region(emulator, life, model):
    elsewhere = {"deployed_models": {"chat": served(model)}, "region": "europe-west4"}
    life.up(elsewhere)
    assert split(emulator, life) == {"chat": 100}
    assert life.preview(elsewhere) == ("same", [])
    assert life.refresh() == {}
    life.destroy()
    assert leftovers(emulator) == []


def test_where_google_refuses_a_model_of_another_region_no_gpu_is_paid_for(emulator, life, model):
    emulator.behave(model_of_another_location="refuse")
    with pytest.raises(HostError, match="is not in europe-west4, where the Endpoint is"):
        life.up({"deployed_models": {"chat": served(model)}, "region": "europe-west4"})
    assert not emulator.ledger()["gpu_seconds"]
    life.destroy()
    assert leftovers(emulator) == []
