"""A named model of a DedicatedEndpoint never serves with less than it did while it is replaced."""

import pytest

from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from tests.support.lives.endpoints import BIGGER, L4
from tests.support.lives.host import HostError
from tests.support.lives.life import Life

PROBE = {"probe": {"kind": "predict", "instances": ["Hi"]}}
STRATEGIES = {
    "shift": {"steps": [50, 100], **PROBE},
    "rolling": {"strategy": "rolling", **PROBE},
    "recreate": {"strategy": "recreate", **PROBE},
}


@pytest.fixture
def model(hand):
    return hand.upload()


def wanted(model, machine, strategy):
    a = {"model": model, "machine_spec": machine, "max_replica_count": 8, "rollout": STRATEGIES[strategy]}
    b = {"model": model, "machine_spec": L4, "max_replica_count": 8}
    return {"deployed_models": {"a": a, "b": b}, "traffic_split": {"a": 60, "b": 40}}


def busy(emulator, life):
    emulator.behave(load={life.outputs["endpoint_id"]: 10})
    emulator.advance(3600)
    emulator.ledger()
    return len(emulator.shortages())


def sizes(hand, life):
    entries = hand.endpoint(life.id)["deployedModels"]
    return {
        entry["displayName"]: (entry["dedicatedResources"]["minReplicaCount"], entry["status"]["availableReplicaCount"])
        for entry in entries
    }


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_name_s_replacement_starts_with_as_many_replicas_as_serve(emulator, host, hand, model, strategy):
    life = Life(host, DedicatedEndpointProvider, name="chat")
    life.up(wanted(model, L4, strategy))
    short = busy(emulator, life)
    assert sizes(hand, life) == {"a": (1, 6), "b": (1, 4)}
    life.up(wanted(model, BIGGER, strategy))
    # A name that is undeployed first leaves its share to the others, as the plan says.
    late = emulator.shortages()[short:]
    assert not [each for each in late if each["deployed_model_id"] == life.outputs["deployed_model_ids"]["a"]]
    assert strategy == "recreate" or late == []
    assert sizes(hand, life)["a"] == (1, 6)
    assert life.refresh() == {}
    assert life.preview(wanted(model, BIGGER, strategy)) == ("same", [])
    life.destroy()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_name_that_goes_back_is_as_large_as_it_was(emulator, host, hand, model, strategy):
    life = Life(host, DedicatedEndpointProvider, name="chat")
    life.up(wanted(model, L4, strategy))
    busy(emulator, life)
    emulator.behave(stockouts=["us-central1/g2-standard-24"])
    with pytest.raises(HostError, match="taken back"):
        life.up(wanted(model, BIGGER, strategy))
    assert sizes(hand, life)["a"] == (1, 6)
    life.up(wanted(model, L4, strategy))
    assert life.refresh() == {}
    life.destroy()
