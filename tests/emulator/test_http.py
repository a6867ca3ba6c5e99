"""The emulator's HTTP, byte by byte: what clients may send, and what ends a connection."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from mg_provider.emulator import Emulator
from tests.emulator.client import LOCATION

LIST = f"/v1/{LOCATION}/endpoints"
UPLOAD = "/upload/storage/v1/b/files/o?uploadType=media&name=x"
OBJECT = "/storage/v1/b/files/o/x?alt=media"


class Wire:
    """One connection."""

    def __init__(self, emulator: Emulator) -> None:
        host, _, port = emulator.url.removeprefix("http://").partition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=10)
        self.stream = self._socket.makefile("rb")

    def send(self, *lines: str, body: bytes = b"") -> None:
        self._socket.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode() + body)

    def more(self, content: bytes) -> None:
        self._socket.sendall(content)

    def end(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def head(self) -> tuple[int, dict[str, str]]:
        status = int(self.stream.readline().split()[1])
        headers = {}
        while line := self.stream.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        return status, headers

    def answer(self) -> tuple[int, bytes]:
        status, headers = self.head()
        return status, self.stream.read(int(headers["content-length"]))

    def ended(self) -> bool:
        return self.stream.read() == b""

    def close(self) -> None:
        self.stream.close()
        self._socket.close()


@pytest.fixture
def wire(client, emulator: Emulator) -> Iterator[Wire]:
    client.session.post(f"{emulator.url}/storage/v1/b", params={"project": "my-project"}, json={"name": "files"})
    wire = Wire(emulator)
    yield wire
    wire.close()


@pytest.mark.parametrize("large", [False, True])
def test_a_body_may_come_in_chunks(wire: Wire, large: bool) -> None:
    pieces = [b"a" * 5, b"b" * (9_000_000 if large else 300_000), b"c"]
    wire.send(f"POST {UPLOAD} HTTP/1.1", "Transfer-Encoding: chunked")
    for piece in pieces:
        wire.more(b"%x;note=1\r\n%s\r\n" % (len(piece), piece))
    wire.more(b"0\r\nTrailer: x\r\n\r\n")
    status, answer = wire.answer()
    assert (status, json.loads(answer)["size"]) == (200, str(sum(map(len, pieces))))
    wire.send(f"GET {OBJECT} HTTP/1.1")
    assert wire.answer() == (200, b"".join(pieces))


def test_a_body_larger_than_what_is_kept_in_memory_arrives_whole(wire: Wire) -> None:
    content = bytes(range(256)) * 40_000
    wire.send(f"POST {UPLOAD} HTTP/1.1", f"Content-Length: {len(content)}", body=content)
    assert wire.answer()[0] == 200
    wire.send(f"GET {OBJECT} HTTP/1.1")
    assert wire.answer() == (200, content)


def test_a_client_that_asks_first_is_answered_before_its_body_comes(wire: Wire) -> None:
    wire.send(f"POST {UPLOAD} HTTP/1.1", "Expect: 100-continue", "Content-Length: 3")
    assert wire.head() == (100, {})
    wire.more(b"abc")
    assert wire.answer()[0] == 200


@pytest.mark.parametrize(
    ("version", "header", "kept"),
    [
        ("1.1", "X: y", True),
        ("1.1", "Connection: close", False),
        ("1.0", "X: y", False),
        ("1.0", "connection: Keep-Alive", True),
    ],
)
def test_a_connection_is_kept_where_the_client_wants_it(wire: Wire, version: str, header: str, kept: bool) -> None:
    wire.send(f"GET {LIST} HTTP/{version}", header)
    assert wire.answer() == (200, b"{}")
    if kept:
        wire.send(f"GET {LIST} HTTP/{version}", header)
        assert wire.answer() == (200, b"{}")
    else:
        assert wire.ended()


def test_requests_may_be_sent_ahead(wire: Wire) -> None:
    wire.more(f"GET {LIST} HTTP/1.1\r\n\r\n".encode() * 3)
    assert [wire.answer() for _ in range(3)] == [(200, b"{}")] * 3


def test_of_a_head_only_the_head_is_sent(wire: Wire) -> None:
    wire.send("HEAD / HTTP/1.1")
    assert wire.head()[0] == 404
    wire.send(f"GET {LIST} HTTP/1.1")
    assert wire.answer() == (200, b"{}")


@pytest.mark.parametrize(
    "lines",
    [
        ("nonsense",),
        (f"GET {LIST}",),
        (f"GET {LIST} HTTP/1.1", "no header"),
        (f"GET {LIST} HTTP/1.1", " continued: x"),
        (f"GET {LIST} HTTP/1.1", f"Long: {'x' * 70_000}"),
        (f"GET {LIST} HTTP/1.1", *[f"X-{number}: x" for number in range(101)]),
        (f"POST {LIST} HTTP/1.1", "Content-Length: -1"),
        (f"POST {LIST} HTTP/1.1", "Content-Length: many"),
        ("GET //[ HTTP/1.1",),
    ],
)
def test_what_is_not_http_is_refused_and_ends_the_connection(wire: Wire, emulator: Emulator, lines: tuple) -> None:
    before = len(emulator.requests())
    wire.send(*lines)
    wire.end()
    assert wire.answer() == (400, b"")
    assert wire.ended()
    assert len(emulator.requests()) == before


@pytest.mark.parametrize(
    "begun",
    [
        f"POST {LIST} HTTP/1.1\r\n",
        f"POST {LIST} HTTP/1.1\r\nContent-Le",
        f"POST {LIST} HTTP/1.1\r\nContent-Length: 9\r\n\r\n{{}}",
        f"POST {LIST} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n",
    ],
)
def test_a_request_that_is_cut_off_never_happens(wire: Wire, emulator: Emulator, begun: str) -> None:
    before = len(emulator.requests())
    wire.more(begun.encode())
    wire.end()
    assert wire.answer() == (400, b"")
    assert len(emulator.requests()) == before


def test_the_host_is_the_one_of_the_target_where_it_has_one(wire: Wire) -> None:
    wire.send(f"GET http://evil.example{LIST} HTTP/1.1", "Host: 127.0.0.1")
    assert wire.answer()[0] == 403
    wire.send(f"GET http://127.0.0.1{LIST} HTTP/1.1", "Host: evil.example")
    assert wire.answer() == (200, b"{}")
