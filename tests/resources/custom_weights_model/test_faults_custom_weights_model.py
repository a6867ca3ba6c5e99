"""Each call of a model's life is made to fail in each way: the next run converges on one, and nothing is left."""

import signal
import threading

import pytest

from mg_provider.api.clients import Clients
from mg_provider.api.errors import CloudError
from mg_provider.api.http.settings import Settings
from mg_provider.clock import ManualClock
from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.custom_weights_model.lifecycle import (
    CustomWeightsModelArgs,
    CustomWeightsModelLifecycle,
    CustomWeightsModelState,
)
from mg_provider.resources.model.lifecycle import Context
from tests.resources.conftest import QUICK, config
from tests.support.google.faults import FAULTS
from tests.support.lives.host import Host, HostError
from tests.support.lives.life import Life, up_until_it_works

L4 = {"machine_type": "g2-standard-24", "accelerator_type": "NVIDIA_L4", "accelerator_count": 2}
ONE = ["aiplatform.DeployedModel", "aiplatform.Endpoint", "aiplatform.Model"]

CREATE_CALLS = [
    "aiplatform.projects.locations.deploy",
    "aiplatform.projects.locations.recommendSpec",
    "aiplatform.projects.locations.endpoints.get",
    "aiplatform.projects.locations.operations.get",
    "aiplatform.projects.locations.models.get",
]
UPDATE_CALLS = [
    "aiplatform.projects.locations.endpoints.patch",
    "aiplatform.projects.locations.endpoints.mutateDeployedModel",
    "aiplatform.projects.locations.endpoints.operations.get",
    "aiplatform.projects.locations.endpoints.get",
    "aiplatform.projects.locations.models.patch",
]
DELETE_CALLS = [
    "aiplatform.projects.locations.endpoints.undeployModel",
    "aiplatform.projects.locations.endpoints.delete",
    "aiplatform.projects.locations.models.delete",
    "aiplatform.projects.locations.endpoints.get",
]
IDS = [str(fault.get("status", fault["fault"])) for fault in FAULTS]


def arguments(weights, **more):
    return {"gcs_uri": weights, "machine_spec": L4, "max_replica_count": 2, **more}


def kinds(emulator):
    return sorted(entry["kind"] for entry in emulator.ledger()["resources"])


def destroy_until_it_works(life, tries=3):
    for _ in range(tries - 1):
        try:
            return life.destroy()
        except HostError:
            continue
    return life.destroy()


def met(emulator):
    return [fault["met"] for fault in emulator.faults()]


@pytest.mark.parametrize("fault", FAULTS, ids=IDS)
@pytest.mark.parametrize("rpc", CREATE_CALLS)
def test_create_converges_on_one_deployment(emulator, life, weights, rpc, fault):
    emulator.fail(rpc=rpc, **fault)
    up_until_it_works(life, arguments(weights))
    assert met(emulator) == [1]
    assert kinds(emulator) == ONE
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("fault", FAULTS, ids=IDS)
def test_a_look_at_the_location_that_fails_is_made_again(emulator, host, weights, fault):
    """In a process of its own, as each looks once."""
    own = Host(config(emulator))
    try:
        emulator.fail(rpc="aiplatform.projects.locations.operations.list", **fault)
        up_until_it_works(Life(own, CustomWeightsModelProvider), arguments(weights))
        assert met(emulator) == [1]
        assert kinds(emulator) == ONE
    finally:
        own.close()


@pytest.mark.parametrize("fault", FAULTS, ids=IDS)
@pytest.mark.parametrize("rpc", UPDATE_CALLS)
def test_update_converges_and_the_address_stays(emulator, life, weights, rpc, fault):
    before = life.up(arguments(weights))
    wanted = arguments(
        weights, min_replica_count=2, labels={"team": "ads"}, model_display_name="renamed", description="changed"
    )
    emulator.fail(rpc=rpc, **fault)
    after = up_until_it_works(life, wanted)
    assert met(emulator) == [1]
    assert kinds(emulator) == ONE
    assert (after["endpoint"], after["deployed_model_id"]) == (before["endpoint"], before["deployed_model_id"])
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("fault", FAULTS, ids=IDS)
@pytest.mark.parametrize("rpc", DELETE_CALLS)
def test_destroy_leaves_nothing(emulator, life, weights, rpc, fault):
    life.up(arguments(weights))
    emulator.fail(rpc=rpc, **fault)
    destroy_until_it_works(life)
    assert met(emulator) == [1]
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


@pytest.mark.parametrize("stage", ["PREPARING_MODEL", "CREATING_SERVING_CLUSTER", "STARTING_MODEL_SERVER"])
def test_a_failed_deployment_leaves_neither_model_nor_endpoint(emulator, life, weights, stage):
    emulator.fail(
        rpc="aiplatform.projects.locations.deploy",
        fault="operation_error",
        code="INTERNAL",
        message="the server did not start",
        at_stage=stage,
    )
    with pytest.raises(HostError, match="the server did not start") as failure:
        life.up(arguments(weights))
    assert failure.value.kept is None
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]
    life.up(arguments(weights))
    assert kinds(emulator) == ONE
    life.destroy()


