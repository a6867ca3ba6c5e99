"""Asking models at public and private addresses, whole and streamed, and what is said where they do not answer."""

import json

import pytest

from mg_provider.api.errors import CertificateNotTrusted, MgError, NotFound, PermissionDenied, Unavailable, UserError
from mg_provider.inference import Client, EndpointNotAnswering
from tests.api.server import Reply, Server
from tests.emulator.client import LOCATION
from tests.support.google.certificates import Certificate

QUESTION = "Why is the sky blue?"


@pytest.fixture
def ask(settings):
    made = []

    def make(endpoint, **options):
        made.append(Client(endpoint, **{"config": settings, "retry_budget": 0, **options}))
        return made[-1]

    yield make
    for client in made:
        client.close()


def not_answering(ask, endpoint, **options):
    with pytest.raises(EndpointNotAnswering) as refused:
        ask(endpoint, **options).chat(QUESTION)
    return refused.value


@pytest.mark.parametrize("dedicated", [True, False])
def test_a_question_is_answered_whole_and_in_pieces_and_the_model_is_found_by_itself(cloud, ask, dedicated):
    place = {"endpointUserId": "chat", "dedicatedEndpointDisabled": not dedicated}
    endpoint = cloud.deployed(endpointConfig=place)
    client = ask("chat")
    assert client.endpoint == f"{LOCATION}/endpoints/chat"
    assert client.model_id == "llama"
    whole = client.chat(QUESTION, max_tokens=200)
    assert QUESTION in whole.text
    assert (whole.finish_reason, whole.usage["prompt_tokens"]) == ("stop", 5)
    assert str(whole) == whole.text == whole.response["choices"][0]["message"]["content"]
    pieces = list(client.chat(QUESTION, stream=True))
    assert len(pieces) > 1
    assert "".join(pieces) == "".join(client.stream_chat([{"role": "user", "content": QUESTION}])) == whole.text
    assert client.address.host == endpoint.get("dedicatedEndpointDns")


def test_options_and_instructions_reach_the_model(cloud, ask, emulator):
    cloud.deployed()
    assert ask("chat").chat(QUESTION, system="Be brief.", max_tokens=2).finish_reason == "length"
    sent = emulator.requests()[-1]["body"]
    assert sent["messages"][0] == {"role": "system", "content": "Be brief."}
    assert sent["max_tokens"] == 2


def test_predict_and_its_raw_forms(cloud, ask):
    client = ask(cloud.deployed()["name"])
    answer = client.predict([{"prompt": "one"}, {"prompt": "two"}], {"temperature": 0})
    assert [said[-3:] for said in answer["predictions"]] == ["one", "two"]
    assert json.loads(client.raw_predict({"messages": [{"role": "user", "content": "hi"}]}))["choices"]
    assert "data: [DONE]" in list(client.stream_raw_predict({"prompt": "hi", "stream": True}))


def test_a_private_endpoint_is_asked_at_its_address(private, ask):
    endpoint, address = private
    client = ask(endpoint["name"], address=address)
    assert QUESTION in client.chat(QUESTION).text
    assert QUESTION in "".join(client.stream_chat(QUESTION))


def test_with_address_and_model_nothing_is_looked_up(private, ask, emulator):
    endpoint, address = private
    emulator.fail(rpc="endpoints.get", fault="status", status=403, times=9)
    emulator.fail(rpc="models.get", fault="status", status=403, times=9)
    assert ask(endpoint["name"], address=address, model="llama").chat(QUESTION).text
    assert [fault["met"] for fault in emulator.faults()] == [0, 0]
    with pytest.raises(PermissionDenied):
        ask(endpoint["name"]).chat(QUESTION)


def test_a_private_endpoint_without_an_address_or_from_outside_says_what_to_do(private, ask):
    endpoint, _ = private
    with pytest.raises(UserError, match=r"is private[\s\S]*PscForwardingRule"):
        ask(endpoint["name"]).chat(QUESTION)
    refused = not_answering(ask, endpoint["name"], address="http://127.0.0.1:9")
    assert refused.reason == "private"
    assert "call it from an allowed network" in refused.hint


