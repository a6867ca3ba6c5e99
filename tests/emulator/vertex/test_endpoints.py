from __future__ import annotations

import re

import pytest

from tests.emulator.client import LOCATION

ENDPOINTS = f"{LOCATION}/endpoints"


@pytest.fixture
def endpoint(client):
    answer = client.ok("POST", ENDPOINTS, {"displayName": "chat", "dedicatedEndpointEnabled": True}, endpointId="chat")
    client.response(answer)
    return client.ok("GET", f"{ENDPOINTS}/chat")


def test_the_operation_of_a_create_lies_below_the_endpoint(client):
    operation = client.ok("POST", ENDPOINTS, {"displayName": "chat"}, endpointId="chat", version="v1")
    assert "/endpoints/chat/operations/" in operation["name"]
    done = client.finished(operation)
    assert done["response"]["@type"] == "type.googleapis.com/google.cloud.aiplatform.v1.Endpoint"


def test_a_dedicated_endpoint_has_a_dns_name_without_scheme_made_of_id_region_and_a_number(endpoint):
    number = endpoint["name"].split("/")[1]
    dns = re.fullmatch(r"chat\.us-central1-(\w+)\.prediction\.vertexai\.goog", endpoint["dedicatedEndpointDns"])
    assert dns[1] != number


def test_a_taken_id_is_refused_and_a_project_resource_name_too(client, endpoint):
    assert client.refused("POST", ENDPOINTS, {"displayName": "x"}, endpointId="chat")[:2] == (409, "ALREADY_EXISTS")
    private = {"enablePrivateServiceConnect": True, "projectAllowlist": ["projects/x"]}
    body = {"displayName": "x", "privateServiceConnectConfig": private}
    assert "projects/x" in client.refused("POST", ENDPOINTS, body)[2]


@pytest.mark.parametrize("mask", ["display_name,labels", "displayName,labels"])
def test_both_spellings_of_a_mask_patch_only_what_they_name(client, endpoint, mask):
    body = {"display_name": "new", "labels": {"a": "b"}, "description": "not in the mask"}
    patched = client.ok("PATCH", endpoint["name"], body, updateMask=mask)
    assert patched["displayName"] == "new"
    assert patched["labels"] == {"a": "b"}
    assert "description" not in patched
    assert patched["etag"] != endpoint["etag"]


def test_a_mask_without_a_value_clears_the_field(client, endpoint):
    client.ok("PATCH", endpoint["name"], {"labels": {"a": "b"}}, updateMask="labels")
    assert "labels" not in client.ok("PATCH", endpoint["name"], {}, updateMask="labels")


def test_an_unknown_mask_path_is_refused(client, endpoint):
    code, status, message = client.refused("PATCH", endpoint["name"], {}, updateMask="displayNam")
    assert (code, status) == (400, "INVALID_ARGUMENT")
    assert "displayNam" in message


@pytest.mark.parametrize("mask", ["network", "encryptionSpec", "clientConnectionConfig", "dedicatedEndpointEnabled"])
def test_what_cannot_be_patched_is_refused(client, endpoint, mask):
    assert client.refused("PATCH", endpoint["name"], {}, updateMask=mask)[0] == 400


def test_a_stale_etag_is_aborted_and_none_overwrites(client, endpoint):
    client.ok("PATCH", endpoint["name"], {"displayName": "second"}, updateMask="displayName")
    stale = {"displayName": "third", "etag": endpoint["etag"]}
    refused = client.refused("PATCH", endpoint["name"], stale, updateMask="displayName")
    assert refused[:2] == (409, "ABORTED")
    client.ok("PATCH", endpoint["name"], {"displayName": "third"}, updateMask="displayName")


def test_update_changes_the_inference_timeout_and_nothing_else(client, endpoint):
    body = {"endpoint": {"clientConnectionConfig": {"inferenceTimeout": "900s"}}}
    client.response(client.ok("POST", f"{endpoint['name']}:update", body))
    assert client.ok("GET", endpoint["name"])["clientConnectionConfig"] == {"inferenceTimeout": "900s"}
    assert client.refused("POST", f"{endpoint['name']}:update", {"endpoint": {"displayName": "x"}})[0] == 400


def test_the_allowlist_is_patchable_unless_the_test_says_otherwise(client, emulator):
    private = {"enablePrivateServiceConnect": True, "projectAllowlist": ["a"]}
    body = {"displayName": "x", "privateServiceConnectConfig": private}
    client.response(client.ok("POST", ENDPOINTS, body, endpointId="x"))
    change = {"privateServiceConnectConfig": {"projectAllowlist": ["a", "b"]}}
    mask = "privateServiceConnectConfig.projectAllowlist"
    patched = client.ok("PATCH", f"{ENDPOINTS}/x", change, updateMask=mask)
    assert patched["privateServiceConnectConfig"]["projectAllowlist"] == ["a", "b"]
    assert patched["privateServiceConnectConfig"]["enablePrivateServiceConnect"] is True
    emulator.behave(allowlist_patch="refuse")
    assert client.refused("PATCH", f"{ENDPOINTS}/x", change, updateMask=mask)[0] == 400


