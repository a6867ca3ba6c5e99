"""Where machines or quota are short the next choice is taken, is reported, and stays."""

import pytest

from mg_provider.api.errors import OperationFailed, Unavailable
from mg_provider.api.reading.error_reader import error_from_status
from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from mg_provider.resources.endpoint.failures import lacks_capacity
from mg_provider.wire.status import Status
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.samples.weights import call

L4 = {"machine_type": "g2-standard-24", "accelerator_type": "NVIDIA_L4", "accelerator_count": 2}
A100 = {"machine_type": "a2-highgpu-1g", "accelerator_type": "NVIDIA_TESLA_A100", "accelerator_count": 1}
H100 = {"machine_type": "a3-highgpu-1g", "accelerator_type": "NVIDIA_H100_80GB", "accelerator_count": 1}
ONE = ["aiplatform.DeployedModel", "aiplatform.Endpoint", "aiplatform.Model"]
DEPLOYS = ("locations.deploy", "endpoints.deployModel")


def arguments(weights, *choices, **more):
    return {"gcs_uri": weights, "machine_spec": list(choices), **more}


def kinds(emulator):
    return sorted(entry["kind"] for entry in emulator.ledger()["resources"])


def asked(emulator):
    """The machine types that were asked for, in order."""
    types = []
    for entry in emulator.requests():
        if entry["rpc"] and entry["rpc"].endswith(DEPLOYS):
            body = entry["body"]
            resources = (body.get("deployConfig") or body.get("deployedModel"))["dedicatedResources"]
            types.append(resources["machineSpec"]["machineType"])
    return types


def run_out(emulator, *machines):
    emulator.behave(stockouts=[f"us-central1/{machine['machine_type']}" for machine in machines])


def undeploy_by_hand(emulator, outputs):
    url = f"{emulator.url}/v1beta1/{outputs['endpoint']}:undeployModel"
    call(url, {"deployedModelId": outputs["deployed_model_id"]})
    emulator.advance(3600)


def test_the_next_choice_is_taken_where_machines_are_short_and_stays(emulator, life, weights):
    run_out(emulator, L4)
    wanted = arguments(weights, L4, A100)
    outputs = life.up(wanted)
    assert outputs["machine_type"] == "a2-highgpu-1g"
    assert outputs["machine_spec_taken"] == A100
    assert kinds(emulator) == ONE
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])
    run_out(emulator)
    scaled = life.up({**wanted, "max_replica_count": 2})
    assert scaled["deployed_model_id"] == outputs["deployed_model_id"]
    assert asked(emulator) == ["g2-standard-24", "a2-highgpu-1g"]
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


def test_the_next_choice_is_taken_where_quota_is_short(emulator, life, weights):
    emulator.set_quota({"my-project/us-central1/NVIDIA_L4": 0, "my-project/us-central1/NVIDIA_TESLA_A100": 0})
    assert life.up(arguments(weights, L4, A100, H100))["machine_type"] == "a3-highgpu-1g"
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_quota_that_refuses_the_call_itself_leads_to_the_next_choice(emulator, life, weights):
    message = "Quota exceeded: CustomModelServingL4GPUsPerProjectPerRegion"
    emulator.fail(
        rpc="locations.deploy", fault="status", status=429, message=message, match="g2-standard-24", times=100
    )
    assert life.up(arguments(weights, L4, A100))["machine_type"] == "a2-highgpu-1g"
    life.destroy()


def test_too_many_calls_in_a_minute_are_no_shortage_of_machines(emulator, life, weights):
    emulator.fail(rpc="locations.deploy", fault="status", status=429, retry_after=0, message="Too many calls")
    assert life.up(arguments(weights, L4, A100))["machine_type"] == "g2-standard-24"
    life.destroy()


SHORTAGES = [
    (14, "Machine type temporarily unavailable, please deploy with a different machine type or retry."),
    (14, "Machine type temporarily unavailable: g2-standard-24 with NVIDIA_L4. Recommended region: us-east4."),
    (8, "The following quotas are exceeded: CustomModelServingL4GPUsPerProjectPerRegion"),
    (
        8,
        "CustomModelServingA10080GBGPUsPerProjectPerRegion 8: The following quotas are exceeded: "
        "CustomModelServingA10080GBGPUsPerProjectPerRegion",
    ),
    (8, "The region us-central1 does not have enough resources available to fulfill the request."),
    (9, "Resources are insufficient in region us-central1."),
    (13, "ZONE_RESOURCE_POOL_EXHAUSTED"),
]


@pytest.mark.parametrize(("code", "text"), SHORTAGES)
def test_each_text_of_google_for_a_shortage_is_one_and_its_hint_names_what_to_try(code, text):
    cause = error_from_status(Status(code=code, message=text))
    error = OperationFailed(cause, operation="projects/1/locations/us-central1/operations/2")
    assert lacks_capacity(error)
    for word in ("another", "region", "https://console.cloud.google.com/iam-admin/quotas"):
        assert word in error.hint
    assert ("flex_start" in error.hint and "reservation" in error.hint) or "CustomModelServing" in error.hint


