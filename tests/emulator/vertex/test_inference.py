from __future__ import annotations

import json
import uuid

import pytest

from tests.emulator.client import WEIGHTS

pytestmark = pytest.mark.allow_hosts(["127.0.0.0/8"])


def private_endpoint(client, allowlist=("my-project",)):
    config = {"enablePrivateServiceConnect": True, "projectAllowlist": list(allowlist)}
    return client.deployed(endpointConfig={"privateServiceConnectConfig": config, "endpointUserId": "chat"})


def attachment_of(endpoint):
    return endpoint["deployedModels"][0]["privateEndpoints"]["serviceAttachment"]


def test_a_dedicated_endpoint_answers_at_its_own_name_only(client):
    endpoint = client.deployed()
    assert client.chat(endpoint).status_code == 200
    assert client.chat(endpoint, host="us-central1-aiplatform.googleapis.com").json()["error"]["status"] == (
        "FAILED_PRECONDITION"
    )


def test_a_shared_endpoint_answers_at_the_regional_name_only(client):
    endpoint = client.deployed(endpointConfig={"endpointUserId": "chat", "dedicatedEndpointDisabled": True})
    assert client.chat(endpoint, host="us-central1-aiplatform.googleapis.com").status_code == 200
    assert client.chat(endpoint, host="chat.us-central1-1.prediction.vertexai.goog").status_code == 404


def test_a_private_endpoint_answers_at_its_private_address_only(client, emulator):
    endpoint = private_endpoint(client)
    assert client.chat(endpoint).status_code == 403
    rule = client.private_address(attachment_of(endpoint))
    assert rule["pscConnectionStatus"] == "ACCEPTED"
    url = emulator.addresses()[rule["IPAddress"]]
    number = endpoint["name"].split("/")[1]
    assert client.chat(endpoint, url=url).status_code == 200
    name = f"chat-us-central1-{number}.prediction.p.vertexai.goog"
    assert client.chat(endpoint, url=url, host=name).status_code == 200
    assert client.call("GET", endpoint["name"], url=url).status_code == 404
    other = {**endpoint, "name": endpoint["name"] + "x"}
    assert client.chat(other, url=url).status_code == 404


def test_a_project_that_is_not_on_the_allowlist_gets_no_answer_until_it_is(client, emulator):
    endpoint = private_endpoint(client, allowlist=["other"])
    rule = client.private_address(attachment_of(endpoint))
    url = emulator.addresses()[rule["IPAddress"]]
    assert client.chat(endpoint, url=url).status_code == 403
    change = {"privateServiceConnectConfig": {"projectAllowlist": ["other", "my-project"]}}
    client.ok("PATCH", endpoint["name"], change, updateMask="privateServiceConnectConfig.projectAllowlist")
    assert client.chat(endpoint, url=url).status_code == 200


def test_psc_automation_hands_out_an_address_that_answers(client, emulator):
    automation = [{"projectId": "my-project", "network": "projects/my-project/global/networks/default"}]
    config = {"enablePrivateServiceConnect": True, "projectAllowlist": ["my-project"]}
    config["pscAutomationConfigs"] = automation
    endpoint = client.deployed(endpointConfig={"privateServiceConnectConfig": config, "endpointUserId": "chat"})
    (result,) = endpoint["privateServiceConnectConfig"]["pscAutomationConfigs"]
    assert result["state"] == "PSC_AUTOMATION_STATE_SUCCESSFUL"
    rules = "/compute/v1/projects/my-project/regions/us-central1/forwardingRules/sca-auto-fr-"
    link, _, unique = result["forwardingRule"].partition(rules)
    assert (link, str(uuid.UUID(unique))) == ("https://www.googleapis.com", unique)
    assert client.chat(endpoint, url=emulator.addresses()[result["ipAddress"]]).status_code == 200


def test_a_stream_is_server_sent_events_that_join_to_the_unary_answer(client):
    endpoint = client.deployed()
    whole = client.chat(endpoint, "one two").json()
    streamed = client.chat(endpoint, "one two", stream=True, stream_options={"include_usage": True})
    assert streamed.headers["Content-Type"].startswith("text/event-stream")
    events = [line.removeprefix("data: ") for line in streamed.text.split("\n\n") if line]
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if chunk["choices"])
    assert text == whole["choices"][0]["message"]["content"]
    assert chunks[-1]["usage"] == whole["usage"]


def test_max_tokens_cuts_the_answer_and_says_so(client):
    (choice,) = client.chat(client.deployed(), max_tokens=2).json()["choices"]
    assert choice["finish_reason"] == "length"
    assert len(choice["message"]["content"].split()) == 2


@pytest.mark.parametrize(("model", "status"), [("llama", 200), ("", 200), ("other", 404)])
def test_the_model_must_be_the_one_told_at_deployment(client, model, status):
    assert client.chat(client.deployed(), model=model).status_code == status


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
@pytest.mark.parametrize("method", ["predict", "rawPredict", "streamRawPredict"])
def test_predict_and_its_raw_forms_answer_each_instance(client, version, method):
    endpoint = client.deployed()
    host = endpoint["dedicatedEndpointDns"]
    body = {"instances": [{"prompt": "one"}, {"prompt": "two"}]}
    answer = client.call("POST", f"{endpoint['name']}:{method}", body, version=version, host=host)
    assert answer.status_code == 200
    if method == "streamRawPredict":
        assert answer.text.endswith("data: [DONE]\n\n")
    else:
        assert [said[-3:] for said in answer.json()["predictions"]] == ["one", "two"]


def test_tensors_stream_as_one_json_array_and_invoke_takes_any_path(client):
    endpoint = client.deployed()
    host = endpoint["dedicatedEndpointDns"]
    body = {"inputs": [{"dtype": "STRING", "stringVal": ["hello"]}]}
    answer = client.call("POST", f"{endpoint['name']}:serverStreamingPredict", body, host=host)
    assert answer.json()[-1]["outputs"][0]["stringVal"] == ["hello"]
    chat = {"messages": [{"role": "user", "content": "hi"}]}
    invoked = client.call("POST", f"{endpoint['name']}/invoke/v1/chat/completions", chat, host=host)
    assert invoked.json()["object"] == "chat.completion"


def test_an_endpoint_without_a_model_says_so(client):
    location = "projects/my-project/locations/us-central1"
    client.response(client.ok("POST", f"{location}/endpoints", {"displayName": "e"}, endpointId="e"))
    endpoint = client.ok("GET", f"{location}/endpoints/e")
    assert client.chat(endpoint).json()["error"]["status"] == "FAILED_PRECONDITION"


@pytest.mark.parametrize("key", ["llama", WEIGHTS])
def test_a_model_can_be_made_to_fail_or_to_talk_nonsense(client, emulator, key):
    endpoint = client.deployed()
    emulator.behave(bad_models={key: "500"})
    assert client.chat(endpoint).status_code == 500
    emulator.behave(bad_models={key: "wrong"})
    assert "You asked" not in client.chat(endpoint).json()["choices"][0]["message"]["content"]


def test_an_inference_fault_hits_only_the_named_model(client, emulator):
    endpoint = client.deployed()
    emulator.fail(rpc="inference.chat", fault="status", status=503, match='"model": "llama"')
    assert client.chat(endpoint).status_code == 200
    assert client.chat(endpoint, model="llama").status_code == 503
    assert emulator.faults()[0]["met"] == 1
