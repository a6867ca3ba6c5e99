"""Where an endpoint answers, and its calls, against the emulator."""

import json

import pytest

from mg_provider.api.completion_stream import StreamFailed
from mg_provider.api.errors import ConnectionFailed, FailedPrecondition, RateLimited, Unavailable, UserError
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.tls import ServerTrust
from mg_provider.api.http.transport import Transport
from mg_provider.api.prediction import Address, PredictionClient, address_of
from mg_provider.clock import ManualClock
from mg_provider.wire.vertex.endpoint import Endpoint
from tests.api.server import Reply, Server, google_error
from tests.emulator.client import Client

NAME = "projects/1/locations/us-central1/endpoints/chat"
DNS = "chat.us-central1-1.prediction.vertexai.goog"
CHAT = {"messages": [{"role": "user", "content": "Why?"}]}


def shown(**fields):
    return Endpoint.from_wire({"name": NAME, **fields})


def private(**config):
    return shown(privateServiceConnectConfig={"enablePrivateServiceConnect": True, **config})


AUTOMATED = private(pscAutomationConfigs=[{"projectId": "p", "ipAddress": "10.1.2.3"}])
EMULATED = Settings(vertex_custom_endpoint="http://127.0.0.1:8085")


@pytest.mark.parametrize(
    ("endpoint", "settings", "given", "base_url", "host"),
    [
        (shown(dedicatedEndpointDns=DNS), Settings(), None, f"https://{DNS}", None),
        (shown(dedicatedEndpointDns=f"https://{DNS}"), Settings(), None, f"https://{DNS}", None),
        (shown(), Settings(), None, "https://us-central1-aiplatform.googleapis.com", None),
        (shown(dedicatedEndpointDns=DNS), EMULATED, None, "http://127.0.0.1:8085", DNS),
        (shown(), EMULATED, None, "http://127.0.0.1:8085", None),
        (private(), Settings(), "10.0.0.5", "https://10.0.0.5", None),
        (private(), Settings(), "http://10.0.0.5", "http://10.0.0.5", None),
        (private(), Settings(), "https://llm.internal:8443/", "https://llm.internal:8443", None),
        (private(), EMULATED, "127.7.0.1", "http://127.7.0.1:8085", None),
        (AUTOMATED, Settings(), None, "https://10.1.2.3", None),
    ],
)
def test_each_kind_of_endpoint_has_its_address(endpoint, settings, given, base_url, host):
    own = given is not None or endpoint is AUTOMATED
    assert address_of(endpoint, settings, address=given) == Address(base_url, host, named=own)


def test_a_private_endpoint_without_an_address_says_what_to_name():
    with pytest.raises(UserError, match=r"is private[\s\S]*PscForwardingRule"):
        address_of(private(), Settings())


@pytest.mark.parametrize("address", ["http://8.8.8.8", "http://llm.example.com", "ftp://10.0.0.5", "https://u@h", ""])
def test_an_address_that_is_none_or_would_show_the_token_is_refused(address):
    with pytest.raises(UserError, match="address"):
        address_of(private(), Settings(), address=address)


def test_an_endpoint_in_a_peered_network_says_that_it_is_not_reached_so():
    with pytest.raises(UserError, match="is peered with"):
        address_of(shown(network="projects/1/global/networks/n"), Settings())


def test_a_certificate_signed_for_the_private_name_is_taken_at_the_address():
    trust = ServerTrust(fingerprint="a" * 64)
    known = address_of(private(), Settings(), address="10.0.0.5", trust=trust).trust
    assert known.names == ("chat-us-central1-1.prediction.p.vertexai.goog",)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def transport(clock):
    transport = Transport(Settings(), clock)
    yield transport
    transport.close()


@pytest.fixture
def served(emulator, transport):
    emulator.set_speed(0)
    client = Client(emulator)
    endpoint = Endpoint.from_wire(client.deployed())
    client.session.close()
    settings = Settings(vertex_custom_endpoint=emulator.url)
    return PredictionClient(transport, address_of(endpoint, settings), endpoint.name)