def test_a_connection_that_is_not_accepted_says_that_the_network_must_be_allowed(cloud, private, ask):
    endpoint, address = private
    change = {"privateServiceConnectConfig": {"projectAllowlist": ["another-project"]}}
    cloud.ok("PATCH", endpoint["name"], change, updateMask="privateServiceConnectConfig.projectAllowlist")
    refused = not_answering(ask, endpoint["name"], address=address)
    assert refused.reason == "private"
    assert "project_allowlist" in refused.hint


def test_a_private_endpoint_that_is_asked_at_a_public_name_says_that_it_is_private(private, ask, emulator):
    endpoint, _ = private
    refused = not_answering(ask, endpoint["name"], address=emulator.url, model="llama")
    assert refused.reason == "private"
    assert isinstance(refused.__cause__, PermissionDenied)


def test_an_endpoint_without_a_model_says_so_before_and_after_the_question(cloud, ask):
    cloud.empty()
    assert not_answering(ask, "empty").reason == "no deployed model"
    refused = not_answering(ask, "empty", model="llama")
    assert refused.reason == "no deployed model"
    assert "pulumi up" in refused.hint
    with pytest.raises(EndpointNotAnswering, match="no deployed model on projects/"):
        ask("empty").predict([{"prompt": "x"}])
    with pytest.raises(EndpointNotAnswering, match="no deployed model"):
        list(ask("empty").stream_chat(QUESTION))


def test_an_endpoint_without_traffic_says_so(cloud, ask):
    endpoint = cloud.deployed()
    cloud.ok("PATCH", endpoint["name"], {}, updateMask="trafficSplit")
    assert not_answering(ask, endpoint["name"]).reason == "no traffic"


def test_a_dedicated_endpoint_asked_at_the_shared_domain_says_its_name(cloud, ask, emulator):
    endpoint = cloud.deployed()
    refused = not_answering(
        ask, endpoint["name"], address=emulator.url.replace("127.0.0.1", "localhost"), model="llama"
    )
    assert refused.reason == "dedicated DNS only"
    assert endpoint["dedicatedEndpointDns"] in refused.hint


def test_an_unknown_model_says_where_to_find_the_known_ones(cloud, ask):
    assert not_answering(ask, cloud.deployed()["name"], model="other").reason == "no such model"


def test_an_endpoint_scaled_to_zero_says_so(cloud, ask, emulator):
    endpoint = cloud.deployed()
    emulator.scale("chat", endpoint["deployedModels"][0]["id"], 0)
    emulator.fail(rpc="chat.completions", fault="status", status=503)
    refused = not_answering(ask, endpoint["name"])
    assert refused.reason == "no replica"
    assert "scaled to zero" in str(refused)


def test_an_endpoint_that_wakes_from_zero_says_so(cloud, ask, emulator):
    machine = {"machineType": "g2-standard-24", "acceleratorType": "NVIDIA_L4", "acceleratorCount": 2}
    idle = {"machineSpec": machine, "minReplicaCount": 0, "scaleToZeroSpec": {}}
    endpoint = cloud.deployed(deployConfig={"dedicatedResources": idle})
    emulator.scale("chat", endpoint["deployedModels"][0]["id"], 0)
    refused = not_answering(ask, endpoint["name"])
    assert refused.reason == "waking"
    assert "ask again in a few minutes" in refused.hint


def test_an_endpoint_that_is_not_there_and_one_that_only_fails_are_told_as_they_are(cloud, ask, emulator):
    with pytest.raises(NotFound):
        ask("nowhere").chat(QUESTION)
    cloud.deployed()
    emulator.behave(bad_models={"llama": "500"})
    with pytest.raises(Unavailable):
        ask("chat").chat(QUESTION)


