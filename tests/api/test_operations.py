"""Waiting: how soon the end is noticed, what is borne on the way, what is said when it goes wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mg_provider.api.clients import Clients
from mg_provider.api.errors import (
    CloudError,
    ConnectionFailed,
    NotFound,
    NothingListens,
    OperationCancelled,
    OperationFailed,
    OperationLost,
    OperationTimeout,
    QuotaExceeded,
    Unavailable,
)
from mg_provider.api.http.settings import Settings
from mg_provider.api.operations import FORGOTTEN, LOCAL_PATIENCE, PATIENCE, _Wait, interval
from mg_provider.api.waiting import Progress, Waiting
from mg_provider.clock import ManualClock
from mg_provider.wire.compute import ComputeOperation
from mg_provider.wire.vertex.batch import BatchPredictionJob, JobState
from mg_provider.wire.vertex.operation import Operation
from tests.api.server import Received, Reply, Server, google_error

NAME = "projects/123/locations/us-central1/endpoints/7/operations/9"


class Cloud:
    """A server whose operations end at a moment of the manual clock."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.ends_at = 100.0
        self.ending: dict[str, object] = {"response": {}}
        self.troubles: list[Reply] = []
        self.server = Server(self.answer)
        self.clients: Clients

    def answer(self, request: Received) -> Reply:
        if self.troubles:
            return self.troubles.pop(0)
        done = self.clock.monotonic() >= self.ends_at
        stage = {"metadata": {"deploymentStage": "FINISHING_UP" if done else "PREPARING_MODEL"}}
        return Reply(200, {"name": NAME, **stage, **({"done": True, **self.ending} if done else {})})

    def wait(self, timeout: float = 3600, **options: object) -> Operation:
        return self.clients.operations.wait(Operation(name=NAME), Waiting(timeout, **options))  # type: ignore[arg-type]


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    cloud = Cloud()
    with cloud.server:
        url = cloud.server.url
        settings = Settings(vertex_custom_endpoint=url, compute_custom_endpoint=url)
        cloud.clients = Clients.from_settings(settings, cloud.clock)
        yield cloud
        cloud.clients.close()


@given(ends_at=st.floats(min_value=0, max_value=4 * 3600))
def test_the_end_is_noticed_within_two_seconds_or_two_percent_and_never_fifteen_seconds_late(ends_at: float) -> None:
    clock = ManualClock()

    def poll() -> bool:
        return clock.monotonic() >= ends_at

    wait = _Wait[bool](clock, NAME, Waiting(timeout=5 * 3600), lambda _: None)
    assert wait.until(lambda done: done, poll(), poll)

    late = clock.monotonic() - ends_at
    assert late <= min(15, max(2, 0.02 * ends_at))


@given(
    waited=st.floats(min_value=0, max_value=1e6, allow_nan=False),
    polls=st.integers(min_value=0, max_value=10_000),
)
def test_polls_are_never_closer_than_a_tenth_of_a_second(waited: float, polls: int) -> None:
    assert 0.1 <= interval(waited, polls) <= 15


def test_an_hour_costs_few_polls_and_a_second_costs_few_too(cloud: Cloud) -> None:
    cloud.ends_at = 3600
    cloud.wait(timeout=7200)
    assert len(cloud.server.received) < 450

    cloud.server.received.clear()
    cloud.ends_at = cloud.clock.monotonic() + 1
    cloud.wait()
    assert len(cloud.server.received) <= 5


def test_the_name_is_polled_as_it_was_given_on_v1beta1(cloud: Cloud) -> None:
    cloud.wait()

    assert {request.path for request in cloud.server.received} == {f"/v1beta1/{NAME}"}


def test_an_operation_that_is_done_already_is_not_asked_about(cloud: Cloud) -> None:
    done = Operation(name=NAME, done=True, response={"a": 1})

    assert cloud.clients.operations.wait(done, Waiting(1)) is done
    assert cloud.server.received == []


def test_progress_tells_stage_and_time(cloud: Cloud) -> None:
    seen: list[Progress] = []
    cloud.wait(on_progress=seen.append)

    assert seen[0].stage is None
    assert {each.stage for each in seen[1:]} == {"PREPARING_MODEL"}
    assert [each.polls for each in seen] == list(range(len(seen)))
    assert 90 < seen[-1].waited <= 100


