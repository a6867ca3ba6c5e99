"""Waits for work in the cloud.

Polling adapts to age: a finished operation is noticed within max(2 s, 2 % of its age) and never more than 15 s late, so
a change of labels is answered at once and an hour's deployment costs few calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from mg_provider.api.compute import ComputeClient
from mg_provider.api.errors import (
    ConnectionFailed,
    MgError,
    NotFound,
    NothingListens,
    NotReached,
    OperationCancelled,
    OperationFailed,
    OperationLost,
    OperationTimeout,
    RateLimited,
    Unavailable,
)
from mg_provider.api.reading.error_reader import error_from_compute_operation, error_from_status
from mg_provider.api.vertex.client import VertexClient
from mg_provider.api.waiting import Progress, Waiting
from mg_provider.clock import Clock
from mg_provider.wire.compute import ComputeOperation
from mg_provider.wire.vertex.batch import BatchPredictionJob
from mg_provider.wire.vertex.operation import DeploymentStage, Operation

T = TypeVar("T")

SHORTEST_BOUND = 2.0
"""Seconds within which the end of young work is noticed."""

BOUND_BY_AGE = 0.02
"""Fraction of its age within which the end of older work is noticed."""

LONGEST_BOUND = 15.0
"""Seconds within which the end of any work is noticed."""

PATIENCE = 600.0
"""Seconds without a single good answer after which polling is given up."""

LOCAL_PATIENCE = 60.0
"""The same where nothing listens at an address of this machine: an emulator has ended, and no network is at fault."""

FORGOTTEN = 30.0
"""Seconds after which an operation that is not found counts as lost: one that has just begun may not be seen yet."""

# What is left of the bound pays for the call itself.
_SHARE = 0.85
_FIRST_INTERVAL = 0.1
_LOOK_FOR_CANCELLATION = 1.0

# These say that it failed, not where.
_STAGES_OF_FAILURE = frozenset({DeploymentStage.FAILED_TO_DEPLOY, DeploymentStage.DEPLOYMENT_TERMINATED})


def interval(waited: float, polls: int) -> float:
    """Seconds until the next poll.

    The first polls come quickly, doubling, because much work ends at once; then the interval grows with the time
    waited, which is never more than the work's age.
    """
    bound = min(LONGEST_BOUND, max(SHORTEST_BOUND, BOUND_BY_AGE * waited))
    return min(_SHARE * bound, _FIRST_INTERVAL * 2.0 ** min(polls, 10))


class _Wait(Generic[T]):
    """One wait: asks until done, bears short troubles, reports progress."""

    def __init__(
        self, clock: Clock, name: str, waiting: Waiting, stage: Callable[[T], str | None], *, forgettable: bool = True
    ) -> None:
        self._forgettable = forgettable
        self._clock = clock
        self._name = name
        self._waiting = waiting
        self._stage_of = stage
        self._began = clock.monotonic()
        self._answered = self._began
        self._polls = 0
        self._stage: str | None = None

    def until(self, done: Callable[[T], bool], first: T, poll: Callable[[], T]) -> T:
        """The work's last state, which is done.

        Raises:
            OperationTimeout: it still runs at the end of the timeout.
            OperationCancelled: the user stopped waiting.
            OperationLost: it is not known any more, which says nothing of what it worked on.
            CloudError, ConnectionFailed: it can not be asked any more.
        """
        state: T | None = first
        trouble: MgError | None = None
        while True:
            if state is not None:
                self._note(self._stage_of(state))
                if done(state):
                    return state
            self._report(trouble)
            self._pause()
            state, trouble = self._ask(poll)

    def _note(self, stage: str | None) -> None:
        if stage and (self._stage is None or stage not in _STAGES_OF_FAILURE):
            self._stage = stage

    @property
    def stage(self) -> str | None:
        """The last stage that says how far it came."""
        return self._stage

    def _ask(self, poll: Callable[[], T]) -> tuple[T | None, MgError | None]:
        self._polls += 1
        try:
            state = poll()
        except (Unavailable, RateLimited, ConnectionFailed, NotReached) as error:
            patience = LOCAL_PATIENCE if isinstance(error, NothingListens) else PATIENCE
            if self._clock.monotonic() - self._answered > patience:
                error.exists.append(self._name)
                raise
            return None, error
        except NotFound as error:
            if not self._forgettable:
                raise
            if self._clock.monotonic() - self._answered > FORGOTTEN:
                raise OperationLost(self._name) from error
            return None, error
        self._answered = self._clock.monotonic()
        return state, None

    def _pause(self) -> None:
        waited = self._clock.monotonic() - self._began
        left = self._waiting.timeout - waited
        if left <= 0:
            raise OperationTimeout(self._name, waited=waited, stage=self._stage)
        pause = min(left, interval(waited, self._polls))
        while pause > 0:
            if self._waiting.cancelled and self._waiting.cancelled():
                raise OperationCancelled(self._name, stage=self._stage)
            step = min(pause, _LOOK_FOR_CANCELLATION)
            self._clock.sleep(step)
            pause -= step

    def _report(self, trouble: MgError | None) -> None:
        if self._waiting.on_progress:
            now = self._clock.monotonic()
            silent = now - self._answered if trouble else 0.0
            self._waiting.on_progress(
                Progress(self._name, now - self._began, self._stage, self._polls, trouble, silent)
            )


class Operations:
    """Waits for operations of Vertex AI and Compute Engine, and for batch prediction jobs.

    Between polls, ``PATIENCE`` seconds of Unavailable, RateLimited, NotReached and ConnectionFailed in a row are
    tolerated, ``LOCAL_PATIENCE`` of NothingListens, and ``FORGOTTEN`` seconds in which the operation is not found.
    Every wait raises OperationTimeout, OperationCancelled, and the CloudError of a poll that was answered otherwise.
    """

    def __init__(self, clock: Clock, vertex: VertexClient, compute: ComputeClient) -> None:
        self._clock = clock
        self._vertex = vertex
        self._compute = compute

    def wait(self, operation: Operation, waiting: Waiting) -> Operation:
        """Wait for an operation of Vertex AI, polled under the name that it was given.

        Args:
            operation: As it was answered, or any with its name.
            waiting: How long, and who hears of it.

        Returns:
            The operation, done, without an error.

        Raises:
            OperationFailed: it ended with an error.
        """
        wait = _Wait[Operation](self._clock, operation.name, waiting, lambda state: state.stage)
        ended = wait.until(
            lambda state: state.done, operation, lambda: self._vertex.get_operation(operation.name, retry_budget=0)
        )
        if ended.error is None:
            return ended
        cause = error_from_status(ended.error)
        raise OperationFailed(cause, operation=operation.name, stage=wait.stage, started=ended.started) from cause

    def wait_compute(
        self, project: str, region: str, operation: ComputeOperation, waiting: Waiting
    ) -> ComputeOperation:
        """Wait for a regional operation of Compute Engine; as :meth:`wait`.

        Raises:
            OperationFailed: it ended with an error.
        """

        def ask() -> ComputeOperation:
            return self._compute.get_operation(project, region, operation.name, retry_budget=0)

        wait = _Wait[ComputeOperation](self._clock, operation.name, waiting, lambda state: state.status)
        ended = wait.until(lambda state: state.done, operation, ask)
        cause = error_from_compute_operation(ended)
        if cause is None:
            return ended
        raise OperationFailed(cause, operation=operation.name) from cause

    def wait_job(
        self,
        job: BatchPredictionJob,
        waiting: Waiting,
        stage: Callable[[BatchPredictionJob], str | None] = lambda job: job.state,
    ) -> BatchPredictionJob:
        """Wait until a batch prediction job has ended, well or badly; its state says which.

        ``stage`` says in words how far it is, for progress and for the error of a wait that was too short.
        """
        name = job.name or ""
        wait = _Wait[BatchPredictionJob](self._clock, name, waiting, stage, forgettable=False)
        return wait.until(
            lambda state: state.ended, job, lambda: self._vertex.get_batch_prediction_job(name, retry_budget=0)
        )
