"""Each call of an endpoint's making, changing and taking down fails in each way: runs converge, nothing is left."""

import signal
import threading

import pytest

from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from tests.resources.conftest import QUICK, config
from tests.support.lives.endpoints import BIGGER, L4, kinds, make_bucket_once
from tests.support.lives.host import Host, HostError
from tests.support.lives.life import Life
from tests.support.samples.weights import put_weights

PREFIX = "aiplatform.projects.locations."
LOST = {"fault": "lose_answer"}
REFUSALS = [{"fault": "status", "status": status} for status in (429, 503, 403)]
ABORTED = {"fault": "status", "status": 409, "code": "ABORTED"}
FAULTS = [LOST, *REFUSALS, ABORTED]
FAILED = {"fault": "operation_error", "code": "INTERNAL", "message": "no"}


def name_of(value):
    return str(value.get("status", value["fault"])) if isinstance(value, dict) else value


@pytest.fixture
def chat(host):
    return Life(host, DedicatedEndpointProvider, name="chat")


@pytest.fixture
def two(hand):
    """Two models by name, with traffic on both."""
    model = hand.upload()
    served = {"v1": {"model": model, "machine_spec": L4}, "v2": {"model": model, "machine_spec": L4}}
    return {"deployed_models": served, "traffic_split": {"v1": 60, "v2": 40}}


@pytest.fixture
def weights(emulator, host):
    make_bucket_once(emulator)
    life = Life(host, CustomWeightsModelProvider)
    life.up({"gcs_uri": put_weights(emulator), "machine_spec": L4})
    return life


def until_it_works(run, *arguments, tries=4):
    """As a user does: the same command again."""
    for _ in range(tries - 1):
        try:
            return run(*arguments)
        except HostError:
            continue
    return run(*arguments)


def met(emulator):
    return [fault["met"] for fault in emulator.faults()]


def destroyed(emulator, life, left):
    until_it_works(life.destroy)
    emulator.advance(200_000)
    assert kinds(emulator) == left
    assert emulator.ledger()["gpus_in_use"] == {}


MAKING = [
    *(("endpoints.create", fault) for fault in (*FAULTS, FAILED)),
    *(("endpoints.deployModel", fault) for fault in (*FAULTS, FAILED)),
    *((call, fault) for call in ("endpoints.operations.get", "endpoints.get") for fault in REFUSALS[1:]),
]


@pytest.mark.parametrize(("call", "fault"), MAKING, ids=name_of)
def test_making_converges_on_one_endpoint_with_two_deployments(emulator, chat, two, call, fault):
    emulator.fail(rpc=f"{PREFIX}{call}", **fault)
    until_it_works(chat.up, two)
    assert met(emulator) == [1]
    assert kinds(emulator) == ["DeployedModel", "DeployedModel", "Endpoint", "Model"]
    assert chat.refresh() == {}
    destroyed(emulator, chat, ["Model"])


CHANGING = [
    *(
        (call, fault)
        for call in ("endpoints.deployModel", "endpoints.undeployModel")
        for fault in (LOST, ABORTED, FAILED)
    ),
    *(("endpoints.mutateDeployedModel", fault) for fault in (LOST, ABORTED, FAILED)),
    *(("endpoints.patch", fault) for fault in (LOST, ABORTED, REFUSALS[1])),
]


@pytest.mark.parametrize(("call", "fault"), CHANGING, ids=name_of)
def test_changing_converges_and_the_address_stays(emulator, hand, chat, two, call, fault):
    before = chat.up(two)
    model = two["deployed_models"]["v1"]["model"]
    wanted = {
        "deployed_models": {
            "v1": {"model": model, "machine_spec": L4, "min_replica_count": 2},
            "v3": {"model": model, "machine_spec": BIGGER},
        },
        "traffic_split": {"v1": 10, "v3": 90},
    }
    emulator.fail(rpc=f"{PREFIX}{call}", **fault)
    after = until_it_works(chat.up, wanted)
    assert met(emulator) == [1]
    assert after["endpoint"] == before["endpoint"]
    assert after["deployed_model_ids"]["v1"] == before["deployed_model_ids"]["v1"]
    ids = after["deployed_model_ids"]
    assert hand.endpoint(chat.id)["trafficSplit"] == {ids["v1"]: 10, ids["v3"]: 90}
    assert kinds(emulator).count("DeployedModel") == 2
    assert after["leftover_deployed_models"] == after["unmanaged_deployed_models"] == []
    assert chat.refresh() == {}
    destroyed(emulator, chat, ["Model"])


TAKING_DOWN = [
    *(("endpoints.undeployModel", fault) for fault in (*FAULTS, FAILED)),
    *(("endpoints.delete", fault) for fault in (*FAULTS, FAILED)),
    *(
        (call, fault)
        for call in ("endpoints.get", "endpoints.operations.get", "operations.get")
        for fault in REFUSALS[1:]
    ),
]


@pytest.mark.parametrize(("call", "fault"), TAKING_DOWN, ids=name_of)
def test_taking_down_leaves_nothing(emulator, chat, two, call, fault):
    chat.up(two)
    emulator.behave(durations={"DELETE_ENDPOINT": 100_000})
    emulator.fail(rpc=f"{PREFIX}{call}", **fault)
    destroyed(emulator, chat, ["Model"])
    assert met(emulator) == [1]


