"""From an HTTP request to a handler and back: match, check, fault, handle, check, record."""

from __future__ import annotations

import importlib
import json
import pkgutil
from typing import IO, Any
from urllib.parse import parse_qs

from mg_provider.emulator import services
from mg_provider.emulator.core import admin, clock, ledger
from mg_provider.emulator.core.faults import Fault
from mg_provider.emulator.core.routing import GATES, HANDLERS, PRIVATELY_SERVED, Answer, Call, about
from mg_provider.emulator.core.world import World
from mg_provider.emulator.google import discovery, validation
from mg_provider.emulator.google.errors import ApiError, invalid_argument, no_page, not_emulated
from mg_provider.emulator.google.unpublished import drop_unpublished
from mg_provider.emulator.payload import read_json
from mg_provider.emulator.web.callers import refuse_browsers, require_json
from mg_provider.emulator.web.page import page
from mg_provider.emulator.web.repeating import happening
from mg_provider.emulator.web.request import Request

_LATE = frozenset({"delay", "lose_answer", "broken_body"})


def load_services() -> None:
    """Import every module in ``services/``, and the emulator's own routes: they register their handlers."""
    importlib.import_module("mg_provider.emulator.web.admin")
    for module in pkgutil.walk_packages(services.__path__, f"{services.__name__}."):
        importlib.import_module(module.name)


class Application:
    """What answers the requests of one listener.

    Args:
        world: all state.
        address: the private address that it answers for, or None for the main one.
        strict: whether an answer that the discovery document does not know becomes a 500.
    """

    def __init__(self, world: World, address: str | None, strict: bool) -> None:
        self._world = world
        self.address = address
        self._strict = strict

    def answer(self, request: Request) -> Answer | None:
        """The answer to a request; None for a connection that ends without one."""
        try:
            refuse_browsers(request)
        except ApiError as error:
            return Answer(error.body(legacy=False), status=error.status)
        if request.path == "/" and request.method == "GET" and request.address is None:
            return page()
        if self._is_own(request):
            return self._administer(request)
        return _Exchange(self._world, self._strict, request).respond()

    def repeat(self, request: Request) -> int:
        """Have a call happen once more, whose answer nobody reads; its status."""
        if self._is_own(request):
            return self._administer(request).status
        exchange = _Exchange(self._world, False, request)
        exchange.happen()
        return int(exchange.record["status"])

    def _is_own(self, request: Request) -> bool:
        return request.path.startswith("/_mg/") and request.address is None

    def _administer(self, request: Request) -> Answer:
        with happening(self._world, request) as ended:
            try:
                require_json(request)
                body = _json(request.media)
                if not isinstance(body, dict):
                    raise invalid_argument("The body is not a JSON object.")
                self._world.settle()
                answer = Answer(admin.answer(self._world, request.method, request.path, body))
            except ApiError as error:
                answer = Answer(error.body(legacy=False), status=error.status)
            ended(answer.status)
        return answer


class _Exchange:
    """One request to an emulated API and its answer."""

    def __init__(self, world: World, strict: bool, request: Request) -> None:
        self.world, self.strict = world, strict
        self.request, self.path, self.media = request, request.path, request.media
        self.faults: list[Fault] = []
        self.record: dict[str, Any] = {"rpc": None, "method": request.method, "path": request.path, "body": None}
        self.query = parse_qs(request.query, keep_blank_values=True)
        self.record["query"] = {name: values[-1] for name, values in self.query.items()}
        self.record["host"] = request.host.partition(":")[0]
        self.record["user_agent"] = request.headers.get("User-Agent", "")

    def respond(self) -> Answer | None:
        """Have it happen, and answer; None for a connection that ends without an answer."""
        answer = self.happen()
        return answer and self._delivered(answer)

    def happen(self) -> Answer | None:
        """What the call is answered with; None for a connection that ends without an answer."""
        match = discovery.find(self.request.method, self.path)
        legacy = (
            match.method.legacy if match else "/v1/b" in self.path or self.path.startswith(("/compute", "/bigquery"))
        )
        self.record["rpc"] = match.method.rpc if match else None
        for watcher in list(self.world.watchers):
            watcher(self.record)
        with happening(self.world, self.request) as ended:
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
        if match is None or (self.request.address is not None and match.method.rpc not in PRIVATELY_SERVED):
            raise no_page(self.path)
        self.record["rpc"] = match.method.rpc
        body = self._parsed_body(match)
        self.record["body"] = body
        if self.request.method != "GET" and "/projects/" in self.path:
            self.record["target"] = ledger.target(self.world, self.path)
        if self.world.faults.any:
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
            return _json(self.media) if self.request.media_type == "application/json" and not match.upload else None
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
            headers=self.request.headers,
            host=self.record["host"],
            address=self.request.address,
            media=self.media,
            upload=match.upload,
            standard={name: values[-1] for name, values in self.query.items() if name.removeprefix("$") in standard},
            base_url=f"http://{self.request.host}",
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

    def _delivered(self, answer: Answer) -> Answer | None:
        kinds = {fault.fault: fault for fault in self.faults}
        if "delay" in kinds:
            clock.pause(kinds["delay"].seconds)
        if "lose_answer" in kinds:
            return None
        if "broken_body" in kinds:
            return _half(answer)
        return answer


def _half(answer: Answer) -> Answer:
    """The first half of an answer, after which the connection ends."""
    content = b"".join(answer.stream) if answer.stream else answer.payload()
    return Answer(
        content=content[: len(content) // 2], headers={"Content-Length": str(len(content)), "Connection": "close"}
    )


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
