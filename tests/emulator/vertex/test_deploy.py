from __future__ import annotations

import pytest

from tests.emulator.client import LOCATION, WEIGHTS

PRIVATE = {"enablePrivateServiceConnect": True, "projectAllowlist": ["my-project"]}


def test_a_deployment_lives_from_weights_to_an_empty_ledger(client, emulator):
    endpoint = client.deployed()
    (deployed,) = endpoint["deployedModels"]
    assert endpoint["trafficSplit"] == {deployed["id"]: 100}
    assert len(deployed["id"]) == 19
    assert deployed["status"]["availableReplicaCount"] == 1
    said = client.chat(endpoint, "How tall is it?").json()
    assert said["choices"][0]["message"]["content"].endswith("You asked: How tall is it?")
    client.response(client.ok("POST", f"{endpoint['name']}:undeployModel", {"deployedModelId": deployed["id"]}))
    client.response(client.ok("DELETE", endpoint["name"]))
    client.response(client.ok("DELETE", deployed["model"]))
    ledger = emulator.ledger()
    assert ledger["empty"] is True
    assert ledger["leftovers"] == []
    assert ledger["gpu_seconds"]["NVIDIA_L4"] > 0


def test_the_operation_shows_no_stage_and_then_names_with_the_project_number(client, emulator):
    client.put_weights()
    operation = client.deploy()
    assert "done" not in operation
    shown = {"@type", "genericMetadata", "destination", "projectNumber", "modelId"}
    assert set(operation["metadata"]) == shown
    assert operation["metadata"]["modelId"] == "llama"
    number = operation["metadata"]["projectNumber"]
    assert operation["name"].startswith(f"projects/{number}/locations/us-central1/operations/")
    assert client.call("GET", f"{LOCATION}/endpoints/chat").status_code == 404
    emulator.advance(25)
    assert set(client.operation(operation)["metadata"]) == shown
    assert "deployedModels" not in client.ok("GET", f"{LOCATION}/endpoints/chat")
    assert client.ok("GET", f"{LOCATION}/models/llama")["artifactUri"] == WEIGHTS
    response = client.response(operation)
    assert response["endpoint"] == f"projects/{number}/locations/us-central1/endpoints/chat"
    assert response["model"] == f"projects/{number}/locations/us-central1/models/llama"
    assert response["@type"].endswith("v1beta1.DeployResponse")


def test_gpus_cost_from_the_moment_machines_are_up_until_they_are_undeployed(client, emulator):
    client.put_weights()
    operation = client.deploy()
    emulator.advance(20 + 160 + 240 + 240 - 1)
    assert emulator.ledger()["gpu_seconds_total"] == 0
    emulator.advance(1 + 100)
    assert emulator.ledger()["gpu_seconds"] == {"NVIDIA_L4": 200.0}
    client.response(operation)
    endpoint = client.ok("GET", f"{LOCATION}/endpoints/chat")
    client.response(
        client.ok("POST", f"{endpoint['name']}:undeployModel", {"deployedModelId": endpoint["deployedModels"][0]["id"]})
    )
    before = emulator.ledger()["gpu_seconds_total"]
    emulator.advance(1000)
    assert emulator.ledger()["gpu_seconds_total"] == before
    assert emulator.ledger()["gpus_in_use"] == {}


def test_without_a_deploy_config_the_default_machine_serves(client):
    client.put_weights()
    client.response(client.ok("POST", f"{LOCATION}:deploy", {"customModel": {"gcsUri": WEIGHTS}}))
    (endpoint,) = client.ok("GET", f"{LOCATION}/endpoints")["endpoints"]
    (deployed,) = endpoint["deployedModels"]
    assert endpoint["name"].split("/")[-1].startswith("mg-endpoint-")
    assert deployed["model"].split("/")[-1].startswith("mg-custom-")
    assert deployed["dedicatedResources"] == {
        "machineSpec": {"machineType": "g2-standard-12", "acceleratorType": "NVIDIA_L4", "acceleratorCount": 1},
        "minReplicaCount": 1,
        "maxReplicaCount": 1,
    }


def test_missing_weights_fail_the_operation_and_leave_model_and_endpoint_behind(client, emulator):
    done = client.finished(client.deploy())
    assert done["error"]["code"] == 9
    kinds = sorted(entry["kind"] for entry in emulator.ledger()["resources"])
    assert kinds == ["aiplatform.Endpoint", "aiplatform.Model"]
    assert emulator.ledger()["gpu_seconds_total"] == 0


@pytest.mark.parametrize(
    ("config", "code"),
    [({"model_type": "llama"}, 3), (None, 9)],
)
def test_unusable_weights_fail_while_the_model_is_prepared(client, config, code):
    client.put_weights(config=config if config else {})
    if config is None:
        storage = f"{client.emulator.url}/storage/v1/b/weights/o/llama%2Fconfig.json"
        assert client.session.delete(storage).status_code == 204
    assert client.finished(client.deploy())["error"]["code"] == code


