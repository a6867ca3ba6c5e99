"""When a call is repeated, and what is known when it fails."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mg_provider.api.errors import (
    CloudError,
    ConnectionFailed,
    PermissionDenied,
    QuotaExceeded,
    RateLimited,
    Unavailable,
)
from mg_provider.api.http.rate_limit import RateLimit, RateLimits
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.transport import USER_AGENT, Call, Transport
from mg_provider.clock import ManualClock, SystemClock
from tests.api.server import Received, Reply, Server, google_error

BUSY = google_error(503, "UNAVAILABLE", "try later")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def transport(clock: ManualClock) -> Iterator[Transport]:
    transport = Transport(Settings(), clock)
    yield transport
    transport.close()


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_an_idempotent_call_is_repeated_until_it_succeeds(transport: Transport, method: str, status: int) -> None:
    with Server(Reply(status), Reply(status), Reply(200, {"fine": True})) as server:
        assert transport.json(Call(method, f"{server.url}/x")) == {"fine": True}

    assert [request.method for request in server.received] == [method] * 3


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_post_is_not_repeated_when_it_may_have_taken_effect(
    transport: Transport, clock: ManualClock, status: int
) -> None:
    with Server(Reply(status)) as server, pytest.raises(Unavailable):
        transport.json(Call("POST", f"{server.url}/x", body={}))

    assert len(server.received) == 1
    assert clock.sleeps == []


def test_a_post_that_the_service_recognises_as_a_repeat_is_repeated(transport: Transport) -> None:
    with Server(BUSY, Reply(200, {"fine": True})) as server:
        transport.json(Call("POST", f"{server.url}/x", query={"requestId": "7"}, body={"a": 1}, repeatable=True))

    assert [request.path for request in server.received] == ["/x?requestId=7"] * 2
    assert [request.json for request in server.received] == [{"a": 1}] * 2


def test_a_post_that_was_refused_with_429_is_repeated_because_nothing_was_begun(transport: Transport) -> None:
    with Server(google_error(429, "RESOURCE_EXHAUSTED", "slow down"), Reply()) as server:
        transport.json(Call("POST", f"{server.url}/x", body={}))

    assert len(server.received) == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("reason", ["rateLimitExceeded", "userRateLimitExceeded", "jobRateLimitExceeded"])
def test_a_call_that_came_too_fast_is_repeated_although_it_was_refused_with_403(
    transport: Transport, method: str, reason: str
) -> None:
    error = {"error": {"code": 403, "message": "Rate Limit Exceeded", "errors": [{"reason": reason}]}}
    with Server(Reply(403, error), Reply()) as server:
        transport.json(Call(method, f"{server.url}/x", body={} if method == "POST" else None))

    assert len(server.received) == 2


def test_a_rate_is_waited_for_longer_than_other_trouble_but_not_by_one_who_does_not_want_to_wait(
    transport: Transport, clock: ManualClock
) -> None:
    error = {"error": {"code": 403, "message": "Rate Limit Exceeded", "errors": [{"reason": "rateLimitExceeded"}]}}
    with Server(Reply(403, error)) as server, pytest.raises(RateLimited):
        transport.json(Call("GET", f"{server.url}/x"))
    assert 600 < clock.monotonic() <= 900

    with Server(Reply(403, error)) as server, pytest.raises(RateLimited):
        transport.json(Call("GET", f"{server.url}/x", retry_budget=0))
    assert len(server.received) == 1


def test_a_quota_that_is_used_up_is_not_asked_for_again(transport: Transport) -> None:
    error = google_error(429, "RESOURCE_EXHAUSTED", "The following quotas are exceeded: CustomModelServingL4GPUs")
    with Server(error) as server, pytest.raises(QuotaExceeded):
        transport.json(Call("GET", f"{server.url}/x"))

    assert len(server.received) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 501])
def test_an_error_that_will_not_pass_is_not_repeated(transport: Transport, status: int) -> None:
    with Server(Reply(status)) as server, pytest.raises(CloudError) as caught:
        transport.json(Call("GET", f"{server.url}/x"))

    assert caught.value.status == status
    assert len(server.received) == 1


def test_the_wait_that_the_service_asks_for_in_seconds_is_kept(transport: Transport, clock: ManualClock) -> None:
    with Server(Reply(429, headers={"Retry-After": "17"}), Reply()) as server:
        transport.json(Call("GET", f"{server.url}/x"))

    assert clock.sleeps == [17.0]


def test_the_wait_that_the_service_asks_for_as_a_date_is_kept() -> None:
    clock = ManualClock(datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC))
    transport = Transport(Settings(), clock)
    with Server(Reply(503, headers={"Retry-After": "Sun, 22 Nov 2026 12:00:42 GMT"}), Reply()) as server:
        transport.json(Call("GET", f"{server.url}/x"))
    transport.close()

    assert clock.sleeps == [42.0]


def test_an_unreadable_wait_is_replaced_by_our_own(transport: Transport, clock: ManualClock) -> None:
    with Server(Reply(503, headers={"Retry-After": "soon"}), Reply()) as server:
        transport.json(Call("GET", f"{server.url}/x"))

    assert clock.sleeps == [1.0]


def test_a_wait_longer_than_the_budget_is_not_begun(transport: Transport, clock: ManualClock) -> None:
    with Server(Reply(429, headers={"Retry-After": "3600"})) as server, pytest.raises(RateLimited):
        transport.json(Call("GET", f"{server.url}/x"))

    assert clock.sleeps == []
    assert len(server.received) == 1


def test_waits_double_up_to_half_a_minute_and_end_with_the_budget(transport: Transport, clock: ManualClock) -> None:
    with Server(BUSY) as server, pytest.raises(Unavailable):
        transport.json(Call("GET", f"{server.url}/x"))

    assert clock.sleeps == [1, 2, 4, 8, 16, 30, 30]


def test_a_poller_may_refuse_repeats_altogether(transport: Transport) -> None:
    with Server(BUSY) as server, pytest.raises(Unavailable):
        transport.json(Call("GET", f"{server.url}/x", retry_budget=0))

    assert len(server.received) == 1


def test_an_answer_lost_half_way_is_asked_for_again_if_that_is_safe(transport: Transport) -> None:
    with Server(Reply(200, {"a": "long answer"}, broken=True), Reply(200, {"whole": True})) as server:
        assert transport.json(Call("GET", f"{server.url}/x")) == {"whole": True}

    assert len(server.received) == 2


def test_a_post_whose_answer_was_lost_says_that_it_may_have_taken_effect(transport: Transport) -> None:
    lost = Reply(200, {"name": "operations/1"}, broken=True)
    with Server(lost) as server, pytest.raises(ConnectionFailed, match="it may have taken effect") as caught:
        transport.json(Call("POST", f"{server.url}/x:deploy", body={}))

    assert caught.value.sent is True
    assert caught.value.__cause__ is not None
    assert len(server.received) == 1


def test_a_call_that_never_left_is_repeated_even_if_it_is_a_post(transport: Transport, clock: ManualClock) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/x"
        with pytest.raises(ConnectionFailed, match="it was not sent") as caught:
            transport.json(Call("POST", url, body={}, retry_budget=5))

    assert caught.value.sent is False
    assert clock.sleeps == [1, 2]


def test_an_answer_that_is_no_json_points_at_the_proxy(transport: Transport) -> None:
    with Server(Reply(200, b"<html>Sign in</html>")) as server, pytest.raises(CloudError, match="not a JSON object"):
        transport.json(Call("GET", f"{server.url}/x"))


def test_an_empty_answer_is_an_empty_object(transport: Transport) -> None:
    with Server(Reply(204, b"")) as server:
        assert transport.json(Call("DELETE", f"{server.url}/x")) == {}


def test_a_redirect_is_an_error_and_not_followed(transport: Transport) -> None:
    with Server(Reply(302, headers={"Location": "/elsewhere"})) as server, pytest.raises(CloudError, match="302"):
        transport.json(Call("GET", f"{server.url}/x"))

    assert len(server.received) == 1


def test_every_call_says_who_makes_it_and_who_pays(clock: ManualClock) -> None:
    transport = Transport(Settings(project="mine", user_project_override=True, billing_project="paying"), clock)
    with Server(Reply()) as server:
        transport.json(Call("GET", f"{server.url}/x", query={"flag": True, "absent": None}))
    transport.close()

    (request,) = server.received
    assert request.headers["User-Agent"] == USER_AGENT
    assert request.headers["x-goog-user-project"] == "paying"
    assert "Authorization" not in request.headers
    assert request.path == "/x?flag=true"


def test_a_login_in_netrc_is_never_sent(clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    transport = Transport(Settings(), clock)
    with Server(Reply()) as server:
        transport.json(Call("GET", f"{server.url}/x"))
    transport.close()

    assert "Authorization" not in server.received[0].headers


def test_neither_error_nor_log_shows_a_token(transport: Transport, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = google_error(
        403,
        "PERMISSION_DENIED",
        "no access for Bearer ya29.abc-DEF and hf_AbCdEf123456",
        [{"@type": "type.googleapis.com/google.rpc.DebugInfo", "detail": "huggingFaceAccessToken: 'hf_zzz12345'"}],
    )
    with Server(BUSY, echo) as server, pytest.raises(PermissionDenied) as caught:
        transport.json(
            Call(
                "GET",
                f"{server.url}/x",
                query={"huggingFaceToken": "hf_AbCdEf123456"},
                body={"huggingFaceAccessToken": "hf_AbCdEf123456"},
            )
        )

    shown = f"{caught.value} {caught.value.details} {caught.value.url} {caught.value.message}"
    ours = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("mg_provider"))
    assert "again in" in ours
    for secret in ("ya29", "hf_Ab", "hf_zz"):
        assert secret not in shown + ours


def test_a_long_error_page_is_cut(transport: Transport) -> None:
    with Server(Reply(400, b"x" * 100_000)) as server, pytest.raises(CloudError) as caught:
        transport.json(Call("GET", f"{server.url}/x"))

    assert len(caught.value.message) == 512


def test_128_threads_share_one_transport() -> None:
    transport = Transport(Settings(), SystemClock())
    answers: list[object] = []

    def echo(request: Received) -> Reply:
        return Reply(200, {"path": request.path})

    def ask(number: int) -> None:
        answers.append((number, transport.json(Call("GET", f"{server.url}/{number}"))["path"]))

    with Server(echo) as server:
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(128)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    transport.close()

    assert sorted(answers) == [(number, f"/{number}") for number in range(128)]


def test_calls_to_google_come_in_a_burst_of_forty_and_then_twenty_a_second() -> None:
    clock = ManualClock()
    limit = RateLimit(clock)
    moments = []
    for _ in range(100):
        limit.wait()
        moments.append(clock.monotonic())

    assert moments[39] == 0
    assert moments[-1] == pytest.approx(60 / 20)


def test_a_burst_in_one_region_does_not_hold_up_another() -> None:
    clock = ManualClock()
    limits = RateLimits(clock)
    for _ in range(60):
        limits.of("us-central1-aiplatform.googleapis.com").wait()
    waited = clock.monotonic()
    for _ in range(40):
        limits.of("europe-west4-aiplatform.googleapis.com").wait()

    assert waited == pytest.approx(20 / 20)
    assert clock.monotonic() == waited


def test_a_call_to_loopback_looks_for_no_credentials() -> None:
    assert {"google.auth", "requests"}.isdisjoint(_modules_after_a_loopback_call())


def _modules_after_a_loopback_call() -> set[str]:
    program = (
        "import sys\n"
        "from mg_provider.api.clients import Clients\n"
        "from mg_provider.api.http.settings import Settings\n"
        "from mg_provider.clock import SystemClock\n"
        "assert 'requests' not in sys.modules and 'pulumi' not in sys.modules\n"
        "clients = Clients.from_settings(Settings(vertex_custom_endpoint=sys.argv[1]), SystemClock())\n"
        "clients.vertex.get_endpoint('projects/p/locations/us-central1/endpoints/1')\n"
        "print(*sys.modules)\n"
    )
    with Server(Reply(200, {"name": "e"})) as server:
        done = subprocess.run(
            [sys.executable, "-c", program, server.url], capture_output=True, text=True, check=True, timeout=60
        )
    return set(done.stdout.split())
