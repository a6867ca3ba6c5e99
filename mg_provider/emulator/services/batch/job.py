"""The life of one batch prediction job on the emulator's clock. No HTTP here.

QUEUED, PENDING while machines come up, RUNNING while rows are answered, then one of the end states. The input is read
when the job begins to run and the output is written when it ends. Times are emulated seconds. On its way a running job
can be PAUSED or UPDATING, and it can end as EXPIRED, where a test asks for that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mg_provider.emulator.core.timeline import Event, Timeline
from mg_provider.emulator.services.batch.rows import Answered, Row, answer, as_answer

Json = dict[str, Any]

QUEUED_SECONDS = 20.0
PROVISIONING_SECONDS = 240.0
MODEL_LOADING_SECONDS = 180.0
# After so long a model that is not ready fails its job.
LONGEST_LOADING_SECONDS = 2400.0
FAILING_SECONDS = 30.0
CANCELLING_SECONDS = 45.0
ROW_SECONDS = 2.0
DETOUR_SECONDS = 300.0
DEFAULT_MAX_REPLICAS = 10
SHOWN_FAILURES = 20
END_STATES = {
    "JOB_STATE_SUCCEEDED",
    "JOB_STATE_PARTIALLY_SUCCEEDED",
    "JOB_STATE_FAILED",
    "JOB_STATE_CANCELLED",
    "JOB_STATE_EXPIRED",
}


class JobFailedError(Exception):
    """The job cannot go on: ``code`` is a google.rpc code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Data(Protocol):
    """Where a job's rows come from and where its answers go."""

    def read(self) -> list[Row]:
        """All rows. JobFailedError when the input is missing or unfit."""

    def write(self, answers: Sequence[Answered], at: float) -> Json:
        """Store the answers; the job's ``outputInfo``. JobFailedError when the destination is unfit."""