@pytest.mark.parametrize("part", ["endpoint", "model"])
def test_an_id_that_is_taken_refuses_the_call_even_while_it_is_being_made(client, part):
    client.put_weights()
    client.deploy()
    other = {
        "endpoint": {"modelConfig": {"modelUserId": "other"}},
        "model": {"endpointConfig": {"endpointUserId": "other"}},
    }[part]
    request = {
        "customModel": {"gcsUri": WEIGHTS},
        "modelConfig": {"modelUserId": "llama"},
        "endpointConfig": {"endpointUserId": "chat"},
        **other,
    }
    assert client.refused("POST", f"{LOCATION}:deploy", request)[:2] == (409, "ALREADY_EXISTS")


def test_a_project_resource_name_on_the_allowlist_ends_in_a_bare_internal_error(client):
    client.put_weights()
    private = {**PRIVATE, "projectAllowlist": ["projects/my-project"]}
    done = client.finished(client.deploy(endpointConfig={"privateServiceConnectConfig": private}))
    assert done["error"] == {"code": 13, "message": "INTERNAL"}


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        (
            {"endpointConfig": {"dedicatedEndpointEnabled": True, "privateServiceConnectConfig": PRIVATE}},
            "cannot both be set",
        ),
        ({"publisherModelName": "publishers/google/models/gemma3@gemma-3-1b-it"}, "exactly one of"),
        ({"customModel": {"gcsUri": "s3://weights/llama"}}, "Invalid Cloud Storage URI"),
        ({"modelConfig": {"modelUserId": "1st"}}, "Invalid model id"),
        ({"endpointConfig": {"endpointUserId": "Chat"}}, "Invalid endpoint id"),
        ({"deployConfig": {"dedicatedResources": {"minReplicaCount": 0}}}, "at least 1"),
        ({"deployConfig": {"dedicatedResources": {"minReplicaCount": 2, "maxReplicaCount": 1}}}, "must not be less"),
    ],
)
def test_a_wrong_request_is_refused_and_makes_nothing(client, emulator, changes, what):
    request = {"customModel": {"gcsUri": WEIGHTS}, **changes}
    code, status, message = client.refused("POST", f"{LOCATION}:deploy", request)
    assert (code, status) == (400, "INVALID_ARGUMENT")
    assert what in message
    emulator.advance(4000)
    assert emulator.ledger()["empty"] is True


def test_v1_does_not_know_custom_weights(client):
    body = {"customModel": {"gcsUri": WEIGHTS}}
    code, _, message = client.refused("POST", f"{LOCATION}:deploy", body, version="v1")
    assert code == 400
    assert message == 'Invalid JSON payload received. Unknown name "customModel": Cannot find field.'


def test_quota_that_does_not_cover_the_most_replicas_fails_the_operation(client, emulator):
    emulator.set_quota({"my-project/us-central1/NVIDIA_L4": 5})
    client.put_weights()
    error = client.finished(client.deploy())["error"]
    assert error["code"] == 8
    assert error["message"] == "The following quotas are exceeded: CustomModelServingL4GPUsPerProjectPerRegion"
    emulator.set_quota({"my-project/us-central1/NVIDIA_L4": 6})
    again = client.deploy(modelConfig={"modelUserId": "b"}, endpointConfig={"endpointUserId": "b"})
    assert "error" not in client.finished(again)


def test_a_region_without_machines_fails_the_operation_and_gives_the_quota_back(client, emulator):
    emulator.set_quota({"my-project/us-central1/NVIDIA_L4": 6})
    emulator.behave(stockouts=["us-central1/g2-standard-24"])
    client.put_weights()
    error = client.finished(client.deploy())["error"]
    assert error["code"] == 14
    assert "Machine type temporarily unavailable" in error["message"]
    emulator.behave(stockouts=[])
    again = client.deploy(modelConfig={"modelUserId": "b"}, endpointConfig={"endpointUserId": "b"})
    assert "error" not in client.finished(again)


def test_a_private_endpoint_shows_its_service_attachment_only_on_the_deployed_model(client):
    endpoint = client.deployed(endpointConfig={"privateServiceConnectConfig": PRIVATE, "endpointUserId": "chat"})
    attachment = endpoint["deployedModels"][0]["privateEndpoints"]["serviceAttachment"]
    assert attachment.split("/")[1].endswith("-tp")
    assert attachment.split("/")[-1].startswith("gkedpm-")
    assert "serviceAttachment" not in endpoint["privateServiceConnectConfig"]
    assert "dedicatedEndpointDns" not in endpoint


def test_cancelling_ends_the_operation_with_code_1_and_frees_the_endpoint(client, emulator):
    client.put_weights()
    operation = client.deploy()
    emulator.advance(700)
    name = f"{LOCATION}/endpoints/chat"
    assert client.refused("DELETE", name)[1] == "FAILED_PRECONDITION"
    client.ok("POST", f"{operation['name']}:cancel", {})
    assert client.operation(operation)["error"]["code"] == 1
    emulator.advance(4000)
    assert "deployedModels" not in client.ok("GET", name)
    assert emulator.ledger()["gpus_in_use"] == {}
    assert client.ok("DELETE", name)["done"] is True


