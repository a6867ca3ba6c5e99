"""What Vertex AI refuses, and what it decides where no source settles it: each behaviour under both of its values."""

import pytest

from mg_provider.emulator.google.named_errors import About, stock_out
from tests.emulator.client import LOCATION, WEIGHTS

ENDPOINTS, MODELS = f"{LOCATION}/endpoints", f"{LOCATION}/models"
L4 = {"machineType": "g2-standard-12"}
CPU = "aiplatform.googleapis.com/prediction/online/cpu/utilization"
QUEUE = "pubsub.googleapis.com/subscription/num_undelivered_messages"


def make(client, identifier="chat", **fields):
    body = {"displayName": "chat", **fields}
    client.response(client.ok("POST", ENDPOINTS, body, endpointId=identifier))
    return client.ok("GET", f"{ENDPOINTS}/{identifier}")


def upload(client, **fields):
    model = {"displayName": "m", "containerSpec": {"imageUri": "i"}, **fields}
    client.response(client.ok("POST", f"{MODELS}:upload", {"model": model, "modelId": "m"}))
    return client.ok("GET", f"{MODELS}/m")


def deploy_on(client, endpoint, model, **resources):
    deployed = {"model": model["name"], "dedicatedResources": {"machineSpec": L4, "minReplicaCount": 1, **resources}}
    return client.call("POST", f"{endpoint['name']}:deployModel", {"deployedModel": deployed})


def test_what_a_create_answers_is_the_endpoint_without_times_and_etag(client):
    body = {"displayName": "chat", "labels": {"team": "a"}}
    answer = client.response(client.ok("POST", ENDPOINTS, body, endpointId="chat"))
    assert set(answer) == {"@type", "name", "displayName", "labels"}
    shown = client.ok("GET", f"{ENDPOINTS}/chat")
    assert {"createTime", "updateTime", "etag"} < set(shown)
    assert not {"trafficSplit", "deployedModels"} & set(shown)


def test_what_is_not_there_is_said_in_vertex_ais_words(client):
    number = make(client)["name"].split("/")[1]
    refusal = client.refused("GET", f"{ENDPOINTS}/none")
    name = f"projects/{number}/locations/us-central1/endpoints/none"
    assert refusal == (404, "NOT_FOUND", f'endpoint "{name}" not found')


@pytest.mark.parametrize(
    ("labels", "taken"),
    [
        ({"team": "a_b-c"}, True),
        ({"größe": "klein"}, True),
        ({"Team": "a"}, False),
        ({"team": "A"}, False),
        ({"": "a"}, False),
        ({"team": "a b"}, False),
        ({"k" * 65: "a"}, False),
        ({"team": "v" * 65}, False),
        ({f"k{i}": "" for i in range(64)}, True),
        ({f"k{i}": "" for i in range(65)}, False),
    ],
)
@pytest.mark.parametrize("kind", ["endpoint", "model", "deploy"])
def test_labels_keep_googles_rules(client, emulator, labels, taken, kind):
    emulator.behave(fields_of_no_client="kept")
    calls = {
        "endpoint": (ENDPOINTS, {"displayName": "e", "labels": labels}),
        "model": (f"{MODELS}:upload", {"model": {"displayName": "m", "labels": labels}}),
        "deploy": (f"{LOCATION}:deploy", {"customModel": {"gcsUri": WEIGHTS}, "endpointConfig": {"labels": labels}}),
    }
    assert client.call("POST", *calls[kind]).status_code == (200 if taken else 400)


@pytest.mark.parametrize(("length", "status"), [(128, 200), (129, 400)])
def test_a_display_name_has_at_most_128_characters(client, length, status):
    assert client.call("POST", ENDPOINTS, {"displayName": "ä" * length}).status_code == status
    assert client.call("POST", f"{MODELS}:upload", {"model": {"displayName": "ä" * length}}).status_code == status


@pytest.mark.parametrize(
    ("network", "status"),
    [
        ("projects/123/global/networks/vpc", 200),
        ("projects/my-project/global/networks/vpc", 400),
        ("vpc", 400),
    ],
)
def test_a_peered_network_is_named_with_the_projects_number(client, network, status):
    assert client.call("POST", ENDPOINTS, {"displayName": "e", "network": network}).status_code == status


@pytest.mark.parametrize(
    ("project", "network", "status"),
    [
        ("other", "projects/other/global/networks/vpc", 200),
        ("unlisted", "projects/unlisted/global/networks/vpc", 400),
        ("other", "projects/123/global/networks/vpc", 400),
    ],
)
def test_automation_is_for_a_listed_project_and_names_its_network_with_the_projects_id(
    client, project, network, status
):
    config = {"enablePrivateServiceConnect": True, "projectAllowlist": ["my-project", "other"]}
    config["pscAutomationConfigs"] = [{"projectId": project, "network": network}]
    body = {"displayName": "e", "privateServiceConnectConfig": config}
    assert client.call("POST", ENDPOINTS, body).status_code == status


