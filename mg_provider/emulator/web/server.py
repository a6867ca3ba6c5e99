"""HTTP on loopback: one main listener, and one for each private address."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from mg_provider.emulator.web.dispatch import Application

_POLL_SECONDS = 0.02


class _Handler(WSGIRequestHandler):
    """Serves requests one after the other on a kept connection.

    werkzeug's own loop closes every connection, for fear of unread bodies. Here the application reads every body.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        answered: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
            answered[:] = [status, headers]
            return self.wfile.write

        content = self.server.app(environ, start_response)
        try:
            self._send(answered[0], answered[1], iter(content))
        finally:
            content.close()  # type: ignore[attr-defined]

    def _send(self, status: str, headers: list[tuple[str, str]], content: Iterator[bytes]) -> None:
        """Send status line and headers together with the first piece, so that a broken answer shows nothing at all."""
        first = next(content, b"")
        number, _, phrase = status.partition(" ")
        bodiless = self.command == "HEAD" or number in {"204", "304", "308"}
        sized = any(name.lower() == "content-length" for name, _ in headers)
        self.send_response(int(number), phrase)
        for name, value in headers:
            self.send_header(name, value)
        chunked = not sized and not bodiless
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif not sized:
            self.send_header("Content-Length", "0")
        self.flush_headers_with(b"" if bodiless else _piece(first, chunked))
        if not bodiless:
            for piece in content:
                self.wfile.write(_piece(piece, chunked))
            if chunked:
                self.wfile.write(b"0\r\n\r\n")

    def flush_headers_with(self, piece: bytes) -> None:
        """Write the gathered headers and the first piece at once."""
        self._headers_buffer.append(b"\r\n" + piece)
        self.flush_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing; ``/_mg/requests`` has it all."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing of broken requests either."""


def _piece(data: bytes, chunked: bool) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data) if chunked and data else data


class _Server(ThreadedWSGIServer):
    """A threaded server that knows its open connections, so that stopping leaves none behind."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, host: str, port: int, application: Application) -> None:
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        listening = socket.create_server((host, port), backlog=256, reuse_port=False)
        port = listening.getsockname()[1]
        super().__init__(host, port, application, handler=_Handler, fd=listening.fileno())
        listening.close()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        with self._guard:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # the client was quicker
                    continue


class HttpListener:
    """One listening socket and the thread that serves it.

    Raises:
        OSError: the address or port cannot be bound.
    """

    def __init__(self, host: str, port: int, application: Application) -> None:
        self._server = _Server(host, port, application)
        self.port = int(self._server.server_address[1])
        self.url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and close every connection."""
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()


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