def test_a_failed_deployment_that_cannot_be_cleaned_up_stays_in_state(emulator, life, weights):
    emulator.fail(rpc="aiplatform.projects.locations.deploy", fault="operation_error", code="INTERNAL", message="no")
    emulator.fail(rpc="aiplatform.projects.locations.models.delete", fault="status", status=403, times=1)
    with pytest.raises(HostError, match="cleaning up failed") as failure:
        life.up(arguments(weights))
    assert failure.value.kept is not None
    life.destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_a_timeout_keeps_the_deployment_in_state_and_the_next_run_finishes_it(emulator, life, weights):
    emulator.set_speed(1)
    wanted = arguments(weights)
    with pytest.raises(HostError, match="has not ended after") as failure:
        life.up({**wanted, "timeouts": {"create": 0.5}})
    assert failure.value.kept is not None
    emulator.set_speed(QUICK)
    before = len(emulator.requests())
    life.up(wanted)
    assert "aiplatform.projects.locations.deploy" not in [entry["rpc"] for entry in emulator.requests()[before:]]
    assert kinds(emulator) == ONE
    life.destroy()
    assert emulator.ledger()["empty"]


def test_destroy_right_after_a_timeout_leaves_nothing_running(emulator, life, weights):
    emulator.set_speed(1)
    with pytest.raises(HostError):
        life.up(arguments(weights, timeouts={"create": 0.5}))
    emulator.set_speed(QUICK)
    life.destroy()
    emulator.advance(7200)
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


@pytest.mark.parametrize(
    "seen", ["aiplatform.projects.locations.deploy", "aiplatform.projects.locations.operations.get"]
)
def test_a_killed_provider_is_followed_by_a_run_that_finishes_the_same_deployment(emulator, weights, seen):
    """The process dies without a word: nothing is in the state, and the next run has nothing but the ids."""
    emulator.set_speed(1)
    doomed = Host(config(emulator))
    life = Life(doomed, CustomWeightsModelProvider)
    inputs = life.check(arguments(weights))

    def create():
        with pytest.raises(HostError):
            life.kind.create(inputs)

    worker = threading.Thread(target=create)
    worker.start()
    while seen not in [entry["rpc"] for entry in emulator.requests()]:
        emulator.advance(0.1)
    doomed.process.send_signal(signal.SIGKILL)
    worker.join()
    doomed.close()
    emulator.set_speed(QUICK)
    second = Host(config(emulator))
    try:
        life = Life(second, CustomWeightsModelProvider)
        life.up(arguments(weights))
        deploys = [entry for entry in emulator.requests() if entry["rpc"].endswith("locations.deploy")]
        assert len(deploys) == 1
        assert kinds(emulator) == ONE
        life.destroy()
        assert emulator.ledger()["empty"]
    finally:
        second.close()


def test_a_provider_killed_on_its_second_machine_is_followed_by_a_run_that_finishes_there(emulator, weights):
    other = {"machine_type": "a2-highgpu-1g", "accelerator_type": "NVIDIA_TESLA_A100", "accelerator_count": 1}
    wanted = arguments(weights, machine_spec=[L4, other])
    emulator.behave(stockouts=["us-central1/g2-standard-24"])
    emulator.fail(rpc="endpoints.deployModel", fault="delay", seconds=0.2)
    emulator.set_speed(QUICK)
    doomed = Host(config(emulator))
    life = Life(doomed, CustomWeightsModelProvider)
    inputs = life.check(wanted)

    def create():
        with pytest.raises(HostError):
            life.kind.create(inputs)

    worker = threading.Thread(target=create)
    worker.start()
    while not any(str(entry["rpc"]).endswith("endpoints.deployModel") for entry in emulator.requests()):
        emulator.advance(0.1)
    doomed.process.send_signal(signal.SIGKILL)
    worker.join()
    doomed.close()
    second = Host(config(emulator))
    try:
        life = Life(second, CustomWeightsModelProvider)
        assert life.up(wanted)["machine_type"] == "a2-highgpu-1g"
        assert kinds(emulator) == ONE
        life.destroy()
        assert emulator.ledger()["empty"]
    finally:
        second.close()


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_refusal_is_never_taken_for_gone(emulator, life, weights, status):
    life.up(arguments(weights))
    emulator.fail(rpc="aiplatform.projects.locations.endpoints.get", fault="status", status=status, times=1000)
    settings = config(emulator)
    clock = ManualClock()
    clients = Clients.from_settings(Settings.from_config(settings.get, {}), clock)
    context = Context(clock, clients, progress=lambda line: None, cancelled=lambda: False)
    args, problems = CustomWeightsModelArgs.decode(life.inputs)
    assert problems == []
    with pytest.raises(CloudError) as refusal:
        CustomWeightsModelLifecycle().read(life.id, args, CustomWeightsModelState.decode(life.outputs), context)
    assert refusal.value.status == status
    clients.close()
    assert kinds(emulator) == ONE