@pytest.mark.parametrize("entry", ["123456789012", "projects/my-project"])
def test_the_allowlist_has_project_ids(client, entry):
    config = {"enablePrivateServiceConnect": True, "projectAllowlist": [entry]}
    body = {"displayName": "e", "privateServiceConnectConfig": config}
    assert client.call("POST", ENDPOINTS, body).status_code == 400


@pytest.mark.parametrize(("value", "status"), [("refuse", 400), ("allow", 200)])
def test_whether_a_patch_makes_an_endpoint_dedicated(client, emulator, value, status):
    emulator.behave(dedicated_endpoint_patch=value)
    endpoint = make(client)
    changed = {"dedicatedEndpointEnabled": True}
    assert client.call("PATCH", endpoint["name"], changed, updateMask="dedicatedEndpointEnabled").status_code == status
    assert ("dedicatedEndpointDns" in client.ok("GET", endpoint["name"])) == (status == 200)


@pytest.mark.parametrize(("value", "status"), [("allow", 200), ("refuse", 400)])
def test_whether_the_timeout_of_connections_can_change(client, emulator, value, status):
    emulator.behave(client_connection_update=value)
    body = {"endpoint": {"clientConnectionConfig": {"inferenceTimeout": "900s"}}}
    assert client.call("POST", f"{make(client)['name']}:update", body).status_code == status


def test_a_dedicated_name_may_come_late(client, emulator):
    emulator.behave(dedicated_dns_after=10_000.0)
    assert "dedicatedEndpointDns" not in make(client, dedicatedEndpointEnabled=True)
    emulator.advance(10_000)
    assert client.ok("GET", f"{ENDPOINTS}/chat")["dedicatedEndpointDns"]


@pytest.mark.parametrize(("value", "status"), [("checked", 404), ("ignored", 200)])
def test_whether_a_request_may_name_another_model(client, emulator, value, status):
    emulator.behave(chat_model_name=value)
    endpoint = client.deployed()
    assert client.chat(endpoint, model="another").status_code == status
    assert client.chat(endpoint, model="").status_code == 200


def test_the_shared_domain_refuses_a_dedicated_endpoint_in_googles_words(client):
    endpoint = client.deployed()
    error = client.chat(endpoint, host="aiplatform.googleapis.com").json()["error"]
    dns = endpoint["dedicatedEndpointDns"]
    assert (error["code"], error["status"]) == (400, "FAILED_PRECONDITION")
    assert error["message"] == (
        "Dedicated Endpoint cannot be accessed through the shared Vertex AI domain aiplatform.googleapis.com. "
        f"Please access the endpoint using its dedicated domain name '{dns}'"
    )


@pytest.mark.parametrize(
    ("specs", "status"),
    [
        ([{"metricName": CPU, "target": 60}, {"metricName": QUEUE, "target": 5000}], 200),
        ([{"metricName": CPU, "target": 60}, {"metricName": CPU, "target": 70}], 400),
        ([{"metricName": CPU, "target": 101}], 400),
        ([{"metricName": QUEUE, "target": -1}], 400),
    ],
)
def test_metrics_have_one_entry_each_and_targets_that_can_be(client, specs, status):
    answer = deploy_on(client, make(client), upload(client), autoscalingMetricSpecs=specs, maxReplicaCount=2)
    assert answer.status_code == status


def test_a_deployment_succeeds_with_the_replicas_that_it_requires_and_tells_of_the_others(client, emulator):
    emulator.behave(replicas_short={"chat": 1})
    endpoint, model = make(client), upload(client)
    client.response(deploy_on(client, endpoint, model, minReplicaCount=2, requiredReplicaCount=1).json())
    (deployed,) = client.ok("GET", endpoint["name"])["deployedModels"]
    assert deployed["status"]["availableReplicaCount"] == 1
    assert deployed["status"]["message"] == stock_out(About()).message
    failed = client.finished(deploy_on(client, endpoint, model, minReplicaCount=2).json())
    assert failed["error"]["code"] == 14


@pytest.mark.parametrize(("value", "fails"), [("most", True), ("current", False)])
def test_what_quota_counts(client, emulator, value, fails):
    emulator.behave(quota_counts=value)
    emulator.set_quota({"my-project/us-central1/NVIDIA_L4": 2})
    done = client.finished(deploy_on(client, make(client), upload(client), maxReplicaCount=3).json())
    assert ("error" in done) == fails