@pytest.mark.parametrize("text", ["The service is currently unavailable.", "Connection reset by peer", "", "INTERNAL"])
def test_that_google_cannot_answer_is_no_shortage_of_machines(text):
    cause = error_from_status(Status(code=14, message=text))
    assert isinstance(cause, Unavailable)
    assert not lacks_capacity(OperationFailed(cause, operation="projects/1/locations/us-central1/operations/2"))


def test_a_call_that_google_cannot_answer_asks_for_no_other_machine(emulator, life, weights):
    emulator.fail(rpc="locations.deploy", fault="status", status=503, message="The service is currently unavailable.")
    assert life.up(arguments(weights, L4, A100))["machine_type"] == "g2-standard-24"
    assert set(asked(emulator)) == {"g2-standard-24"}
    life.destroy()


def test_a_call_that_is_answered_with_a_shortage_is_not_repeated(emulator, life, weights):
    emulator.fail(
        rpc="locations.deploy", fault="status", status=503, message=SHORTAGES[0][1], match="g2-standard-24", times=100
    )
    assert life.up(arguments(weights, L4, A100))["machine_type"] == "a2-highgpu-1g"
    assert asked(emulator) == ["g2-standard-24", "a2-highgpu-1g"]
    life.destroy()


def test_the_reason_for_going_on_is_told(emulator, host, life, weights):
    run_out(emulator, L4)
    before = len(host.said)
    life.up(arguments(weights, L4, A100))
    told = "\n".join(host.said[before:])
    assert "g2-standard-24 with 2 x NVIDIA_L4 is not available (Machine type temporarily unavailable" in told
    assert "trying a2-highgpu-1g with 1 x NVIDIA_TESLA_A100" in told
    life.destroy()


def test_where_no_choice_is_to_be_had_one_error_names_each_and_nothing_is_left(emulator, life, weights):
    run_out(emulator, L4)
    emulator.set_quota({"my-project/us-central1/NVIDIA_TESLA_A100": 0})
    with pytest.raises(HostError, match="none of the 2 choices in machine_spec") as failure:
        life.up(arguments(weights, L4, A100))
    text = str(failure.value)
    assert "g2-standard-24 with 2 x NVIDIA_L4: Machine type temporarily unavailable" in text
    assert "a2-highgpu-1g with 1 x NVIDIA_TESLA_A100: The following quotas are exceeded" in text
    assert "do: add another machine to machine_spec" in text
    assert failure.value.kept is None
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_another_error_is_no_reason_to_ask_for_another_machine(emulator, life, weights):
    emulator.fail(rpc="locations.deploy", fault="operation_error", code="INTERNAL", message="the server did not start")
    with pytest.raises(HostError, match="the server did not start"):
        life.up(arguments(weights, L4, A100))
    assert asked(emulator) == ["g2-standard-24"]
    assert emulator.ledger()["empty"]


def test_a_list_that_still_has_the_machine_changes_nothing_that_runs(emulator, life, weights):
    run_out(emulator, L4)
    before = life.up(arguments(weights, L4, A100))
    for wanted in (arguments(weights, H100, A100), {"gcs_uri": weights, "machine_spec": A100}):
        assert life.preview(wanted) == ("update", [])
        after = life.up(wanted)
        assert after["deployed_model_id"] == before["deployed_model_id"]
        assert life.refresh() == {}
        assert life.preview(wanted) == ("same", [])
    assert asked(emulator) == ["g2-standard-24", "a2-highgpu-1g"]
    life.destroy()


def test_a_list_without_the_machine_moves_the_model_and_keeps_the_address(emulator, life, weights):
    run_out(emulator, L4)
    before = life.up(arguments(weights, L4, A100))
    run_out(emulator)
    wanted = arguments(weights, L4, H100)
    after = life.up(wanted)
    assert after["machine_type"] == "g2-standard-24"
    assert after["endpoint"] == before["endpoint"]
    assert life.refresh() == {}
    assert kinds(emulator) == ONE
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_model_that_is_deployed_again_takes_the_machine_that_it_had(emulator, life, weights):
    run_out(emulator, L4)
    wanted = arguments(weights, L4, A100)
    outputs = life.up(wanted)
    run_out(emulator)
    undeploy_by_hand(emulator, outputs)
    life.refresh()
    assert life.up(wanted)["machine_type"] == "a2-highgpu-1g"
    assert asked(emulator)[-1] == "a2-highgpu-1g"
    life.destroy()