@pytest.mark.parametrize("call", ["endpoints.undeployModel", "endpoints.delete", "models.delete"])
def test_a_removal_that_fails_after_it_was_taken_on_is_finished_by_the_next(emulator, weights, call):
    emulator.fail(rpc=f"{PREFIX}{call}", **FAILED)
    with pytest.raises(HostError):
        weights.destroy()
    destroyed(emulator, weights, [])
    assert met(emulator) == [1]


def test_a_model_that_counts_as_in_use_for_a_while_is_waited_for(emulator, weights):
    emulator.set_speed(1000)
    emulator.behave(model_release_seconds=1500.0)
    weights.destroy()
    refused = [entry for entry in emulator.requests() if (entry["rpc"] or "").endswith("models.delete")]
    assert next(entry["status"] for entry in refused) == 400
    assert kinds(emulator) == []


@pytest.mark.parametrize("stage", ["UNDEPLOY_MODEL", "DELETE_ENDPOINT", "DELETE_MODEL"])
def test_a_removal_that_takes_too_long_is_finished_by_the_next(emulator, weights, stage):
    emulator.behave(durations={stage: 5e6})
    weights.up({**weights.inputs, "timeouts": {"delete": 0.3}})
    with pytest.raises(HostError, match="has not ended after"):
        weights.destroy()
    emulator.advance(1e7)
    emulator.behave(durations={})
    destroyed(emulator, weights, [])


@pytest.mark.parametrize("seen", ["endpoints.undeployModel", "endpoints.delete"])
def test_a_removal_whose_process_is_killed_is_finished_by_the_next(emulator, chat, two, seen):
    chat.up(two)
    emulator.set_speed(50)
    doomed = Host(config(emulator))
    life = Life(doomed, DedicatedEndpointProvider, name="chat", after=chat)

    def destroy():
        with pytest.raises(HostError):
            life.destroy()

    emulator.fail(rpc=f"{PREFIX}{seen}", fault="delay", seconds=5)
    worker = threading.Thread(target=destroy)
    worker.start()
    while f"{PREFIX}{seen}" not in [entry["rpc"] for entry in emulator.requests()]:
        worker.join(0.01)
    doomed.process.send_signal(signal.SIGKILL)
    worker.join()
    doomed.close()
    emulator.set_speed(QUICK)
    destroyed(emulator, chat, ["Model"])


def test_a_deployment_that_still_runs_is_cancelled_and_not_waited_for(emulator, chat, two):
    chat.up({})
    emulator.set_speed(100)
    with pytest.raises(HostError, match="has not ended after"):
        chat.up({**two, "timeouts": {"create": 0.3}})
    chat.destroy()
    assert f"{PREFIX}endpoints.operations.cancel" in [entry["rpc"] for entry in emulator.requests()]
    emulator.advance(7200)
    assert kinds(emulator) == ["Model"]
    assert emulator.ledger()["gpu_seconds_total"] == 0


def test_what_others_deployed_stays_and_is_named_with_the_command_that_removes_it(emulator, hand, chat, two):
    chat.up(two)
    other = hand.deploy(chat.id, two["deployed_models"]["v1"]["model"])
    with pytest.raises(HostError, match="others deployed on the endpoint") as failure:
        chat.destroy()
    assert f"--deployed-model-id={other}" in failure.value.text
    assert "remove_unmanaged_deployed_models=True" in failure.value.text
    endpoint = hand.endpoint(chat.id)
    assert [entry["id"] for entry in endpoint["deployedModels"]] == [other]
    hand.undeploy(chat.id, other)
    destroyed(emulator, chat, ["Model"])


def test_where_that_is_asked_for_what_others_deployed_goes_too(emulator, hand, chat, two):
    chat.up({**two, "remove_unmanaged_deployed_models": True})
    hand.deploy(chat.id, two["deployed_models"]["v1"]["model"])
    destroyed(emulator, chat, ["Model"])


def test_a_change_that_was_killed_and_then_taken_back_leaves_no_gpu(emulator, hand, chat, two):
    """The state knows nothing of the deployment that the killed run made; its id does."""
    chat.up(two)
    wanted = {
        **two,
        "deployed_models": {
            **two["deployed_models"],
            "v3": {"model": two["deployed_models"]["v1"]["model"], "machine_spec": BIGGER},
        },
    }
    second = Host(config(emulator))
    forgotten = Life(second, DedicatedEndpointProvider, name="chat", after=chat)
    forgotten.up(wanted)
    second.close()
    drift = chat.refresh()
    leftover = chat.outputs["leftover_deployed_models"]
    assert len(leftover) == 1
    assert set(drift["deployed_models"]) == {"v1", "v2", f"leftover-{leftover[0]}"}
    assert chat.preview(two) == ("update", [])
    chat.up(two)
    assert kinds(emulator).count("DeployedModel") == 2
    assert chat.refresh() == {}
    destroyed(emulator, chat, ["Model"])
