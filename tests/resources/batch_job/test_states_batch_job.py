"""Every state that a batch job can be in, what is said of it, and what the next command does."""

import signal
import threading

import pytest

from mg_provider.clock import ManualClock
from mg_provider.resources.batch_job import BatchJobProvider
from mg_provider.resources.batch_job.progress import RowProgress
from mg_provider.wire.vertex.batch import BatchPredictionJob
from tests.resources.conftest import QUICK, config
from tests.support.lives.host import Host, HostError
from tests.support.lives.life import Life
from tests.support.samples.batch import JOBS, arguments, jobs, put_questions, put_rows, started
from tests.support.samples.weights import call, make_bucket

CREATE = "aiplatform.projects.locations.batchPredictionJobs.create"
GET = "aiplatform.projects.locations.batchPredictionJobs.get"
QUEUED, PENDING, RUNNING, LOADED = 0, 25, 265, 450


@pytest.fixture
def life(emulator, host):
    make_bucket(emulator)
    put_questions(emulator, count=100)
    return Life(host, BatchJobProvider, name="nightly")


@pytest.fixture
def apart(emulator, life):
    """The same stack in a process of its own, as every command has one."""
    own = Host(config(emulator))
    yield Life(own, BatchJobProvider, name="nightly")
    own.close()


def state(emulator):
    return jobs(emulator)[0]["state"].removeprefix("JOB_STATE_")


def reach(emulator, life, seconds):
    """A job that stands still, so many emulated seconds after its start."""
    emulator.set_speed(0)
    life.up(arguments(wait=False))
    emulator.advance(seconds)


def cancel(emulator):
    call(f"{emulator.url}/v1/{jobs(emulator)[0]['name']}:cancel", {})


ON_THE_WAY = {
    "QUEUED": (QUEUED, []),
    "PENDING": (PENDING, []),
    "RUNNING": (RUNNING, []),
    "PAUSED": (LOADED, ["JOB_STATE_PAUSED"]),
    "UPDATING": (LOADED, ["JOB_STATE_UPDATING"]),
}
EACH_ACTIVE = pytest.mark.parametrize("seen", ON_THE_WAY)


@EACH_ACTIVE
def test_refresh_tells_the_state_and_up_goes_on_with_the_same_job(emulator, life, seen):
    seconds, detours = ON_THE_WAY[seen]
    emulator.behave(batch_detours=detours)
    reach(emulator, life, seconds)
    assert state(emulator) == seen
    assert life.refresh() == {}
    assert life.outputs["job_state"] == f"JOB_STATE_{seen}"
    emulator.set_speed(QUICK)
    assert life.up(arguments())["job_state"] == "JOB_STATE_SUCCEEDED"
    assert life.outputs["successful_count"] == 100
    assert started(emulator) == 1


@EACH_ACTIVE
def test_destroy_stops_it_and_leaves_nothing(emulator, life, seen):
    seconds, detours = ON_THE_WAY[seen]
    emulator.behave(batch_detours=detours)
    reach(emulator, life, seconds)
    assert state(emulator) == seen
    emulator.set_speed(QUICK)
    life.destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_destroy_waits_for_a_job_that_somebody_is_cancelling(emulator, life):
    reach(emulator, life, LOADED + 50)
    cancel(emulator)
    assert state(emulator) == "CANCELLING"
    assert life.refresh() == {}
    assert life.outputs["job_state"] == "JOB_STATE_CANCELLING"
    emulator.set_speed(QUICK)
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_cancelled_job_says_so_and_what_was_answered_stays(emulator, life):
    reach(emulator, life, LOADED + 50)
    cancel(emulator)
    emulator.set_speed(QUICK)
    for _ in range(2):
        with pytest.raises(HostError, match="JOB_STATE_CANCELLED, because somebody cancelled it") as failure:
            life.up(arguments())
    assert "not looked at; what was answered is in gs://" in failure.value.text
    assert 0 < life.outputs["successful_count"] < 100
    assert life.outputs["incomplete_count"] == 100 - life.outputs["successful_count"]
    assert started(emulator) == 1
    life.destroy()
    assert emulator.ledger()["empty"]


def test_an_expired_job_says_so(emulator, life):
    emulator.behave(batch_end="expired")
    with pytest.raises(HostError, match="JOB_STATE_EXPIRED, because it ran out of time: 50 rows answered") as failure:
        life.up(arguments(allow_partial=1))
    assert "split the input, or raise starting_replica_count" in failure.value.text
    assert life.outputs["incomplete_count"] == 50
    life.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("code", ["RESOURCE_EXHAUSTED", "INTERNAL"])
def test_a_failed_job_tells_the_service_s_reason(emulator, life, code):
    emulator.fail(rpc=CREATE, fault="operation_error", code=code, message="no machines left")
    with pytest.raises(HostError, match=r"JOB_STATE_FAILED: 0 rows.*\n  no machines left"):
        life.up(arguments())
    assert life.outputs["first_errors"] == ["no machines left"]
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_job_that_found_no_service_agents_says_to_wait_and_not_that_a_run_again_would_go_on(emulator, life):
    emulator.fail(rpc=CREATE, fault="service_agents_400", place="operation")
    with pytest.raises(HostError, match="Service agents are being provisioned") as failure:
        life.up(arguments())
    assert "do: nothing was computed: wait a few minutes" in failure.value.text
    assert "run the same command again" not in failure.value.text
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_job_that_finds_no_machine_says_what_to_try(emulator, life):
    machine = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
    emulator.behave(stockouts=["us-central1/g2-standard-12"])
    with pytest.raises(HostError, match="Machine type temporarily unavailable") as failure:
        life.up(arguments(machine_spec=machine))
    assert "do: capacity is short at the moment: try another machine type, another region" in failure.value.text
    assert len(jobs(emulator)) == 1


