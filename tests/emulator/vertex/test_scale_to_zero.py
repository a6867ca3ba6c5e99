"""Scale to zero as Google's page on autoscaling has it: who may, what is refused, and how one wakes."""

import pytest

from mg_provider.emulator.services.vertex.autoscaling import SCALE_UP
from tests.emulator.client import LOCATION

IDLE = {"minReplicaCount": 0, "maxReplicaCount": 2, "scaleToZeroSpec": {"idleScaledownPeriod": "600s"}}
DAY = 86_400
MACHINE = {"machineType": "g2-standard-24", "acceleratorType": "NVIDIA_L4", "acceleratorCount": 2}


def resources(**more):
    return {"dedicatedResources": {"machineSpec": MACHINE, **IDLE, **more}}


def deploy(client, endpoint_config=None, **more):
    client.put_weights()
    body = {
        "customModel": {"gcsUri": "gs://weights-bucket/llama"},
        "modelConfig": {"modelUserId": "llama"},
        "endpointConfig": {"endpointUserId": "chat", **(endpoint_config or {})},
        "deployConfig": resources(**more),
    }
    return client.call("POST", f"{LOCATION}:deploy", body)


@pytest.mark.parametrize(
    "more",
    [
        {"scaleToZeroSpec": {"idleScaledownPeriod": "299s"}},
        {"scaleToZeroSpec": {"minScaleupPeriod": "28801s"}},
        {"minReplicaCount": 1},
        {"initialReplicaCount": 3},
        {"minReplicaCount": 1, "scaleToZeroSpec": None, "initialReplicaCount": 1},
    ],
    ids=str,
)
def test_replicas_and_periods_that_do_not_go_together_are_refused(client, more):
    given = {name: value for name, value in {**IDLE, **more}.items() if value is not None}
    body = {"dedicatedResources": {"machineSpec": MACHINE, **given}}
    client.put_weights()
    answer = client.call(
        "POST", f"{LOCATION}:deploy", {"customModel": {"gcsUri": "gs://weights-bucket/llama"}, "deployConfig": body}
    )
    assert answer.status_code == 400, answer.text


def test_the_shared_domain_is_refused(client):
    assert deploy(client, {"dedicatedEndpointDisabled": True}).status_code == 400


def test_nothing_is_deployed_beside_it(client):
    endpoint = client.deployed(deployConfig=resources())
    model = endpoint["deployedModels"][0]["model"]
    more = {"model": model, "dedicatedResources": {"machineSpec": MACHINE, "minReplicaCount": 1}}
    answer = client.call("POST", f"{endpoint['name']}:deployModel", {"deployedModel": more})
    assert answer.status_code == 400
    assert "only one DeployedModel" in answer.text


def test_at_zero_a_request_is_dropped_with_429_and_wakes_it(client, emulator):
    endpoint = client.deployed(deployConfig=resources(initialReplicaCount=2))
    emulator.scale("chat", endpoint["deployedModels"][0]["id"], 0)
    assert emulator.ledger()["gpus_in_use"] == {}
    refused = client.chat(endpoint)
    assert (refused.status_code, refused.json()["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert client.chat(endpoint).status_code == 429
    emulator.advance(SCALE_UP + 1)
    assert client.chat(endpoint).status_code == 200
    (deployed,) = client.ok("GET", endpoint["name"])["deployedModels"]
    assert deployed["status"]["availableReplicaCount"] == 2


def awake(client, emulator, **more):
    """A deployment that has just started a replica, as it was asked."""
    endpoint = client.deployed(deployConfig=resources(**more))
    emulator.advance(8 * 3600)
    assert client.chat(endpoint).status_code == 429
    emulator.advance(SCALE_UP)
    return endpoint


def available(client, endpoint):
    (deployed,) = client.ok("GET", endpoint["name"])["deployedModels"]
    return deployed["status"]["availableReplicaCount"]


def test_nobody_pays_for_an_idle_deployment_once_both_periods_are_over(client, emulator):
    spec = {"idleScaledownPeriod": "600s", "minScaleupPeriod": "1200s"}
    endpoint = awake(client, emulator, scaleToZeroSpec=spec)
    emulator.advance(700)
    assert available(client, endpoint) == 1
    emulator.advance(600)
    assert available(client, endpoint) == 0
    assert emulator.ledger()["gpus_in_use"] == {}
    assert client.chat(endpoint).status_code == 429


def test_a_change_starts_no_replica_of_a_deployment_at_zero(client, emulator):
    endpoint = awake(client, emulator)
    emulator.advance(DAY)
    (deployed,) = client.ok("GET", endpoint["name"])["deployedModels"]
    wanted = {**deployed, "dedicatedResources": {**deployed["dedicatedResources"], "maxReplicaCount": 3}}
    body = {"deployedModel": wanted, "updateMask": "dedicatedResources.maxReplicaCount"}
    client.finished(client.ok("POST", f"{endpoint['name']}:mutateDeployedModel", body))
    assert available(client, endpoint) == 0
    assert emulator.ledger()["gpus_in_use"] == {}


def test_each_request_puts_the_end_off(client, emulator):
    spec = {"idleScaledownPeriod": "600s", "minScaleupPeriod": "300s"}
    endpoint = awake(client, emulator, scaleToZeroSpec=spec)
    for _ in range(3):
        emulator.advance(450)
        assert client.chat(endpoint).status_code == 200
    emulator.advance(700)
    assert client.chat(endpoint).status_code == 429


def test_a_woken_deployment_stays_for_its_period(client, emulator):
    endpoint = client.deployed(deployConfig=resources(scaleToZeroSpec={}))
    emulator.advance(3700)
    assert client.chat(endpoint).status_code == 429
    emulator.advance(SCALE_UP + 3000)
    assert client.chat(endpoint).status_code == 200


def test_what_keeps_one_replica_never_goes_to_zero(client, emulator):
    endpoint = client.deployed(deployConfig={"dedicatedResources": {"machineSpec": MACHINE, "minReplicaCount": 1}})
    emulator.advance(40 * DAY)
    assert available(client, endpoint) == 1


def test_after_thirty_idle_days_it_is_undeployed_and_endpoint_and_model_stay(client, emulator):
    endpoint = client.deployed(deployConfig=resources())
    emulator.advance(29 * DAY)
    assert client.chat(endpoint).status_code == 429
    emulator.advance(29 * DAY)
    assert available(client, endpoint) == 0
    emulator.advance(2 * DAY)
    shown = client.ok("GET", endpoint["name"])
    assert "deployedModels" not in shown
    assert "trafficSplit" not in shown
    assert [each["name"] for each in client.ok("GET", f"{LOCATION}/models")["models"]]