def test_models_tell_what_is_served_with_traffic_and_machine(cloud, ask):
    endpoint = cloud.deployed()
    (served,) = ask(endpoint["name"]).models()
    assert (served.query_id, served.traffic, served.machine_type) == ("llama", 100, "g2-standard-24")
    assert (served.accelerators, served.replicas) == ("2 NVIDIA_L4", 1)
    assert served.id == endpoint["deployedModels"][0]["id"]


def second_model(cloud, endpoint, traffic):
    cloud.response(cloud.deploy(modelConfig={"modelUserId": "second"}, endpointConfig={"endpointUserId": "other"}))
    machine = {"machineType": "g2-standard-12", "acceleratorType": "NVIDIA_L4", "acceleratorCount": 1}
    resources = {"machineSpec": machine, "minReplicaCount": 1, "maxReplicaCount": 1}
    deployed = {"id": "2", "model": f"{LOCATION}/models/second", "dedicatedResources": resources}
    body = {
        "deployedModel": deployed,
        "trafficSplit": {endpoint["deployedModels"][0]["id"]: 100 - traffic, "0": traffic},
    }
    cloud.response(cloud.ok("POST", f"{endpoint['name']}:deployModel", body))


def test_models_with_different_ids_share_the_traffic_without_a_refusal(cloud, ask):
    endpoint = cloud.deployed()
    second_model(cloud, endpoint, 50)
    client = ask(endpoint["name"])
    assert client.model_id == ""
    said = {client.chat(QUESTION).text.split()[1] for _ in range(4)}
    assert said == {"llama", "second"}


def test_a_client_that_lives_on_follows_the_endpoint_to_another_model(cloud, ask):
    endpoint = cloud.deployed()
    client = ask(endpoint["name"])
    assert "llama" in client.chat(QUESTION).text
    second_model(cloud, endpoint, 100)
    assert "second" in client.chat(QUESTION).text
    assert client.model_id == "second"


@pytest.mark.parametrize(
    ("endpoint", "options", "told"),
    [
        ("a/b", {}, "is not an endpoint"),
        ("", {}, "is not an endpoint"),
        ("chat", {"config": {"mg:project": "p"}}, "region"),
        ("chat", {"config": {}}, "project"),
        ("chat", {"fingerprint": "short"}, "64 hexadecimal"),
        ("chat", {"ca_file": "nowhere.pem"}, "cannot be read"),
    ],
)
def test_a_wrong_argument_is_told_before_any_call(ask, endpoint, options, told, monkeypatch):
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    with pytest.raises(UserError, match=told):
        ask(endpoint, **options)


def test_what_is_no_chat_completion_is_told(ask):
    with Server(Reply(200, {"predictions": []})) as server:
        client = ask(f"{LOCATION}/endpoints/e", address=server.url, model="m")
        with pytest.raises(MgError, match="is not a chat completion"):
            client.chat(QUESTION)


COMPLETION = {"choices": [{"message": {"content": "Because."}, "finish_reason": "stop"}]}


def test_a_private_address_with_a_self_signed_certificate_needs_it_pinned(tmp_path, monkeypatch):
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.token")
    for name in ("HTTPS_PROXY", "https_proxy", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    certificate = Certificate(tmp_path, "chat-us-central1-1.prediction.p.vertexai.goog")
    with Server(Reply(200, COMPLETION), ssl_context=certificate.server) as server:
        place = {"address": server.url.removeprefix("https://"), "model": "m"}
        name = "projects/1/locations/us-central1/endpoints/chat"
        with Client(name, **place) as client, pytest.raises(CertificateNotTrusted):
            client.chat(QUESTION)
        assert server.received == []
        for pin in ({"ca_file": certificate.file}, {"fingerprint": certificate.fingerprint}):
            with Client(name, **place, **pin) as client:
                assert client.chat(QUESTION).text == "Because."
        assert server.received[-1].headers["Authorization"] == "Bearer ya29.token"
