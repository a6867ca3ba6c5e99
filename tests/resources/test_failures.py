"""What went wrong is reported: the stage, Google's words, the container's last lines, what to do. Nothing is left."""

import pytest

from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from tests.resources.conftest import QUICK
from tests.support.lives.host import HostError
from tests.support.lives.life import Life

L4 = {"machine_type": "g2-standard-24", "accelerator_type": "NVIDIA_L4", "accelerator_count": 2}
SERVER = {
    "rpc": "locations.deploy",
    "fault": "operation_error",
    "code": "INTERNAL",
    "message": "Model server never became ready.",
    "at_stage": "STARTING_MODEL_SERVER",
}


def failure_of(life, wanted):
    with pytest.raises(HostError) as failure:
        life.up(wanted)
    return failure.value


def test_a_server_that_does_not_start_is_told_with_its_last_words(emulator, life, weights):
    emulator.fail(**SERVER)
    failure = failure_of(life, {"gcs_uri": weights, "machine_spec": L4})
    assert "with INTERNAL: Model server never became ready." in failure.text
    assert "log: torch.OutOfMemoryError: CUDA out of memory on g2-standard-24." in failure.text
    assert "log: RuntimeError: Engine core initialization failed." in failure.text
    assert failure.kept is None
    assert emulator.ledger()["empty"]


def test_the_lines_of_an_earlier_attempt_are_not_told_again(emulator, life, weights):
    emulator.behave(container_lines=["first attempt"])
    emulator.fail(**SERVER)
    assert "first attempt" in failure_of(life, {"gcs_uri": weights, "machine_spec": L4}).text
    emulator.advance(3600)
    emulator.behave(container_lines=["second attempt"])
    emulator.fail(**SERVER)
    text = failure_of(life, {"gcs_uri": weights, "machine_spec": L4}).text
    assert "second attempt" in text
    assert "first attempt" not in text


@pytest.mark.parametrize(
    "line",
    [
        "HF_TOKEN=hf_abcdefgh12345",
        "Authorization: Bearer ya29.abcdefgh12345",
        "starting with --api-key=abcdefgh12345",
        '{"password": "abcdefgh12345"}',
    ],
)
def test_a_secret_that_a_container_writes_is_not_told(emulator, life, weights, line):
    emulator.behave(container_lines=[line])
    emulator.fail(**SERVER)
    failure = failure_of(life, {"gcs_uri": weights, "machine_spec": L4})
    assert "abcdefgh12345" not in failure.text
    assert "[redacted]" in failure.text


def test_the_own_token_is_not_told_however_a_container_writes_it(emulator, life):
    token = "a-token-of-another-form"
    emulator.behave(container_lines=[f"downloading as {token}"])
    emulator.fail(**SERVER)
    failure = failure_of(life, {"hugging_face_model_id": "meta-llama/Llama-3.1-8B", "hugging_face_access_token": token})
    assert token not in failure.text
    assert "log: downloading as [redacted]" in failure.text


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"fault": "status", "status": 403}, "not readable: grant roles/logging.viewer to the caller"),
        ({"fault": "status", "status": 503, "times": 1000}, "not readable"),
        ({"fault": "drop_request", "times": 1000}, "not readable: Cloud Logging did not answer"),
    ],
    ids=["403", "503", "no answer"],
)
def test_a_log_that_cannot_be_read_hides_neither_the_failure_nor_the_clean_up(emulator, life, weights, fault, words):
    emulator.fail(**SERVER)
    emulator.fail(rpc="logging.entries.list", **fault)
    failure = failure_of(life, {"gcs_uri": weights, "machine_spec": L4})
    assert "Model server never became ready." in failure.text
    assert words in failure.text
    assert emulator.ledger()["empty"]


def test_a_container_that_may_not_log_is_no_trouble(emulator, life, weights):
    emulator.fail(rpc="locations.deploy", fault="operation_error", code="INTERNAL", at_stage="PREPARING_MODEL")
    failure = failure_of(life, {"gcs_uri": weights, "machine_spec": L4})
    assert "log:" not in failure.text