def test_a_job_whose_rows_all_failed_names_the_first_of_them(emulator, life):
    put_rows(emulator, "in/bad.jsonl", [{"custom_id": f"r{number}"} for number in range(30)])
    with pytest.raises(HostError, match="0 rows answered, 30 failed") as failure:
        life.up(arguments("in/bad.jsonl", preflight=False))
    told = life.outputs["first_errors"]
    assert len(told) == 10
    assert told[0].startswith("All 30 rows of the input failed")
    assert all(text.endswith("the row has no body") for text in told[1:])
    assert all(text in failure.value.text for text in told)


@pytest.mark.parametrize("then", ["up", "destroy"])
def test_waits_that_are_too_short_keep_the_job_and_start_no_other(emulator, life, then):
    emulator.set_speed(1)
    for _ in range(2):
        with pytest.raises(HostError, match="has not ended after") as failure:
            life.up(arguments(timeouts={"create": 0.5}))
        assert failure.value.kept is not None
        assert failure.value.kept[1]["batch_prediction_job"] == jobs(emulator)[0]["name"]
    assert life.preview(arguments(timeouts={"create": 0.5})) == ("update", [])
    emulator.set_speed(QUICK)
    if then == "up":
        assert life.up(arguments())["job_state"] == "JOB_STATE_SUCCEEDED"
    assert started(emulator) == 1
    life.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("seen", [CREATE, GET])
def test_a_killed_provider_is_followed_by_a_run_that_stays_with_its_job(emulator, life, apart, seen):
    """The process dies without a word: nothing is in the state, and the next run has nothing but the labels."""
    emulator.set_speed(0)
    doomed = Host(config(emulator))
    dying = Life(doomed, BatchJobProvider, name="nightly")
    inputs = dying.check(arguments())

    def create():
        with pytest.raises(HostError):
            dying.kind.create(inputs)

    worker = threading.Thread(target=create)
    worker.start()
    while seen not in [entry["rpc"] for entry in emulator.requests()]:
        worker.join(0.02)
    doomed.process.send_signal(signal.SIGKILL)
    worker.join()
    doomed.close()
    emulator.set_speed(QUICK)
    assert apart.up(arguments())["job_state"] == "JOB_STATE_SUCCEEDED"
    assert started(emulator) == 1
    apart.destroy()
    assert emulator.ledger()["empty"]


def test_a_killed_provider_whose_job_failed_meanwhile_tells_that(emulator, life, apart):
    life.up(arguments("in/missing.jsonl", preflight=False, wait=False))
    emulator.advance(7200)
    # The state was lost with the process.
    with pytest.raises(HostError, match="JOB_STATE_FAILED"):
        apart.up(arguments("in/missing.jsonl", preflight=False))
    assert started(emulator) == 1
    apart.destroy()
    assert emulator.ledger()["empty"]


def test_progress_tells_rows_percent_and_time_left(emulator, life):
    put_questions(emulator, "in/long.jsonl", 5000)
    emulator.set_speed(8000)
    before = len(life.kind.host.said)
    life.up(arguments("in/long.jsonl"))
    said = "\n".join(life.kind.host.said[before:])
    assert "the job is queued" in said
    assert "the job is running: " in said
    assert " of 5,000 rows (" in said


def running(done, failed, left):
    stats = {"successfulCount": str(done), "failedCount": str(failed), "incompleteCount": str(left)}
    return BatchPredictionJob.model_validate({"state": "JOB_STATE_RUNNING", "completionStats": stats})


def test_the_time_left_follows_from_the_rows_done_since_watching_began():
    clock = ManualClock()
    progress = RowProgress(clock, lambda line: None)
    assert progress.describe(running(1000, 0, 9000)) == "running: 1,000 of 10,000 rows (10 %)"
    clock.sleep(60)
    assert progress.describe(running(1590, 10, 8400)) == (
        "running: 1,600 of 10,000 rows (16 %), 10 failed, about 14 min left"
    )
    clock.sleep(3600)
    assert progress.describe(running(9990, 10, 0)) == "running: 10,000 of 10,000 rows (100 %), 10 failed"


def test_an_unknown_total_is_not_made_up():
    progress = RowProgress(ManualClock(), lambda line: None)
    assert progress.describe(running(1200, 0, -1)) == "running: 1,200 rows"
    paused = BatchPredictionJob.model_validate({"state": "JOB_STATE_PAUSED"})
    assert progress.describe(paused) == "paused"


def test_the_jobs_of_others_are_neither_adopted_nor_deleted(emulator, host, life):
    other = Life(host, BatchJobProvider, name="nightly", owner="acme/project/other")
    theirs = other.up(arguments())["batch_prediction_job"]
    assert life.up(arguments())["batch_prediction_job"] != theirs
    life.destroy()
    assert [job["name"] for job in jobs(emulator)] == [theirs]
    assert JOBS.rpartition("/")[2] in theirs


def test_a_run_that_is_done_is_told_when_a_creation_takes_it_up(emulator, life):
    life.up(arguments())
    own = Host(config(emulator))
    Life(own, BatchJobProvider, name="nightly").up(arguments())
    own.close()
    assert any("another value in `triggers` starts another run" in line for line in own.said)
    life.destroy()
