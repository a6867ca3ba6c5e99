"""A job that finds no machine: another choice of machine_spec is tried, once each, and each job is found again."""

import pytest

from mg_provider.resources.batch_job import BatchJobProvider
from tests.resources.conftest import QUICK
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.samples.batch import L4, arguments, jobs, put_questions
from tests.support.samples.weights import make_bucket

A100 = {"machine_type": "a2-highgpu-1g", "accelerator_type": "NVIDIA_TESLA_A100", "accelerator_count": 1}
H100 = {"machine_type": "a3-highgpu-1g", "accelerator_type": "NVIDIA_H100_80GB", "accelerator_count": 1}
CREATE = "aiplatform.projects.locations.batchPredictionJobs.create"
CHOICES = arguments(machine_spec=[L4, A100, H100])
L4_AND_A100 = ["us-central1/g2-standard-12", "us-central1/a2-highgpu-1g"]


@pytest.fixture
def life(emulator, host):
    make_bucket(emulator)
    put_questions(emulator)
    return Life(host, BatchJobProvider, name="nightly")


def machines(emulator):
    """The machine type and the end of each job, first to last."""
    told = [(job["dedicatedResources"]["machineSpec"]["machineType"], job["state"]) for job in jobs(emulator)]
    return [(machine, state.removeprefix("JOB_STATE_")) for machine, state in reversed(told)]


def test_the_choices_are_tried_in_turn_and_destroy_removes_all_their_jobs(emulator, life):
    emulator.behave(stockouts=L4_AND_A100)
    outputs = life.up(CHOICES)
    assert machines(emulator) == [
        ("g2-standard-12", "FAILED"),
        ("a2-highgpu-1g", "FAILED"),
        ("a3-highgpu-1g", "SUCCEEDED"),
    ]
    assert (outputs["machine_type"], len(outputs["passed_over"])) == ("a3-highgpu-1g", 2)
    assert life.preview(CHOICES) == ("same", [])
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


def test_where_no_choice_is_there_the_error_says_so_and_none_is_run_twice(emulator, life):
    emulator.behave(stockouts=[*L4_AND_A100, "us-central1/a3-highgpu-1g"])
    for _ in range(2):
        with pytest.raises(HostError, match="2 other choices of machine_spec had no capacity before it"):
            life.up(CHOICES)
        assert [machine for machine, _ in machines(emulator)] == ["g2-standard-12", "a2-highgpu-1g", "a3-highgpu-1g"]
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_choice_that_is_refused_at_once_is_passed_over_too(emulator, life):
    emulator.fail(rpc=CREATE, fault="quota_429", place="call")
    life.up(CHOICES)
    assert machines(emulator) == [("a2-highgpu-1g", "SUCCEEDED")]
    life.destroy()


def test_a_job_that_failed_for_another_reason_is_not_run_on_another_machine(emulator, life):
    emulator.behave(batch_end="never_ready")
    with pytest.raises(HostError, match="never became ready"):
        life.up(CHOICES)
    assert len(jobs(emulator)) == 1
    life.destroy()


def test_without_a_wait_the_next_up_tries_the_next_choice(emulator, life):
    emulator.behave(stockouts=L4_AND_A100[:1])
    emulator.set_speed(1)
    life.up({**CHOICES, "wait": False})
    emulator.advance(7200)
    emulator.set_speed(QUICK)
    life.up(CHOICES)
    assert machines(emulator) == [("g2-standard-12", "FAILED"), ("a2-highgpu-1g", "SUCCEEDED")]
    life.destroy()


def test_a_lost_answer_while_choices_are_tried_pays_once(emulator, life):
    emulator.behave(stockouts=L4_AND_A100[:1])
    emulator.fail(rpc=CREATE, fault="lose_answer", after=1)
    life.up(CHOICES)
    assert machines(emulator) == [("g2-standard-12", "FAILED"), ("a2-highgpu-1g", "SUCCEEDED")]
    life.destroy()


def test_a_create_that_runs_again_goes_on_with_the_choices_that_are_left(emulator, life):
    emulator.behave(stockouts=L4_AND_A100[:1])
    emulator.set_speed(1)
    with pytest.raises(HostError, match="has not ended after"):
        life.up({**CHOICES, "timeouts": {"create": 0.5}})
    # As after a kill, the stack knows nothing of it.
    life.id = life.outputs = None
    emulator.advance(7200)
    emulator.set_speed(QUICK)
    life.up(CHOICES)
    assert machines(emulator) == [("g2-standard-12", "FAILED"), ("a2-highgpu-1g", "SUCCEEDED")]
    life.destroy()
    assert emulator.ledger()["empty"]
