"""A batch run's life: started once, waited for, run again when something changed, cancelled and deleted."""

import pytest

from mg_provider.resources.batch_job import BatchJobProvider
from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from tests.support.lives.host import HostError
from tests.support.lives.life import CheckFailed, Life
from tests.support.running.processes import until
from tests.support.samples.batch import (
    JOBS,
    MODEL,
    arguments,
    chat,
    forget,
    jobs,
    make_table,
    objects,
    put_questions,
    put_rows,
    started,
    table_arguments,
    tables,
)
from tests.support.samples.weights import BUCKET, make_bucket, put_weights

ACTIVE = ("JOB_STATE_QUEUED", "JOB_STATE_PENDING", "JOB_STATE_RUNNING")


@pytest.fixture
def life(emulator, host):
    make_bucket(emulator)
    put_questions(emulator)
    return Life(host, BatchJobProvider, name="nightly")


def asked(emulator):
    """The last request that created a job: its path and body."""
    request = [entry for entry in emulator.requests() if entry["rpc"].endswith("batchPredictionJobs.create")][-1]
    return request["path"], request["body"]


def test_a_job_runs_once_and_its_output_is_told(emulator, life):
    outputs = life.up(arguments())
    assert outputs["job_state"] == "JOB_STATE_SUCCEEDED"
    assert (outputs["successful_count"], outputs["failed_count"], outputs["incomplete_count"]) == (2, 0, 0)
    assert outputs["output_location"].startswith(f"gs://{BUCKET}/out/prediction-")
    assert outputs["replica_hours"] > 0
    assert life.preview(arguments()) == ("same", [])
    assert life.refresh() == {}
    assert len(jobs(emulator)) == 1
    life.destroy()
    assert emulator.ledger()["empty"]
    assert emulator.ledger()["gpu_seconds"]["NVIDIA_L4"] > 0
    assert [name for name in objects(emulator) if name.startswith("out/")]


def test_several_uris_and_wildcards_are_one_input(emulator, life):
    put_questions(emulator, "more/a.jsonl", 3)
    put_questions(emulator, "more/b.jsonl", 4)
    assert life.up(arguments("in/questions.jsonl", "more/*.jsonl"))["successful_count"] == 9
    life.destroy()


@pytest.mark.parametrize("output", ["bq://my-project", "bq://my-project.prompts", "bq://my-project.prompts.answers"])
def test_a_table_in_gives_a_table_out(emulator, life, output):
    make_table(emulator, [chat("Why?", custom_id="why"), {"custom_id": "empty"}])
    outputs = life.up(table_arguments(output, allow_partial=0.5))
    assert (outputs["successful_count"], outputs["failed_count"]) == (1, 1)
    assert outputs["output_location"].startswith(output)
    assert outputs["output_location"].count(".") == 2
    assert outputs["first_errors"] == ["empty: the row has no body"]
    life.destroy()


@pytest.mark.parametrize("changed", [{"input": "in/other.jsonl"}, {"model_parameters": {"seed": 1}}, {"max": 2}])
def test_what_changes_the_run_runs_another_and_deletes_the_record_of_the_old_one(emulator, life, changed):
    put_questions(emulator, "in/other.jsonl", 1)
    first = life.up(arguments())
    parameters = {"model_parameters": changed["model_parameters"]} if "model_parameters" in changed else {}
    most = {"max_replica_count": changed["max"]} if "max" in changed else {}
    wanted = arguments(changed.get("input", "in/questions.jsonl"), **parameters, **most)
    assert life.preview(wanted)[0] == "replace"
    second = life.up(wanted)
    assert second["batch_prediction_job"] != first["batch_prediction_job"]
    assert [job["name"] for job in jobs(emulator)] == [second["batch_prediction_job"]]
    life.destroy()


def test_a_trigger_runs_the_job_again(life):
    first = life.up(arguments(triggers={"generation": "1"}))
    second = life.up(arguments(triggers={"generation": "2"}))
    assert first["batch_prediction_job"] != second["batch_prediction_job"]
    life.destroy()


def test_a_failed_job_is_told_by_every_up_and_runs_again_only_when_something_changed(emulator, life):
    for _ in range(2):
        with pytest.raises(HostError, match=r"JOB_STATE_FAILED.*\n.*No files found") as failure:
            life.up(arguments("in/missing.jsonl", preflight=False))
        assert "change an argument or a value in triggers" in failure.value.text
        assert failure.value.kept is not None
    assert started(emulator) == 1
    put_questions(emulator, "in/missing.jsonl")
    wanted = arguments("in/missing.jsonl", preflight=False, triggers={"attempt": "2"})
    assert life.up(wanted)["job_state"] == "JOB_STATE_SUCCEEDED"
    assert len(jobs(emulator)) == 1
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_failed_job_is_told_after_a_refresh_too(life):
    with pytest.raises(HostError):
        life.up(arguments("in/missing.jsonl", preflight=False))
    assert life.refresh() == {}
    life.unfinished = False
    assert life.preview(arguments("in/missing.jsonl", preflight=False)) == ("update", [])
    with pytest.raises(HostError, match="JOB_STATE_FAILED"):
        life.up(arguments("in/missing.jsonl", preflight=False))


