"""What goes with what in a batch run: refused in the preview where Google refuses it, and counted as Google counts."""

import json

import pytest

from mg_provider.resources.batch_job import BatchJobProvider
from tests.support.lives.endpoints import L4_AS_SHOWN, Hand, told
from tests.support.lives.host import HostError
from tests.support.lives.life import CheckFailed, Life
from tests.support.samples.batch import JOBS, arguments, chat, jobs, make_table, put_questions, table_arguments
from tests.support.samples.weights import BUCKET, call, make_bucket, put

KEY = {"kms_key_name": "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k"}
FOLDER = {"predictions_format": "jsonl", "gcs_destination": {"output_uri_prefix": f"gs://{BUCKET}/out"}}
TABLE = "bq://my-project.prompts"


@pytest.fixture
def life(emulator, host):
    make_bucket(emulator)
    put_questions(emulator)
    return Life(host, BatchJobProvider, name="nightly")


@pytest.mark.parametrize(
    ("more", "property", "reason"),
    [
        ({"output_config": FOLDER}, "output_config", "a job that reads a table writes to BigQuery"),
        ({"encryption_spec": KEY}, "encryption_spec", "does not go with a table as input"),
    ],
)
def test_a_table_with_what_google_refuses_beside_it_is_refused_in_the_preview(emulator, life, more, property, reason):
    with pytest.raises(CheckFailed, match=reason) as failure:
        life.preview({**table_arguments(TABLE), **more})
    assert list(failure.value.failures) == [property]
    assert emulator.requests() == [] or jobs(emulator) == []


def test_a_key_goes_with_files(life):
    assert life.preview(arguments(encryption_spec=KEY)) == ("create", [])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {
                "outputConfig": {
                    "predictionsFormat": "jsonl",
                    "gcsDestination": {"outputUriPrefix": f"gs://{BUCKET}/out"},
                }
            },
            "BigQuery destination",
        ),
        ({"encryptionSpec": {"kmsKeyName": KEY["kms_key_name"]}}, "encryption key"),
    ],
)
def test_the_service_refuses_it_too(emulator, change, reason):
    make_table(emulator, [chat("Why?")])
    job = {
        "displayName": "by hand",
        "model": arguments()["model"],
        "inputConfig": {
            "instancesFormat": "bigquery",
            "bigquerySource": {"inputUri": "bq://my-project.prompts.input"},
        },
        "outputConfig": {"predictionsFormat": "bigquery", "bigqueryDestination": {"outputUri": TABLE}},
        "dedicatedResources": {"machineSpec": L4_AS_SHOWN},
    }
    since = len(emulator.requests())
    with pytest.raises(OSError, match="400"):
        call(f"{emulator.url}{JOBS}", {**job, **change})
    assert reason in str(emulator.requests()[since]["response"])
    call(f"{emulator.url}{JOBS}", job)


@pytest.mark.parametrize(
    ("counts", "running"),
    [
        ({}, 1),
        ({"starting_replica_count": 2}, 2),
        ({"max_replica_count": 4}, 1),
        ({"starting_replica_count": 2, "max_replica_count": 4}, 2),
    ],
    ids=str,
)
def test_a_job_runs_and_costs_the_replicas_that_it_starts_with(emulator, life, counts, running):
    put_questions(emulator, count=300)
    emulator.set_speed(1)
    life.up(arguments(**counts, wait=False))
    emulator.advance(400)
    assert emulator.ledger()["gpus_in_use"] == {"NVIDIA_L4": running}
    emulator.advance(7200)
    life.destroy()


def test_a_count_that_adds_nothing_is_said_before_the_job_is_paid_for(life, host):
    since = len(host.said)
    life.up(arguments(max_replica_count=4))
    note = "note: the job runs on 1 replica from its start to its end: max_replica_count adds none"
    assert note in told(host, since)


def test_the_rows_of_a_table_go_to_a_model_of_ones_own_as_arrays_which_is_said(emulator, life, host):
    make_table(emulator, [chat("Why?")])
    since = len(host.said)
    life.up(table_arguments(TABLE, model=Hand(emulator).upload()))
    note = "a Model gets the rows of a table as arrays"
    assert note in told(host, since)


@pytest.mark.parametrize("location", ["us-central1", "US"])
def test_a_table_may_be_in_the_multi_region_around_the_job(emulator, life, location):
    make_table(emulator, [chat("Why?")], location=location)
    assert life.up(table_arguments(TABLE))["successful_count"] == 1


def test_a_table_elsewhere_is_refused_before_anything_is_paid_for(emulator, life):
    make_table(emulator, [chat("Why?")], location="EU")
    with pytest.raises(HostError, match="the table is in EU, the job in us-central1"):
        life.up(table_arguments(TABLE))
    assert jobs(emulator) == []


def test_a_model_that_never_comes_up_fails_its_job_after_40_minutes(emulator, life):
    emulator.behave(batch_end="never_ready")
    with pytest.raises(HostError, match="model server never became ready") as failure:
        life.up(arguments())
    assert "JOB_STATE_FAILED" in failure.value.text
    assert "a model has about 40 minutes to load" in failure.value.text
    job = jobs(emulator)[0]
    assert job["error"]["code"] == 9
    life.destroy()


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"output_config": {**FOLDER, "gcs_destination": {"output_uri_prefix": "gs://far-bucket/out"}}},
        {"input_config": {"instances_format": "jsonl", "gcs_source": {"uris": ["gs://far-bucket/in.jsonl"]}}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_bucket_elsewhere_is_refused_before_anything_is_paid_for_and_by_the_service(emulator, life, elsewhere):
    make_bucket(emulator, "far-bucket", location="EUROPE-WEST4")
    put(emulator, "in.jsonl", json.dumps(chat("Why?")).encode(), "far-bucket")
    with pytest.raises(HostError, match="the bucket is in EUROPE-WEST4, the job in us-central1"):
        life.up(arguments(**elsewhere))
    assert jobs(emulator) == []
    with pytest.raises(HostError, match="JOB_STATE_FAILED"):
        life.up(arguments(**elsewhere, preflight=False))
    assert "is in EUROPE-WEST4" in jobs(emulator)[0]["error"]["message"]
    life.destroy()


def test_a_bucket_in_the_dual_region_around_the_job_is_fine(emulator, life):
    make_bucket(emulator, "near-bucket", location="NAM4")
    place = {**FOLDER, "gcs_destination": {"output_uri_prefix": "gs://near-bucket/out"}}
    assert life.up(arguments(output_config=place))["job_state"] == "JOB_STATE_SUCCEEDED"
