"""Each call of a rollout is made to fail in each way: the next run converges, traffic is never lost, nothing stays."""

import pytest

from tests.resources.conftest import QUICK
from tests.resources.interrupted.killed import kill_update
from tests.support.lives.host import HostError
from tests.support.lives.life import up_until_it_works
from tests.support.lives.rollouts import ONE, arguments, assert_always_served, endpoint_of, kinds, serving
from tests.support.samples.weights import put_weights

SHIFT = {"steps": [50, 100], "probe": {"kind": "predict", "instances": ["Hi"]}}
FAULTS = {
    "lost": {"fault": "lose_answer"},
    "dropped": {"fault": "drop_request"},
    "429": {"fault": "status", "status": 429, "retry_after": 0},
    "503": {"fault": "status", "status": 503},
    "409": {"fault": "status", "status": 409, "code": "ABORTED"},
    "403": {"fault": "status", "status": 403, "code": "PERMISSION_DENIED"},
}
WRITES = ["endpoints.patch", "models.upload", "endpoints.deployModel", "endpoints.undeployModel", "models.delete"]
READS = [
    "recommendSpec",
    "endpoints.get",
    "models.get",
    "models.list",
    "models.operations.list",
    "models.operations.get",
    "endpoints.operations.list",
    "endpoints.operations.get",
]
CASES = [(rpc, fault) for rpc in WRITES for fault in FAULTS] + [
    (rpc, fault) for rpc in READS for fault in ("lost", "403")
]


@pytest.fixture
def third(emulator, old):
    return put_weights(emulator, "third")


def rolling(weights, strategy="shift"):
    probe = {"probe": SHIFT["probe"]}
    return arguments(weights, rollout=SHIFT if strategy == "shift" else {"strategy": strategy, **probe})


def assert_converged(emulator, life, weights, wanted):
    assert serving(emulator, life) == {weights: 100}
    assert kinds(emulator) == ONE
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])
    assert not [key for key in endpoint_of(emulator, life)["labels"] if key.startswith("mg-rollout")]


def destroyed(emulator, life):
    life.destroy()
    emulator.advance(7200)
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


@pytest.mark.parametrize(("rpc", "fault"), CASES)
def test_a_shift_converges_on_the_new_weights(emulator, life, old, new, rpc, fault):
    life.up(rolling(old))
    since = len(emulator.requests())
    emulator.fail(
        rpc=f"aiplatform.projects.locations.{rpc}", after=1 if rpc == "endpoints.patch" else 0, **FAULTS[fault]
    )
    up_until_it_works(life, rolling(new))
    assert [entry["met"] for entry in emulator.faults()] == [1]
    assert_converged(emulator, life, new, rolling(new))
    assert_always_served(emulator, since)
    destroyed(emulator, life)


@pytest.mark.parametrize("strategy", ["recreate", "rolling"])
@pytest.mark.parametrize("fault", ["lost", "503"])
@pytest.mark.parametrize("rpc", ["endpoints.deployModel", "endpoints.undeployModel"])
def test_the_other_strategies_converge_as_well(emulator, life, old, new, rpc, fault, strategy):
    emulator.behave(rolled_out_deployment="kept")
    life.up(rolling(old))
    emulator.fail(rpc=f"aiplatform.projects.locations.{rpc}", **FAULTS[fault])
    up_until_it_works(life, rolling(new, strategy))
    assert [entry["met"] for entry in emulator.faults()] == [1]
    assert_converged(emulator, life, new, rolling(new, strategy))
    destroyed(emulator, life)


@pytest.mark.parametrize("rpc", ["models.upload", "endpoints.deployModel", "endpoints.undeployModel", "models.delete"])
def test_an_operation_that_ends_badly_is_taken_back_or_done_again(emulator, life, old, new, rpc):
    life.up(rolling(old))
    since = len(emulator.requests())
    emulator.fail(rpc=f"aiplatform.projects.locations.{rpc}", fault="operation_error", code="INTERNAL", message="broke")
    with pytest.raises(HostError, match="broke"):
        life.up(rolling(new))
    life.up(rolling(new))
    assert_converged(emulator, life, new, rolling(new))
    assert_always_served(emulator, since)
    destroyed(emulator, life)


