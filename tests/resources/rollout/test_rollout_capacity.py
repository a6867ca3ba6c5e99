"""What serves never shrinks while it is replaced: enough replicas answer all the time, and none is kept too long."""

import pytest

from tests.resources.interrupted.killed import kill_update
from tests.support.lives.host import HostError
from tests.support.lives.rollouts import ONE, arguments, assert_always_served, endpoint_of, kinds, serving

PROBE = {"probe": {"kind": "predict", "instances": ["Hi"]}}
MANY = {"min_replica_count": 1, "max_replica_count": 8}
STRATEGIES = {
    "shift": {"steps": [10, 50, 100], **PROBE},
    "rolling": {"strategy": "rolling", **PROBE},
    "recreate": {"strategy": "recreate", **PROBE},
}


def machines(emulator, life):
    """Fewest and available replicas of each deployment."""
    entries = endpoint_of(emulator, life).get("deployedModels", [])
    return [
        (entry["dedicatedResources"]["minReplicaCount"], entry["status"]["availableReplicaCount"]) for entry in entries
    ]


def busy(emulator, life, load):
    """The endpoint has had this load for long enough to be scaled for it."""
    emulator.behave(load={life.outputs["endpoint_id"]: load})
    emulator.advance(3600)
    emulator.ledger()
    return len(emulator.shortages())


def wanted(weights, strategy="shift", **more):
    return arguments(weights, rollout=STRATEGIES[strategy], **{**MANY, **more})


def assert_settled(emulator, life, args):
    """Nothing that was raised stays so, and the stack knows it."""
    assert [fewest for fewest, _ in machines(emulator, life)] == [args.get("min_replica_count", 1)]
    assert kinds(emulator) == ONE
    assert life.refresh() == {}
    assert life.preview(args) == ("same", [])
    emulator.behave(load={life.outputs["endpoint_id"]: 1})
    emulator.advance(3600)
    assert emulator.ledger()["gpus_in_use"] == {"NVIDIA_L4": 1}


def test_the_emulated_endpoint_scales_with_its_load(emulator, life, old):
    life.up(wanted(old))
    assert emulator.ledger()["gpus_in_use"] == {"NVIDIA_L4": 1}
    busy(emulator, life, 6)
    assert machines(emulator, life) == [(1, 6)]
    assert emulator.ledger()["gpus_in_use"] == {"NVIDIA_L4": 6}
    busy(emulator, life, 20)
    assert machines(emulator, life) == [(1, 8)]
    busy(emulator, life, 0)
    assert machines(emulator, life) == [(1, 1)]
    assert life.refresh() == {}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_replacement_starts_with_as_many_replicas_as_serve(emulator, life, old, new, strategy):
    life.up(wanted(old, strategy))
    short = busy(emulator, life, 6)
    since = len(emulator.requests())
    life.up(wanted(new, strategy))
    assert emulator.shortages()[short:] == []
    asked = next(entry["body"] for entry in emulator.requests()[since:] if entry["rpc"].endswith(".deployModel"))
    assert asked["deployedModel"]["dedicatedResources"]["minReplicaCount"] == 6
    assert serving(emulator, life) == {new: 100}
    assert_settled(emulator, life, wanted(new, strategy))
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_replacement_has_no_more_replicas_than_it_may(emulator, life, old, new):
    life.up(wanted(old))
    busy(emulator, life, 6)
    life.up(wanted(new, max_replica_count=4))
    assert machines(emulator, life) == [(1, 4)]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_rollout_that_goes_back_leaves_what_served_as_large_as_it_was(emulator, life, old, new, strategy):
    life.up(wanted(old, strategy))
    short = busy(emulator, life, 6)
    emulator.behave(bad_models={new: "500"})
    with pytest.raises(HostError, match="taken back"):
        life.up(wanted(new, strategy))
    assert serving(emulator, life) == {old: 100}
    assert emulator.shortages()[short:] == []
    life.up(wanted(old, strategy))
    assert_settled(emulator, life, wanted(old, strategy))


def test_a_resumed_model_starts_with_what_served_when_it_was_parked(emulator, life, old):
    life.up(wanted(old))
    short = busy(emulator, life, 6)
    life.up(wanted(old, parked=True))
    assert life.refresh() == {}
    assert life.outputs["replicas_when_parked"] == 6
    assert emulator.ledger()["gpus_in_use"] == {}
    life.up(wanted(old))
    assert emulator.shortages()[short:] == []
    assert machines(emulator, life) == [(1, 6)]
    assert life.outputs["replicas_when_parked"] == 0
    assert_settled(emulator, life, wanted(old))


def test_the_new_deployment_grows_with_the_old_one_before_it_gets_more(emulator, life, old, new):
    life.up(wanted(old))
    short = busy(emulator, life, 3)
    name = life.outputs["endpoint_id"]
    kill_update(emulator, life, wanted(new), "aiplatform.projects.locations.endpoints.patch", 2)
    emulator.behave(load={name: 7})
    emulator.advance(3600)
    short = len(emulator.shortages())
    life.up(wanted(new))
    assert emulator.shortages()[short:] == []
    assert serving(emulator, life) == {new: 100}
    assert_settled(emulator, life, wanted(new))


MOMENTS = [("endpoints.mutateDeployedModel", 1), ("endpoints.patch", 2), ("endpoints.undeployModel", 1)]


@pytest.mark.parametrize(("rpc", "count"), MOMENTS, ids=[rpc for rpc, _ in MOMENTS])
@pytest.mark.parametrize("then", ["goes on", "goes back"])
def test_an_interruption_leaves_no_drift_and_no_raised_minimum(emulator, life, old, new, rpc, count, then):
    life.up(wanted(old))
    short = busy(emulator, life, 6)
    since = len(emulator.requests())
    kill_update(emulator, life, wanted(new), f"aiplatform.projects.locations.{rpc}", count)
    emulator.advance(3600)
    # That what served before is not deployed any more shows; a raised minimum does not.
    assert life.refresh() in ({}, {"min_replica_count": 0})
    args = wanted(new if then == "goes on" else old)
    life.up(args)
    assert serving(emulator, life) == {args["gcs_uri"]: 100}
    assert emulator.shortages()[short:] == []
    assert_always_served(emulator, since)
    assert_settled(emulator, life, args)
    life.destroy()
    assert emulator.ledger()["empty"]
