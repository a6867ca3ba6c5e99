"""What leaves this machine byte by byte, which way it goes, and how what comes back is read."""

from __future__ import annotations

import gzip
import math
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mg_provider.api.errors import ConnectionFailed
from mg_provider.api.http import transport as module
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.transport import Call, Transport
from mg_provider.clock import ManualClock
from tests.api.server import Reply, Server
from tests.support.google.canary import BYPASSES, PROXIES, Canary

GOOGLES = "https://us-central1-aiplatform.googleapis.com/v1/x"
STREAM = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"8\r\ndata: 1\n\r\n"  # a whole line in a piece of its own
    b"8\r\n\r\ndata: \r\n"  # a line that is not whole yet
    b"8\r\n2\rend: 3\r\n"
    b"0\r\n\r\n"
)


@pytest.fixture
def transport() -> Iterator[Transport]:
    transport = Transport(Settings(access_token="ya29.given"), ManualClock())
    yield transport
    transport.close()


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Canary]:
    for name in (*PROXIES, *(name.lower() for name in PROXIES), *BYPASSES, "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with Canary() as canary:
        yield canary


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_calls_to_google_go_through_the_proxy_of_the_environment(
    transport: Transport, proxy: Canary, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, proxy.url)
    with pytest.raises(ConnectionFailed, match="502"):
        transport.json(Call("GET", GOOGLES, retry_budget=0))

    assert [call.rpartition(" ")[0] for call in proxy.calls] == ["CONNECT us-central1-aiplatform.googleapis.com:443"]


def test_a_proxy_without_a_scheme_speaks_http(
    transport: Transport, proxy: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url.removeprefix("http://"))
    with pytest.raises(ConnectionFailed, match="502"):
        transport.json(Call("GET", GOOGLES, retry_budget=0))

    assert len(proxy.calls) == 1


def test_a_login_of_the_proxy_goes_to_the_proxy(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    def note(connection: socket.socket) -> None:
        seen.append(connection.recv(4096))
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with _Once(note) as url:
        monkeypatch.setenv("HTTPS_PROXY", url.replace("http://", "http://me:secret@"))
        monkeypatch.setenv("NO_PROXY", "")
        with pytest.raises(ConnectionFailed) as caught:
            transport.json(Call("GET", GOOGLES, retry_budget=0))

    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0" in seen[0]
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("bypass", ["127.0.0.1", "localhost,127.0.0.0/8"])
def test_no_proxy_is_kept(transport: Transport, proxy: Canary, monkeypatch: pytest.MonkeyPatch, bypass: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", bypass)
    with pytest.raises(ConnectionFailed, match="refused"):
        transport.json(Call("GET", f"https://127.0.0.1:{_closed_port()}/x", retry_budget=0))

    assert proxy.calls == []


def test_calls_without_a_token_go_straight_whatever_the_environment_says(
    transport: Transport, proxy: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, proxy.url)
    with Server(Reply(200, {"fine": True})) as server:
        assert transport.json(Call("GET", f"{server.url}/x")) == {"fine": True}

    assert proxy.calls == []


def test_cookies_are_not_kept(transport: Transport) -> None:
    with Server(Reply(headers={"Set-Cookie": "a=b; Path=/"})) as server:
        transport.json(Call("GET", f"{server.url}/x"))
        transport.json(Call("GET", f"{server.url}/x"))

    assert [request.headers.get("Cookie") for request in server.received] == [None, None]


@pytest.mark.parametrize("content", [b"", b"1" * 100_000])
def test_a_file_is_sent_as_it_is_with_its_length_and_again_from_its_beginning(
    transport: Transport, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with Server(Reply(503), Reply()) as server:
        call = Call("POST", f"{server.url}/x", file=file, headers={"Content-Type": "text/x"}, repeatable=True)
        transport.json(call)

    assert [request.body for request in server.received] == [content] * 2
    assert {request.headers["Content-Type"] for request in server.received} == {"text/x"}


def test_bytes_are_sent_as_they_are_and_json_says_that_it_is_json(transport: Transport) -> None:
    with Server(Reply()) as server:
        transport.json(Call("PUT", f"{server.url}/x", content=b"\x00\xff", headers={"Content-Type": "a/b"}))
        transport.json(Call("POST", f"{server.url}/x", body={"a": "ü"}))
        transport.json(Call("POST", f"{server.url}/x"))
        transport.json(Call("POST", f"{server.url}/x", body={}))

    octets, json, nothing, empty = server.received
    assert (octets.body, octets.headers["Content-Type"]) == (b"\x00\xff", "a/b")
    assert (json.json, json.headers["Content-Type"]) == ({"a": "ü"}, "application/json")
    assert (nothing.body, nothing.headers["Content-Length"]) == (b"", "0")
    assert (empty.body, empty.headers["Content-Type"]) == (b"{}", "application/json")


def test_a_query_is_encoded_and_a_path_stays_as_it_is_written(transport: Transport) -> None:
    with Server(Reply()) as server:
        transport.json(Call("GET", f"{server.url}/a%2Fb/c:d@1", query={"q": 'a="ü&b"', "n": 1, "no": None}))

    assert server.received[0].path == "/a%2Fb/c:d@1?q=a%3D%22%C3%BC%26b%22&n=1"


def test_a_number_that_json_lacks_is_never_sent(transport: Transport) -> None:
    with Server(Reply()) as server, pytest.raises(ConnectionFailed, match="JSON"):
        transport.json(Call("POST", f"{server.url}/x", body={"a": math.nan}, repeatable=True))

    assert server.received == []


def test_a_compressed_answer_is_unpacked(transport: Transport) -> None:
    with Server(Reply(200, gzip.compress(b'{"a": "b"}'), headers={"Content-Encoding": "gzip"})) as server:
        assert transport.json(Call("GET", f"{server.url}/x")) == {"a": "b"}

    assert server.received[0].headers["Accept-Encoding"] == "gzip"


def test_headers_of_an_answer_are_found_in_any_spelling(transport: Transport) -> None:
    with Server(Reply(headers={"X-Goog-Generation": "7"})) as server:
        answer = transport.send(Call("GET", f"{server.url}/x"))

    assert answer.headers["x-goog-generation"] == answer.headers.get("X-GOOG-GENERATION") == "7"


def test_lines_end_where_a_line_ends_whatever_pieces_they_come_in(transport: Transport) -> None:
    def stream(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(STREAM)

    with _Once(stream) as url:
        lines = list(transport.lines(Call("GET", f"{url}/x")))

    assert [line for line in lines if line] == ["data: 1", "data: 2", "end: 3"]


def test_a_line_is_there_before_the_next_one_is_sent(transport: Transport) -> None:
    read = threading.Event()

    def stream(connection: socket.socket) -> None:
        connection.recv(4096)
        head, _, rest = STREAM.partition(b"8\r\n\r\n")
        connection.sendall(head)
        assert read.wait(10)
        connection.sendall(b"8\r\n\r\n" + rest)

    with _Once(stream) as url:
        lines = transport.lines(Call("GET", f"{url}/x"))
        assert next(lines) == "data: 1"
        read.set()
        assert list(lines)[-1] == "end: 3"


def test_a_stream_that_breaks_off_may_have_taken_effect(transport: Transport) -> None:
    def break_off(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(STREAM[:-10])

    with _Once(break_off) as url:
        lines = transport.lines(Call("GET", f"{url}/x"))
        assert next(lines) == "data: 1"
        with pytest.raises(ConnectionFailed, match="it may have taken effect"):
            list(lines)


def test_a_stream_that_nobody_reads_to_its_end_is_closed(transport: Transport) -> None:
    ended = threading.Event()

    def stream(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(STREAM[:-10])
        connection.settimeout(10)
        assert connection.recv(1) == b""
        ended.set()

    with _Once(stream) as url:
        lines = transport.lines(Call("GET", f"{url}/x"))
        next(lines)
        lines.close()  # type: ignore[attr-defined]
        assert ended.wait(10)


def test_a_connection_that_was_never_made_in_time_sent_nothing(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECT_TIMEOUT", 0.05)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:  # they fill the queue of those that nobody accepts
            each.setblocking(False)
            each.connect_ex(deaf.getsockname())
        with pytest.raises(ConnectionFailed, match=r"timed out.*it was not sent"):
            transport.json(Call("POST", f"http://127.0.0.1:{deaf.getsockname()[1]}/x", body={}, retry_budget=0))
        for each in waiting:
            each.close()


def test_connections_are_kept(transport: Transport) -> None:
    def twice(connection: socket.socket) -> None:
        for _ in range(2):
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with _Once(twice) as url:
        assert [transport.json(Call("GET", f"{url}/x")) for _ in range(2)] == [{}, {}]


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return int(closed.getsockname()[1])


class _Once:
    """Serves one connection, byte by byte."""

    def __init__(self, serve) -> None:  # type: ignore[no-untyped-def]
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._serve = serve
        self._thread = threading.Thread(target=self._answer)

    def _answer(self) -> None:
        connection, _ = self._listening.accept()
        with connection:
            self._serve(connection)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listening.close()