MOMENTS = [
    ("aiplatform.projects.locations.endpoints.patch", 1),
    ("aiplatform.projects.locations.models.upload", 1),
    ("aiplatform.projects.locations.endpoints.deployModel", 1),
    ("aiplatform.projects.locations.endpoints.patch", 2),
    ("aiplatform.projects.locations.endpoints.patch", 3),
    ("aiplatform.projects.locations.endpoints.undeployModel", 1),
    ("aiplatform.projects.locations.models.delete", 1),
]
FEWER = MOMENTS[1:3] + MOMENTS[4:6]
NAMES = [f"{rpc.rpartition('.')[2]}-{count}" for rpc, count in MOMENTS]


@pytest.fixture
def killed(emulator, life, old, new, request):
    seen, count = request.param
    life.up(rolling(old))
    since = len(emulator.requests())
    kill_update(emulator, life, rolling(new), seen, count)
    return since


@pytest.mark.parametrize("killed", MOMENTS, ids=NAMES, indirect=True)
def test_after_a_kill_the_next_run_goes_on(emulator, life, new, killed):
    life.up(rolling(new))
    assert_converged(emulator, life, new, rolling(new))
    assert_always_served(emulator, killed)
    destroyed(emulator, life)


@pytest.mark.parametrize("killed", FEWER, ids=[NAMES[index] for index in (1, 2, 4, 5)], indirect=True)
def test_after_a_kill_a_program_that_was_changed_back_goes_back(emulator, life, old, killed):
    life.refresh()
    if life.preview(rolling(old))[0] == "update":
        life.up(rolling(old))
    assert_converged(emulator, life, old, rolling(old))
    assert_always_served(emulator, killed)
    destroyed(emulator, life)


@pytest.mark.parametrize("killed", FEWER, ids=[NAMES[index] for index in (1, 2, 4, 5)], indirect=True)
def test_after_a_kill_a_third_change_leaves_nothing_of_the_second(emulator, life, third, killed):
    life.up(rolling(third))
    assert_converged(emulator, life, third, rolling(third))
    assert_always_served(emulator, killed)
    destroyed(emulator, life)


@pytest.mark.parametrize("killed", FEWER, ids=[NAMES[index] for index in (1, 2, 4, 5)], indirect=True)
def test_after_a_kill_destroy_removes_both(emulator, life, killed):
    destroyed(emulator, life)


def test_an_upload_ends_with_the_update_s_timeout_and_the_next_run_goes_on(emulator, life, old, new):
    life.up(rolling(old))
    emulator.set_speed(1)
    with pytest.raises(HostError, match=r"models.* has not ended after \d s") as failure:
        life.up({**rolling(new), "timeouts": {"update": 0.3}})
    assert failure.value.kept is not None
    emulator.set_speed(QUICK)
    life.up(rolling(new))
    assert_converged(emulator, life, new, rolling(new))
    destroyed(emulator, life)


def test_a_timeout_keeps_the_rollout_and_the_next_run_goes_on(emulator, life, old, new):
    emulator.behave(durations={"UPLOAD_MODEL": 0})
    life.up(rolling(old))
    emulator.set_speed(1)
    with pytest.raises(HostError, match="has not ended after") as failure:
        life.up({**rolling(new), "timeouts": {"update": 0.3}})
    assert failure.value.kept is not None
    assert failure.value.kept[1]["rollout_under_way"]
    emulator.set_speed(QUICK)
    life.up(rolling(new))
    assert_converged(emulator, life, new, rolling(new))
    destroyed(emulator, life)
