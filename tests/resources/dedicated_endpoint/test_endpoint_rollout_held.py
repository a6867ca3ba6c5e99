"""A named model's rollout is held at a percentage of its share, goes on when that is taken away, and goes back."""

import pytest

from tests.support.lives.host import HostError
from tests.support.lives.named_models import PREDICT, destroyed, life_on, running, serving, settled, two
from tests.support.lives.rollouts import assert_always_served

BOTH = {("stable", "other"): 70, ("canary", "old"): 27, ("canary", "new"): 3}


@pytest.fixture
def life(host):
    return life_on(host)


def canary(model, other, hold=None, share=30, **more):
    rollout = {"probe": PREDICT, **({"hold": hold} if hold else {})}
    return two(other, model, share, rollout=rollout, **more)


def split(emulator, life):
    """The Model of each deployment with its percent; two deployments of one name are distinguished."""
    return serving(emulator, life)


@pytest.fixture
def held(emulator, life, models):
    old, new, other = models
    life.up(canary(old, other))
    since = len(emulator.requests())
    wanted = canary(new, other, hold=10)
    plan = life.check(wanted)["deployment_plan"]["canary"]
    assert "moves traffic to 3 %, where it is held at 10 % of its share until rollout.hold is removed" in plan
    assert "BOTH RUN AND ARE PAID FOR" in plan
    outputs = life.up(wanted)
    assert outputs["rollouts_held"]["canary"]["percent"] == 10
    assert set(outputs["held_deployed_model_ids"]) == {"canary"}
    assert split(emulator, life) == BOTH
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])
    assert outputs["leftover_deployed_models"] == outputs["unmanaged_deployed_models"] == []
    return since


def test_a_held_rollout_goes_on_when_hold_is_taken_away(emulator, life, models, held):
    _, new, other = models
    plan = life.check(canary(new, other))["deployment_plan"]["canary"]
    assert plan.startswith("goes on: moves traffic to 15 %, 30 %; at the peak")
    life.up(canary(new, other))
    assert split(emulator, life) == {("stable", "other"): 70, ("canary", "new"): 30}
    assert "canary" not in life.outputs.get("rollouts_held", {})
    assert_always_served(emulator, held)
    settled(emulator, life, canary(new, other))
    destroyed(emulator, life)


@pytest.mark.parametrize("hold", [None, 10], ids=["without hold", "hold still there"])
def test_a_held_rollout_goes_back_when_the_model_is_written_as_before(emulator, life, models, held, hold):
    old, _, other = models
    wanted = canary(old, other, hold=hold)
    assert life.check(wanted)["deployment_plan"]["canary"].startswith("goes back: what served before")
    since = len(emulator.requests())
    life.up(wanted)
    assert split(emulator, life) == {("stable", "other"): 70, ("canary", "old"): 30}
    assert not [entry for entry in emulator.requests()[since:] if entry["rpc"].endswith(".deployModel")]
    assert_always_served(emulator, held)
    settled(emulator, life, wanted)
    destroyed(emulator, life)


def test_a_held_rollout_is_moved_to_another_percentage_and_keeps_it_when_something_else_changes(
    emulator, life, models, held
):
    _, new, other = models
    life.up(canary(new, other, hold=50))
    assert split(emulator, life) == {("stable", "other"): 70, ("canary", "old"): 15, ("canary", "new"): 15}
    life.up(canary(new, other, hold=50, share=60, description="more"))
    assert split(emulator, life) == {("stable", "other"): 40, ("canary", "old"): 30, ("canary", "new"): 30}
    life.up(canary(new, other, hold=50, share=20, description="less"))
    assert split(emulator, life) == {("stable", "other"): 80, ("canary", "old"): 10, ("canary", "new"): 10}
    assert life.refresh() == {}
    assert_always_served(emulator, held)
    destroyed(emulator, life)


def test_a_third_model_takes_the_place_of_the_one_that_is_held(emulator, life, models, held):
    _, _, other = models
    life.up(canary(other, other, hold=10))
    assert split(emulator, life) == {("stable", "other"): 70, ("canary", "old"): 27, ("canary", "other"): 3}
    assert len(running(emulator)) == 4
    assert life.refresh() == {}
    assert_always_served(emulator, held)
    destroyed(emulator, life)


def test_a_held_rollout_that_fails_when_it_goes_on_is_what_it_was_before(emulator, life, models, held):
    old, new, other = models
    emulator.behave(bad_models={"new": "500"})
    with pytest.raises(HostError, match="the rollout of canary failed and was taken back") as failure:
        life.up(canary(new, other))
    assert failure.value.kept[1]["deployed_models"]["canary"]["model"] == old
    assert split(emulator, life) == {("stable", "other"): 70, ("canary", "old"): 30}
    assert_always_served(emulator, held)
    emulator.behave(bad_models={})
    life.up(canary(new, other))
    assert split(emulator, life) == {("stable", "other"): 70, ("canary", "new"): 30}
    settled(emulator, life, canary(new, other))
    destroyed(emulator, life)


def test_destroy_takes_both(emulator, life, held):
    destroyed(emulator, life)


def test_parking_takes_both_and_resuming_brings_the_wanted_one(emulator, life, models, held):
    _, new, other = models
    life.up(canary(new, other, hold=10, parked=True))
    assert emulator.ledger()["gpus_in_use"] == {}
    life.up(canary(new, other, hold=10))
    assert split(emulator, life) == {("stable", "other"): 70, ("canary", "new"): 30}
    settled(emulator, life, canary(new, other, hold=10))
    destroyed(emulator, life)
