"""How a service plugs in: handlers named after RPCs.

A service is a module in ``services/``; every module there is loaded. A handler looks like this::

    @handles("aiplatform.projects.locations.endpoints.get")
    def get_endpoint(call: Call) -> Answer:
        return Answer(endpoints(call).get(call.path["endpointsId"]))

The name is the id of a method in Google's discovery documents (``tools/cloud/discovery_schemas.py`` lists those that
the emulator knows). By the time a handler runs, the request was found valid and is canonical, time has been settled,
and the world's lock is held. State that belongs to a service is a class without constructor arguments, reached by
``call.world.part(ThatState)``. What happens later goes on ``call.world.timeline``, and Vertex AI's long-running
operations through ``call.start_operation``. Errors are raised: see ``errors.py``. ``ledger.py`` knows what exists.
An admin route below ``/_mg/`` is a function with ``@administers("POST", "/_mg/name")`` from ``admin.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from mg_provider.emulator.core.faults import Fault
from mg_provider.emulator.core.operations import Operation, Plan
from mg_provider.emulator.core.world import World
from mg_provider.emulator.google import validation
from mg_provider.emulator.google.discovery import Method
from mg_provider.emulator.google.named_errors import About


@dataclass
class Answer:
    """What a handler returns.

    Attributes:
        body: JSON; held against the discovery document.
        status: HTTP status.
        headers: more headers.
        content: bytes instead of JSON, such as an object's content.
        stream: pieces instead of JSON, sent one by one with the lock released.
        content_type: of ``content`` and ``stream``.
    """

    body: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    stream: Iterator[bytes] | None = None
    content_type: str = "application/json; charset=UTF-8"

    def payload(self) -> bytes:
        """The bytes of an answer that is not streamed."""
        return self.content if self.content is not None else json.dumps(self.body).encode()


@dataclass
class Call:
    """One request, valid and canonical.

    Attributes:
        world: all state.
        method: the RPC.
        path: values in the path by the discovery document's names (``projectsId``, ``region``, ``bucket``), decoded.
        query: query parameters, canonical, without the standard ones.
        body: the JSON body, canonical.
        headers: of the request, in the canonical case (``Content-Type``).
        host: the ``Host`` header without port.
        address: the private address that the request came in on; None for the main one.
        media: the raw body.
        upload: whether it came in on an upload path.
        faults: those that hit this call.
        standard: standard query parameters, such as ``alt`` and ``uploadType``.
    """

    world: World
    method: Method
    path: dict[str, str]
    query: dict[str, Any]
    body: dict[str, Any]
    headers: Mapping[str, str]
    host: str
    address: str | None
    media: IO[bytes]
    upload: bool
    standard: dict[str, str]
    base_url: str
    faults: list[Fault] = field(default_factory=list)

    @property
    def rpc(self) -> str:
        """The discovery method id."""
        return self.method.rpc

    @property
    def version(self) -> str:
        """``v1`` or ``v1beta1``: of the API, not of a resource."""
        return self.method.version

    @property
    def project(self) -> str:
        """The project as the caller wrote it."""
        return next(self.path[name] for name in ("projectsId", "project") if name in self.path)

    @property
    def number(self) -> str:
        """The project's number."""
        return self.world.project_number(self.project)

    @property
    def project_id(self) -> str:
        """The project's id, whichever way the caller wrote it; its number where no id is known."""
        return self.world.project_id(self.number)

    @property
    def region(self) -> str:
        """The region or location in the path."""
        return next(self.path[name] for name in ("locationsId", "region") if name in self.path)

    @property
    def parent(self) -> str:
        """``projects/{number}/locations/{location}``."""
        return f"projects/{self.number}/locations/{self.region}"

    @property
    def about(self) -> About:
        """What an error of this call speaks of."""
        return about(self.world, self.path, self.rpc)

    def operation_fault(self) -> Fault | None:
        """The fault that the operation which this call starts is to meet; who plays it adds one to its ``met``."""
        return next((fault for fault in self.faults if fault.fails_operation or fault.stalls), None)

    def start_operation(self, parent: str, plan: Plan) -> Operation:
        """Start a Vertex AI operation below ``parent``."""
        return self.world.operations.start(parent, self.version, plan, self.operation_fault(), self.about)

    def operation_answer(self, operation: Operation) -> Answer:
        """An operation as an answer."""
        return Answer(operation.resource(self.world.timestamp))

    def view(self, message: str, resource: dict[str, Any]) -> dict[str, Any]:
        """A Vertex resource as this call's API version shows it."""
        return validation.project(self.version, message, resource)


def about(world: World, path: Mapping[str, str], rpc: str, url_path: str = "") -> About:
    """What an error speaks of, from the values in a call's path, its method and, if that is known, the path itself."""
    project = next((path[name] for name in ("projectsId", "project", "projectId") if name in path), "")
    region = next((path[name] for name in ("locationsId", "region") if name in path), "")
    number = world.project_number(project) if project else ""
    return About(project, number, region, rpc=rpc, path=url_path)


Handler = Callable[[Call], Answer]
Gate = Callable[[Call], None]
GATES: list[tuple[str, Gate]] = []
HANDLERS: dict[str, Handler] = {}
PRIVATELY_SERVED: set[str] = set()


def gates(prefix: str) -> Callable[[Gate], Gate]:
    """Register a function that may refuse a call, by raising, before its handler sees it; of RPCs that begin so."""

    def register(gate: Gate) -> Gate:
        GATES.append((prefix, gate))
        return gate

    return register


def handles(*rpcs: str, private: bool = False) -> Callable[[Handler], Handler]:
    """Register a handler for the methods with these discovery ids; ``private`` ones answer at private addresses too."""
    PRIVATELY_SERVED.update(rpcs if private else ())

    def register(handler: Handler) -> Handler:
        for rpc in rpcs:
            HANDLERS[rpc] = handler
        return handler

    return register