def test_lists_come_in_pages_and_take_documented_filters_only(client, endpoint):
    for name in ("b", "c"):
        client.response(client.ok("POST", ENDPOINTS, {"displayName": name}, endpointId=name))
    first = client.ok("GET", ENDPOINTS, pageSize=2)
    rest = client.ok("GET", ENDPOINTS, pageSize=2, pageToken=first["nextPageToken"])
    names = [each["displayName"] for each in first["endpoints"] + rest["endpoints"]]
    assert names == ["c", "b", "chat"]
    assert "nextPageToken" not in rest
    found = client.ok("GET", ENDPOINTS, filter='display_name="b"', readMask="name")["endpoints"]
    assert [list(each) for each in found] == [["name"]]
    assert client.refused("GET", ENDPOINTS, filter="colour=red")[0] == 400


def test_a_deleted_endpoint_is_gone_and_cannot_be_deleted_again(client, endpoint):
    assert client.ok("DELETE", endpoint["name"])["done"] is True
    assert client.refused("GET", endpoint["name"])[:2] == (404, "NOT_FOUND")
    assert client.refused("DELETE", endpoint["name"])[:2] == (404, "NOT_FOUND")


@pytest.fixture
def model(client):
    body = {"model": {"displayName": "m", "containerSpec": {"imageUri": "image"}}, "modelId": "m"}
    return client.response(client.ok("POST", f"{LOCATION}/models:upload", body))["model"]


def deploy_model(client, endpoint, model, split, **more):
    resources = {"machine_spec": {"machine_type": "g2-standard-12", "accelerator_type": 11, "accelerator_count": 1}}
    deployed = {"model": model, "dedicated_resources": {**resources, "min_replica_count": 1}, **more}
    body = {"deployed_model": deployed, "traffic_split": split}
    return client.response(client.ok("POST", f"{endpoint['name']}:deployModel", body))["deployedModel"]


def test_two_models_share_traffic_and_leave_one_by_one(client, emulator, endpoint, model):
    first = deploy_model(client, endpoint, model, {"0": 100})
    assert first["dedicatedResources"]["machineSpec"]["acceleratorType"] == "NVIDIA_L4"
    second = deploy_model(client, endpoint, model, {first["id"]: 75, "0": 25})
    shown = client.ok("GET", endpoint["name"])
    assert shown["trafficSplit"] == {first["id"]: 75, second["id"]: 25}
    answers = [client.chat(shown).json()["choices"][0]["message"]["content"] for _ in range(8)]
    assert sum(second["id"] in answer for answer in answers) == 2
    undeploy = f"{endpoint['name']}:undeployModel"
    assert client.refused("POST", undeploy, {"deployedModelId": second["id"]})[1] == "FAILED_PRECONDITION"
    body = {"deployedModelId": second["id"], "trafficSplit": {first["id"]: 100}}
    client.response(client.ok("POST", undeploy, body))
    assert client.refused("DELETE", model)[1] == "FAILED_PRECONDITION"
    assert client.refused("DELETE", endpoint["name"])[1] == "FAILED_PRECONDITION"
    client.response(client.ok("POST", undeploy, {"deployedModelId": first["id"]}))
    assert "trafficSplit" not in client.ok("GET", endpoint["name"])
    client.response(client.ok("DELETE", model))
    client.ok("DELETE", endpoint["name"])
    assert emulator.ledger()["empty"] is True


def test_a_deployment_without_a_split_leaves_the_traffic_as_it_is(client, endpoint, model):
    deploy_model(client, endpoint, model, {}, id="7")
    shown = client.ok("GET", endpoint["name"])
    assert [each["id"] for each in shown["deployedModels"]] == ["7"]
    assert "trafficSplit" not in shown
    assert client.chat(shown).status_code == 400


@pytest.mark.parametrize("split", [{"0": 99}, {"0": 50, "12": 50}])
def test_a_split_must_add_up_to_100_over_known_models(client, endpoint, model, split):
    resources = {"minReplicaCount": 1, "machineSpec": {"machineType": "g2-standard-12"}}
    deployed = {"model": model, "dedicatedResources": resources}
    body = {"deployedModel": deployed, "trafficSplit": split}
    assert "traffic_split" in client.refused("POST", f"{endpoint['name']}:deployModel", body)[2]


