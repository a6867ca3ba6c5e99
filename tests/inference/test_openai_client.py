"""The official OpenAI library, at the emulated endpoint and at a server that checks tokens and shows a certificate."""

import datetime
import importlib
import sys

import google.auth.credentials
import pytest

from mg_provider.api.errors import UserError
from mg_provider.api.http import credentials
from mg_provider.inference import Client
from tests.api.server import Reply, Server
from tests.support.google.certificates import Certificate

ENDPOINT = "projects/1/locations/us-central1/endpoints/chat"
QUESTION = [{"role": "user", "content": "Why is the sky blue?"}]
COMPLETION = {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Because."}, "finish_reason": "stop"}]
}


def openai():
    """The library, which takes long to import: only the worker that runs these tests does."""
    return importlib.import_module("openai")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_the_official_library_talks_to_a_dedicated_endpoint(cloud, settings, emulator):
    endpoint = cloud.deployed()
    with Client(endpoint["name"], config=settings) as client, client.openai_client() as official:
        whole = official.chat.completions.create(model=client.model_id, messages=QUESTION)
        assert "Why is the sky blue?" in whole.choices[0].message.content
        assert whole.usage.completion_tokens > 0
        chunks = list(official.chat.completions.create(model=client.model_id, messages=QUESTION, stream=True))
        told = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        assert told == whole.choices[0].message.content
        with pytest.raises(openai().NotFoundError):
            official.chat.completions.create(model="other", messages=QUESTION)
    assert emulator.requests()[-1]["host"] == endpoint["dedicatedEndpointDns"]


def test_the_official_library_talks_to_a_private_address(private, settings):
    endpoint, address = private
    with Client(endpoint["name"], address=address, config=settings) as client, client.openai_client() as official:
        assert official.chat.completions.create(model=client.model_id, messages=QUESTION).choices


class ShortLived(google.auth.credentials.Credentials):
    """Each token is good for one moment."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def refresh(self, request):
        self.count += 1
        self.token = f"ya29.{self.count}"
        self.expiry = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


@pytest.fixture
def server(tmp_path):
    certificate = Certificate(tmp_path, "chat-us-central1-1.prediction.p.vertexai.goog")
    with Server(Reply(200, COMPLETION), ssl_context=certificate.server) as server:
        server.certificate = certificate
        yield server


def test_each_request_has_a_token_that_is_still_good_at_a_pinned_server(server, monkeypatch):
    monkeypatch.setattr(credentials, "find_credentials", lambda settings: ShortLived())
    for pin in ({"ca_file": server.certificate.file}, {"fingerprint": server.certificate.fingerprint}):
        server.received.clear()
        with Client(ENDPOINT, address=server.url, model="m", **pin) as client, client.openai_client() as official:
            for _ in range(2):
                assert official.chat.completions.create(model="m", messages=QUESTION).choices
        sent = [request.headers["Authorization"] for request in server.received]
        assert sent == ["Bearer ya29.1", "Bearer ya29.2"]
        assert server.received[0].path == f"/v1beta1/{ENDPOINT}/chat/completions"


def test_the_token_goes_to_the_endpoints_own_host_only(server, monkeypatch):
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.token")
    client = Client(ENDPOINT, address=server.url, model="m", ca_file=server.certificate.file)
    with Server(Reply(200, COMPLETION)) as other, client, client.openai_client() as official:
        elsewhere = official.with_options(base_url=other.url)
        assert elsewhere.chat.completions.create(model="m", messages=QUESTION).choices
        assert official.chat.completions.create(model="m", messages=QUESTION).choices
    assert other.received[0].headers["Authorization"] is None
    assert server.received[0].headers["Authorization"] == "Bearer ya29.token"


@pytest.mark.parametrize("options", [{}, {"fingerprint": "0" * 64}])
def test_a_server_that_is_not_recognised_gets_no_request(server, monkeypatch, options):
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.token")
    client = Client(ENDPOINT, address=server.url, model="m", **options)
    with client, client.openai_client(max_retries=0) as official, pytest.raises(openai().APIConnectionError):
        official.chat.completions.create(model="m", messages=QUESTION)
    assert server.received == []


def test_without_the_package_it_says_what_to_install(settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with (
        Client(ENDPOINT, address="127.0.0.1", model="m", config=settings) as client,
        pytest.raises(UserError, match=r"mg-provider\[openai\]"),
    ):
        client.openai_client()


def test_without_credentials_it_says_so_before_any_request(monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nothing.json"))
    monkeypatch.delenv("GOOGLE_OAUTH_ACCESS_TOKEN", raising=False)
    with (
        Client(ENDPOINT, address="https://127.0.0.1:9", model="m") as client,
        pytest.raises(UserError, match="credentials"),
    ):
        client.openai_client()
