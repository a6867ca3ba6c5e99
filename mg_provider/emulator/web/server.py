"""HTTP on loopback: one main listener, and one for each private address."""

from __future__ import annotations

import ipaddress
import selectors
import socket
import threading
from contextlib import suppress
from http import HTTPStatus

from mg_provider.emulator.core.routing import Answer
from mg_provider.emulator.web.dispatch import Application
from mg_provider.emulator.web.request import BadRequest, Request, read_request

_WAITING = 256
_BODILESS = (204, 304, 308)
_PHRASES = {each.value: each.phrase for each in HTTPStatus}


class _Connection:
    """Answers requests one after the other on a kept connection."""

    def __init__(self, client: socket.socket, application: Application) -> None:
        self._client = client
        self._application = application

    def serve(self) -> None:
        """Answer until the client ends, or is to be left without an answer."""
        try:
            with self._client.makefile("rb") as stream:
                while read := read_request(stream, self._application.address, self._go_on):
                    if not self._answer(*read):
                        return
        except BadRequest:
            self._client.sendall(_head(400, {"Content-Length": "0", "Connection": "close"}))

    def _answer(self, request: Request, another: bool) -> bool:
        """Answer one request; whether another may follow."""
        with request.media:
            answer = self._application.answer(request)
            if answer is None:
                return False
            self._send(request, answer)
            return another and answer.headers.get("Connection") != "close"

    def _go_on(self) -> None:
        self._client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _send(self, request: Request, answer: Answer) -> None:
        """Send status line and headers together with the first piece, so that a broken answer shows nothing at all."""
        headers = {"Content-Type": answer.content_type, **answer.headers}
        if answer.stream is not None:
            self._send_stream(answer, headers)
            return
        content = b"" if answer.status in _BODILESS else answer.payload()
        headers.setdefault("Content-Length", str(len(content)))
        self._client.sendall(_head(answer.status, headers) + (b"" if request.method == "HEAD" else content))

    def _send_stream(self, answer: Answer, headers: dict[str, str]) -> None:
        chunked = "Content-Length" not in headers
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
        begun = _head(answer.status, headers)
        for piece in answer.stream or ():
            self._client.sendall(begun + (b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece))
            begun = b""
        self._client.sendall(begun + (b"0\r\n\r\n" if chunked else b""))


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {_PHRASES.get(status, '')}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class HttpListener:
    """One listening socket, the thread that serves it, and a thread for each connection.

    Raises:
        OSError: the address or port cannot be bound.
    """

    def __init__(self, host: str, port: int, application: Application) -> None:
        self._application = application
        self._listening = socket.create_server((host, port), backlog=_WAITING, reuse_port=False)
        self.port = int(self._listening.getsockname()[1])
        self.url = f"http://{host}:{self.port}"
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and close every connection."""
        self._stop.close()
        self._thread.join()
        self._listening.close()
        self._stopped.close()
        with self._guard:
            for connection in self._connections:
                with suppress(OSError):  # the client was quicker
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with selectors.DefaultSelector() as either:
            either.register(self._listening, selectors.EVENT_READ)
            either.register(self._stopped, selectors.EVENT_READ)
            while all(ready.fileobj is self._listening for ready, _ in either.select()):
                with suppress(OSError):  # the client has gone again
                    connection, _ = self._listening.accept()
                    with self._guard:
                        self._connections.add(connection)
                    threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
                _Connection(connection, self._application).serve()
        except OSError:  # the client broke it off
            return
        finally:
            with self._guard:
                self._connections.discard(connection)


def private_listener(address: str, port: int, application: Application) -> HttpListener:
    """A listener on ``address`` at the main port; where it is not a loopback one or cannot be bound, on a free port.

    An address of this machine that others reach is never bound, even if an emulated range has it.
    """
    if not ipaddress.ip_address(address).is_loopback:
        return HttpListener("127.0.0.1", 0, application)
    try:
        return HttpListener(address, port, application)
    except OSError:
        return HttpListener("127.0.0.1", 0, application)
