"""What configuration and environment say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mg_provider.api.errors import UserError
from mg_provider.api.http.hosts import takes_token
from mg_provider.api.http.settings import ENDPOINTS, KEYS, Settings
from mg_provider.loopback import is_loopback


def settings(config: dict[str, str], environ: dict[str, str] | None = None) -> Settings:
    return Settings.from_config(config.get, environ or {})


def test_our_own_key_comes_before_that_of_pulumi_gcp_and_both_before_the_environment() -> None:
    config = {"mg:project": "ours", "gcp:project": "theirs", "gcp:region": "europe-west4"}
    environ = {"GOOGLE_CLOUD_PROJECT": "environment"}

    assert settings(config, environ).project == "ours"
    assert settings({"gcp:project": "theirs"}, environ).project == "theirs"
    assert settings({}, environ).project == "environment"
    assert settings(config).region == "europe-west4"
    assert settings({}) == Settings()


def test_the_keys_that_are_read_are_known_to_who_hands_them_on() -> None:
    read: list[str] = []

    def get(key: str) -> None:
        read.append(key.partition(":")[2])

    Settings.from_config(get, {})
    assert set(read) == set(KEYS)


def test_every_key_arrives() -> None:
    config = {
        "mg:impersonateServiceAccount": "robot@p.iam.gserviceaccount.com",
        "mg:userProjectOverride": "true",
        "mg:billingProject": "paying",
        "mg:vertexAiCustomEndpoint": "http://127.0.0.1:8085/",
        "mg:computeCustomEndpoint": "http://127.0.0.1:8085",
        "mg:storageCustomEndpoint": "http://localhost:8085",
        "mg:bigQueryCustomEndpoint": "http://[::1]:8085",
        "mg:loggingCustomEndpoint": "http://127.0.0.1:8085/v2",
    }

    assert settings(config, {"GOOGLE_OAUTH_ACCESS_TOKEN": "ya29.x"}) == Settings(
        impersonate_service_account="robot@p.iam.gserviceaccount.com",
        user_project_override=True,
        billing_project="paying",
        vertex_custom_endpoint="http://127.0.0.1:8085",
        compute_custom_endpoint="http://127.0.0.1:8085",
        storage_custom_endpoint="http://localhost:8085",
        big_query_custom_endpoint="http://[::1]:8085",
        logging_custom_endpoint="http://127.0.0.1:8085",
        access_token="ya29.x",
    )


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("gcp:computeCustomEndpoint", "https://compute.example.com/compute/v1/", "https://compute.example.com"),
        ("gcp:storageCustomEndpoint", "https://storage.example.com/storage/v1/", "https://storage.example.com"),
        ("gcp:bigQueryCustomEndpoint", "https://bq.example.com/bigquery/v2/", "https://bq.example.com"),
        ("gcp:vertexAiCustomEndpoint", "https://vertex.example.com/v1beta1/", "https://vertex.example.com"),
    ],
)
def test_an_endpoint_written_for_pulumi_gcp_leads_to_the_same_server(key: str, value: str, expected: str) -> None:
    endpoints = settings({key: value})

    assert expected in {
        endpoints.vertex_custom_endpoint,
        endpoints.compute_custom_endpoint,
        endpoints.storage_custom_endpoint,
        endpoints.big_query_custom_endpoint,
    }


@pytest.mark.parametrize(
    "value",
    ["http://10.0.0.1:80", "http://example.com", "http://127.0.0.1.example.com", "http://localhost.example.com"],
)
def test_plain_http_to_another_machine_is_refused_before_a_token_is_sent(value: str) -> None:
    with pytest.raises(UserError, match=r"mg:vertexAiCustomEndpoint: .* is another machine"):
        settings({"mg:vertexAiCustomEndpoint": value})


@pytest.mark.parametrize("value", ["example.com", "ftp://example.com", "https://", "https://u@x.com", "https://x?a=b"])
def test_what_is_no_base_url_is_refused(value: str) -> None:
    with pytest.raises(UserError, match="is not a base URL"):
        settings({"mg:storageCustomEndpoint": value})


def test_a_switch_is_true_or_false() -> None:
    assert settings({"mg:userProjectOverride": "false"}).user_project_override is False
    with pytest.raises(UserError, match="mg:userProjectOverride"):
        settings({"mg:userProjectOverride": "yes"})


def test_the_quota_project_is_the_billing_project_or_the_project_and_only_if_asked_for() -> None:
    assert Settings(project="p", billing_project="b").quota_project is None
    assert Settings(project="p", billing_project="b", user_project_override=True).quota_project == "b"
    assert Settings(project="p", user_project_override=True).quota_project == "p"


def test_the_access_token_does_not_show() -> None:
    assert "ya29" not in repr(Settings(access_token="ya29.secret"))


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:1/x", True),
        ("http://127.8.9.10", True),
        ("http://localhost:80", True),
        ("http://[::1]:80", True),
        ("http://128.0.0.1", False),
        ("https://us-central1-aiplatform.googleapis.com", False),
        ("127.0.0.1:8085", True),
        ("localhost:8085", True),
        ("//[::1]", True),
        ("10.0.0.1:8085", False),
        ("http://[", False),
        ("no url", False),
    ],
)
def test_loopback_is_known_by_address(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback


@pytest.mark.parametrize("key", ENDPOINTS)
def test_in_a_rehearsal_the_endpoint_that_is_set_stands_for_the_others(key: str) -> None:
    here = "http://127.0.0.1:8085"
    read = settings({f"mg:{key}": here, "gcp:storageCustomEndpoint": "http://localhost:9"}, {"MG_REHEARSAL": "1"})
    own = {key: here, "storageCustomEndpoint": "http://localhost:9" if key != "storageCustomEndpoint" else here}
    first = next(own[each] for each in ENDPOINTS if each in own)
    told = (
        read.vertex_custom_endpoint,
        read.compute_custom_endpoint,
        read.storage_custom_endpoint,
        read.big_query_custom_endpoint,
        read.logging_custom_endpoint,
    )
    assert told == tuple(own.get(each, first) for each in ENDPOINTS)
    assert settings({f"mg:{key}": here}, {}) == replace(Settings(), **{_FIELDS[key]: here})


@pytest.mark.parametrize("environ", [{}, {"MG_REHEARSAL": "1"}])
def test_one_key_names_an_emulator_that_stands_for_every_endpoint_that_is_not_set(environ: dict[str, str]) -> None:
    here, other = "http://127.0.0.1:8085", "http://localhost:9"
    read = settings({"mg:emulator": f"{here}/", "gcp:storageCustomEndpoint": other}, environ)
    told = {key: getattr(read, name) for key, name in _FIELDS.items()}
    assert told == {key: other if key == "storageCustomEndpoint" else here for key in ENDPOINTS}


@pytest.mark.parametrize(
    "value",
    [
        "https://us-central1-aiplatform.googleapis.com",
        "http://10.0.0.1:8085",
        "http://127.0.0.1.evil.example:8085",
        "http://127.0.0.1:8085@evil.example",
        "https://127.0.0.1:8085",
        "127.0.0.1:8085",
        "8085",
    ],
)
def test_an_emulator_is_on_this_machine_or_refused(value: str) -> None:
    with pytest.raises(UserError, match=r"mg:emulator: .* is not the address of an emulator[\s\S]*mg emulator"):
        settings({"mg:emulator": value})


def test_an_emulator_is_asked_without_credentials() -> None:
    read = settings({"mg:emulator": "http://127.0.0.1:8085"})
    assert not takes_token(f"{read.vertex_custom_endpoint}/v1/projects/p", read)


_FIELDS = dict(zip(ENDPOINTS, [name for name in Settings.__dataclass_fields__ if "endpoint" in name], strict=True))
