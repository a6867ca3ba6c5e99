"""Each answer for Vertex AI is one that Google's own client can parse with no field left over.

The fixture ``emulator`` checks the answers of every test in the same way.
"""

from copy import deepcopy

import pytest

from tests.emulator.client import LOCATION
from tests.support.google import google_protos


@pytest.fixture(scope="session")
def known(clients_python):
    path = google_protos.descriptors()
    assert path is not None, f"{clients_python} is there, and its protos are not"
    return google_protos.pool(path)


def life(client):
    """Everything that a deployment goes through, in both versions of the API."""
    endpoint = client.deployed()
    (deployed,) = endpoint["deployedModels"]
    client.ok("GET", endpoint["name"], version="v1")
    client.ok("GET", f"{LOCATION}/endpoints")
    client.ok("GET", deployed["model"])
    client.ok("GET", f"{LOCATION}/operations")
    client.ok("PATCH", endpoint["name"], {"labels": {"team": "b"}}, updateMask="labels")
    other = client.ok("POST", f"{LOCATION}/endpoints", {"displayName": "o"}, endpointId="other", version="v1")
    client.response(other)
    resources = {"dedicatedResources": {"machineSpec": {"machineType": "n1-standard-4"}, "minReplicaCount": 1}}
    body = {"deployedModel": {"model": deployed["model"], **resources}, "trafficSplit": {"0": 100}}
    second = client.response(client.ok("POST", f"{LOCATION}/endpoints/other:deployModel", body))["deployedModel"]["id"]
    client.refused("DELETE", f"{LOCATION}/endpoints/other")
    client.response(client.ok("POST", f"{LOCATION}/endpoints/other:undeployModel", {"deployedModelId": second}))
    client.response(client.ok("DELETE", f"{LOCATION}/endpoints/other"))
    undeploy = {"deployedModelId": deployed["id"], "trafficSplit": {}}
    client.response(client.ok("POST", f"{endpoint['name']}:undeployModel", undeploy))
    client.response(client.ok("DELETE", endpoint["name"]))
    client.response(client.ok("DELETE", deployed["model"]))
    client.refused("GET", endpoint["name"])


def test_every_answer_of_a_life_parses_as_its_message(client, emulator, known):
    life(client)
    answers = [request for request in emulator.requests() if str(request["rpc"]).startswith("aiplatform.")]
    assert len(answers) > 20
    assert [
        google_protos.faults_of(answer, known) for answer in answers if google_protos.faults_of(answer, known)
    ] == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: answer["metadata"].update(deploymentStage="PREPARING_MODEL"),
        lambda answer: answer.update(progress=50),
        lambda answer: answer["metadata"]["genericMetadata"].update(createTime="yesterday"),
    ],
    ids=["metadata", "field", "value"],
)
def test_what_google_does_not_say_is_found(client, emulator, known, spoil):
    client.put_weights()
    client.deploy()
    request = deepcopy(emulator.requests()[-1])
    assert google_protos.faults_of(request, known) is None
    spoil(request["response"])
    assert "locations.deploy" in google_protos.faults_of(request, known)


def test_an_error_of_vertex_has_code_message_and_status_alone(client, emulator, known):
    client.refused("GET", f"{LOCATION}/endpoints/none")
    request = deepcopy(emulator.requests()[-1])
    assert google_protos.faults_of(request, known) is None
    request["response"]["error"]["errors"] = [{"reason": "notFound"}]
    assert "errors" in google_protos.faults_of(request, known)


def numbered(answer):
    """The same answer at another time, of another endpoint: numbers and hashes are others."""
    machine = answer["deployedModels"][0]["dedicatedResources"]
    answer.update(createTime="2027-12-02T19:59:58.123456Z", name=f"{answer['name']}0a1b2c")
    machine["minReplicaCount"] = 3
    return machine


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer, _: answer.update(endpoint="e"),
        lambda answer, _: answer.update(createTime="yesterday"),
        lambda answer, _: answer.update(labels=[]),
        lambda answer, _: answer.update(deployedModels={}),
        lambda _, machine: machine.update(minReplicaCount="many"),
        lambda _, machine: machine.update(minReplicaCount=1.5),
        lambda _, machine: machine["machineSpec"].update(acceleratorType="NVIDIA_L9"),
        lambda _, machine: machine["machineSpec"].update(acceleratorType="nvidia_l4"),
    ],
    ids=["field", "time", "no_list", "no_map", "text", "fraction", "number_of_a_value", "case"],
)
def test_what_was_right_once_excuses_no_other_answer(client, emulator, known, spoil):
    client.ok("GET", client.deployed()["name"])
    request = deepcopy(emulator.requests()[-1])
    assert google_protos.wrong_by([request], known) == []
    machine = numbered(request["response"])
    assert google_protos.wrong_by([request], known) == []
    spoil(request["response"], machine)
    assert len(google_protos.wrong_by([request], known)) == 1
