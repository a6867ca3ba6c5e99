"""Servers that no public authority vouches for: recognised by certificate or fingerprint, or sent nothing at all."""

import os

import pytest

from mg_provider.api.errors import CertificateNotTrusted, MgError, UserError
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.tls import ServerTrust, fetch_certificate
from mg_provider.api.http.transport import Call, Transport
from mg_provider.clock import ManualClock
from tests.api.server import Reply, Server
from tests.support.google.certificates import Certificate

NAME = "chat-us-central1-1.prediction.p.vertexai.goog"


@pytest.fixture
def certificate(tmp_path):
    """As a private endpoint's: signed by itself, and not for the address that it is reached by."""
    return Certificate(tmp_path, NAME)


@pytest.fixture
def server(certificate):
    with Server(Reply(200, {"fine": True}), ssl_context=certificate.server) as server:
        yield server


@pytest.fixture
def ask(server, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    transport = Transport(Settings(access_token="ya29.token"), ManualClock())
    yield lambda trust=None: transport.json(Call("GET", f"{server.url}/x", trust=trust))
    transport.close()


def test_a_self_signed_server_is_sent_nothing(ask, server):
    with pytest.raises(CertificateNotTrusted, match=r"self.signed.*not sent[\s\S]*fingerprint"):
        ask()
    assert server.received == []


def test_its_fingerprint_lets_it_be_trusted_under_any_name(ask, server, certificate):
    pairs = ":".join(certificate.fingerprint[index : index + 2] for index in range(0, 64, 2)).upper()
    assert ask(ServerTrust(fingerprint=pairs)) == {"fine": True}
    assert server.received[0].headers["Authorization"] == "Bearer ya29.token"


def test_another_fingerprint_is_another_server(ask, server):
    with pytest.raises(CertificateNotTrusted, match="has the fingerprint"):
        ask(ServerTrust(fingerprint="0" * 64))
    assert server.received == []


def test_its_certificate_in_a_file_lets_it_be_trusted_under_any_name(ask, certificate, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", os.devnull)
    assert ask(ServerTrust(ca_file=str(certificate.file))) == {"fine": True}


def test_another_certificate_in_the_file_is_another_server(ask, server, tmp_path):
    with pytest.raises(CertificateNotTrusted):
        ask(ServerTrust(ca_file=str(Certificate(tmp_path, "elsewhere").file)))
    assert server.received == []


def test_an_authoritys_certificate_vouches_for_names_only(tmp_path, ask, server):
    authority = Certificate(tmp_path, "authority")
    signed = Certificate(tmp_path, NAME, issuer=authority, authority=False)
    trust = ServerTrust(ca_file=str(authority.file))
    with Server(Reply(200, {"fine": True}), ssl_context=signed.server) as other:
        transport = Transport(Settings(access_token="ya29.token"), ManualClock())
        with pytest.raises(CertificateNotTrusted, match="doesn't match"):
            transport.json(Call("GET", f"{other.url}/x", trust=trust))
        assert other.received == []
        named = ServerTrust(ca_file=trust.ca_file, names=(NAME,))
        assert transport.json(Call("GET", f"{other.url}/x", trust=named)) == {"fine": True}
        transport.close()


def test_a_certificate_can_be_fetched_and_then_pinned(ask, server, certificate, tmp_path):
    port = int(server.url.rpartition(":")[2])
    shown = fetch_certificate("127.0.0.1", port)
    assert shown.fingerprint == certificate.fingerprint
    file = tmp_path / "pinned.pem"
    file.write_text(shown.pem)
    assert ask(ServerTrust(ca_file=str(file))) == {"fine": True}


def test_where_nothing_speaks_tls_there_is_no_certificate():
    with Server(Reply()) as plain, pytest.raises(MgError, match="shows no certificate"):
        fetch_certificate("127.0.0.1", int(plain.url.rpartition(":")[2]))


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_without_a_certificate_is_told_before_any_call(tmp_path, content):
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    with pytest.raises(UserError, match="ca_file"):
        ServerTrust(ca_file=str(file))


def test_a_fingerprint_of_another_kind_is_told():
    with pytest.raises(UserError, match="64 hexadecimal digits"):
        ServerTrust(fingerprint="aa:bb")
