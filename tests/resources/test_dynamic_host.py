"""What only shows in the real host: width, progress, errors as words, no network in previews."""

import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mg_provider.clock import ManualClock
from mg_provider.resources.dynamic import internals
from mg_provider.resources.dynamic.host import PROGRESS_SECONDS, _Progress
from tests.api.server import Reply, Server, google_error
from tests.support.lives.broken import TOKEN, BrokenProvider
from tests.support.lives.engine import engine_log
from tests.support.lives.host import NO_ENGINE, OWN_INTERPRETER, Host, HostError, Kind
from tests.support.samples.samples import ALL, CUSTOM_WEIGHTS_MODEL, DEDICATED_ENDPOINT, HUGGING_FACE, label

NAMES = ("vertexAi", "compute", "storage", "bigQuery")
GONE = google_error(404, "NOT_FOUND", "The Endpoint does not exist.")


def config(url, **more):
    place = {"mg:project": "my-project", "mg:region": "us-central1"}
    return {**place, **{f"mg:{name}CustomEndpoint": url for name in NAMES}, **more}


@pytest.fixture
def hosts():
    """Starts hosts and ends them."""
    started = []

    def start(url, engine=NO_ENGINE, launcher=None, **more):
        started.append(Host(config(url, **more), engine, launcher))
        return started[-1]

    yield start
    for host in started:
        host.close()


class Crowd:
    """Answers once ``size`` requests are waiting; remembers how many ever waited at once."""

    def __init__(self, size):
        self.waiting = self.most = 0
        self._lock = threading.Lock()
        self._barrier = threading.Barrier(size, self._release, timeout=30)

    def _release(self):
        self.most = max(self.most, self.waiting)
        self.waiting = 0

    def __call__(self, request):
        with self._lock:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
        self._barrier.wait()
        return GONE


def checked(host, count):
    """The inputs of this many endpoints."""
    kind = Kind(host, DEDICATED_ENDPOINT.provider)
    return [kind.check(DEDICATED_ENDPOINT.arguments(resource=f"endpoint-{number}"))[0] for number in range(count)]


def read_at_once(host, count, inputs=None):
    """This many reads at the same time; answers their ids."""
    kind = Kind(host, DEDICATED_ENDPOINT.provider)
    with ThreadPoolExecutor(count) as pool:
        reads = pool.map(lambda props: kind.read(props["endpoint"], props), inputs or checked(host, count))
        return [id for id, _, _ in reads]


def test_the_host_serves_many_more_calls_at_once_than_pulumi_s_four(hosts):
    crowd = Crowd(24)
    with Server(crowd) as server:
        assert read_at_once(hosts(server.url), 24) == [""] * 24
    assert crowd.most == 24


def test_how_many_calls_are_served_at_once_is_told_once_to_those_who_ask_for_details(hosts):
    with engine_log() as log:
        host = hosts("http://127.0.0.1:1", log.address)
        for kind in ALL:
            Kind(host, kind.provider).check(kind.arguments())
        told = log.entries.get(timeout=30)
        host.close()
    assert told == ("DEBUG", "mg: this provider process serves up to 128 calls at once")
    assert log.entries.empty()
    assert not host.said


def test_a_burst_of_calls_before_the_host_is_widened_does_not_take_the_width_away(hosts):
    crowd = Crowd(24)
    with Server(crowd) as server:
        host = hosts(server.url)
        kind = Kind(host, DEDICATED_ENDPOINT.provider)
        with ThreadPoolExecutor(64) as pool:
            arguments = [DEDICATED_ENDPOINT.arguments(resource=f"endpoint-{number}") for number in range(64)]
            assert len(list(pool.map(kind.check, arguments))) == 64
        assert read_at_once(host, 24) == [""] * 24
    assert crowd.most == 24


def test_calls_that_wait_while_the_first_one_loads_the_provider_are_then_served_at_once(hosts):
    crowd = Crowd(24)
    with Server(crowd) as server:
        inputs = checked(hosts(server.url), 24)
        assert read_at_once(hosts(server.url, launcher=OWN_INTERPRETER), 24, inputs) == [""] * 24
    assert crowd.most == 24


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="this system does not tell a process's threads")
def test_calls_one_after_another_are_served_by_the_threads_that_are_there(hosts):
    host = hosts("http://127.0.0.1:1")
    threads = Path(f"/proc/{host.process.pid}/task")
    checked(host, 4)
    before = len(list(threads.iterdir()))
    checked(host, 40)
    assert len(list(threads.iterdir())) <= before + 4


def test_the_width_is_a_setting_and_zero_leaves_pulumi_s_own(hosts):
    four, six = Crowd(4), Crowd(6)
    with Server(four) as first, Server(six) as second, engine_log() as log:
        stock = hosts(first.url, log.address, **{"mg:hostThreads": "0"})
        wider = hosts(second.url, log.address, **{"mg:hostThreads": 6})
        assert read_at_once(stock, 8) == [""] * 8
        assert read_at_once(wider, 12) == [""] * 12
        assert log.entries.get(timeout=30)[1] == "mg: this provider process serves up to 6 calls at once"
    assert (four.most, six.most) == (4, 6)
    assert log.entries.empty()


@pytest.mark.parametrize("value", ["many", "-1", "nan"])
def test_a_width_that_is_none_is_a_mistake_in_the_configuration(hosts, value):
    host = hosts("http://127.0.0.1:1", **{"mg:hostThreads": value})
    with pytest.raises(HostError) as failure:
        Kind(host, DEDICATED_ENDPOINT.provider).check(DEDICATED_ENDPOINT.arguments())
    assert failure.value.text.startswith(f"mg:hostThreads: '{value}' is not a number of calls\ndo: write how many")


