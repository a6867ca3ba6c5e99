from __future__ import annotations

import threading

import pytest
import requests

from mg_provider.emulator import Emulator
from mg_provider.emulator.core.switches import CHOICES
from mg_provider.emulator.core.world import BEHAVIOURS
from tests.emulator.client import LOCATION, WEIGHTS

ENDPOINTS = f"{LOCATION}/endpoints"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"displayNam": "x"}, 'Unknown name "displayNam": Cannot find field.'),
        (
            {"displayName": "x", "clientConnectionConfig": {"timeout": "1s"}},
            "Unknown name \"timeout\" at 'client_connection_config': Cannot find field.",
        ),
        ({"displayName": 5}, "Invalid value at 'display_name' (TYPE_STRING), 5"),
        ({"displayName": "x", "dedicatedEndpointEnabled": "yes"}, "(TYPE_BOOL)"),
        (
            {"displayName": "x", "clientConnectionConfig": {"inferenceTimeout": "15m"}},
            "Invalid value at 'client_connection_config.inference_timeout'",
        ),
    ],
)
def test_what_the_discovery_document_does_not_know_is_refused_in_googles_words(client, body, message):
    response = client.call("POST", ENDPOINTS, body)
    error = response.json()["error"]
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    assert message in error["message"]
    (detail,) = error["details"]
    assert message in detail["fieldViolations"][0]["description"]


def test_an_unknown_query_parameter_is_refused_and_standard_ones_are_not(client):
    assert 'Unknown name "pagesize"' in client.refused("GET", ENDPOINTS, pagesize="1")[2]
    query = {"$alt": "json;enum-encoding=int", "alt": "json", "prettyPrint": "false", "key": "k", "page_size": "1"}
    assert client.call("GET", ENDPOINTS, **query).status_code == 200


def test_an_unknown_path_is_answered_with_a_page_and_a_broken_body_as_no_json(client, emulator):
    page = client.call("GET", f"{LOCATION}/nothing/here")
    assert (page.status_code, page.headers["Content-Type"]) == (404, "text/html; charset=UTF-8")
    assert "was not found on this server" in page.text
    response = requests.post(f"{emulator.url}/v1/{ENDPOINTS}", data=b"{,", timeout=5)
    assert response.json()["error"]["status"] == "INVALID_ARGUMENT"


def test_numbers_and_names_of_enums_and_long_integers_as_text_mean_the_same(client):
    machine = {"machineType": "g2-standard-12", "acceleratorType": 11, "acceleratorCount": "1"}
    resources = {"dedicatedResources": {"machineSpec": machine, "minReplicaCount": 1}}
    client.put_weights()
    client.response(client.deploy(deployConfig=resources))
    (deployed,) = client.ok("GET", f"{ENDPOINTS}/chat")["deployedModels"]
    spec = deployed["dedicatedResources"]["machineSpec"]
    assert (spec["acceleratorType"], spec["acceleratorCount"]) == ("NVIDIA_L4", 1)
    machine["acceleratorType"] = 99
    body = {"customModel": {"gcsUri": WEIGHTS}, "deployConfig": resources}
    assert "accelerator_type" in client.refused("POST", f"{LOCATION}:deploy", body)[2]


def test_the_consoles_own_paths_answer_too(client):
    name = "publishers/meta/models/llama3_1@llama-3.1-8b-instruct"
    model = client.ok("GET", name, version="ui")
    configs = model["supportedActions"]["multiDeployVertex"]["multiDeployVertex"]
    assert {each["dedicatedResources"]["machineSpec"]["acceleratorType"] for each in configs} == {"NVIDIA_L4"}
    operation = client.ok("POST", ENDPOINTS, {"displayName": "x"}, version="v1")
    assert client.ok("GET", operation["name"], version="ui")["name"] == operation["name"]


