"""A batch run's life: started once, waited for, run again when its input changes, cancelled and deleted."""

import json

import pytest

from mg_provider.resources.batch_job import BatchJobProvider
from tests.support.host import HostError
from tests.support.life import Life
from tests.support.weights import BUCKET, call, make_bucket, put

MODEL = "publishers/meta/models/llama3_1@llama-3.1-8b-instruct"
L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}


def rows(*questions):
    lines = [json.dumps({"body": {"messages": [{"role": "user", "content": text}]}}) for text in questions]
    return "\n".join(lines).encode()


@pytest.fixture
def life(emulator, host):
    make_bucket(emulator)
    put(emulator, "in/questions.jsonl", rows("Why is the sky blue?", "What is a replica?"))
    return Life(host, BatchJobProvider, name="nightly")


def arguments(source="in/questions.jsonl", **more):
    return {
        "model": MODEL,
        "input_config": {"instances_format": "jsonl", "gcs_source": {"uris": [f"gs://{BUCKET}/{source}"]}},
        "output_config": {
            "predictions_format": "jsonl",
            "gcs_destination": {"output_uri_prefix": f"gs://{BUCKET}/out"},
        },
        "machine_spec": L4,
        **more,
    }


def jobs(emulator):
    path = "/v1/projects/my-project/locations/us-central1/batchPredictionJobs"
    return call(f"{emulator.url}{path}", method="GET").get("batchPredictionJobs", [])


def test_a_job_runs_once_and_its_output_is_told(emulator, life):
    outputs = life.up(arguments())
    assert outputs["job_state"] == "JOB_STATE_SUCCEEDED"
    assert outputs["successful_count"] == 2
    assert outputs["output_location"].startswith(f"gs://{BUCKET}/out/prediction-")
    assert life.preview(arguments()) == ("same", [])
    assert life.refresh() == {}
    assert len(jobs(emulator)) == 1
    life.destroy()
    assert emulator.ledger()["empty"]
    assert emulator.ledger()["gpu_seconds"]["NVIDIA_L4"] > 0


def test_another_input_runs_another_job_and_deletes_the_record_of_the_old_one(emulator, life):
    life.up(arguments())
    put(emulator, "in/other.jsonl", rows("And now?"))
    operation, replaces = life.preview(arguments("in/other.jsonl"))
    assert (operation, "input_config" in replaces) == ("replace", True)
    assert life.up(arguments("in/other.jsonl"))["successful_count"] == 1
    assert len(jobs(emulator)) == 1
    life.destroy()


def test_a_trigger_runs_the_job_again(life):
    first = life.up(arguments(triggers={"generation": "1"}))
    second = life.up(arguments(triggers={"generation": "2"}))
    assert first["batch_prediction_job"] != second["batch_prediction_job"]
    life.destroy()


def test_a_failed_job_is_told_kept_in_state_and_started_again(emulator, life):
    with pytest.raises(HostError, match="JOB_STATE_FAILED") as failure:
        life.up(arguments("in/missing.jsonl"))
    assert failure.value.kept is not None
    put(emulator, "in/missing.jsonl", rows("Here now."))
    assert life.up(arguments("in/missing.jsonl"))["job_state"] == "JOB_STATE_SUCCEEDED"
    life.destroy()
    assert emulator.ledger()["empty"]


def test_without_waiting_refresh_picks_the_state_up(emulator, life):
    outputs = life.up(arguments(wait=False))
    assert outputs["job_state"] in ("JOB_STATE_QUEUED", "JOB_STATE_PENDING", "JOB_STATE_RUNNING")
    emulator.advance(7200)
    assert life.refresh() == {}
    assert life.outputs["job_state"] == "JOB_STATE_SUCCEEDED"
    life.destroy()


def test_destroy_cancels_a_running_job(emulator, life):
    life.up(arguments(wait=False))
    life.destroy()
    assert jobs(emulator) == []
    assert emulator.ledger()["empty"]


def test_a_lost_answer_does_not_start_a_second_job(emulator, life):
    emulator.fail(rpc="aiplatform.projects.locations.batchPredictionJobs.create", fault="lose_answer")
    assert life.up(arguments())["job_state"] == "JOB_STATE_SUCCEEDED"
    assert [fault["met"] for fault in emulator.faults()] == [1]
    assert len(jobs(emulator)) == 1
    life.destroy()
