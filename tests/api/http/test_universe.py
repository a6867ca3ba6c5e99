"""Another cloud of Google's: the hosts that are called, those that get a token, and whose credentials they are."""

import json

import pytest

from mg_provider.api.clients import Clients
from mg_provider.api.errors import MgError, UserError
from mg_provider.api.http.credentials import find_credentials
from mg_provider.api.http.hosts import takes_token
from mg_provider.api.http.settings import Settings
from mg_provider.clock import ManualClock
from mg_provider.data import is_region
from tests.support.google.canary import Canary

DOMAIN = "apis-example.goog"
THERE = {"mg:universeDomain": DOMAIN}


def settings(config, environ=None):
    return Settings.from_config(config.get, environ or {})


def test_the_domain_comes_from_the_config_of_either_namespace_or_the_environment():
    assert settings({}).universe_domain == "googleapis.com"
    assert settings(THERE, {"GOOGLE_CLOUD_UNIVERSE_DOMAIN": "other.goog"}).universe_domain == DOMAIN
    assert settings({"gcp:universeDomain": DOMAIN}).universe_domain == DOMAIN
    assert settings({}, {"GOOGLE_CLOUD_UNIVERSE_DOMAIN": DOMAIN}).universe_domain == DOMAIN


@pytest.mark.parametrize("value", ["https://apis-example.goog", "goog", "a b.goog", "evil.example/x", ".goog"])
def test_what_is_no_domain_is_refused(value):
    with pytest.raises(UserError, match=r"mg:universeDomain: .* is not the domain"):
        settings({"mg:universeDomain": value})


def called(call, config, environ, monkeypatch):
    """The hosts that a call asks for, as a proxy sees them."""
    with Canary() as canary:
        for name, value in canary.environment().items():
            monkeypatch.setenv(name, value)
        clients = Clients.from_settings(settings(config, environ), ManualClock())
        with pytest.raises(MgError):
            call(clients)
        clients.close()
    return {line.split()[1] for line in canary.calls}


@pytest.mark.parametrize(
    ("call", "host"),
    [
        (lambda c: c.vertex.get_endpoint("projects/p/locations/u-x-east1/endpoints/1"), "u-x-east1-aiplatform"),
        (lambda c: c.compute.addresses.get("p", "u-x-east1", "a"), "compute"),
        (lambda c: c.storage.get_bucket("b"), "storage"),
        (lambda c: c.bigquery.get_table("p", "d", "t"), "bigquery"),
        (lambda c: c.logging.last_lines("p", "1", count=1), "logging"),
        (lambda c: list(c.billing.skus("x")), "cloudbilling"),
    ],
    ids=["vertex", "compute", "storage", "bigquery", "logging", "billing"],
)
def test_every_service_is_called_in_the_cloud_that_is_configured(monkeypatch, call, host):
    environ = {"GOOGLE_OAUTH_ACCESS_TOKEN": "ya29.x"}
    assert called(call, THERE, environ, monkeypatch) == {f"{host}.{DOMAIN}:443"}


@pytest.mark.parametrize(
    ("host", "taken"),
    [
        (f"storage.{DOMAIN}", True),
        ("x.us-central1-1.prediction.vertexai.goog", True),
        ("storage.googleapis.com", False),
        (f"storage.{DOMAIN}.evil.example", False),
        ("storage.apis-exampleXgoog", False),
        (f"evil{DOMAIN}", False),
    ],
)
def test_a_token_goes_to_that_clouds_hosts_only(host, taken):
    if taken:
        assert takes_token(f"https://{host}/x", settings(THERE))
    else:
        with pytest.raises(UserError, match="nothing was sent"):
            takes_token(f"https://{host}/x", settings(THERE))


def test_credentials_of_another_cloud_are_refused_before_anything_is_sent(monkeypatch, tmp_path):
    assert find_credentials(settings(THERE, {"GOOGLE_OAUTH_ACCESS_TOKEN": "ya29.x"})).universe_domain == DOMAIN
    file = tmp_path / "login.json"
    login = {"type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c"}
    file.write_text(json.dumps(login))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    with pytest.raises(UserError, match=f"for googleapis.com, and the calls go to {DOMAIN}"):
        find_credentials(settings(THERE))
    file.write_text(json.dumps({**login, "universe_domain": DOMAIN}))
    assert find_credentials(settings(THERE)).universe_domain == DOMAIN


def test_regions_of_other_clouds_have_a_form_of_their_own():
    assert is_region("us-central1")
    assert is_region("u-germany-northeast1")
    assert not is_region("us-central9")