def test_a_failure_carries_name_stage_and_google_reason(cloud: Cloud) -> None:
    cloud.ending = {"error": {"code": 8, "message": "The following quotas are exceeded: CustomModelServingL4GPUs"}}
    with pytest.raises(OperationFailed) as caught:
        cloud.wait()

    error = caught.value
    assert (error.operation, error.stage, error.reason) == (NAME, "FINISHING_UP", "RESOURCE_EXHAUSTED")
    assert isinstance(error.__cause__, QuotaExceeded)
    assert "ask for more quota for CustomModelServingL4GPUs" in str(error)


def test_an_operation_cancelled_in_the_cloud_is_a_failure_with_that_reason(cloud: Cloud) -> None:
    cloud.ending = {"error": {"code": 1, "message": "cancelled"}}
    with pytest.raises(OperationFailed, match="CANCELLED"):
        cloud.wait()


def test_a_timeout_names_the_operation_and_its_last_stage_and_does_not_wait_longer(cloud: Cloud) -> None:
    with pytest.raises(OperationTimeout, match="PREPARING_MODEL") as caught:
        cloud.wait(timeout=60)

    assert NAME in str(caught.value)
    assert cloud.clock.monotonic() == pytest.approx(60)


def test_cancelling_stops_within_a_second_and_says_what_goes_on(cloud: Cloud) -> None:
    cancelled = threading.Event()
    cloud.ends_at = 3600

    def cancel_after_half_an_hour(progress: Progress) -> None:
        if progress.waited > 1800:
            cancelled.set()

    with pytest.raises(OperationCancelled, match="it continues in the cloud"):
        cloud.wait(on_progress=cancel_after_half_an_hour, cancelled=cancelled.is_set)

    assert cloud.clock.monotonic() < 1820


def test_troubles_between_polls_are_borne_and_shown(cloud: Cloud) -> None:
    cloud.troubles = [
        google_error(503, "UNAVAILABLE", "later"),
        google_error(429, "RESOURCE_EXHAUSTED", "slow down"),
        google_error(500, "INTERNAL", "oops"),
        Reply(200, {"name": NAME}, broken=True),
    ]
    seen: list[Progress] = []
    ended = cloud.wait(on_progress=seen.append)

    assert ended.done
    assert cloud.troubles == []
    troubles = [type(each.trouble).__name__ for each in seen if each.trouble]
    assert troubles == ["Unavailable", "RateLimited", "Unavailable", "ConnectionFailed"]


def test_an_outage_longer_than_our_patience_ends_the_wait_and_names_the_operation(cloud: Cloud) -> None:
    cloud.troubles = [google_error(503, "UNAVAILABLE", "later")] * 1000
    with pytest.raises(Unavailable) as caught:
        cloud.wait()

    assert PATIENCE < cloud.clock.monotonic() < PATIENCE + 15
    assert caught.value.exists == [NAME]


def test_an_outage_of_the_network_is_borne_for_long_and_said_with_its_host_and_its_length() -> None:
    clock, said = ManualClock(), []

    def poll() -> bool:
        if clock.monotonic() < PATIENCE - 15:
            url = f"https://us-central1-aiplatform.googleapis.com/v1beta1/{NAME}"
            raise ConnectionFailed("ConnectionError: [Errno 113] No route to host", method="GET", url=url, sent=False)
        return True

    wait = _Wait[bool](clock, NAME, Waiting(3600, lambda progress: said.append(progress.silence)), lambda _: None)
    assert wait.until(lambda done: done, False, poll)
    said = list(dict.fromkeys(said))
    host = "us-central1-aiplatform.googleapis.com"
    assert said[:4] == [
        "",
        *(f"no answer from {host} for {since} (no route to host); trying again" for since in ("10s", "30s", "1m")),
    ]
    assert said[-1] == f"no answer from {host} for 9m30s (no route to host); trying again"


def test_an_emulator_that_ends_in_the_middle_is_given_up_after_a_minute_with_what_to_do(cloud: Cloud) -> None:
    said: list[str] = []

    def end_it(progress: Progress) -> None:
        said.append(progress.silence)
        if progress.polls == 3:
            cloud.server.__exit__()
            cloud.clients.close()

    with pytest.raises(NothingListens) as caught:
        cloud.wait(on_progress=end_it)

    assert LOCAL_PATIENCE < cloud.clock.monotonic() < LOCAL_PATIENCE + 20
    host = cloud.server.url.removeprefix("http://")
    assert f"no answer from {host} for 30s (connection refused); trying again" in said
    assert caught.value.exists == [NAME]
    assert f"`mg emulator --port {host.rpartition(':')[2]}`" in str(caught.value)