TRAPS = [
    ("RESOURCE_EXHAUSTED", "The following quotas are exceeded: CustomModelServingL4GPUs", "do: ask for more quota"),
    ("RESOURCE_EXHAUSTED", "The region does not have enough resources available", "do: capacity is short"),
    ("PERMISSION_DENIED", "Permission storage.objects.get denied on gs://weights-bucket", "do: grant service-"),
    ("FAILED_PRECONDITION", "The bucket gs://weights-bucket cannot be read", "gcp-sa-aiplatform.iam.gserviceaccount"),
    ("PERMISSION_DENIED", "The EULA of the model is not accepted", "do: accept the model's End User License"),
    ("INVALID_ARGUMENT", "Please provide a valid Hugging Face access token", "do: set hugging_face_access_token"),
    ("INTERNAL", "INTERNAL", "the role roles/aiplatform.user"),
]


@pytest.mark.parametrize(("code", "message", "hint"), TRAPS, ids=[f"{trap[0]}-{trap[2][4:22]}" for trap in TRAPS])
def test_each_known_trap_is_told_with_its_way_out_and_nothing_is_left(emulator, life, weights, code, message, hint):
    emulator.fail(rpc="locations.deploy", fault="operation_error", code=code, message=message)
    failure = failure_of(life, {"gcs_uri": weights, "machine_spec": L4})
    assert message in failure.text
    assert hint in failure.text
    assert failure.kept is None
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


@pytest.mark.parametrize("code", ["RESOURCE_EXHAUSTED", "PERMISSION_DENIED", "INTERNAL", "UNAVAILABLE"])
@pytest.mark.parametrize("cleaning", ["endpoints.delete", "models.delete"])
def test_where_cleaning_up_fails_as_well_what_is_left_stays_in_state(emulator, life, weights, code, cleaning):
    emulator.fail(rpc="locations.deploy", fault="operation_error", code=code, message="no capacity or quota")
    emulator.fail(rpc=cleaning, fault="status", status=403)
    failure = failure_of(life, {"gcs_uri": weights, "machine_spec": L4})
    assert "cleaning up failed as well" in failure.text
    assert "exists: projects/my-project/locations/us-central1/endpoints/" in failure.text
    assert failure.kept is not None
    life.destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_a_project_on_the_allowlist_in_the_wrong_form_is_refused_before_or_told(emulator, life, weights):
    config = {"enable_private_service_connect": True, "project_allowlist": ["my-project"]}
    emulator.fail(rpc="locations.deploy", fault="operation_error", code="INTERNAL", message="INTERNAL")
    failure = failure_of(life, {"gcs_uri": weights, "machine_spec": L4, "private_service_connect_config": config})
    assert "project_allowlist" in failure.text


def test_a_dedicated_endpoint_tells_the_last_words_too(emulator, host, life, weights):
    model = life.up({"gcs_uri": weights, "machine_spec": L4})["model"]
    emulator.fail(**{**SERVER, "rpc": "endpoints.deployModel"})
    fleet = Life(host, DedicatedEndpointProvider, name="fleet")
    failure = failure_of(fleet, {"deployed_models": {"v1": {"model": model, "machine_spec": L4}}})
    assert "log: torch.OutOfMemoryError" in failure.text
    assert failure.kept is not None
    fleet.destroy()
    life.destroy()
    assert emulator.ledger()["empty"]


def test_the_stage_that_was_reached_is_named_where_google_shows_one(emulator, host, life, weights):
    model = life.up({"gcs_uri": weights, "machine_spec": L4})["model"]
    emulator.fail(**{**SERVER, "rpc": "endpoints.deployModel"})
    emulator.set_speed(1000)
    fleet = Life(host, DedicatedEndpointProvider, name="fleet")
    failure = failure_of(fleet, {"deployed_models": {"v1": {"model": model, "machine_spec": L4}}})
    emulator.set_speed(QUICK)
    assert "failed at " in failure.text
    assert "at FAILED_TO_DEPLOY" not in failure.text
    fleet.destroy()
    life.destroy()
