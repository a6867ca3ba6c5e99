"""Each call of a batch job's life is made to fail in each way: one job runs, and nothing is left."""

import threading

import pytest

from mg_provider.resources.batch_job import BatchJobProvider
from tests.resources.conftest import QUICK
from tests.support.google.faults import FAULTS
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.running.processes import until
from tests.support.samples.batch import arguments, jobs, minutes_pass, put_rows, started
from tests.support.samples.weights import make_bucket

_JOBS = "aiplatform.projects.locations.batchPredictionJobs"
# A call that only reads has no effect that an answer could lose.
READING_FAULTS = [fault for fault in FAULTS if fault.get("status", fault["fault"]) in ("drop_request", 503, 403)]


def cases(writing=(), reading=()):
    """Each call with each fault."""
    pairs = [(rpc, fault) for rpc in writing for fault in FAULTS]
    pairs += [(rpc, fault) for rpc in reading for fault in READING_FAULTS]
    named = [(rpc, fault, f"{rpc.rpartition('.')[2]}-{fault.get('status', fault['fault'])}") for rpc, fault in pairs]
    return pytest.mark.parametrize(("rpc", "fault"), [pytest.param(rpc, fault, id=name) for rpc, fault, name in named])


CREATE_CALLS = cases(
    [f"{_JOBS}.create"],
    [f"{_JOBS}.get", f"{_JOBS}.list", "aiplatform.publishers.models.get", "storage.objects.list"],
)
DELETE_CALLS = cases(
    [f"{_JOBS}.cancel", f"{_JOBS}.delete"],
    [f"{_JOBS}.get", f"{_JOBS}.list", "aiplatform.projects.locations.operations.get"],
)
OUTPUT_CALLS = cases(["storage.objects.delete"], ["storage.objects.list"])


@pytest.fixture
def life(emulator, host):
    make_bucket(emulator)
    rows = [{"body": {"messages": [{"role": "user", "content": "Why?"}]}}, {"custom_id": "bad"}]
    put_rows(emulator, "in/questions.jsonl", rows)
    return Life(host, BatchJobProvider, name="nightly")


def until_it_works(action, life, tries=3):
    """Run a command again after a failure, as a user does."""
    for _ in range(tries - 1):
        try:
            return action()
        except HostError:
            minutes_pass(life)
    return action()


def met(emulator):
    return [fault["met"] for fault in emulator.faults()]


@CREATE_CALLS
def test_create_converges_on_one_job(emulator, life, rpc, fault):
    wanted = arguments(machine_spec=None, allow_partial=0.5)
    emulator.fail(rpc=rpc, **fault)
    outputs = until_it_works(lambda: life.up(wanted), life)
    assert met(emulator) == [1]
    assert [job["name"] for job in jobs(emulator)] == [outputs["batch_prediction_job"]]
    assert outputs["job_state"] == "JOB_STATE_PARTIALLY_SUCCEEDED"
    assert outputs["first_errors"][0].endswith("the row has no body")
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


@DELETE_CALLS
def test_destroy_stops_the_job_and_leaves_nothing(emulator, life, rpc, fault):
    # It never gets its machines, so that it still has to be cancelled whenever destroy comes to it.
    emulator.fail(rpc=f"{_JOBS}.create", fault="stall")
    life.up(arguments(wait=False, preflight=False))
    emulator.fail(rpc=rpc, **fault)
    until_it_works(life.destroy, life)
    assert met(emulator) == [1, 1]
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


@OUTPUT_CALLS
def test_output_that_could_not_be_deleted_is_deleted_by_the_next_destroy(emulator, life, rpc, fault):
    life.up(arguments(allow_partial=1, delete_output=True))
    emulator.fail(rpc=rpc, **fault)
    until_it_works(life.destroy, life)
    assert met(emulator) == [1]
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


