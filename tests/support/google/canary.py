"""A proxy that nothing should call: it notes what it is asked for, and refuses it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "grpc_proxy")
"""The variables that lead to a proxy; all but the last are known in lower case too."""

BYPASSES = ("NO_PROXY", "no_proxy", "no_grpc_proxy")

ENGINES_OWN = tuple(
    f"CONNECT {host}:443 " for host in ("github.com", "api.github.com", "get.pulumi.com", "api.pulumi.com")
)
"""Where the real engine looks for plugins and releases of its own; the rehearsal asks them for nothing either."""


class Canary:
    """Listens on loopback; ``calls`` has the first line of each request."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> Canary:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Wakes the thread, which closing the socket does not.
        with socket.create_connection(self._listening.getsockname()) as last:
            last.sendall(b"END\r\n\r\n")
        self._thread.join()
        self._listening.close()

    def environment(self) -> dict[str, str]:
        """Variables that lead every call through it, those to this machine too."""
        names = [*PROXIES, *(name.lower() for name in PROXIES)]
        return {**dict.fromkeys(names, self.url), **dict.fromkeys(BYPASSES, "")}

    def _listen(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            with connection:
                connection.settimeout(10)
                asked = self._first_line(connection)
                if asked == "END":
                    return
                # Before it is answered, after which the test looks at the calls.
                self.calls.append(asked)
                with suppress(OSError):
                    connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    @staticmethod
    def _first_line(connection: socket.socket) -> str:
        received = b""
        try:
            while b"\r\n" not in received and (piece := connection.recv(4096)):
                received += piece
        except OSError as error:
            return f"(a connection: {error})"
        return received.partition(b"\r\n")[0].decode("latin-1") or "(a connection that asked for nothing)"


@pytest.fixture(scope="session")
def canary_proxy() -> Iterator[Canary]:
    with Canary() as canary:
        yield canary


def _leads(canary: Canary, monkeypatch: pytest.MonkeyPatch, **bypasses: str) -> None:
    """Every process that a test starts has the proxy in its environment; the test's own calls go straight."""
    for name, value in {**canary.environment(), **bypasses}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.of-a-real-user")
    monkeypatch.setattr("requests.sessions.get_environ_proxies", lambda *_, **__: {})
    monkeypatch.setattr("requests.utils.get_environ_proxies", lambda *_, **__: {})
    monkeypatch.setattr("urllib.request.getproxies", dict)
    canary.calls.clear()


@pytest.fixture(autouse=True)
def nothing_leaves(canary_proxy: Canary, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Canary]:
    """A rehearsal asks the proxy for nothing, not even for what is on this machine."""
    _leads(canary_proxy, monkeypatch)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield canary_proxy
    assert canary_proxy.calls == [], "a rehearsal asked for something that is not on this machine"


@pytest.fixture(autouse=True)
def only_this_machine(canary_proxy: Canary, monkeypatch: pytest.MonkeyPatch) -> Iterator[Canary]:
    """Nothing that a test starts, the real engine among it, asks for what is not on this machine."""
    _leads(canary_proxy, monkeypatch, **dict.fromkeys(BYPASSES, "localhost,127.0.0.1,127.0.0.0/8,::1"))
    yield canary_proxy
    asked = [call for call in canary_proxy.calls if not call.startswith(ENGINES_OWN)]
    assert asked == [], "something was asked for that is not on this machine"