def test_a_licensed_model_needs_its_licence_and_a_gated_one_a_token(client):
    name = "publishers/meta/models/llama3_1@llama-3.1-8b-instruct"
    code, _, message = client.refused("POST", f"{LOCATION}:deploy", {"publisherModelName": name})
    assert (code, "EULA" in message) == (403, True)
    eula = "projects/my-project/modelGardenEula"
    assert client.ok("POST", f"{eula}:check", {"publisherModel": name})["publisherModelEulaAcked"] is False
    assert client.ok("POST", f"{eula}:accept", {"publisherModel": name})["publisherModelEulaAcked"] is True
    client.response(client.ok("POST", f"{LOCATION}:deploy", {"publisherModelName": name}))
    gated = {"huggingFaceModelId": "meta-llama/Llama-3.2-1B"}
    assert "provide a valid Hugging Face access token" in client.refused("POST", f"{LOCATION}:deploy", gated)[2]
    gated["modelConfig"] = {"huggingFaceAccessToken": "token"}
    assert "name" in client.ok("POST", f"{LOCATION}:deploy", gated)


def test_recommended_machines_come_with_quota_when_asked_for(client, emulator):
    client.put_weights()
    plain = client.ok("POST", f"{LOCATION}:recommendSpec", {"gcsUri": WEIGHTS})
    assert plain["baseModel"] == "LlamaForCausalLM"
    assert plain["specs"][0]["machineSpec"]["machineType"] == "g2-standard-12"
    emulator.set_quota({"my-project/us-central1/NVIDIA_L4": 1})
    body = {"gcsUri": WEIGHTS, "checkUserQuota": True, "checkMachineAvailability": True}
    states = [
        each["userQuotaState"] for each in client.ok("POST", f"{LOCATION}:recommendSpec", body)["recommendations"]
    ]
    assert states == ["QUOTA_STATE_USER_HAS_QUOTA", "QUOTA_STATE_NO_USER_QUOTA", "QUOTA_STATE_NO_USER_QUOTA"]


def test_the_catalogue_can_be_searched(client):
    found = client.ok("GET", "publishers/*/models", filter='model_user_id=~"(?i).*GEMMA3.*"')
    assert [each["name"] for each in found["publisherModels"]] == ["publishers/google/models/gemma3"]
    assert client.refused("GET", "publishers/nobody/models/nothing")[0] == 404


def test_operations_are_listed_waited_for_and_forgotten(client, emulator):
    operation = client.ok("POST", ENDPOINTS, {"displayName": "x"}, endpointId="x")
    listed = client.ok("GET", f"{ENDPOINTS}/x/operations")["operations"]
    assert [each["name"].split("/")[-1] for each in listed] == [operation["name"].split("/")[-1]]
    emulator.set_speed(6000)
    assert client.ok("POST", f"{operation['name']}:wait", timeout="30s")["done"] is True
    assert client.ok("DELETE", operation["name"]) == {}
    assert client.refused("GET", operation["name"])[0] == 404


def test_one_connection_serves_many_requests(client, emulator):
    for _ in range(5):
        client.ok("GET", ENDPOINTS)
    pools = client.session.get_adapter(emulator.url).poolmanager.pools
    (key,) = pools.keys()
    pool = pools[key]
    assert (pool.num_connections, pool.num_requests) == (1, 5)


def test_the_clock_can_be_moved_by_anyone_who_asks_over_http(emulator):
    address = f"{emulator.url}/_mg/clock"
    requests.post(address, json={"speed": 0, "advance": 60}, timeout=5)
    now = requests.post(address, json={"now": "2027-01-01T00:00:00Z"}, timeout=5).json()["now"]
    assert now == "2027-01-01T00:00:00.000000Z"
    assert requests.post(address, json={"now": "2026-12-01T00:00:00Z"}, timeout=5).status_code == 400
    assert requests.post(address, json={"hurry": 1}, timeout=5).status_code == 400


@pytest.mark.allow_hosts(["127.0.0.0/8"])
def test_reset_forgets_everything_and_takes_private_addresses_down(client, emulator):
    config = {"enablePrivateServiceConnect": True, "projectAllowlist": ["my-project"]}
    endpoint = client.deployed(endpointConfig={"privateServiceConnectConfig": config, "endpointUserId": "chat"})
    rule = client.private_address(endpoint["deployedModels"][0]["privateEndpoints"]["serviceAttachment"])
    url = emulator.addresses()[rule["IPAddress"]]
    emulator.reset()
    assert emulator.ledger()["empty"] is True
    assert emulator.ledger()["data"] == []
    assert emulator.addresses() == {}
    with pytest.raises(requests.ConnectionError):
        client.chat(endpoint, url=url)


