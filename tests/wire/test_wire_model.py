"""How wire shapes are spelled, read and written."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from mg_provider.wire.compute import ForwardingRule, PscConnectionStatus
from mg_provider.wire.vertex.batch import BatchPredictionJob, JobState
from mg_provider.wire.vertex.container import ContainerSpec
from mg_provider.wire.vertex.deploy import CustomModel, DeployConfig, DeployRequest, EndpointConfig, ModelConfig
from mg_provider.wire.vertex.endpoint import ClientConnectionConfig, Endpoint
from mg_provider.wire.vertex.machine import DedicatedResources, FlexStart, MachineSpec, ScaleToZeroSpec
from mg_provider.wire.vertex.operation import DeploymentStage, Operation


def test_a_misspelt_field_in_a_nested_argument_is_an_error_that_names_its_path() -> None:
    with pytest.raises(ValidationError) as caught:
        DedicatedResources.model_validate({"machine_spec": {"machine_typ": "g2-standard-12"}})

    assert caught.value.errors()[0]["loc"] == ("machine_spec", "machine_typ")


def test_a_field_that_google_adds_is_ignored_at_every_depth() -> None:
    endpoint = Endpoint.from_wire(
        {"name": "e", "newField": 1, "deployedModels": [{"id": "7", "newField": {"a": 1}, "status": {"newField": 1}}]}
    )

    assert endpoint.to_wire() == {"name": "e", "deployedModels": [{"id": "7"}]}


def test_both_spellings_are_read_and_one_is_written() -> None:
    snake = MachineSpec.model_validate({"machine_type": "g2-standard-12", "accelerator_count": 1})
    camel = MachineSpec.model_validate({"machineType": "g2-standard-12", "acceleratorCount": 1})

    assert snake == camel
    assert snake.to_wire() == {"machineType": "g2-standard-12", "acceleratorCount": 1}


def test_a_number_that_became_a_float_on_its_way_through_pulumi_is_still_a_count() -> None:
    assert DedicatedResources.model_validate({"min_replica_count": 2.0}).to_wire() == {"minReplicaCount": 2}
    with pytest.raises(ValidationError, match="fractional part"):
        DedicatedResources.model_validate({"min_replica_count": 2.5})


def test_a_64_bit_integer_is_read_as_text_or_number_and_written_as_text() -> None:
    assert ContainerSpec.model_validate({"sharedMemorySizeMb": "4096"}).shared_memory_size_mb == 4096
    assert ContainerSpec(shared_memory_size_mb=4096).to_wire() == {"sharedMemorySizeMb": "4096"}


@pytest.mark.parametrize("duration", ["900", "15m", "-1s", 900])
def test_a_duration_that_is_not_seconds_with_an_s_is_an_error(duration: object) -> None:
    with pytest.raises(ValidationError):
        ClientConnectionConfig.model_validate({"inference_timeout": duration})


def test_the_ip_address_of_a_forwarding_rule_has_googles_spelling() -> None:
    rule = ForwardingRule(name="r", ip_address="10.0.0.2")

    assert rule.to_wire() == {"name": "r", "IPAddress": "10.0.0.2"}
    assert ForwardingRule.from_wire(rule.to_wire()) == rule


def test_the_model_configuration_is_called_model_config_on_the_wire() -> None:
    request = DeployRequest(model_configuration=ModelConfig(model_user_id="mine"))

    assert request.to_wire() == {"modelConfig": {"modelUserId": "mine"}}


def test_a_message_that_says_nothing_is_left_out_at_every_depth() -> None:
    request = DeployRequest(
        custom_model=CustomModel(gcs_uri="gs://weights/llama"),
        endpoint_config=EndpointConfig(),
        deploy_config=DeployConfig(dedicated_resources=DedicatedResources(machine_spec=MachineSpec())),
    )

    assert request.to_wire() == {"customModel": {"gcsUri": "gs://weights/llama"}}


def test_what_says_something_by_being_there_stays_and_so_does_an_empty_map() -> None:
    resources = DedicatedResources(scale_to_zero_spec=ScaleToZeroSpec(), flex_start=FlexStart())

    assert resources.to_wire() == {"scaleToZeroSpec": {}, "flexStart": {}}
    assert Endpoint(labels={}, traffic_split={}).to_wire() == {"labels": {}, "trafficSplit": {}}


def test_a_hugging_face_token_does_not_show_in_the_text_of_a_request() -> None:
    assert "hf_secret" not in repr(ModelConfig(hugging_face_access_token="hf_secret"))


@pytest.mark.parametrize("state", JobState)
def test_a_job_has_ended_in_exactly_the_states_that_no_job_leaves(state: JobState) -> None:
    ended = state.name in {"SUCCEEDED", "PARTIALLY_SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"}

    assert BatchPredictionJob.from_wire({"state": state.value}).ended is ended


def test_a_state_that_google_adds_later_is_kept_as_text() -> None:
    job = BatchPredictionJob.from_wire({"state": "JOB_STATE_RESTING"})
    rule = ForwardingRule.from_wire({"pscConnectionStatus": "ACCEPTED"})

    assert (job.state, job.ended) == ("JOB_STATE_RESTING", False)
    assert rule.psc_connection_status is PscConnectionStatus.ACCEPTED


@pytest.mark.parametrize(
    ("job", "beta"),
    [
        ({"model": "m"}, False),
        ({"model": "m", "dedicatedResources": {"spot": False}}, False),
        ({"model": "m", "dedicatedResources": {"spot": True}}, True),
        ({"model": "m", "dedicatedResources": {"flexStart": {"maxRuntimeDuration": "60s"}}}, True),
        ({"endpoint": "e"}, True),
    ],
)
def test_a_job_needs_v1beta1_only_for_what_v1_lacks(job: dict[str, object], beta: bool) -> None:
    assert BatchPredictionJob.model_validate(job).needs_v1beta1 is beta


def test_an_operation_without_done_still_runs_and_tells_its_stage() -> None:
    operation = Operation.from_wire({"name": "o", "metadata": {"deploymentStage": "PREPARING_MODEL"}})

    assert operation.done is False
    assert operation.stage == DeploymentStage.PREPARING_MODEL
    assert Operation.from_wire({"name": "o"}).stage is None