@pytest.mark.parametrize("how", ["up", "refresh"])
def test_without_waiting_the_next_command_picks_the_state_up(emulator, life, how):
    emulator.set_speed(0)
    outputs = life.up(arguments(wait=False))
    assert outputs["job_state"] in ACTIVE
    assert life.preview(arguments(wait=False)) == ("update", [])
    assert life.refresh() == {}
    emulator.advance(7200)
    if how == "up":
        life.up(arguments(wait=False))
    else:
        assert life.refresh() == {}
    assert life.outputs["job_state"] == "JOB_STATE_SUCCEEDED"
    assert life.outputs["output_location"]
    assert life.preview(arguments(wait=False)) == ("same", [])
    assert started(emulator) == 1


def test_to_wait_after_all_is_a_change_in_place(emulator, life):
    first = life.up(arguments(wait=False))
    assert life.preview(arguments())[0] == "update"
    outputs = life.up(arguments())
    assert outputs["job_state"] == "JOB_STATE_SUCCEEDED"
    assert outputs["batch_prediction_job"] == first["batch_prediction_job"]
    life.destroy()


def test_destroy_cancels_a_running_job(emulator, life):
    life.up(arguments(wait=False))
    life.destroy()
    assert jobs(emulator) == []
    assert emulator.ledger()["empty"]


def test_a_job_that_somebody_deleted_is_gone(emulator, life):
    forget(emulator, life.up(arguments()))
    assert life.refresh() is None


def test_a_job_that_somebody_deleted_is_not_paid_for_again_by_a_change_that_makes_no_other_run(emulator, life):
    before = life.up(arguments())
    forget(emulator, before)
    wanted = arguments(timeouts={"create": 60}, delete_output=True)
    assert life.preview(wanted)[0] == "update"
    after = life.up(wanted)
    assert (after["batch_prediction_job"], after["output_location"]) == (
        before["batch_prediction_job"],
        before["output_location"],
    )
    assert until(lambda: any("is gone; another value in `triggers`" in line for line in life.kind.host.said), 10)
    assert started(emulator) == 1
    life.up(arguments(triggers={"night": "2"}))
    assert started(emulator) == 2


def test_a_failed_job_that_somebody_deleted_is_told_as_before(emulator, life):
    wanted = arguments("in/missing.jsonl", preflight=False)
    with pytest.raises(HostError, match="JOB_STATE_FAILED"):
        life.up(wanted)
    forget(emulator, life.outputs)
    with pytest.raises(HostError, match="JOB_STATE_FAILED"):
        life.up(wanted)
    assert started(emulator) == 1


def test_the_output_of_a_job_that_somebody_deleted_is_deleted_all_the_same(emulator, life):
    forget(emulator, life.up(arguments(delete_output=True)))
    life.destroy()
    assert objects(emulator) == ["in/questions.jsonl"]


PARTLY = [chat("Good", custom_id="good"), {"custom_id": "bad"}, chat("Good too"), chat("And this")]


def test_rows_that_failed_are_an_error_unless_as_many_are_allowed(emulator, life):
    put_rows(emulator, "in/partly.jsonl", PARTLY)
    with pytest.raises(HostError, match=r"PARTIALLY_SUCCEEDED: 3 rows answered, 1 failed; 25\.00% is more") as failure:
        life.up(arguments("in/partly.jsonl", allow_partial=0.2, preflight=False))
    assert "bad: the row has no body" in failure.value.text
    assert "allow_partial=0.25" in failure.value.text
    outputs = life.up(arguments("in/partly.jsonl", allow_partial=0.25, preflight=False))
    assert outputs["first_errors"] == ["bad: the row has no body"]
    assert life.refresh() == {}
    assert life.outputs == outputs
    assert started(emulator) == 1
    life.destroy()