@dataclass
class BatchJob:
    """A job: what was asked, and how far it has come."""

    name: str
    request: Json
    model: str
    model_version: str
    created: float
    data: Data
    created_seconds: int
    """Seconds since 1970, for the ``created`` of each answer."""
    planned_failure: JobFailedError | None = None
    """A failure that was asked for beforehand; it comes as soon as the job runs."""
    stalled: bool = False
    detours: Sequence[str] = ()
    """States that it passes through once its model is loaded, such as JOB_STATE_PAUSED."""
    never_ready: JobFailedError | None = None
    """The failure of a model that does not come up."""
    errors_as_answers: bool = False
    """Whether rows that fail are written, and counted, as if they were answered."""
    expires: bool = False
    """Whether its time is over when half of its rows are answered."""
    state: str = "JOB_STATE_QUEUED"
    updated: float = 0.0
    started: float | None = None
    ended: float | None = None
    answering: float | None = None
    """Since when rows are answered."""
    rows: list[Row] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    failure: JobFailedError | None = None
    output_info: Json = field(default_factory=dict)
    on_change: Callable[[BatchJob, float], None] = lambda job, at: None
    """Called with each change of state and its moment."""
    _next: Event | None = None

    @property
    def replicas(self) -> int:
        """How many machines share the rows, from the start to the end: ``maxReplicaCount`` adds none."""
        return int(self.request.get("dedicatedResources", {}).get("startingReplicaCount", 1))

    def running_seconds(self, now: float) -> float:
        """How long machines have been up."""
        return 0.0 if self.started is None else (now if self.ended is None else self.ended) - self.started

    def begin(self, timeline: Timeline) -> None:
        """Queue it."""
        self.updated = self.created
        self._next = timeline.at(self.created + QUEUED_SECONDS, lambda at: self._provision(timeline, at))

    def cancel(self, timeline: Timeline, now: float) -> None:
        """Ask it to stop; nothing happens to a job that has ended or is stopping."""
        if self.ended is not None or self.state == "JOB_STATE_CANCELLING":
            return
        if self._next is not None:
            self._next.cancel()
        self._enter("JOB_STATE_CANCELLING", now)
        self._next = timeline.at(now + CANCELLING_SECONDS, lambda at: self._stop(now, at))

    def _provision(self, timeline: Timeline, at: float) -> None:
        self._enter("JOB_STATE_PENDING", at)
        if not self.stalled:
            self._next = timeline.at(at + PROVISIONING_SECONDS, lambda then: self._run(timeline, then))

    def _run(self, timeline: Timeline, at: float) -> None:
        self.started = at
        try:
            if self.planned_failure is not None:
                raise self.planned_failure
            self.rows = self.data.read()
        except JobFailedError as failure:
            self.failure = failure
            self._next = timeline.at(at + FAILING_SECONDS, lambda then: self._end("JOB_STATE_FAILED", then))
        else:
            loaded = LONGEST_LOADING_SECONDS if self.never_ready else MODEL_LOADING_SECONDS
            self._next = timeline.at(at + loaded, lambda then: self._loaded(timeline, then))
        self._enter("JOB_STATE_RUNNING", at)

    def _loaded(self, timeline: Timeline, at: float) -> None:
        if self.never_ready:
            self.failure = self.never_ready
            self._end("JOB_STATE_FAILED", at)
        else:
            self._go_on(timeline, 0, at)

    def _go_on(self, timeline: Timeline, detour: int, at: float) -> None:
        """Take the detours one by one, then answer the rows."""
        if detour < len(self.detours):
            self._enter(self.detours[detour], at)
            self._next = timeline.at(at + DETOUR_SECONDS, lambda then: self._go_on(timeline, detour + 1, then))
            return
        if self.detours:
            self._enter("JOB_STATE_RUNNING", at)
        self.answering = at
        duration = ROW_SECONDS * len(self.rows) / self.replicas
        if self.expires:
            self._next = timeline.at(at + duration / 2, self._expire)
        else:
            self._next = timeline.at(at + duration, self._finish)

    def rows_done(self, now: float) -> int:
        """How many rows have been looked at by ``now``."""
        if self.ended is not None:
            return len(self.answers)
        if self.answering is None or now <= self.answering:
            return 0
        return min(len(self.rows), int((now - self.answering) * self.replicas / ROW_SECONDS))

    def _expire(self, at: float) -> None:
        try:
            self._answer(self.rows_done(at), at)
        except JobFailedError as failure:
            self.failure = failure
        self._end("JOB_STATE_EXPIRED", at)

    def _finish(self, at: float) -> None:
        try:
            self._answer(len(self.rows), at)
        except JobFailedError as failure:
            self.failure = failure
            self._end("JOB_STATE_FAILED", at)
            return
        failed = sum(1 for answered in self.answers if answered.error)
        if failed and failed == len(self.answers):
            self.failure = JobFailedError(3, f"All {failed} rows of the input failed; see the job's error output.")
            self._end("JOB_STATE_FAILED", at)
        else:
            self._end("JOB_STATE_PARTIALLY_SUCCEEDED" if failed else "JOB_STATE_SUCCEEDED", at)

    def _stop(self, asked: float, at: float) -> None:
        """What was answered before the job was asked to stop stays in the output."""
        if done := self.rows_done(asked):
            try:
                self._answer(done, at)
            except JobFailedError as failure:
                self.failure = failure
        self.failure = self.failure or JobFailedError(1, "The job was cancelled.")
        self._end("JOB_STATE_CANCELLED", at)

    def _answer(self, count: int, at: float) -> None:
        answers = [answer(row, place, self.model, self.created_seconds) for place, row in enumerate(self.rows[:count])]
        if self.errors_as_answers:
            answers = [as_answer(answered) for answered in answers]
        self.output_info = self.data.write(answers, at)
        self.answers = answers

    def _end(self, state: str, at: float) -> None:
        self.ended, self._next = at, None
        self._enter(state, at)

    def _enter(self, state: str, at: float) -> None:
        self.state, self.updated = state, at
        self.on_change(self, at)
