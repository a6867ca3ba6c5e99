"""Vertex AI's long-running operations: a plan of stages, each with a duration and what it brings about.

Source: ``google.longrunning.Operation``, and the ``DeploymentStage`` enum of google-cloud-aiplatform 2.7.0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from mg_provider.emulator.core.faults import Fault
from mg_provider.emulator.core.timeline import Event, Timeline
from mg_provider.emulator.google.errors import ApiError, not_found
from mg_provider.emulator.google.named_errors import About


class OperationsWorld(Protocol):
    """What operations need of the world that they are in."""

    behaviours: dict[str, Any]
    timeline: Timeline

    def now(self) -> float:
        """Emulated seconds since the start."""

    def new_number(self) -> str:
        """A 19-digit id that never comes twice."""


@dataclass(frozen=True)
class Stage:
    """One step of an operation.

    Attributes:
        name: shown as ``deploymentStage`` where the plan shows stages; faults and durations name it.
        seconds: emulated duration.
        finish: run when the step ends, with that moment; an :class:`ApiError` from it is the operation's error.
    """

    name: str
    seconds: float
    finish: Callable[[float], None] | None = None


@dataclass
class Plan:
    """What an operation does.

    Attributes:
        metadata_type: message name, such as ``DeployOperationMetadata``.
        stages: in order.
        response: called at the end; the message name and body of the answer.
        metadata: more metadata fields; may change while it runs.
        failed: called with the moment when it ends in any other way than success.
        labels: of what it makes, while that is not there yet.
        shows_stages: whether its metadata has a field for the stage, as that of ``DeployModel`` has.
    """

    metadata_type: str
    stages: list[Stage]
    response: Callable[[], tuple[str, dict[str, Any]]]
    metadata: dict[str, Any] = field(default_factory=dict)
    failed: Callable[[float], None] | None = None
    labels: dict[str, str] = field(default_factory=dict)
    shows_stages: bool = False


@dataclass
class Operation:
    """One running or finished operation."""

    name: str
    version: str
    plan: Plan
    created: float
    updated: float
    stage: str = ""
    error: dict[str, Any] | None = None
    response: dict[str, Any] | None = None
    event: Event | None = None

    @property
    def done(self) -> bool:
        """Whether it ended, well or not."""
        return self.error is not None or self.response is not None

    def resource(self, timestamp: Callable[[float], str]) -> dict[str, Any]:
        """The ``google.longrunning.Operation``; ``done`` is left out while false, as proto3 JSON does."""
        prefix = f"type.googleapis.com/google.cloud.aiplatform.{self.version}."
        generic = {"createTime": timestamp(self.created), "updateTime": timestamp(self.updated)}
        metadata = {"@type": prefix + self.plan.metadata_type, "genericMetadata": generic, **self.plan.metadata}
        if self.stage and self.plan.shows_stages:
            metadata["deploymentStage"] = self.stage
        body: dict[str, Any] = {"name": self.name, "metadata": metadata}
        if self.done:
            body["done"] = True
        if self.error is not None:
            body["error"] = self.error
        elif self.response is not None:
            body["response"] = self.response
        return body


@dataclass(frozen=True)
class _Trouble:
    """A fault of an operation, and what it speaks of."""

    fault: Fault
    about: About

    @property
    def after(self) -> float | None:
        """Emulated seconds after which it strikes, whatever the stage."""
        return self.fault.fails_after if self.fault.fails_operation else None

    def met(self) -> ApiError:
        """Its error, now that it is met."""
        self.fault.met += 1
        return self.fault.error(self.about)


class Operations:
    """Every operation, by name."""

    def __init__(self, world: OperationsWorld) -> None:
        self._world = world
        self._operations: dict[str, Operation] = {}

    def start(
        self, parent: str, version: str, plan: Plan, fault: Fault | None = None, about: About | None = None
    ) -> Operation:
        """Begin ``plan`` below ``parent`` (``projects/1/locations/l``); steps that take no time happen at once.

        A ``fault`` of the operation speaks of ``about``.
        """
        now = self._world.now()
        operation = Operation(f"{parent}/operations/{self._world.new_number()}", version, plan, now, now)
        self._operations[operation.name] = operation
        trouble = _Trouble(fault, about or About()) if fault else None
        if trouble and trouble.after is not None:
            early = trouble
            self._world.timeline.at(now + trouble.after, lambda at: self._end_early(operation, early, at))
            trouble = None
        self._enter(operation, 0, now, trouble)
        return operation

    def get(self, name: str) -> Operation:
        """The operation with exactly this name.

        Raises:
            ApiError: NOT_FOUND.
        """
        if name not in self._operations:
            raise not_found(f"Operation {name} is not found.")
        return self._operations[name]

    def below(self, parent: str) -> list[Operation]:
        """Operations directly below ``parent``, oldest first."""
        return [each for each in self._operations.values() if each.name.rpartition("/operations/")[0] == parent]

    def running(self) -> list[Operation]:
        """Operations that have not ended."""
        return [each for each in self._operations.values() if not each.done]

    def cancel(self, operation: Operation) -> None:
        """End it with code 1, unless it has ended."""
        if not operation.done:
            self._fail(operation, ApiError("CANCELLED", "The operation was cancelled."), self._world.now())

    def forget(self, operation: Operation) -> None:
        """Remove its record; what it does goes on."""
        del self._operations[operation.name]

    def _enter(self, operation: Operation, index: int, at: float, trouble: _Trouble | None) -> None:
        stage = operation.plan.stages[index]
        operation.stage, operation.updated = stage.name, at
        if trouble and trouble.fault.stalls and self._hits(operation, index, trouble.fault):
            trouble.fault.met += 1
            return
        if stage.seconds <= 0:
            self._leave(operation, index, at, trouble)
            return
        due = at + stage.seconds
        operation.event = self._world.timeline.at(due, lambda when: self._leave(operation, index, when, trouble))

    def _leave(self, operation: Operation, index: int, at: float, trouble: _Trouble | None) -> None:
        stage = operation.plan.stages[index]
        try:
            if trouble and trouble.fault.fails_operation and self._hits(operation, index, trouble.fault):
                raise trouble.met()
            if stage.finish:
                stage.finish(at)
        except ApiError as error:
            self._fail(operation, error, at)
            return
        if index + 1 < len(operation.plan.stages):
            self._enter(operation, index + 1, at, trouble)
        else:
            self._succeed(operation, at)

    def _hits(self, operation: Operation, index: int, fault: Fault) -> bool:
        """Whether the fault is due in this stage: the named one, or else the last."""
        names = [stage.name for stage in operation.plan.stages]
        wanted = names.index(fault.at_stage) if fault.at_stage in names else len(names) - 1
        return index == wanted and fault.remaining > 0

    def _end_early(self, operation: Operation, trouble: _Trouble, at: float) -> None:
        """The operation ends in the middle of a stage, if it has not ended yet."""
        if not operation.done and trouble.fault.remaining > 0:
            self._fail(operation, trouble.met(), at)

    def _succeed(self, operation: Operation, at: float) -> None:
        message, body = operation.plan.response()
        kind = message if "." in message else f"google.cloud.aiplatform.{operation.version}.{message}"
        operation.response = {"@type": f"type.googleapis.com/{kind}", **body}
        operation.updated = at
        if operation.stage:
            operation.stage = "SUCCESSFULLY_DEPLOYED"
        self._forget_later(operation, at)

    def _fail(self, operation: Operation, error: ApiError, at: float) -> None:
        if operation.event:
            operation.event.cancel()
        operation.error = error.operation_status()
        operation.updated = at
        if operation.stage:
            operation.stage = "FAILED_TO_DEPLOY"
        self._forget_later(operation, at)
        if operation.plan.failed:
            operation.plan.failed(at)

    def _forget_later(self, operation: Operation, at: float) -> None:
        kept = float(self._world.behaviours["operations_kept_seconds"])
        if kept > 0:
            self._world.timeline.at(at + kept, lambda _: self._expire(operation))

    def _expire(self, operation: Operation) -> None:
        self._operations.pop(operation.name, None)
