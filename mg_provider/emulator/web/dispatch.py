"""From an HTTP request to a handler and back: match, check, fault, handle, check, record."""

from __future__ import annotations

import importlib
import json
import pkgutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from werkzeug.wrappers import Request, Response

from mg_provider.emulator import services
from mg_provider.emulator.callers import refuse_browsers, require_json
from mg_provider.emulator.core import admin, clock, ledger
from mg_provider.emulator.core.faults import Fault
from mg_provider.emulator.core.routing import GATES, HANDLERS, PRIVATELY_SERVED, Answer, Call, about
from mg_provider.emulator.core.world import World
from mg_provider.emulator.google import discovery, validation
from mg_provider.emulator.google.errors import ApiError, invalid_argument, no_page, not_emulated
from mg_provider.emulator.google.unpublished import drop_unpublished
from mg_provider.emulator.payload import read_json
from mg_provider.emulator.web.page import page_response
from mg_provider.emulator.web.repeating import Received, happening

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_LATE = frozenset({"delay", "lose_answer", "broken_body"})
_IN_MEMORY = 8 * 1024 * 1024
_CHUNK = 256 * 1024


def load_services() -> None:
    """Import every module in ``services/``, and the emulator's own routes: they register their handlers."""
    importlib.import_module("mg_provider.emulator.web.admin")
    for module in pkgutil.walk_packages(services.__path__, f"{services.__name__}."):
        importlib.import_module(module.name)


class Application:
    """The WSGI application of one listener.

    Args:
        world: all state.
        address: the private address that it answers for, or None for the main one.
        strict: whether an answer that the discovery document does not know becomes a 500.
    """

    def __init__(self, world: World, address: str | None, strict: bool) -> None:
        self._world = world
        self._address = address
        self._strict = strict

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        """Answer one request."""
        request = Request(environ)
        media = _read(request)
        path = urlsplit(environ.get("RAW_URI") or request.full_path).path
        try:
            refuse_browsers(request)
        except ApiError as error:
            response = _json_response(error.status, error.body(legacy=False))
            response.call_on_close(media.close)
            return response(environ, start_response)
        if path == "/" and request.method == "GET" and self._address is None:
            response = page_response()
        elif path.startswith("/_mg/") and self._address is None:
            response = self._administer(request, path, media)
        else:
            response = _Exchange(self._world, self._address, self._strict, request, path, media).respond()
        response.call_on_close(media.close)
        return response(environ, start_response)

    def repeat(self, environ: WSGIEnvironment) -> int:
        """Have a call happen once more, whose answer nobody reads; its status."""
        request = Request(environ)
        path = urlsplit(environ["RAW_URI"]).path
        with _read(request) as media:
            if path.startswith("/_mg/") and self._address is None:
                return self._administer(request, path, media).status_code
            exchange = _Exchange(self._world, self._address, False, request, path, media)
            exchange.happen()
            return int(exchange.record["status"])

    def _administer(self, request: Request, path: str, media: IO[bytes]) -> Response:
        with happening(self._world, Received.of(request, self._address, media)) as ended:
            try:
                require_json(request)
                body = _json(media)
                if not isinstance(body, dict):
                    raise invalid_argument("The body is not a JSON object.")
                self._world.settle()
                response = _json_response(200, admin.answer(self._world, request.method, path, body))
            except ApiError as error:
                response = _json_response(error.status, error.body(legacy=False))
            ended(response.status_code)
        return response