def test_a_call_to_an_emulator_that_has_ended_is_not_repeated_for_long(cloud: Cloud) -> None:
    cloud.server.__exit__()
    with pytest.raises(NothingListens):
        cloud.clients.vertex.get_operation(NAME)
    assert cloud.clock.monotonic() < 20


FORGOTTEN_OPERATION = google_error(404, "NOT_FOUND", f"Operation {NAME} is not found.")


def test_an_operation_that_is_not_known_any_more_is_lost_and_says_nothing_of_its_resource(cloud: Cloud) -> None:
    cloud.troubles = [FORGOTTEN_OPERATION] * 1000
    with pytest.raises(OperationLost, match="its result is unknown") as caught:
        cloud.wait()

    assert not isinstance(caught.value, CloudError)
    assert FORGOTTEN < cloud.clock.monotonic() < FORGOTTEN + 15


def test_an_operation_that_is_not_seen_yet_or_answered_by_a_proxy_in_between_is_waited_for(cloud: Cloud) -> None:
    page = Reply(404, b"<html><title>404 Not Found</title></html>")
    cloud.troubles = [FORGOTTEN_OPERATION, page, FORGOTTEN_OPERATION]

    assert cloud.wait().done


def test_a_job_that_does_not_exist_any_more_is_not_found(cloud: Cloud) -> None:
    name = "projects/123/locations/us-central1/batchPredictionJobs/5"
    cloud.server.replies = [google_error(404, "NOT_FOUND", "The BatchPredictionJob does not exist.")]
    with pytest.raises(NotFound):
        cloud.clients.operations.wait_job(BatchPredictionJob(name=name), Waiting(60))


def test_a_compute_operation_is_asked_in_its_region(cloud: Cloud) -> None:
    cloud.server.replies = [
        Reply(200, {"name": "operation-1", "status": "RUNNING"}),
        Reply(200, {"name": "operation-1", "status": "DONE", "targetLink": "t"}),
    ]
    begun = ComputeOperation(name="operation-1", status="PENDING")
    ended = cloud.clients.operations.wait_compute("p", "us-central1", begun, Waiting(60))

    assert ended.target_link == "t"
    paths = {request.path for request in cloud.server.received}
    assert paths == {"/compute/v1/projects/p/regions/us-central1/operations/operation-1"}


def test_a_compute_operation_that_is_done_with_an_error_has_failed(cloud: Cloud) -> None:
    errors = [{"code": "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", "message": "The address is in use by rule r"}]
    done = json.dumps({"name": "o", "status": "DONE", "error": {"errors": errors}, "httpErrorStatusCode": 400})
    with pytest.raises(OperationFailed, match="in use by rule r") as caught:
        cloud.clients.operations.wait_compute(
            "p", "us-central1", ComputeOperation.from_wire(json.loads(done)), Waiting(60)
        )

    assert caught.value.reason == "FAILED_PRECONDITION"


@pytest.mark.parametrize("state", ["JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_EXPIRED"])
def test_a_job_is_waited_for_until_it_ends_in_whatever_way(cloud: Cloud, state: str) -> None:
    name = "projects/123/locations/us-central1/batchPredictionJobs/5"
    cloud.server.replies = [
        Reply(200, {"name": name, "state": "JOB_STATE_RUNNING"}),
        Reply(200, {"name": name, "state": "JOB_STATE_PAUSED"}),
        Reply(200, {"name": name, "state": state}),
    ]
    seen: list[Progress] = []
    job = cloud.clients.operations.wait_job(BatchPredictionJob(name=name), Waiting(60, seen.append))

    assert job.state is JobState(state)
    assert [each.stage for each in seen] == [None, "JOB_STATE_RUNNING", "JOB_STATE_PAUSED"]


def test_a_lost_connection_for_good_ends_the_wait(cloud: Cloud) -> None:
    cloud.troubles = [Reply(200, {"name": NAME}, broken=True)] * 1000
    with pytest.raises(ConnectionFailed):
        cloud.wait()
