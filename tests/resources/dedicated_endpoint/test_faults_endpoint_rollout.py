"""The rollout of a named model is cut off everywhere: the next run goes on or back, and the endpoint always serves."""

import pytest

from tests.resources.conftest import QUICK
from tests.resources.interrupted.killed import kill_update
from tests.support.lives.host import HostError
from tests.support.lives.life import up_until_it_works
from tests.support.lives.named_models import PREDICT, destroyed, life_on, serving, settled, two
from tests.support.lives.rollouts import assert_always_served

FAULTS = {
    "lost": {"fault": "lose_answer"},
    "409": {"fault": "status", "status": 409, "code": "ABORTED"},
    "403": {"fault": "status", "status": 403, "code": "PERMISSION_DENIED"},
}
CASES = [(rpc, fault) for rpc in ("patch", "deployModel", "undeployModel") for fault in FAULTS] + [
    (rpc, "403") for rpc in ("get", "operations.list", "operations.get")
]
ROLLOUT = {"steps": [50, 100], "probe": PREDICT}


@pytest.fixture
def life(host):
    return life_on(host)


def canary(model, other, **more):
    return two(other, model, 30, rollout=ROLLOUT, **more)


def assert_converged(emulator, life, model, wanted, since):
    assert serving(emulator, life) == {("stable", "other"): 70, ("canary", model): 30}
    settled(emulator, life, wanted)
    assert_always_served(emulator, since)


@pytest.mark.parametrize(("rpc", "fault"), CASES)
def test_a_call_that_fails_is_made_up_for(emulator, life, models, rpc, fault):
    old, new, other = models
    life.up(canary(old, other))
    since = len(emulator.requests())
    emulator.fail(rpc=f"aiplatform.projects.locations.endpoints.{rpc}", **FAULTS[fault])
    up_until_it_works(life, canary(new, other))
    assert [entry["met"] for entry in emulator.faults()] == [1]
    assert_converged(emulator, life, "new", canary(new, other), since)
    destroyed(emulator, life)


@pytest.mark.parametrize("rpc", ["deployModel", "undeployModel"])
def test_an_operation_that_ends_badly_is_taken_back_or_done_again(emulator, life, models, rpc):
    old, new, other = models
    life.up(canary(old, other))
    since = len(emulator.requests())
    name = f"aiplatform.projects.locations.endpoints.{rpc}"
    emulator.fail(rpc=name, fault="operation_error", code="INTERNAL", message="broke")
    with pytest.raises(HostError, match="broke"):
        life.up(canary(new, other))
    life.up(canary(new, other))
    assert_converged(emulator, life, "new", canary(new, other), since)
    destroyed(emulator, life)


MOMENTS = {
    "deploying": ("deployModel", 1),
    "at 15 %": ("patch", 1),
    "at 30 %": ("patch", 2),
    "undeploying": ("undeployModel", 1),
}
FEWER = ["deploying", "at 15 %"]


@pytest.fixture(params=MOMENTS)
def killed(emulator, life, models, request):
    old, new, other = models
    rpc, count = MOMENTS[request.param]
    life.up(canary(old, other))
    since = len(emulator.requests())
    kill_update(emulator, life, canary(new, other), f"aiplatform.projects.locations.endpoints.{rpc}", count)
    return since


def test_after_a_kill_the_next_run_goes_on(emulator, life, models, killed):
    _, new, other = models
    deployed = [entry for entry in emulator.requests()[killed:] if entry["rpc"].endswith("deployModel")]
    life.up(canary(new, other))
    assert_converged(emulator, life, "new", canary(new, other), killed)
    again = [entry for entry in emulator.requests()[killed:] if entry["rpc"].endswith(".deployModel")]
    assert len(again) == 1 or not deployed
    destroyed(emulator, life)


def test_after_a_kill_a_program_that_was_changed_back_goes_back(emulator, life, models, killed):
    old, _, other = models
    life.refresh()
    if life.preview(canary(old, other))[0] == "update":
        life.up(canary(old, other))
    assert_converged(emulator, life, "old", canary(old, other), killed)
    destroyed(emulator, life)


@pytest.mark.parametrize("killed", FEWER, indirect=True)
def test_after_a_kill_a_third_change_leaves_nothing_of_the_second(emulator, life, models, killed):
    _, _, other = models
    life.up(canary(other, other))
    assert serving(emulator, life) == {("stable", "other"): 70, ("canary", "other"): 30}
    settled(emulator, life, canary(other, other))
    assert_always_served(emulator, killed)
    destroyed(emulator, life)


@pytest.mark.parametrize("killed", FEWER, indirect=True)
def test_after_a_kill_destroy_leaves_nothing(emulator, life, killed):
    destroyed(emulator, life)


def test_a_timeout_keeps_what_runs_in_the_state_and_the_next_run_goes_on(emulator, life, models):
    old, new, other = models
    life.up(canary(old, other))
    since = len(emulator.requests())
    emulator.set_speed(1)
    with pytest.raises(HostError, match="has not ended after") as failure:
        life.up(canary(new, other, timeouts={"create": 0.3}))
    assert failure.value.kept[1]["deployed_models"]["canary"]["model"] == old
    assert failure.value.kept[1]["deployed_models"]["canary"]["machine_spec"]
    emulator.set_speed(QUICK)
    life.up(canary(new, other))
    assert_converged(emulator, life, "new", canary(new, other), since)
    assert len([entry for entry in emulator.requests()[since:] if entry["rpc"].endswith(".deployModel")]) == 1
    destroyed(emulator, life)


@pytest.mark.parametrize("strategy", ["recreate", "rolling"])
@pytest.mark.parametrize("rpc", ["deployModel", "undeployModel"])
def test_the_other_strategies_converge_as_well(emulator, life, models, rpc, strategy):
    old, new, other = models
    emulator.behave(rolled_out_deployment="kept")
    life.up(canary(old, other))
    emulator.fail(rpc=f"aiplatform.projects.locations.endpoints.{rpc}", **FAULTS["lost"])
    wanted = two(other, new, 30, rollout={"strategy": strategy, "probe": PREDICT})
    up_until_it_works(life, wanted)
    assert [entry["met"] for entry in emulator.faults()] == [1]
    assert serving(emulator, life) == {("stable", "other"): 70, ("canary", "new"): 30}
    settled(emulator, life, wanted)
    destroyed(emulator, life)


def test_a_new_name_that_comes_in_steps_is_gone_on_with_when_it_was_cut_off(emulator, life, models):
    old, new, other = models
    stable = two(other, old, 0, rollout=ROLLOUT)
    del stable["deployed_models"]["canary"], stable["traffic_split"]
    life.up(stable)
    since = len(emulator.requests())
    emulator.fail(rpc="endpoints.patch", after=1, times=5, **FAULTS["409"])
    with pytest.raises(HostError, match="somebody else keeps changing it"):
        life.up(canary(new, other))
    assert serving(emulator, life) == {("stable", "other"): 85, ("canary", "new"): 15}
    life.up(canary(new, other))
    assert_converged(emulator, life, "new", canary(new, other), since)
    destroyed(emulator, life)
