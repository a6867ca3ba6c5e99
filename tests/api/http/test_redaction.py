"""Which secrets are taken out of texts that others wrote, on every way that such a text takes to the user."""

from __future__ import annotations

import json
import logging
from urllib.parse import quote

import pytest

from mg_provider.api.errors import CloudError, ConnectionFailed
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.transport import Call, Transport
from mg_provider.api.reading.error_reader import error_from_response
from mg_provider.api.redaction import excerpt, redact_data, redact_log_line
from mg_provider.clock import ManualClock
from mg_provider.resources.dedicated_endpoint.psc_automation import automations
from mg_provider.resources.dynamic.host import say
from mg_provider.wire.vertex.endpoint import Endpoint
from tests.api.server import Server, google_error

API_KEY = "AIzaSyD-0123456789_abcdefghijklmnopqrstu"
BASE64 = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
PEM = f"-----BEGIN PRIVATE KEY-----\n{BASE64}\n{BASE64}\n-----END PRIVATE KEY-----\n"
SIGNED = "https://storage.googleapis.com/b/o?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Signature=0a1b2c3d4e5f&x=1"

SECRETS = {
    "API key": (f"API key {API_KEY} is not valid", API_KEY),
    "API key in a URL": (f"GET https://maps.test/?key={API_KEY}&x=1 failed", API_KEY),
    "PEM": (f"cannot parse {PEM} as a key", BASE64),
    "PEM with written line ends": (f"cannot parse {json.dumps(PEM)} as a key", BASE64),
    "PEM that was cut off": (f"cannot parse {PEM[:90]}", BASE64[:40]),
    "RSA PEM": (f"bad {PEM.replace('PRIVATE', 'RSA PRIVATE')}", BASE64),
    "password=": ("connecting with user=me password=hunter2!x failed", "hunter2!x"),
    "passwd=": ("jdbc:sql://h/db?user=me&passwd=hunter2", "hunter2"),
    "PASSWORD=": ("DB_PASSWORD='hunter2' is refused", "hunter2"),
    "password in JSON": ('{"user": "me", "password": "hunter2"}', "hunter2"),
    "password in JSON in JSON": (json.dumps('{"dbPassword": "hunter2"}'), "hunter2"),
    "password of several words": ("DB_PASSWORD='my two words' is refused", "two words"),
    "password of several words in JSON": (json.dumps({"password": "correct horse, battery"}), "horse, battery"),
    "password with a quote in JSON": (json.dumps({"password": 'a"b c d'}), "b c d"),
    "password of several words in JSON in JSON": (json.dumps('{"dbPassword": "two words"}'), "two words"),
    "password of a URL": ("proxy http://me:hunter2@proxy.test:3128 did not answer", "hunter2"),
    "access token": ("token ya29.a0AfH6SMBx-y_z expired", "a0AfH6SMBx-y_z"),
    "refresh token": ("token 1//0gXyZabcdefghijklmnopqrstuvwx is revoked", "0gXyZabcdefghijklmnopqrstuvwx"),
    "client secret": ("GOCSPX-abcdefghij1234567 is wrong", "abcdefghij1234567"),
    "identity token": ("got eyJhbGciOiJSUzI1.eyJhdWQiOiJodHRw.c2lnbmF0dXJl", "c2lnbmF0dXJl"),
    "bearer": ("header Authorization: Bearer abc.def-123 refused", "abc.def-123"),
    "basic": ('{"Authorization": "Basic bWU6aHVudGVyMg=="}', "bWU6aHVudGVyMg"),
    "authorization without a scheme": ("Authorization=abcdef123456", "abcdef123456"),
    "signed URL": (f"cannot read {SIGNED}", "0a1b2c3d4e5f"),
    "signed URL of version 2": ("GET /b/o?GoogleAccessId=x&Expires=1&Signature=AbC%2Bd failed", "AbC%2Bd"),
    "Hugging Face": ("hf_abcdefgh12345 may not read the repository", "abcdefgh12345"),
}


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS)
def test_a_secret_in_a_text_of_googles_is_not_told_in_an_error(text: str, secret: str) -> None:
    assert secret in text
    url = "https://us-central1-aiplatform.googleapis.com/v1/x"
    detail = {"@type": "x", "metadata": {"text": text}}
    body = json.dumps({"error": {"code": 400, "message": text, "status": "INVALID_ARGUMENT", "details": [detail]}})
    error = error_from_response(400, body.encode(), method="POST", url=url)
    unreadable = error_from_response(400, text.encode(), method="POST", url=url)
    page = error_from_response(502, f"<html><title>{text}</title>".encode(), method="POST", url=url)
    lost = ConnectionFailed(text, method="GET", url=url, sent=False)
    for each in (error, unreadable, page, lost):
        assert secret not in str(each)
    assert secret not in repr((error.message, error.details))
    assert "[redacted]" in error.message
    assert secret not in redact_log_line(text)


@pytest.mark.parametrize(
    "text",
    [
        "The password must not be empty.",
        "Invalid value for password: it must have 8 characters",
        "project-1//2 has no api key",
        "https://storage.googleapis.com/b/o?alt=media&prefix=a",
        "sha256:1f825aa2f0020ef7cf91dfa30da4668d791c5d4824fc8e41354b89ec05795ab3",
        "Service account me@p.iam.gserviceaccount.com does not have storage.objects.get access",
        "-----BEGIN CERTIFICATE----- is expected",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert excerpt(text) == text


def test_the_lines_of_a_key_that_a_container_prints_one_by_one_are_not_told() -> None:
    told = [redact_log_line(line) for line in PEM.splitlines()]
    assert BASE64 not in "".join(told)
    digest = "1f825aa2f0020ef7cf91dfa30da4668d791c5d4824fc8e41354b89ec05795ab3"
    assert redact_log_line(digest) == digest


def test_a_value_is_judged_by_its_key_too() -> None:
    told = redact_data({"metadata": {"dbPassword": "hunter2", "service": "sql"}, "private_key": "x"})
    assert told == {"metadata": {"dbPassword": "[redacted]", "service": "sql"}, "private_key": "[redacted]"}


def test_neither_the_debug_log_nor_an_answer_that_is_not_json_tells_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="mg_provider")
    transport = Transport(Settings(), ManualClock())
    busy = google_error(503, "UNAVAILABLE", f"try {API_KEY} later")
    with Server(busy, busy, google_error(200, "", "")) as server:
        transport.json(Call("GET", f"{server.url}/x", query={"key": API_KEY, "X-Goog-Signature": quote("a/b")}))
        server.replies[:] = [type(busy)(200, f"{API_KEY} is the key".encode())]
        with pytest.raises(CloudError, match="not a JSON object") as refused:
            transport.json(Call("GET", f"{server.url}/x"))
    transport.close()
    assert "again in" in caplog.text
    assert API_KEY not in caplog.text
    assert "AIza" not in str(refused.value)


def test_what_a_failed_automation_says_is_redacted_before_it_becomes_an_output() -> None:
    config = {"pscAutomationConfigs": [{"projectId": "p", "errorMessage": f"bad {API_KEY}"}]}
    (shown,) = automations(Endpoint.from_wire({"privateServiceConnectConfig": config}))
    assert shown.error_message == "bad [redacted]"


def test_a_line_of_progress_tells_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"mg chat: note: {API_KEY} is not valid")
    assert capsys.readouterr().err == "mg chat: note: [redacted] is not valid\n"