@pytest.mark.parametrize(("value", "left"), [("kept", 200), ("removed", 404)])
def test_what_becomes_of_the_endpoint_of_a_failed_deployment(client, emulator, value, left):
    emulator.behave(failed_deploy_endpoint=value)
    assert client.finished(client.deploy())["error"]
    assert client.call("GET", f"{ENDPOINTS}/chat").status_code == left
    assert client.call("GET", f"{MODELS}/llama").status_code == 200


@pytest.mark.parametrize(("seconds", "fails"), [(0.0, False), (1800.0, True)])
def test_whether_a_failed_deployment_holds_its_gpus_for_a_while(client, emulator, seconds, fails):
    emulator.behave(failed_deploy_holds_seconds=seconds, stockouts=["us-central1/g2-standard-12"])
    emulator.set_quota({"my-project/us-central1/NVIDIA_L4": 1})
    endpoint, model = make(client), upload(client)
    assert client.finished(deploy_on(client, endpoint, model).json(), 700)["error"]["code"] == 14
    emulator.behave(stockouts=[])
    assert ("error" in client.finished(deploy_on(client, endpoint, model).json(), 1700)) == fails
    emulator.advance(1800)
    if fails:
        assert "response" in client.finished(deploy_on(client, endpoint, model).json())


@pytest.mark.parametrize(("value", "stays"), [("version", True), ("model", False)])
def test_whose_the_labels_of_an_upload_are(client, emulator, value, stays):
    emulator.behave(upload_labels=value)
    name = upload(client, labels={"team": "a"})["name"]
    assert client.ok("GET", name)["labels"] == {"team": "a"}
    changed = client.ok("PATCH", name, {"labels": {"other": "b"}}, updateMask="labels")
    assert ("team" in changed["labels"]) == stays
    assert changed["labels"]["other"] == "b"
    client.ok("PATCH", f"{name}@1", {"labels": {}}, updateMask="labels")
    assert client.ok("GET", name)["labels"] == {"other": "b"}


def test_a_patch_is_of_a_model_or_of_its_version(client):
    name = upload(client)["name"]
    assert client.refused("PATCH", name, {"displayName": "n"})[0] == 400
    version = {"versionDescription": "v"}
    assert client.refused("PATCH", name, version, updateMask="versionDescription")[1] == "FAILED_PRECONDITION"
    assert client.refused("PATCH", f"{name}@1", {"displayName": "n"}, updateMask="displayName")[0] == 400
    assert client.ok("PATCH", f"{name}@1", version, updateMask="versionDescription")["versionDescription"] == "v"


@pytest.mark.parametrize(("value", "status"), [("ends", 200), ("refused", 400)])
def test_whether_an_operation_can_be_cancelled(client, emulator, value, status):
    emulator.behave(cancel_operation=value)
    client.put_weights()
    operation = client.deploy()
    answer = client.call("POST", f"{operation['name']}:cancel", {})
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["error"]["message"] == f"Operation {operation['name']} is not cancellable."
        assert "response" in client.finished(operation)


def test_operations_may_be_forgotten_after_a_while(client, emulator):
    emulator.behave(operations_kept_seconds=100.0)
    operation = client.ok("POST", ENDPOINTS, {"displayName": "e"}, endpointId="chat")
    emulator.advance(20)
    assert client.operation(operation)["done"]
    emulator.advance(100)
    assert client.call("GET", operation["name"]).status_code == 404


@pytest.mark.parametrize(("value", "fails"), [("allow", False), ("refuse", True)])
def test_whether_weights_may_lie_in_another_region(client, emulator, value, fails):
    emulator.behave(weights_of_another_region=value)
    bucket = {"name": "weights", "location": "EUROPE-WEST4"}
    client.session.post(f"{emulator.url}/storage/v1/b", params={"project": "my-project"}, json=bucket)
    client.put_weights()
    assert ("error" in client.finished(client.deploy())) == fails


@pytest.mark.parametrize(("value", "status"), [("allow", 200), ("refuse", 400)])
def test_whether_a_second_deployment_may_start_while_one_runs(client, emulator, value, status):
    emulator.behave(conflicting_operations=value)
    endpoint, model = make(client), upload(client)
    assert deploy_on(client, endpoint, model).status_code == 200
    second = deploy_on(client, endpoint, model)
    assert second.status_code == status
    if status == 400:
        assert "There are other operations running on the Endpoint" in second.json()["error"]["message"]


@pytest.mark.parametrize(("timeout", "status"), [("1s", 200), ("3600s", 200), ("3601s", 400), ("0s", 400)])
def test_the_timeout_of_requests_is_at_most_an_hour(client, timeout, status):
    body = {"displayName": "e", "clientConnectionConfig": {"inferenceTimeout": timeout}}
    assert client.call("POST", ENDPOINTS, body).status_code == status