def test_errors_in_the_place_of_answers_count_as_failed_although_the_service_counts_them_as_answered(emulator, life):
    emulator.behave(batch_errors="as_answers")
    put_rows(emulator, "in/partly.jsonl", PARTLY)
    with pytest.raises(HostError, match=r"SUCCEEDED: 3 rows answered, 1 failed; 25\.00% is more") as failure:
        life.up(arguments("in/partly.jsonl", allow_partial=0.2, preflight=False))
    assert "bad: the row has no body (status 400)" in failure.value.text
    outputs = life.up(arguments("in/partly.jsonl", allow_partial=0.25, preflight=False))
    assert (outputs["job_state"], outputs["successful_count"], outputs["failed_count"]) == ("JOB_STATE_SUCCEEDED", 3, 1)
    assert life.refresh() == {}
    assert life.outputs == outputs
    assert started(emulator) == 1


def test_any_share_can_be_allowed(emulator, life):
    put_rows(emulator, "in/partly.jsonl", [{"custom_id": "bad"}, {"custom_id": "worse"}, chat("Good")])
    assert life.up(arguments("in/partly.jsonl", allow_partial=True))["failed_count"] == 2


def test_errors_that_cannot_be_read_are_told_as_the_service_lists_them(emulator, life):
    put_rows(emulator, "in/partly.jsonl", PARTLY)
    emulator.fail(rpc="storage.objects.list", fault="status", status=403)
    outputs = life.up(arguments("in/partly.jsonl", allow_partial=1))
    assert outputs["first_errors"] == ["the row has no body"]
    assert [fault["met"] for fault in emulator.faults()] == [1]


def test_delete_output_deletes_that_run_s_files_and_no_others(emulator, life):
    put_rows(emulator, "in/partly.jsonl", PARTLY)
    wanted = arguments("in/partly.jsonl", delete_output=True, allow_partial=1)
    life.up({**wanted, "triggers": {"night": "1"}})
    first = set(objects(emulator))
    life.up({**wanted, "triggers": {"night": "2"}, "delete_output": False})
    second = set(objects(emulator))
    assert not {name for name in first if name.startswith("out/")} & second
    assert len([name for name in second if name.startswith("out/")]) == 2
    life.destroy()
    assert set(objects(emulator)) == second


@pytest.mark.parametrize("output", ["bq://my-project.prompts", "bq://my-project.prompts.answers"])
def test_delete_output_deletes_that_run_s_tables(emulator, life, output):
    make_table(emulator, [chat("Why?"), {"custom_id": "empty"}])
    life.up(table_arguments(output, allow_partial=1, delete_output=True))
    assert len(tables(emulator)) > 1
    life.destroy()
    assert tables(emulator) == ["input"]


def test_the_machine_of_a_publisher_model_is_looked_up_and_shown(emulator, life):
    wanted = arguments(machine_spec=None)
    outputs = life.up(wanted)
    shown = (outputs["machine_type"], outputs["accelerator_type"], outputs["accelerator_count"])
    assert shown == ("g2-standard-12", "NVIDIA_L4", 1)
    _, body = asked(emulator)
    assert body["dedicatedResources"]["machineSpec"]["machineType"] == "g2-standard-12"
    assert body["dedicatedResources"]["maxReplicaCount"] == 1
    assert life.preview(wanted) == ("same", [])
    assert life.refresh() == {}
    assert [line for line in life.kind.host.said if "g2-standard-12 with 1 NVIDIA_L4" in line]
    life.destroy()


def test_a_model_that_google_runs_needs_no_machine_and_refuses_to_be_given_less(emulator, life):
    managed = arguments(model="publishers/meta/models/llama-3.3-70b-instruct-maas", machine_spec=None)
    of_machines = {
        "starting_replica_count": 1,
        "max_replica_count": 2,
        "spot": True,
        "flex_start": {"max_runtime_duration": "3600s"},
    }
    for name, value in of_machines.items():
        with pytest.raises(HostError, match="runs on Google's own machines") as refused:
            life.up({**managed, name: value})
        assert f"remove {name}, or set machine_spec" in refused.value.text
        assert refused.value.kept is None
    assert started(emulator) == 0
    assert life.up(managed)["job_state"] == "JOB_STATE_SUCCEEDED"
    assert "dedicatedResources" not in asked(emulator)[1]
    life.destroy()


def test_the_model_of_custom_weights_can_be_run_and_its_machine_is_recommended(emulator, host, life):
    model = Life(host, CustomWeightsModelProvider)
    name = model.up({"gcs_uri": put_weights(emulator)})["model"]
    outputs = life.up(arguments(model=name, machine_spec=None))
    assert outputs["job_state"] == "JOB_STATE_SUCCEEDED"
    assert outputs["machine_type"].startswith("g2-standard")
    assert asked(emulator)[1]["model"] == name
    assert life.refresh() == {}
    life.destroy()
    model.destroy()
    assert emulator.ledger()["empty"]