@pytest.mark.parametrize("path", ["dedicated_resources.min_replica_count", "dedicatedResources.minReplicaCount"])
def test_replicas_change_in_place_and_cost_accordingly(client, emulator, endpoint, model, path):
    deployed = deploy_model(client, endpoint, model, {"0": 100})
    both = f"{path},dedicatedResources.maxReplicaCount"
    change = {"id": deployed["id"], "dedicatedResources": {"minReplicaCount": 3, "maxReplicaCount": 4}}
    body = {"deployedModel": change, "updateMask": both}
    answer = client.response(client.ok("POST", f"{endpoint['name']}:mutateDeployedModel", body))
    assert answer["deployedModel"]["dedicatedResources"]["minReplicaCount"] == 3
    (shown,) = client.ok("GET", endpoint["name"])["deployedModels"]
    assert shown["id"] == deployed["id"]
    assert shown["status"]["availableReplicaCount"] == 3
    assert emulator.ledger()["gpus_in_use"] == {"NVIDIA_L4": 3}


def test_another_machine_is_no_mutation(client, endpoint, model):
    deployed = deploy_model(client, endpoint, model, {"0": 100})
    change = {"id": deployed["id"], "dedicatedResources": {"machineSpec": {"machineType": "g2-standard-24"}}}
    body = {"deployedModel": change, "updateMask": "dedicatedResources.machineSpec"}
    assert "cannot be mutated" in client.refused("POST", f"{endpoint['name']}:mutateDeployedModel", body)[2]


def test_an_accelerator_that_does_not_fit_the_machine_is_refused(client, endpoint, model):
    machine = {"machineType": "g2-standard-12", "acceleratorType": "NVIDIA_H100_80GB", "acceleratorCount": 1}
    deployed = {"model": model, "dedicatedResources": {"machineSpec": machine, "minReplicaCount": 1}}
    refused = client.refused("POST", f"{endpoint['name']}:deployModel", {"deployedModel": deployed})
    assert "not supported for machine type" in refused[2]


def test_the_service_attachment_survives_a_short_gap_and_is_recycled_after_a_long_one(client, emulator, model):
    private = {"enablePrivateServiceConnect": True, "projectAllowlist": ["my-project"]}
    body = {"displayName": "x", "privateServiceConnectConfig": private}
    client.response(client.ok("POST", ENDPOINTS, body, endpointId="x"))
    endpoint = client.ok("GET", f"{ENDPOINTS}/x")

    def attachment():
        emulator.behave(durations={"UNDEPLOY_MODEL": 0})
        deployed = deploy_model(client, endpoint, model, {"0": 100})
        (shown,) = client.ok("GET", endpoint["name"])["deployedModels"]
        client.ok("POST", f"{endpoint['name']}:undeployModel", {"deployedModelId": deployed["id"]})
        return shown["privateEndpoints"]["serviceAttachment"]

    emulator.behave(attachment_recycle_seconds=10_000)
    first = attachment()
    assert attachment() == first
    emulator.advance(10_001)
    assert attachment() != first


def test_a_models_labels_can_be_patched_and_nothing_that_is_fixed(client, model):
    patched = client.ok("PATCH", model, {"labels": {"a": "b"}}, updateMask="labels")
    assert patched["labels"] == {"a": "b"}
    assert client.ok("GET", f"{LOCATION}/models", filter="labels.a=b")["models"][0]["name"] == model
    assert client.refused("PATCH", model, {"artifactUri": "gs://x/y"}, updateMask="artifactUri")[0] == 400
    stale = {"displayName": "x", "etag": "stale"}
    assert client.refused("PATCH", model, stale, updateMask="displayName")[:2] == (409, "ABORTED")


def test_a_model_can_stay_in_use_for_a_while_after_its_last_undeployment(client, emulator, endpoint, model):
    emulator.behave(model_release_seconds=5000)
    deployed = deploy_model(client, endpoint, model, {"0": 100})
    client.response(client.ok("POST", f"{endpoint['name']}:undeployModel", {"deployedModelId": deployed["id"]}))
    assert client.refused("DELETE", model)[1] == "FAILED_PRECONDITION"
    emulator.advance(5000)
    client.response(client.ok("DELETE", model))
    assert client.refused("GET", model)[:2] == (404, "NOT_FOUND")


def test_an_id_of_digits_has_at_most_ten(client):
    client.response(client.ok("POST", ENDPOINTS, {"displayName": "x"}, endpointId="1234567890"))
    for identifier in ("12345678901", "0123"):
        assert (
            "Invalid endpoint id" in client.refused("POST", ENDPOINTS, {"displayName": "x"}, endpointId=identifier)[2]
        )