def test_every_method_is_answered(served):
    whole = served.chat_completions({**CHAT, "max_tokens": 500})["choices"][0]["message"]["content"]
    chunks = list(served.stream_chat_completions(CHAT))
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == whole
    instances = {"instances": [{"prompt": "one"}, {"prompt": "two"}]}
    assert [said[-3:] for said in served.predict(instances)["predictions"]] == ["one", "two"]
    assert json.loads(served.raw_predict(CHAT))["object"] == "chat.completion"
    assert list(served.stream_raw_predict(instances))[-2:] == ["data: [DONE]", ""]


def test_an_attempt_tells_status_and_latency_instead_of_raising(served, emulator, clock, transport):
    fine = served.attempt("chat/completions", CHAT, clock)
    assert (fine.status, fine.error) == (200, None)
    assert fine.answer["choices"]
    emulator.fail(rpc="inference.chat", fault="status", status=503)
    refused = served.attempt("chat/completions", CHAT, clock)
    assert refused.status == 503
    assert isinstance(refused.error, Unavailable)
    nowhere = PredictionClient(transport, Address("http://127.0.0.1:9"), served.endpoint)
    assert nowhere.attempt("predict", {}, clock).status == 0
    assert clock.sleeps == []


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_endpoint_is_asked_again_also_for_a_stream(served, emulator, clock, status):
    emulator.fail(rpc="inference.chat", fault="status", status=status, times=2)
    assert served.chat_completions(CHAT)["choices"]
    assert len(clock.sleeps) == 2
    emulator.fail(rpc="inference.chat", fault="status", status=status, times=2)
    assert list(served.stream_chat_completions(CHAT))
    assert len(clock.sleeps) == 4


def test_a_failing_model_is_not_asked_again(served, emulator, clock):
    emulator.behave(bad_models={"llama": "500"})
    with pytest.raises(Unavailable, match="model server"):
        served.chat_completions(CHAT)
    assert clock.sleeps == []


def test_a_stream_waits_no_longer_than_its_budget(transport, clock):
    busy = google_error(429, "RESOURCE_EXHAUSTED", "requests per minute")
    with Server(busy) as server:
        asked = PredictionClient(transport, Address(server.url), NAME, retry_budget=10)
        with pytest.raises(RateLimited):
            list(asked.stream_chat_completions(CHAT))
    assert sum(clock.sleeps) <= 10


def test_a_model_that_is_slower_than_the_timeout_is_asked_once(served, emulator, transport, clock):
    emulator.behave(bad_models={"llama": "slow"}, slow_seconds=0.5)
    hasty = PredictionClient(transport, served.address, served.endpoint, timeout=0.1)
    before = len(emulator.requests())
    with pytest.raises(ConnectionFailed, match="timed out"):
        hasty.chat_completions(CHAT)
    with pytest.raises(ConnectionFailed, match="timed out"):
        list(hasty.stream_chat_completions(CHAT))
    assert len(emulator.requests()) - before == 2
    assert clock.sleeps == []
    assert served.chat_completions(CHAT)["choices"]


def test_a_wrong_host_is_refused_in_a_stream_too(served, transport, emulator):
    shared = PredictionClient(transport, Address(emulator.url), served.endpoint)
    with pytest.raises(FailedPrecondition, match="dedicated domain name"):
        list(shared.stream_chat_completions(CHAT))


@pytest.mark.parametrize("event", ['{"error": {"message": "out of memory"}}', "out of memory", '["out of memory"]'])
def test_a_stream_that_turns_into_an_error_is_an_error(transport, event):
    with Server(Reply(200, f'data: {{"choices": []}}\n\ndata: {event}\n\n'.encode())) as server:
        chunks = PredictionClient(transport, Address(server.url), NAME).stream_chat_completions(CHAT)
        assert next(chunks) == {"choices": []}
        with pytest.raises(StreamFailed, match="broke off"):
            next(chunks)


def test_characters_that_look_like_line_ends_do_not_break_a_stream(transport):
    content = "one\u2028two\u0085three"
    event = json.dumps({"choices": [{"delta": {"content": content}}]}, ensure_ascii=False)
    with Server(Reply(200, f"data: {event}\n\ndata: [DONE]\n\n".encode())) as server:
        (chunk,) = PredictionClient(transport, Address(server.url), NAME).stream_chat_completions(CHAT)
    assert chunk["choices"][0]["delta"]["content"] == content