@pytest.mark.parametrize(("version", "status"), [("", 200), ("@1", 200), ("@default", 200), ("@2", 404)])
@pytest.mark.parametrize(("given", "taken"), [("1", True), ("1234567890", True), ("12345678901", False), ("a", False)])
def test_a_deployment_names_its_model_by_id_version_or_alias_and_itself_by_digits(
    client, version, status, given, taken
):
    deployed = {"id": given, "model": f"{upload(client)['name']}{version}"}
    deployed["dedicatedResources"] = {"machineSpec": L4, "minReplicaCount": 1}
    answer = client.call("POST", f"{make(client)['name']}:deployModel", {"deployedModel": deployed})
    assert answer.status_code == (status if taken or status == 404 else 400)


MUTABLE = ["minReplicaCount", "maxReplicaCount", "requiredReplicaCount", "autoscalingMetricSpecs"]


@pytest.mark.parametrize(
    ("version", "masks", "status"),
    [
        ("v1", [f"dedicatedResources.{name}" for name in MUTABLE], 200),
        ("v1beta1", [f"dedicatedResources.{name}" for name in MUTABLE], 200),
        ("v1", ["disableContainerLogging"], 200),
        ("v1beta1", ["enableContainerLogging"], 200),
        ("v1beta1", ["dedicatedResources.machineSpec"], 400),
        ("v1beta1", ["serviceAccount"], 400),
    ],
)
def test_a_mutation_takes_the_fields_that_google_lists(client, version, masks, status):
    endpoint = make(client)
    client.response(deploy_on(client, endpoint, upload(client)).json())
    (deployed,) = client.ok("GET", endpoint["name"])["deployedModels"]
    wanted = {"id": deployed["id"], "dedicatedResources": {"minReplicaCount": 1, "maxReplicaCount": 2}}
    for mask in masks:
        body = {"deployedModel": wanted, "updateMask": mask}
        answer = client.call("POST", f"{endpoint['name']}:mutateDeployedModel", body, version=version)
        assert answer.status_code == status, mask
        if status == 200:
            client.finished(answer.json())


@pytest.mark.parametrize(("count", "status"), [(1, 200), (2, 400)])
def test_a_part_of_a_gpu_is_one_accelerator(client, count, status):
    machine = {"machineType": "a3-highgpu-2g", "acceleratorType": "NVIDIA_H100_80GB", "acceleratorCount": count}
    spec = {**machine, "gpuPartitionSize": "1g.10gb"}
    deployed = {"model": upload(client)["name"], "dedicatedResources": {"machineSpec": spec, "minReplicaCount": 1}}
    answer = client.call("POST", f"{make(client)['name']}:deployModel", {"deployedModel": deployed})
    assert answer.status_code == status


def test_operations_of_a_model_lie_below_it(client):
    model = {"displayName": "m", "containerSpec": {"imageUri": "i"}}
    operation = client.ok("POST", f"{MODELS}:upload", {"model": model, "modelId": "m"})
    assert "/models/m/operations/" in operation["name"]
    client.response(operation)
    assert "/models/m/operations/" in client.ok("DELETE", f"{MODELS}/m")["name"]


def test_models_are_listed_by_the_documented_filters(client):
    name = upload(client, labels={"team": "a"})["name"]
    for text in ("model=m", "display_name=m", "labels.team=a", "labels.team:*"):
        assert [model["name"] for model in client.ok("GET", MODELS, filter=text)["models"]] == [name], text
    for text in ("model=n", "base_model_name=publishers/google/models/gemma3", "labels.team=b"):
        assert client.ok("GET", MODELS, filter=text) == {}, text
    assert client.refused("GET", MODELS, filter="artifact_uri=x")[0] == 400


@pytest.mark.parametrize(("value", "kept"), [("dropped", False), ("kept", True)])
def test_whether_the_environment_of_a_publisher_model_arrives(client, emulator, value, kept):
    emulator.behave(publisher_env=value)
    config = {"acceptEula": True, "containerSpec": {"imageUri": "i", "env": [{"name": "MAX_LEN", "value": "1"}]}}
    name = "publishers/google/models/gemma3@gemma-3-1b-it"
    body = {"publisherModelName": name, "modelConfig": {**config, "modelUserId": "gemma"}}
    client.response(client.ok("POST", f"{LOCATION}:deploy", body))
    shown = client.ok("GET", f"{MODELS}/gemma")["containerSpec"].get("env", [])
    assert ({"name": "MAX_LEN", "value": "1"} in shown) == kept