def test_a_redeployment_that_finds_no_machine_keeps_the_endpoint_and_its_address(emulator, life, weights):
    wanted = arguments(weights, L4)
    outputs = life.up(wanted)
    undeploy_by_hand(emulator, outputs)
    life.refresh()
    run_out(emulator, L4)
    with pytest.raises(HostError, match="temporarily unavailable"):
        life.up(wanted)
    assert "aiplatform.Endpoint" in kinds(emulator)
    run_out(emulator)
    assert life.up(wanted)["dedicated_endpoint_dns"] == outputs["dedicated_endpoint_dns"]
    life.destroy()
    assert emulator.ledger()["empty"]


FAULTS = [
    {"fault": "lose_answer"},
    {"fault": "drop_request"},
    {"fault": "status", "status": 503},
    {"fault": "status", "status": 403, "code": "PERMISSION_DENIED"},
    {"fault": "operation_error", "code": "INTERNAL"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.get("status", fault["fault"])))
def test_a_failure_of_the_second_choice_is_neither_lost_nor_doubled(emulator, life, weights, fault):
    run_out(emulator, L4)
    emulator.fail(rpc="endpoints.deployModel", **fault)
    wanted = arguments(weights, L4, A100)
    kept_or_done = True
    try:
        life.up(wanted)
    except HostError as failure:
        kept_or_done = failure.kept is not None or emulator.ledger()["empty"]
    assert kept_or_done
    life.up(wanted)
    assert [entry["met"] for entry in emulator.faults()] == [1]
    assert kinds(emulator) == ONE
    assert life.outputs["machine_type"] == "a2-highgpu-1g"
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_timeout_on_the_second_choice_goes_on_with_it(emulator, life, weights):
    run_out(emulator, L4)
    emulator.fail(rpc="endpoints.deployModel", fault="stall", at_stage="STARTING_MODEL_SERVER")
    wanted = arguments(weights, L4, A100)
    with pytest.raises(HostError, match="has not ended after") as failure:
        life.up({**wanted, "timeouts": {"create": 20}})
    assert failure.value.kept is not None
    assert failure.value.kept[1]["machine_spec_taken"] == A100
    life.destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_without_a_machine_spec_the_recommended_machine_is_taken_and_stays(emulator, life, weights):
    wanted = {"gcs_uri": weights}
    outputs = life.up(wanted)
    assert asked(emulator) == ["g2-standard-12"]
    assert outputs["machine_type"] == "g2-standard-12"
    assert outputs["machine_spec_taken"]["accelerator_type"] == "NVIDIA_L4"
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])
    emulator.set_quota({"my-project/us-central1/NVIDIA_L4": 0})
    assert life.up({**wanted, "description": "changed"})["machine_type"] == "g2-standard-12"
    assert life.preview({**wanted, "description": "changed", "machine_spec": outputs["machine_spec_taken"]})[1] == []
    life.destroy()


@pytest.mark.parametrize(
    "fault", [{"fault": "drop_request"}, {"fault": "status", "status": 403}, {"fault": "status", "status": 503}]
)
def test_a_recommendation_that_cannot_be_had_is_no_reason_to_stop(emulator, life, weights, fault):
    emulator.fail(rpc="locations.recommendSpec", times=1 if fault["fault"] != "status" else 50, **fault)
    assert life.up(arguments(weights, L4))["machine_type"] == "g2-standard-24"
    assert life.refresh() == {}
    life.destroy()


@pytest.fixture
def served(host, emulator, weights):
    model = Life(host, CustomWeightsModelProvider, name="source")
    outputs = model.up({"gcs_uri": weights, "machine_spec": H100})
    yield outputs["model"]
    model.destroy()


def test_a_dedicated_endpoint_takes_the_next_choice_too(emulator, host, served):
    life = Life(host, DedicatedEndpointProvider, name="fleet")
    run_out(emulator, L4)
    wanted = {"deployed_models": {"v1": {"model": served, "machine_spec": [L4, A100]}}}
    outputs = life.up(wanted)
    assert outputs["machine_types"] == {"v1": "a2-highgpu-1g"}
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])
    run_out(emulator)
    other = {"deployed_models": {"v1": {"model": served, "machine_spec": [H100, A100], "max_replica_count": 2}}}
    assert life.up(other)["deployed_model_ids"] == outputs["deployed_model_ids"]
    assert life.refresh() == {}
    life.destroy()


def test_a_dedicated_endpoint_names_each_choice_that_failed(emulator, host, served):
    life = Life(host, DedicatedEndpointProvider, name="fleet")
    run_out(emulator, L4, A100)
    wanted = {"deployed_models": {"v1": {"model": served, "machine_spec": [L4, A100]}}}
    with pytest.raises(HostError, match="none of the 2 choices"):
        life.up(wanted)
    run_out(emulator)
    assert life.up(wanted)["machine_types"] == {"v1": "g2-standard-24"}
    life.destroy()