def test_checks_and_diffs_ask_nobody(hosts):
    with Server(Reply(500)) as server:
        host = hosts(server.url)
        for kind in ALL:
            served = Kind(host, kind.provider)
            inputs, failures = served.check(kind.arguments())
            assert failures == {}
            changed = kind.arguments(labels={"team": "ads"})
            news, failures = served.check(changed, inputs)
            assert failures == {}
            served.diff("id", inputs, news)
        assert server.received == []


@pytest.mark.parametrize("kind", ALL, ids=label)
def test_checks_and_diffs_work_where_nothing_can_be_reached(hosts, kind):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        host = hosts(f"http://127.0.0.1:{closed.getsockname()[1]}")
        served = Kind(host, kind.provider)
        inputs, failures = served.check(kind.arguments())
        assert failures == {}
        assert not served.diff("id", inputs, served.check(kind.arguments(), inputs)[0]).replaces


def test_progress_is_told_at_once_when_it_changes_and_now_and_then_while_it_lasts(capsys):
    clock = ManualClock()
    progress = _Progress("BatchJob night", clock)
    told = []
    for seconds, phase in (
        (0, "starting"),
        (1, "running"),
        (PROGRESS_SECONDS - 1, "running"),
        (1, "running"),
        (65, "end"),
    ):
        clock.sleep(seconds)
        progress(phase)
        told.append(capsys.readouterr().err)
    assert told == [
        "mg BatchJob night: starting\n",
        "mg BatchJob night: running (0m01s)\n",
        "",
        "mg BatchJob night: running (0m31s)\n",
        "mg BatchJob night: end (1m36s)\n",
    ]


def test_progress_of_a_create_names_the_resource(emulator, hosts):
    host = hosts(emulator.url)
    kind = Kind(host, DEDICATED_ENDPOINT.provider)
    inputs, _ = kind.check(DEDICATED_ENDPOINT.arguments(resource="search"))
    id, outputs = kind.create(inputs)
    kind.delete(id, outputs)
    host.close()
    lines = [line for line in host.said if line.startswith("mg DedicatedEndpoint search: ")]
    assert any("making the endpoint" in line for line in lines)
    assert any("deleting the endpoint" in line for line in lines)
    assert len(lines) == len(host.said)


def test_a_mistake_of_ours_names_itself_in_words_before_its_traceback_and_tells_no_secret(hosts):
    kind = Kind(hosts("http://127.0.0.1:1"), BrokenProvider)
    inputs, _ = kind.check({"owner": "o", "resource": "thing"})
    calls = (
        ("create", lambda: kind.create(inputs)),
        ("read", lambda: kind.read("id", inputs)),
        ("update", lambda: kind.update("id", inputs, inputs)),
        ("delete", lambda: kind.delete("id", inputs)),
    )
    for method, call in calls:
        with pytest.raises(HostError) as failure:
            call()
        first, second, *rest = failure.value.text.splitlines()
        assert first.startswith(f"Broken.{method} failed: ")
        assert second.startswith("do: please report this")
        assert rest[0].startswith("Traceback")
        assert TOKEN not in failure.value.text
        assert failure.value.kept is None


@pytest.fixture
def refused(hosts, monkeypatch):
    """A host with a login, and a Google that refuses everything and repeats what it was told."""
    secrets = ("ya29." + "t" * 20, "hf_" + "t" * 20)
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", secrets[0])
    told = f"Bearer {secrets[0]} may not, and {secrets[1]} neither"
    with Server(google_error(403, "PERMISSION_DENIED", told)) as server:
        yield hosts(server.url), secrets


def test_a_refusal_is_told_in_words_without_traceback_and_without_a_secret(refused):
    host, secrets = refused
    kind, samples = Kind(host, CUSTOM_WEIGHTS_MODEL.provider), CUSTOM_WEIGHTS_MODEL
    given = samples.arguments(resource="llama", hugging_face_access_token=secrets[1], **HUGGING_FACE)
    inputs, failures = kind.check({key: value for key, value in given.items() if value != HUGGING_FACE["gcs_uri"]})
    assert failures == {}
    for call in (
        lambda: kind.create(inputs),
        lambda: kind.read("id", inputs),
        lambda: kind.update("id", inputs, inputs),
        lambda: kind.delete("id", inputs),
    ):
        with pytest.raises(HostError) as failure:
            call()
        text = failure.value.text
        assert re.match(r"llama: http://127\.0\.0\.1:\d+ answered 403 PERMISSION_DENIED", text)
        assert "Traceback" not in text
        assert "[redacted]" in text
        assert not any(secret in text for secret in secrets)
    host.close()
    assert not any(secret in line for secret in secrets for line in host.said)


@pytest.mark.parametrize(
    ("key", "value"), [("mg:vertexAiCustomEndpoint", "nonsense"), ("mg:userProjectOverride", "perhaps")]
)
def test_a_mistake_in_the_configuration_names_its_key(hosts, key, value):
    host = hosts("http://127.0.0.1:1", **{key: value})
    with pytest.raises(HostError) as failure:
        Kind(host, DEDICATED_ENDPOINT.provider).check(DEDICATED_ENDPOINT.arguments())
    assert f"{key}: " in failure.value.text.splitlines()[0]
    assert "do: write" in failure.value.text
    assert "Traceback" not in failure.value.text


def test_outside_a_host_its_private_parts_are_simply_not_there():
    assert internals.current_call() is None
    assert internals.widen(128) is None
    assert not internals.is_stopping()


def test_a_host_that_looks_different_is_left_as_it_is():
    class Context:
        """Has no trailing metadata."""

        def abort(self, code, details):
            raise AssertionError

    def method(request, context):
        return internals.current_call(), request, context

    assert method(object(), Context())[0] is None

    def main():
        server = object()
        return internals.widen(8), server

    assert main()[0] is None
