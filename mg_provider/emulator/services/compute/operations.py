"""Operations of Compute Engine, regional and global: PENDING, RUNNING, DONE as the emulator's clock goes by.

What an operation changes, it changes when it is done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mg_provider.emulator.core.timeline import Timeline
from mg_provider.emulator.services.compute.names import LINK_BASE, Reference, numeric_id, pacific_timestamp

Effect = Callable[[], None]
Place = tuple[str, str]
"""Project number and region."""

PENDING_SECONDS = 0.5
RUNNING_SECONDS = 3.0


@dataclass
class OperationError:
    """Why an operation ends without its effect."""

    code: str
    message: str
    http_status: int
    http_message: str


@dataclass
class RegionalOperation:
    """One change to one resource; that of a global one has the region ``""``."""

    name: str
    kind: str
    target: Reference
    target_id: str
    inserted: float
    client_operation_id: str | None = None
    error: OperationError | None = None
    stalled: bool = False
    seconds: float = PENDING_SECONDS + RUNNING_SECONDS

    @property
    def finishes(self) -> float:
        """When it is done, unless it is stalled."""
        return self.inserted + self.seconds

    @property
    def starts(self) -> float:
        """When it stops being PENDING."""
        return min(self.inserted + PENDING_SECONDS, self.finishes)

    def status(self, now: float) -> str:
        """PENDING, RUNNING or DONE."""
        if now >= self.finishes and not self.stalled:
            return "DONE"
        return "PENDING" if now < self.starts else "RUNNING"

    def body(self, now: float) -> dict[str, Any]:
        """The operation as ``compute.v1`` shows it."""
        status = self.status(now)
        region = f"{LINK_BASE}projects/{self.target.project}/regions/{self.target.region}"
        place = region if self.target.region else f"{LINK_BASE}projects/{self.target.project}/global"
        body: dict[str, Any] = {
            "kind": "compute#operation",
            "id": numeric_id(self.name),
            "name": self.name,
            "operationType": self.kind,
            "targetLink": self.target.link,
            "targetId": self.target_id,
            "status": status,
            "user": "user@example.com",
            "progress": {"PENDING": 0, "RUNNING": 50, "DONE": 100}[status],
            "insertTime": pacific_timestamp(self.inserted),
            "selfLink": f"{place}/operations/{self.name}",
        }
        if self.target.region:
            body["region"] = region
        if self.client_operation_id is not None:
            body["clientOperationId"] = self.client_operation_id
        if status != "PENDING":
            body["startTime"] = pacific_timestamp(self.starts)
        if status == "DONE":
            body["endTime"] = pacific_timestamp(self.finishes)
            if self.error is not None:
                body["error"] = {"errors": [{"code": self.error.code, "message": self.error.message}]}
                body["httpErrorStatusCode"] = self.error.http_status
                body["httpErrorMessage"] = self.error.http_message
        return body


class RegionalOperations:
    """All operations of all regions."""

    def __init__(self) -> None:
        self.operations: dict[tuple[str, str, str], RegionalOperation] = {}
        self._by_request: dict[tuple[str, str, str], RegionalOperation] = {}

    def start(
        self, operation: RegionalOperation, place: Place, timeline: Timeline, effect: Effect, undo: Effect
    ) -> None:
        """Begin an operation: ``effect`` runs when it is done, or ``undo`` if it ends with an error."""
        self.operations[(*place, operation.name)] = operation
        if operation.client_operation_id is not None:
            self._by_request[(*place, operation.client_operation_id)] = operation
        if operation.stalled:
            return
        if not operation.seconds:
            (undo if operation.error else effect)()
        else:
            timeline.at(operation.finishes, lambda _: undo() if operation.error else effect())

    def next_name(self, place: Place) -> str:
        """A name that counts up."""
        return f"operation-{numeric_id(*place, len(self.operations))}"

    def find(self, place: Place, name: str) -> RegionalOperation | None:
        """The operation of that name."""
        return self.operations.get((*place, name))

    def repeated(self, place: Place, request_id: str | None) -> RegionalOperation | None:
        """The operation that the same request started before."""
        return self._by_request.get((*place, request_id)) if request_id else None

    def of(self, place: Place) -> list[RegionalOperation]:
        """All operations of a project's region, oldest first."""
        return [operation for (*where, _), operation in self.operations.items() if tuple(where) == place]
