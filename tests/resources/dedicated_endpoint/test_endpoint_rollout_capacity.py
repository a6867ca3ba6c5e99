"""What a named model serves with stays as large when its rollout goes back, and when it is parked and resumed."""

import pytest

from tests.support.lives.host import HostError
from tests.support.lives.named_models import PREDICT, destroyed, life_on, serving, settled, two
from tests.support.lives.rollouts import endpoint_of

STRATEGIES = {
    "shift": {"steps": [10, 50, 100], "probe": PREDICT},
    "rolling": {"strategy": "rolling", "probe": PREDICT},
    "recreate": {"strategy": "recreate", "probe": PREDICT},
}


@pytest.fixture
def life(host):
    return life_on(host)


def many(stable, canary, strategy):
    wanted = two(stable, canary, 30, rollout=STRATEGIES[strategy])
    for served in wanted["deployed_models"].values():
        served["max_replica_count"] = 12
    return wanted


def busy(emulator, life, load):
    """The endpoint has had this load for long enough to be scaled for it."""
    emulator.behave(load={life.outputs["endpoint_id"]: load})
    emulator.advance(3600)
    emulator.ledger()
    return len(emulator.shortages())


def fewest(emulator, life):
    entries = endpoint_of(emulator, life)["deployedModels"]
    return {entry["displayName"]: entry["dedicatedResources"]["minReplicaCount"] for entry in entries}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_rollout_that_goes_back_leaves_what_served_as_large_as_it_was(emulator, life, models, strategy):
    old, new, other = models
    before = many(other, old, strategy)
    life.up(before)
    short = busy(emulator, life, 10)
    emulator.behave(bad_models={"new": "500"})
    with pytest.raises(HostError, match="taken back"):
        life.up(many(other, new, strategy))
    if strategy == "shift":
        assert emulator.shortages()[short:] == []
    assert serving(emulator, life) == {("stable", "other"): 70, ("canary", "old"): 30}
    life.up(before)
    assert fewest(emulator, life) == {"stable": 1, "canary": 1}
    settled(emulator, life, before)
    assert not [label for label in endpoint_of(emulator, life)["labels"] if label.startswith("mg-rollout")]
    destroyed(emulator, life)


def test_resumed_models_start_with_what_served_when_they_were_parked(emulator, life, models):
    old, _, other = models
    wanted = many(other, old, "shift")
    life.up(wanted)
    busy(emulator, life, 10)
    life.up({**wanted, "parked": True})
    assert life.outputs["replicas_when_parked"] == {"stable": 7, "canary": 3}
    assert life.refresh() == {}
    since = len(emulator.requests())
    life.up(wanted)
    calls = [entry for entry in emulator.requests()[since:] if entry["rpc"].endswith(".deployModel")]
    asked = [entry["body"]["deployedModel"] for entry in calls]
    assert {entry["displayName"]: entry["dedicatedResources"]["minReplicaCount"] for entry in asked} == {
        "stable": 7,
        "canary": 3,
    }
    assert life.outputs["replicas_when_parked"] == {}
    assert fewest(emulator, life) == {"stable": 1, "canary": 1}
    settled(emulator, life, wanted)
    destroyed(emulator, life)