@pytest.mark.parametrize("then", ["up", "destroy"])
def test_a_job_that_may_exist_is_kept_in_state_until_it_is_found(emulator, life, then):
    """The answer is lost, and looking for the job fails too: the next command finds it by its labels."""
    emulator.fail(rpc=f"{_JOBS}.create", fault="lose_answer")
    emulator.fail(rpc=f"{_JOBS}.list", fault="status", status=403, after=1)
    with pytest.raises(HostError, match="it may have taken effect") as failure:
        life.up(arguments(allow_partial=0.5))
    assert failure.value.kept is not None
    assert met(emulator) == [1, 1]
    if then == "up":
        life.up(arguments(allow_partial=0.5))
        assert [job["name"] for job in jobs(emulator)] == [life.outputs["batch_prediction_job"]]
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_call_that_was_never_sent_leaves_nothing_in_state(emulator, life):
    emulator.fail(rpc=f"{_JOBS}.create", fault="status", status=403)
    with pytest.raises(HostError, match="403") as failure:
        life.up(arguments(preflight=False))
    assert failure.value.kept is None
    assert jobs(emulator) == []


def lost(emulator, life, *, listed_after=60):
    """A job that was started while its answer was lost, and that no list shows yet."""
    emulator.set_speed(0)
    emulator.behave(batch_listed_after=listed_after)
    emulator.fail(rpc=f"{_JOBS}.create", fault="lose_answer")
    with pytest.raises(HostError, match="it may have taken effect") as failure:
        life.up(WANTED)
    assert failure.value.kept is not None
    assert (life.outputs["batch_prediction_job"], started(emulator)) == ("", 1)
    assert life.outputs["asked"]


def when_it_is_looked_for(emulator, act):
    """Run a command, and let the job appear in lists once the command has looked in vain."""
    seen = listings(emulator)
    worker = threading.Thread(target=act)
    worker.start()
    while listings(emulator) < seen + 1:
        worker.join(0.02)
    emulator.advance(60)
    emulator.set_speed(QUICK)
    worker.join()


def listings(emulator):
    return sum(entry["rpc"] == f"{_JOBS}.list" for entry in emulator.requests())


WANTED = arguments(allow_partial=0.5)


def test_a_job_that_no_list_shows_yet_is_waited_for_and_not_paid_for_again(emulator, life):
    lost(emulator, life)
    assert life.refresh() == {}
    assert life.preview(WANTED) == ("update", [])
    when_it_is_looked_for(emulator, lambda: life.up(WANTED))
    assert started(emulator) == 1
    assert [job["name"] for job in jobs(emulator)] == [life.outputs["batch_prediction_job"]]
    assert life.outputs["asked"] == ""
    assert until(lambda: any("whose answer never came" in line for line in life.kind.host.said), 10)
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_destroy_waits_for_a_job_that_no_list_shows_yet(emulator, life):
    lost(emulator, life)
    when_it_is_looked_for(emulator, life.destroy)
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_a_job_that_appears_within_seconds_is_gone_on_with_at_once(emulator, life):
    emulator.set_speed(1000)
    emulator.behave(batch_listed_after=50)
    emulator.fail(rpc=f"{_JOBS}.create", fault="lose_answer")
    outputs = life.up({**WANTED, "wait": False})
    assert [job["name"] for job in jobs(emulator)] == [outputs["batch_prediction_job"]]
    assert started(emulator) == 1


def test_a_request_that_never_arrived_is_asked_again_and_forgotten_by_a_refresh(emulator, life):
    emulator.fail(rpc=f"{_JOBS}.create", fault="drop_request", times=2)
    for _ in range(2):
        with pytest.raises(HostError, match="it may have taken effect"):
            life.up(WANTED)
        minutes_pass(life)
    assert life.refresh() is None
    assert life.up(WANTED)["job_state"] == "JOB_STATE_PARTIALLY_SUCCEEDED"
    assert len(jobs(emulator)) == 1
