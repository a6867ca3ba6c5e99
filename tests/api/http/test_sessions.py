"""Calls with credentials: real TLS to a server on loopback, real google-auth, a token server of our own."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from mg_provider.api.errors import ConnectionFailed, Unauthenticated, UserError
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.transport import Call, Transport
from mg_provider.clock import ManualClock
from tests.api.server import Received, Reply, Server


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """google-auth looks up a service account's region in the background, at Google's: send that to a closed port."""
    with Server(Reply()) as closed:
        monkeypatch.setenv("HTTPS_PROXY", closed.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    moment = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - datetime.timedelta(days=1))
        .not_valid_after(moment + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoded = tmp_path / "certificate.pem"
    encoded.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + _pem(key))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(encoded))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(encoded)
    return context


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def secure(tls: ssl.SSLContext) -> Iterator[Server]:
    with Server(Reply(200, {"fine": True}), ssl_context=tls) as server:
        yield server


def service_account(folder: Path, token_server: str) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file = folder / "service_account.json"
    file.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": "p",
                "private_key_id": "1",
                "private_key": _pem(key).decode(),
                "client_email": "robot@p.iam.gserviceaccount.com",
                "token_uri": f"{token_server}/token",
            }
        )
    )
    return file


def test_an_access_token_from_the_environment_is_sent_to_https_even_on_loopback(
    secure: Server, clock: ManualClock
) -> None:
    transport = Transport(Settings(access_token="ya29.given"), clock)
    assert transport.json(Call("GET", f"{secure.url}/x")) == {"fine": True}
    transport.close()

    assert secure.received[0].headers["Authorization"] == "Bearer ya29.given"


def test_a_login_in_netrc_does_not_take_the_tokens_place(
    secure: Server, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    transport = Transport(Settings(access_token="ya29.given"), clock)
    transport.json(Call("GET", f"{secure.url}/x"))
    transport.close()

    assert secure.received[0].headers["Authorization"] == "Bearer ya29.given"


def test_the_quota_project_goes_along_with_the_token(secure: Server, clock: ManualClock) -> None:
    settings = Settings(access_token="ya29.given", project="p", user_project_override=True, billing_project="paying")
    transport = Transport(settings, clock)
    transport.json(Call("GET", f"{secure.url}/x"))
    transport.close()

    assert secure.received[0].headers["x-goog-user-project"] == "paying"


def test_an_expired_access_token_is_told_with_what_to_do_and_without_the_token(
    tls: ssl.SSLContext, clock: ManualClock
) -> None:
    transport = Transport(Settings(access_token="ya29.expired"), clock)
    refused = Reply(401, {"error": {"code": 401}})
    with Server(refused, ssl_context=tls) as server, pytest.raises(Unauthenticated, match="GOOGLE_OAUTH") as caught:
        transport.json(Call("GET", f"{server.url}/x"))
    transport.close()

    assert "ya29" not in str(caught.value)


def test_application_default_credentials_fetch_one_token_and_use_it_for_every_call(
    secure: Server, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def token(request: Received) -> Reply:
        assert parse_qs(request.body.decode())["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        return Reply(200, {"access_token": "ya29.fetched", "expires_in": 3600, "token_type": "Bearer"})

    with Server(token) as tokens:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(service_account(tmp_path, tokens.url)))
        transport = Transport(Settings(), clock)
        for _ in range(3):
            transport.json(Call("GET", f"{secure.url}/x"))
        transport.close()

    assert len(tokens.received) == 1
    assert {request.headers["Authorization"] for request in secure.received} == {"Bearer ya29.fetched"}


@pytest.mark.parametrize("how", ["json", "lines", "file"])
def test_a_token_that_is_refused_is_renewed_and_the_call_sent_whole_again(
    tls: ssl.SSLContext, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    fresh = iter(["ya29.first", "ya29.second"])

    def token(request: Received) -> Reply:
        return Reply(200, {"access_token": next(fresh), "expires_in": 3600, "token_type": "Bearer"})

    with Server(token) as tokens, Server(Reply(401, {"error": {}}), Reply(), ssl_context=tls) as server:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(service_account(tmp_path, tokens.url)))
        transport = Transport(Settings(), clock)
        url = f"{server.url}/x"
        if how == "json":
            assert transport.json(Call("POST", url, body={"a": 1})) == {}
        elif how == "lines":
            assert list(transport.lines(Call("POST", url, body={"a": 1}))) == ["{}"]
        else:
            (tmp_path / "body").write_bytes(b'{"a": 1}')
            transport.send(Call("POST", url, file=tmp_path / "body"))
        transport.close()

    assert [each.headers["Authorization"] for each in server.received] == ["Bearer ya29.first", "Bearer ya29.second"]
    assert [each.body for each in server.received] == [b'{"a": 1}'] * 2


def test_a_token_with_a_line_break_is_not_sent_and_not_shown(secure: Server, clock: ManualClock) -> None:
    transport = Transport(Settings(access_token="ya29.given\nX: y"), clock)
    with pytest.raises(ConnectionFailed, match="it was not sent") as caught:
        transport.json(Call("GET", f"{secure.url}/x"))
    transport.close()

    assert "ya29.given" not in str(caught.value)
    assert clock.sleeps == []
    assert secure.received == []


def test_a_token_server_that_refuses_is_a_matter_of_credentials(
    secure: Server, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(Reply(400, {"error": "invalid_grant", "error_description": "account is disabled"})) as tokens:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(service_account(tmp_path, tokens.url)))
        transport = Transport(Settings(), clock)
        with pytest.raises(Unauthenticated, match="account is disabled"):
            transport.json(Call("POST", f"{secure.url}/x", body={}))
        transport.close()

    assert secure.received == []


def test_a_token_server_that_cannot_be_reached_means_that_nothing_was_sent(
    secure: Server, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(Reply()) as tokens:
        gone = tokens.url
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(service_account(tmp_path, gone)))
    transport = Transport(Settings(), clock)
    with pytest.raises(ConnectionFailed, match="it was not sent"):
        transport.json(Call("POST", f"{secure.url}/x", body={}, retry_budget=0))
    transport.close()

    assert secure.received == []


def test_without_any_credentials_the_user_is_told_how_to_log_in(
    clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    transport = Transport(Settings(), clock)
    with pytest.raises(UserError, match="gcloud auth application-default login"):
        transport.json(Call("GET", "https://127.0.0.1:1/x"))
    transport.close()
