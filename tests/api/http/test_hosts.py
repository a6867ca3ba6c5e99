"""Which hosts are called, and which of them get a token. A proxy notes every call that would leave this machine."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from mg_provider.api.clients import Clients
from mg_provider.api.errors import CloudError, MgError, UserError
from mg_provider.api.http.hosts import takes_token
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.tls import ServerTrust
from mg_provider.api.http.transport import Call, Transport
from mg_provider.api.prediction import address_of
from mg_provider.cli import app
from mg_provider.clock import ManualClock
from mg_provider.inference import Client
from mg_provider.wire.vertex.batch import BatchPredictionJob
from mg_provider.wire.vertex.deploy import RecommendSpecRequest
from mg_provider.wire.vertex.endpoint import Endpoint
from tests.api.server import Reply, Server
from tests.support.google.canary import Canary
from tests.support.google.certificates import Certificate
from tests.support.running.command_line import CliRunner

LOCATIONS = [
    "evil.example#",
    "evil.example?",
    "evil.example/",
    "evil.example:443#",
    "evil.example\\@x",
    "me@evil.example#",
    "us-central1-aiplatform.googleapis.com@evil.example#",
    "evil.example%23",
    "evil.example",
    "us-central1\n",
    "US-CENTRAL1",
    "",
    "..",
]
NAMES = [
    "evil.example",
    "chat.us-central1-1.prediction.vertexai.goog.evil.example",
    "evil.example#.prediction.vertexai.goog",
    "evil.example/.prediction.vertexai.goog",
    "me@evil.example",
    "prediction.vertexai.goog",
    "xprediction.vertexai.goog",
    "chat.prediction.vertexai.goog:8443",
    "chat.us-central1-1.prediction.vertexai.goog\n",
]


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Canary]:
    """Every call that is not to this machine ends at a proxy, with a token at hand that it would carry."""
    with Canary() as canary:
        for name, value in canary.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.secret")
        yield canary


@pytest.fixture
def clients(canary: Canary) -> Iterator[Clients]:
    clients = Clients.from_settings(Settings(access_token="ya29.secret"), ManualClock())
    yield clients
    clients.close()


def test_the_proxy_sees_what_leaves_this_machine(clients: Clients, canary: Canary) -> None:
    with pytest.raises(MgError):
        clients.vertex.get_endpoint("projects/p/locations/us-central1/endpoints/1", retry_budget=0)
    assert [call.split()[:2] for call in canary.calls] == [["CONNECT", "us-central1-aiplatform.googleapis.com:443"]]


@pytest.mark.parametrize("location", LOCATIONS)
def test_a_location_that_is_none_never_becomes_a_host(clients: Clients, canary: Canary, location: str) -> None:
    parent = f"projects/p/locations/{location}"
    job = BatchPredictionJob.from_wire({})
    for call in (
        lambda: clients.vertex.get_endpoint(f"{parent}/endpoints/1", retry_budget=0),
        lambda: clients.vertex.get_model(f"{parent}/models/1"),
        lambda: list(clients.vertex.list_endpoints(parent)),
        lambda: clients.vertex.get_operation(f"{parent}/operations/1", retry_budget=0),
        lambda: clients.vertex.get_batch_prediction_job(f"{parent}/batchPredictionJobs/1", retry_budget=0),
        lambda: clients.vertex.create_batch_prediction_job(parent, job),
        lambda: clients.vertex.recommend_spec(parent, RecommendSpecRequest(gcs_uri="gs://b"), retry_budget=0),
        lambda: address_of(Endpoint(name=f"{parent}/endpoints/1"), Settings()),
    ):
        with pytest.raises(UserError, match="is not a location of Vertex AI"):
            call()
    with pytest.raises(UserError, match="endpoint"):
        Client(f"{parent}/endpoints/1", clients=clients)
    assert canary.calls == []


@pytest.mark.parametrize("dns", NAMES)
def test_a_dedicated_name_outside_googles_domain_gets_no_token(canary: Canary, dns: str) -> None:
    endpoint = Endpoint(name="projects/p/locations/us-central1/endpoints/1", dedicated_endpoint_dns=dns)
    with pytest.raises(UserError, match=r"prediction.vertexai.goog[\s\S]*address="):
        address_of(endpoint, Settings())


@pytest.mark.parametrize("dns", ["1.us-central1-7.prediction.vertexai.goog", "1.eu-west4-x.prediction.p.vertexai.goog"])
def test_googles_own_dedicated_names_are_taken(dns: str) -> None:
    endpoint = Endpoint(name="projects/p/locations/us-central1/endpoints/1", dedicated_endpoint_dns=dns)
    assert takes_token(address_of(endpoint, Settings()).base_url, Settings())


def test_another_name_of_an_endpoint_is_taken_where_the_user_says_it(clients: Clients, canary: Canary) -> None:
    name = "projects/p/locations/us-central1/endpoints/1"
    client = Client(name, address="llm.example", model="m", clients=clients, retry_budget=0)
    with pytest.raises(MgError):
        client.chat("Why?")
    assert canary.calls[0].split()[1] == "llm.example:443"


@pytest.mark.parametrize(
    "told",
    [
        {"endpoint": "projects/p/locations/evil.example#/endpoints/1"},
        {"endpoint": "projects/p/locations/us-central1/endpoints/1", "dns": "evil.example"},
        {"endpoint": "projects/p/locations/us-central1/endpoints/1", "ip_address": "evil.example"},
        {"endpoint": "projects/p/locations/us-central1/endpoints/1", "ip_address": "203.0.114.5"},
        {"endpoint": "projects/p/locations/us-central1/endpoints/1", "address": "https://evil.example"},
        {"endpoint": "projects/p/locations/us-central1/endpoints/1", "address": "http://10.0.0.5@evil.example"},
    ],
    ids=lambda told: next(reversed(told.values())),
)
def test_what_a_stack_tells_never_leads_a_token_elsewhere(canary: Canary, tmp_path: Path, told: dict[str, str]) -> None:
    root = {"urn": "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev", "type": "pulumi:pulumi:Stack"}
    state = tmp_path / "dev.json"
    outputs = {"chat": {**told, "model_id": "m"}}
    state.write_text(json.dumps({"version": 3, "deployment": {"resources": [{**root, "outputs": outputs}]}}))
    asked = ["query", "Why?", "--stack", "dev", "--output", "chat", "--state", str(state), "--timeout", "5"]
    ended = CliRunner().invoke(app, asked)
    assert (ended.exit_code, canary.calls) == (2, []), ended.output
    assert "write projects/" in ended.output or "give it as address= (--address" in ended.output
    assert "Traceback" not in ended.output


@pytest.mark.parametrize(
    "command",
    [
        ["query", "chat", "Why?", "--project", "p", "--region", "evil.example#"],
        ["query", "chat", "Why?", "--project", "p", "-c", "mg:region=evil.example#"],
        ["query", "projects/p/locations/evil.example#/endpoints/1", "Why?"],
        ["batch", "results", "projects/p/locations/evil.example#/batchPredictionJobs/1"],
    ],
    ids=" ".join,
)
def test_no_command_makes_a_host_of_a_location_that_is_none(canary: Canary, command: list[str]) -> None:
    ended = CliRunner().invoke(app, command)
    assert ended.exit_code != 0
    assert not any("evil" in call for call in canary.calls), canary.calls
    assert ended.exception is None or isinstance(ended.exception, SystemExit), repr(ended.exception)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "https://storage.googleapis.com.evil.example/x",
        "https://storage.googleapis.com@evil.example/x",
        "https://evil.example#storage.googleapis.com",
        "https://evilgoogleapis.com/x",
        "http://storage.googleapis.com/x",
        "https://10.0.0.5/x",
    ],
)
def test_the_transport_itself_sends_a_token_nowhere_else(clients: Clients, canary: Canary, url: str) -> None:
    with pytest.raises(UserError, match="nothing was sent"):
        clients.transport.json(Call("GET", url, retry_budget=0))
    assert canary.calls == []


def test_a_configured_endpoint_gets_a_token() -> None:
    settings = Settings(storage_custom_endpoint="https://storage.internal:8443")
    assert takes_token("https://storage.internal:8443/storage/v1/b/x", settings)
    with pytest.raises(UserError):
        takes_token("https://storage.internal/storage/v1/b/x", settings)


@pytest.fixture
def certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ssl.SSLContext:
    """A server certificate of loopback that this process trusts."""
    made = Certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.file))
    return made.server


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_error_and_takes_the_token_nowhere(certificate: ssl.SSLContext, status: int) -> None:
    transport = Transport(Settings(access_token="ya29.secret"), ManualClock())
    with Server(Reply()) as elsewhere:
        moved = Reply(status, headers={"Location": f"{elsewhere.url}/x"})
        with Server(moved, ssl_context=certificate) as server, pytest.raises(CloudError, match=str(status)):
            transport.json(Call("GET", f"{server.url}/x", retry_budget=0))
    transport.close()
    assert server.received[0].headers["Authorization"] == "Bearer ya29.secret"
    assert elsewhere.received == []


def test_a_link_in_an_answer_is_never_followed(certificate: ssl.SSLContext) -> None:
    """Pages are asked for by their token, at the same host, whatever the answer calls itself."""
    with Server(Reply()) as elsewhere:
        link = f"{elsewhere.url}/stolen"
        page = {"items": [{"name": "a", "mediaLink": link, "selfLink": link}], "nextPageToken": link, "selfLink": link}
        last = {"items": [{"name": "b", "mediaLink": link}]}
        replies = Reply(200, page, {"Location": link}), Reply(200, last), Reply(200, b"content", {"Location": link})
        with Server(*replies, ssl_context=certificate) as server:
            settings = Settings(storage_custom_endpoint=server.url, access_token="ya29.secret")
            clients = Clients.from_settings(settings, ManualClock())
            assert [entry.name for entry in clients.storage.list_objects("b")] == ["a", "b"]
            assert clients.storage.read_object("b", "a") == b"content"
            clients.close()
    assert elsewhere.received == []
    assert len(server.received) == 3


@pytest.mark.parametrize(
    "url",
    [
        "https://storage.googleapis.com/storage/v1/b",
        "https://us-central1-aiplatform.googleapis.com/v1/x",
        "http://169.254.169.254/computeMetadata/v1/",
        "http://metadata.google.internal/",
        "https://10.0.0.5/x",
        "https://storage.internal:8443/x",
        "http://127.0.0.1.evil.example/x",
        "http://127.0.0.1@evil.example/x",
        "http://0.0.0.0:1/x",
    ],
)
@pytest.mark.parametrize("named", [False, True])
def test_a_rehearsal_calls_this_machine_only_whatever_is_configured(canary: Canary, url: str, named: bool) -> None:
    settings = Settings(
        access_token="ya29.secret", storage_custom_endpoint="https://storage.internal:8443", rehearsal=True
    )
    transport = Transport(settings, ManualClock())
    for send in (transport.json, transport.send, lambda call: list(transport.lines(call))):
        with pytest.raises(UserError, match=r"this machine only[\s\S]*mg:emulator"):
            send(Call("POST", url, body={}, named=named))
    transport.close()
    assert canary.calls == []


def test_a_rehearsal_sends_no_token_and_looks_for_no_credentials(
    canary: Canary, certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    transport = Transport(Settings(access_token="ya29.secret", rehearsal=True), ManualClock())
    trust = ServerTrust(ca_file=str(tmp_path / "127.0.0.1.pem"))
    with Server(Reply()) as plain, Server(Reply(), ssl_context=certificate) as secured:
        transport.json(Call("GET", f"{plain.url}/x"))
        transport.json(Call("GET", f"{secured.url}/x", trust=trust))
    transport.close()
    assert [each.headers["Authorization"] for each in (*plain.received, *secured.received)] == [None, None]
    assert canary.calls == []
