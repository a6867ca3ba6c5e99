"""Who may call the emulator: programs on this machine, and no page in a browser, whatever its name leads to."""

from __future__ import annotations

import pytest
import requests

from mg_provider.emulator import Emulator
from mg_provider.emulator.core.clock import EmulatorClock

ENDPOINTS = "/v1beta1/projects/my-project/locations/us-central1/endpoints"
PLACES = ["/_mg/ledger", "/_mg/requests", ENDPOINTS, "/storage/v1/b?project=my-project", "/nothing"]


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8085",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "googleapis.com.evil.example",
        "evilgoogleapis.com",
        "models.internal.evil.example",
        "internal",
        "chat.prediction.vertexai.goog.evil.example",
        "10.0.0.5",
        "0.0.0.0",
        "[::]",
        "[::1",
        "evil.example/127.0.0.1",
        "evil.example@127.0.0.1:x",
    ],
)
def test_a_name_that_somebody_lets_lead_here_is_refused(emulator: Emulator, host: str, path: str) -> None:
    before = len(emulator.requests())
    answer = requests.get(f"{emulator.url}{path}", headers={"Host": host}, timeout=5)
    assert answer.status_code in (400, 403)
    assert len(emulator.requests()) == before
    assert "my-project" not in answer.text


@pytest.mark.parametrize("path", PLACES[:-1])
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8085",
        "127.8.9.10",
        "localhost:1",
        "LOCALHOST",
        "[::1]:8085",
        "us-central1-aiplatform.googleapis.com",
        "chat.us-central1-1.prediction.vertexai.goog",
        "chat-us-central1-1.prediction.p.vertexai.goog",
        "llama.us-central1.models.internal",
    ],
)
def test_this_machine_and_the_names_that_clients_say_are_answered(emulator: Emulator, host: str, path: str) -> None:
    assert requests.get(f"{emulator.url}{path}", headers={"Host": host}, timeout=5).status_code == 200


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8085"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE"])
def test_a_web_page_is_refused(emulator: Emulator, method: str, headers: dict[str, str], path: str) -> None:
    before = len(emulator.requests())
    answer = requests.request(method, f"{emulator.url}{path}", headers=headers, json={"name": "b"}, timeout=5)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert len(emulator.requests()) == before


@pytest.mark.allow_hosts(["127.0.0.0/8"])
def test_a_private_address_refuses_a_web_page_too(emulator: Emulator) -> None:
    emulator.world.listeners.open("127.9.8.7", "projects/1/regions/us-central1/serviceAttachments/x")
    url = emulator.addresses()["127.9.8.7"]
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        assert requests.post(f"{url}{ENDPOINTS}/1:predict", headers=headers, json={}, timeout=5).status_code == 403
    assert emulator.requests() == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
@pytest.mark.parametrize("path", ["/_mg/reset", "/_mg/clock", "/_mg/faults", "/_mg/behaviour"])
def test_the_emulators_own_routes_take_declared_json_only(emulator: Emulator, path: str, kind: str | None) -> None:
    requests.get(f"{emulator.url}{ENDPOINTS}", timeout=5)
    headers = {"Content-Type": kind} if kind else {}
    answer = requests.post(f"{emulator.url}{path}", data=b"{}", headers=headers, timeout=5)
    assert answer.status_code == 415
    assert len(emulator.requests()) == 1


@pytest.mark.parametrize("body", ["[]", "1", '"x"', "null", "true", "{", "\xff", "[" * 100_000, '{"a": ' * 100_000])
@pytest.mark.parametrize(
    "path", ["/_mg/reset", "/_mg/clock", "/_mg/faults", "/_mg/behaviour", "/_mg/quota", "/_mg/vertex/replicas"]
)
def test_a_body_that_is_no_json_object_is_refused(emulator: Emulator, path: str, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = requests.post(f"{emulator.url}{path}", data=body.encode("latin-1"), headers=headers, timeout=5)
    assert answer.status_code == 400, answer.text


NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 5000]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:12])
def test_a_number_that_is_not_finite_is_not_json(emulator: Emulator, number: str) -> None:
    headers = {"Content-Type": "application/json"}
    wanted = {
        "/_mg/clock": f'{{"speed": {number}}}',
        "/_mg/faults": f'{{"rpc": "endpoints.get", "fault": "delay", "seconds": {number}}}',
        "/_mg/behaviour": f'{{"slow_seconds": {number}}}',
        f"{ENDPOINTS}?endpointId=a": f'{{"displayName": "a", "x": {number}}}',
        "/storage/v1/b?project=my-project": f'{{"name": "weights", "x": {number}}}',
    }
    for path, body in wanted.items():
        answer = requests.post(f"{emulator.url}{path}", data=body, headers=headers, timeout=5)
        assert (answer.status_code, "JSON" in answer.text) == (400, True), (path, answer.text)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1.0, 1e300, 1_000_001.0])
def test_a_speed_that_is_none_is_refused(number: float) -> None:
    clock = EmulatorClock()
    with pytest.raises(ValueError, match="speed is 0 to 1,000,000"):
        clock.set_speed(number)
    with pytest.raises(ValueError, match="speed is 0 to 1,000,000"):
        EmulatorClock(number)


@pytest.mark.parametrize("body", [{"advance": 1e300}, {"advance": -1}, {"now": "9999-12-31T00:00:00Z"}, {"now": 1}])
def test_a_time_that_no_calendar_has_is_refused(emulator: Emulator, body: dict[str, object]) -> None:
    answer = requests.post(f"{emulator.url}/_mg/clock", json=body, timeout=5)
    assert (answer.status_code, "clock: " in answer.text) == (400, True)
    assert requests.get(f"{emulator.url}/_mg/clock", timeout=5).json()["now"].startswith("2026")