@pytest.mark.parametrize("fields", ["dropped", "kept"])
def test_what_no_published_client_sends_is_dropped_unless_a_test_says_otherwise(client, emulator, fields):
    account = "server@my-project.iam.gserviceaccount.com"
    if fields == "kept":
        emulator.behave(fields_of_no_client="kept")
    endpoint = client.deployed(deployConfig={"serviceAccount": account})
    kept = (endpoint.get("labels"), endpoint["deployedModels"][0].get("serviceAccount"))
    assert kept == (({"team": "search"}, account) if fields == "kept" else (None, None))


def test_labels_and_project_number_lead_back_to_the_endpoint(client, emulator):
    emulator.behave(fields_of_no_client="kept")
    endpoint = client.deployed()
    number = endpoint["name"].split("/")[1]
    by_number = client.ok("GET", f"projects/{number}/locations/us-central1/endpoints/chat")
    assert by_number == endpoint
    found = client.ok("GET", f"{LOCATION}/endpoints", filter="labels.team=search")
    assert [each["name"] for each in found["endpoints"]] == [endpoint["name"]]
    assert client.ok("GET", f"{LOCATION}/endpoints", filter="labels.team=other") == {}


def test_the_same_id_in_another_region_is_another_endpoint(client):
    client.deployed()
    elsewhere = "projects/my-project/locations/europe-west4"
    assert client.call("GET", f"{elsewhere}/endpoints/chat").status_code == 404
    created = client.ok("POST", f"{elsewhere}/endpoints", {"displayName": "d"}, endpointId="chat")
    client.response(created)
    assert client.ok("GET", f"{elsewhere}/endpoints/chat")["displayName"] == "d"


def replacement(client):
    """The endpoint, and a further deployment of its model."""
    endpoint = client.deployed()
    deployed = endpoint["deployedModels"][0]
    resources = {"machineSpec": deployed["dedicatedResources"]["machineSpec"], "minReplicaCount": 1}
    asked = {"id": "7", "model": deployed["model"], "dedicatedResources": resources}
    return endpoint, {"deployedModel": asked}


@pytest.mark.parametrize(("left", "ids"), [("undeployed", ["7"]), ("kept", ["7", "old"])])
def test_a_rolling_deployment_takes_the_traffic_of_the_one_it_replaces(client, emulator, left, ids):
    emulator.behave(rolled_out_deployment=left)
    endpoint, body = replacement(client)
    old = endpoint["deployedModels"][0]["id"]
    body["deployedModel"]["rolloutOptions"] = {"previousDeployedModel": old, "maxSurgeReplicas": 1}
    operation = client.ok("POST", f"{endpoint['name']}:deployModel", body)
    emulator.advance(60)
    assert client.ok("GET", endpoint["name"])["trafficSplit"] == {old: 100}
    client.response(operation)
    after = client.ok("GET", endpoint["name"])
    assert after["trafficSplit"] == {"7": 100}
    assert sorted(each["id"].replace(old, "old") for each in after["deployedModels"]) == ids


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"previousDeployedModel": "8"}, "is not on the Endpoint"),
        ({"maxSurgeReplicas": 1, "maxSurgePercentage": 5}, "cannot both be set"),
        ({"maxSurgeReplicas": 0, "maxUnavailableReplicas": 0}, "nothing can be replaced"),
    ],
)
def test_rolling_deployments_that_contradict_themselves_are_refused(client, options, says):
    endpoint, body = replacement(client)
    body["deployedModel"]["rolloutOptions"] = {
        "previousDeployedModel": endpoint["deployedModels"][0]["id"],
        **options,
    }
    code, status, message = client.refused("POST", f"{endpoint['name']}:deployModel", body)
    assert (code, status) == (400, "INVALID_ARGUMENT")
    assert says in message


def test_a_destination_in_the_body_is_taken_and_the_path_wins(client):
    """As the curl commands of the product's documents send it, in the proto's own names."""
    client.put_weights()
    spec = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
    body = {
        "custom_model": {"gcs_uri": WEIGHTS},
        "destination": "projects/another/locations/europe-west4",
        "model_config": {"model_user_id": "llama-1"},
        "deploy_config": {"dedicated_resources": {"machine_spec": spec, "min_replica_count": 1}},
    }
    endpoint = client.response(client.ok("POST", f"{LOCATION}:deploy", body))["endpoint"]
    assert "/locations/us-central1/" in endpoint


def test_a_name_in_the_body_of_a_message_that_is_a_part_of_the_request_is_unknown(client):
    refusal = client.refused("POST", f"{LOCATION}/endpoints", {"displayName": "x", "parent": LOCATION})
    assert "Cannot find field" in refusal[2]