def test_the_machine_of_a_model_garden_model_in_the_registry_is_that_of_the_publisher(emulator, host, life):
    model = Life(host, CustomWeightsModelProvider)
    source = {"publisher_model_name": MODEL.replace("8b", "70b"), "accept_eula": True}
    name = model.up(source)["model"]
    outputs = life.up(arguments(model=name, machine_spec=None))
    publisher = [entry["path"] for entry in emulator.requests() if entry["rpc"].endswith("publishers.models.get")]
    assert publisher[-1].endswith("llama-3.1-70b-instruct")
    assert outputs["machine_type"] == "g2-standard-96"
    life.destroy()
    model.destroy()


CONTAINER = {"image_uri": "us-docker.pkg.dev/p/r/vllm:1"}


def test_a_container_that_is_no_registered_model_can_be_run_on_a_machine_of_its_weights(emulator, life):
    weights = {"artifact_uri": put_weights(emulator), "container_spec": CONTAINER}
    outputs = life.up(arguments(model=None, unmanaged_container_model=weights, machine_spec=None))
    assert outputs["machine_type"].startswith("g2-standard")
    assert asked(emulator)[1]["unmanagedContainerModel"]["containerSpec"]["imageUri"] == CONTAINER["image_uri"]
    life.destroy()


def test_a_machine_that_nothing_says_must_be_given(emulator, life):
    with pytest.raises(HostError, match="nothing says which machine this model needs") as refused:
        life.up(arguments(model=None, unmanaged_container_model={"container_spec": CONTAINER}, machine_spec=None))
    assert "set machine_spec" in refused.value.text
    assert refused.value.kept is None
    assert started(emulator) == 0


def test_an_endpoint_can_compute_the_answers_through_v1beta1(emulator, host, life):
    model = Life(host, CustomWeightsModelProvider)
    endpoint = model.up({"gcs_uri": put_weights(emulator)})["endpoint"]
    outputs = life.up(arguments(model=None, endpoint=endpoint, machine_spec=None))
    assert (outputs["job_state"], outputs["machine_type"]) == ("JOB_STATE_SUCCEEDED", "")
    path, body = asked(emulator)
    assert path.startswith("/v1beta1/")
    assert body["endpoint"] == endpoint
    life.destroy()
    model.destroy()


def test_a_model_elsewhere_is_refused_before_anything_is_called(emulator, life):
    with pytest.raises(CheckFailed, match="the Model is in europe-west4 and the job in us-central1"):
        life.up(arguments(model="projects/my-project/locations/europe-west4/models/llama"))
    assert started(emulator) == 0


@pytest.mark.parametrize("asked_for", [{"spot": True}, {"flex_start": {"max_runtime_duration": "7200s"}}])
@pytest.mark.parametrize("machine", [{}, {"machine_spec": None}], ids=["given", "looked-up"])
def test_spot_and_flex_start_are_asked_for_through_v1beta1(emulator, life, asked_for, machine):
    life.up(arguments(**asked_for, **machine))
    path, body = asked(emulator)
    assert path.startswith("/v1beta1/")
    sent = body["dedicatedResources"]
    assert sent.get("spot") or sent["flexStart"] == {"maxRuntimeDuration": "7200s"}
    life.destroy()


def test_everything_that_can_be_set_is_sent(emulator, life):
    key = "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k"
    life.up(
        arguments(
            display_name="Nightly run",
            starting_replica_count=2,
            max_replica_count=3,
            instance_config={"instance_type": "object", "included_fields": ["body"]},
            model_parameters={"temperature": 0.5},
            manual_batch_tuning_parameters={"batch_size": 8},
            service_account="runner@my-project.iam.gserviceaccount.com",
            encryption_spec={"kms_key_name": key},
            disable_container_logging=True,
            labels={"team": "search"},
        )
    )
    path, body = asked(emulator)
    assert path == JOBS
    assert body["displayName"] == "Nightly run"
    assert (body["dedicatedResources"]["startingReplicaCount"], body["dedicatedResources"]["maxReplicaCount"]) == (2, 3)
    assert body["instanceConfig"] == {"instanceType": "object", "includedFields": ["body"]}
    assert body["modelParameters"] == {"temperature": 0.5}
    assert body["manualBatchTuningParameters"] == {"batchSize": 8}
    assert body["serviceAccount"] == "runner@my-project.iam.gserviceaccount.com"
    assert body["encryptionSpec"] == {"kmsKeyName": key}
    assert body["disableContainerLogging"] is True
    assert body["labels"]["team"] == "search"
    assert {"mg-owner", "mg-resource", "mg-run"} <= set(body["labels"])
    life.destroy()