def test_an_address_that_cannot_be_bound_is_stood_in_for_by_another_port(emulator):
    emulator.world.listeners.open("192.0.2.1", "projects/p/regions/r/serviceAttachments/s")
    url = requests.get(f"{emulator.url}/_mg/addresses", timeout=5).json()["192.0.2.1"]
    assert url.startswith("http://127.0.0.1:")
    assert url != emulator.url
    assert requests.get(f"{url}/v1/{ENDPOINTS}", timeout=5).status_code == 404


def test_a_wrong_answer_of_the_emulator_itself_is_loud(monkeypatch, client, emulator):
    from mg_provider.emulator.core.routing import HANDLERS, Answer

    rpc = "aiplatform.projects.locations.endpoints.list"
    monkeypatch.setitem(HANDLERS, rpc, lambda call: Answer({"endpointz": []}))
    code, _, message = client.refused("GET", ENDPOINTS)
    assert (code, "endpointz" in message) == (500, True)
    emulator.reset()


def test_emulators_run_side_by_side_and_stop_without_leaving_a_thread():
    before = set(threading.enumerate())
    with Emulator(speed=0) as one, Emulator(speed=0) as other:
        assert one.url != other.url
        session = requests.Session()
        session.post(f"{one.url}/v1/{ENDPOINTS}", json={"displayName": "x"}, timeout=5)
        one.advance(100)
        counts = [len(each.ledger()["resources"]) for each in (one, other)]
        session.close()
    assert counts == [1, 0]
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=5)
    assert set(threading.enumerate()) <= before


def test_publisher_models_are_listed_with_their_machines_and_one_of_them_verified(client):
    listed = client.ok(
        "GET", "publishers/*/models", filter="is_hf_wildcard(false)", listAllVersions="true", pageSize=100
    )
    versions = {model["versionId"]: model for model in listed["publisherModels"]}
    assert {"llama-3.1-8b-instruct", "gpt-oss-120b"} <= set(versions)
    configs = versions["llama-3.1-8b-instruct"]["supportedActions"]["multiDeployVertex"]["multiDeployVertex"]
    assert [bool(config.get("deployMetadata")) for config in configs] == [True, False]
    basic = client.ok("GET", "publishers/meta/models", view="PUBLISHER_MODEL_VIEW_BASIC")["publisherModels"]
    assert basic
    assert all("supportedActions" not in model for model in basic)
    assert client.ok("GET", "publishers/*/models", filter="is_hf_wildcard(true)") == {}


@pytest.mark.parametrize(
    "change",
    [
        {"fields_of_no_client": "drop"},
        {"service_agent_may_deploy": "false"},
        {"stockouts": "us-central1/g2-standard-12"},
        {"bad_models": []},
        {"durations": 5},
        {"durations": {"UPLOAD_MODEL": "soon"}},
        {"psc_pending_seconds": -1},
        {"psc_pending_seconds": True},
        {"psc_pending_seconds": None},
    ],
    ids=str,
)
def test_a_behaviour_that_is_misspelt_is_refused_and_changes_nothing(emulator, change):
    address = f"{emulator.url}/_mg/behaviour"
    before = requests.get(address, timeout=10).json()
    refused = requests.post(address, json={**change, "slow_seconds": 9}, timeout=10)
    assert refused.status_code == 400, refused.text
    assert next(iter(change)) in refused.json()["error"]["message"]
    assert requests.get(address, timeout=10).json() == before


def test_each_behaviour_with_a_choice_has_its_default_among_the_words():
    assert {name for name, words in CHOICES.items() if BEHAVIOURS[name] not in words} == set()
    free = {name for name, value in BEHAVIOURS.items() if isinstance(value, str)} - set(CHOICES)
    assert free == {"batch_delete_refusal"}