class _Exchange:
    """One request to an emulated API and its answer."""

    def __init__(
        self, world: World, address: str | None, strict: bool, request: Request, path: str, media: IO[bytes]
    ) -> None:
        self.world, self.address, self.strict = world, address, strict
        self.request, self.path, self.media = request, path, media
        self.faults: list[Fault] = []
        self.record: dict[str, Any] = {"rpc": None, "method": request.method, "path": path, "body": None}
        self.query = parse_qs(request.query_string.decode(), keep_blank_values=True)
        self.record["query"] = {name: values[-1] for name, values in self.query.items()}
        self.record["host"] = request.host.partition(":")[0]
        self.record["user_agent"] = request.headers.get("User-Agent", "")

    def respond(self) -> Response:
        """Have it happen, and answer."""
        answer = self.happen()
        return _Dropped(b"", self.request) if answer is None else self._deliver(answer)

    def happen(self) -> Answer | None:
        """What the call is answered with; None for a connection that ends without an answer."""
        match = discovery.find(self.request.method, self.path)
        legacy = (
            match.method.legacy if match else "/v1/b" in self.path or self.path.startswith(("/compute", "/bigquery"))
        )
        self.record["rpc"] = match.method.rpc if match else None
        for watcher in list(self.world.watchers):
            watcher(self.record)
        with happening(self.world, Received.of(self.request, self.address, self.media)) as ended:
            self.record["time"] = self.world.timestamp()
            self.world.requests.append(self.record)
            self.world.settle()
            try:
                answer = self._answer(match)
            except ApiError as error:
                answer = _refusal(error, legacy)
            except ConnectionAbortedError:
                self.record["status"] = 0
                ended(0)
                return None
            for fault in self.faults:
                fault.met += fault.fault in _LATE
            self.record["status"] = answer.status
            self.record["response"] = answer.body if answer.content is None and answer.stream is None else None
            ended(answer.status)
        return answer

    def _answer(self, match: discovery.Match | None) -> Answer:
        if match is None or (self.address is not None and match.method.rpc not in PRIVATELY_SERVED):
            raise no_page(self.path)
        self.record["rpc"] = match.method.rpc
        body = self._parsed_body(match)
        self.record["body"] = body
        if self.request.method != "GET" and "/projects/" in self.path:
            self.record["target"] = ledger.target(self.world, self.path)
        self.faults = self.world.faults.active(match.method.rpc, self.path + json.dumps(body))
        self._fail_early(match)
        handler = HANDLERS.get(match.method.rpc)
        if handler is None:
            raise not_emulated(match.method.rpc)
        call = self._call(match, body)
        for prefix, gate in GATES:
            if call.rpc.startswith(prefix):
                gate(call)
        answer = handler(call)
        return self._checked(match.method, answer)

    def _parsed_body(self, match: discovery.Match) -> Any:
        if match.upload or not match.method.request:
            return _json(self.media) if self.request.mimetype == "application/json" and not match.upload else None
        if match.method.free_request:
            try:
                return _json(self.media)
            except ApiError:
                return None
        return _json(self.media)

    def _call(self, match: discovery.Match, body: Any) -> Call:
        method = match.method
        standard = discovery.document(method.document).standard_parameters
        self.media.seek(0)
        content = {} if match.upload else validation.request_body(method, body or {})
        if self.world.behaviours["fields_of_no_client"] == "dropped":
            content = drop_unpublished(method.rpc, content)
        return Call(
            world=self.world,
            method=method,
            path=match.path,
            query=validation.request_query(method, self.query),
            body=content,
            headers=dict(self.request.headers),
            host=self.record["host"],
            address=self.address,
            media=self.media,
            upload=match.upload,
            standard={name: values[-1] for name, values in self.query.items() if name.removeprefix("$") in standard},
            base_url=f"{self.request.scheme}://{self.request.host}",
            faults=self.faults,
        )

    def _checked(self, method: discovery.Method, answer: Answer) -> Answer:
        if answer.content is not None or answer.stream is not None or answer.status >= 300:
            return answer
        try:
            validation.check_response(method, answer.body)
        except validation.ResponseInvalid as error:
            self.record["emulator_error"] = str(error)
            if self.strict:
                raise ApiError("INTERNAL", f"The emulator's own answer is wrong: {error}") from error
        return answer

    def _fail_early(self, match: discovery.Match) -> None:
        for fault in self.faults:
            if fault.fault == "drop_request":
                fault.met += 1
                raise ConnectionAbortedError
            if fault.refuses:
                fault.met += 1
                raise fault.refusal(self.path, about(self.world, match.path, match.method.rpc, self.path))

    def _deliver(self, answer: Answer) -> Response:
        kinds = {fault.fault: fault for fault in self.faults}
        if "delay" in kinds:
            clock.pause(kinds["delay"].seconds)
        if "lose_answer" in kinds:
            return _Dropped(b"", self.request)
        if "broken_body" in kinds:
            return _Dropped(b"".join(answer.stream) if answer.stream else answer.payload(), self.request)
        content = answer.stream if answer.stream is not None else answer.payload()
        response = Response(content, status=answer.status, headers=answer.headers)
        response.content_type = answer.headers.get("Content-Type", answer.content_type)
        return response


class _Dropped(Response):
    """Half of ``content`` and then a closed connection; without content not even a status line."""

    def __init__(self, content: bytes, request: Request) -> None:
        super().__init__(status=200, content_type="application/json; charset=UTF-8")
        self.response = self._break_off(content, request.environ["werkzeug.socket"])
        if content:
            self.headers["Content-Length"] = str(len(content))

    @staticmethod
    def _break_off(content: bytes, connection: socket.socket) -> Iterator[bytes]:
        if content:
            yield content[: len(content) // 2]
        connection.shutdown(socket.SHUT_RDWR)


def _read(request: Request) -> IO[bytes]:
    """The whole body, in memory or, when large, in a temporary file."""
    with ExitStack() as if_cut_off:
        media = if_cut_off.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY))
        while chunk := request.stream.read(_CHUNK):
            media.write(chunk)
        if_cut_off.pop_all()
    media.seek(0)
    return media


def _json(media: IO[bytes]) -> Any:
    media.seek(0)
    content = media.read()
    if not content.strip():
        return {}
    try:
        return read_json(content)
    except ValueError as error:
        raise invalid_argument(f"Invalid JSON payload received. {error}") from error


def _refusal(error: ApiError, legacy: bool) -> Answer:
    if error.raw is None:
        return Answer(error.body(legacy), status=error.status, headers=error.headers)
    return Answer(content=error.raw.encode(), status=error.status, headers=error.headers)


def _json_response(status: int, body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json; charset=UTF-8")
