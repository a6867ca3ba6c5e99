"""A job that was asked for and whose answer never came: it may be listed a little later, and is not paid for twice.

The service chooses a job's id, so a request cannot be repeated safely. No source says how soon a list shows a new job.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from mg_provider.api.errors import MgError, OperationCancelled
from mg_provider.resources.batch_job.outcome import BatchJobState

if TYPE_CHECKING:
    from mg_provider.resources.batch_job.runs import BatchRuns
    from mg_provider.resources.model.lifecycle import Context
    from mg_provider.wire.vertex.batch import BatchPredictionJob

LATE_SECONDS: Final = 120.0
"""How long after the request its job may still appear."""

_PAUSE: Final = 2.0
_PAUSES_AT_ONCE: Final = (0.0, 1.0, 2.0)


def asked_now(state: BatchJobState, context: Context) -> BatchJobState:
    """The outputs of a record whose job was asked for just now, without an answer."""
    return BatchJobState(
        claim=state.claim, passed_over=state.passed_over, asked=context.clock.now().isoformat(timespec="seconds")
    )


def look_at_once(runs: BatchRuns, state: BatchJobState, context: Context) -> BatchPredictionJob | None:
    """The job that was asked for, if it is seen within seconds."""
    for pause in _PAUSES_AT_ONCE:
        context.clock.sleep(pause)
        try:
            job = runs.best(state)
        except MgError:
            # Whether it exists is then for the next run to find out; until then the stack must not forget it.
            return None
        if job is not None:
            return job
    return None


def look_until_sure(runs: BatchRuns, state: BatchJobState, context: Context) -> BatchPredictionJob | None:
    """The run's job; where one was asked for without an answer, None only when it will not appear any more.

    Raises:
        OperationCancelled: The user stopped the run.
    """
    while (job := runs.best(state)) is None and (left := seconds_left(state, context)) > 0:
        context.progress(f"waiting for a job that was asked for at {state.asked}, whose answer never came")
        if context.cancelled():
            raise OperationCancelled(runs.args.run, stage="looking for a job whose answer never came")
        context.clock.sleep(min(left, _PAUSE))
    return job


def seconds_left(state: BatchJobState, context: Context) -> float:
    """How long a job that was asked for may still appear; 0 where none was."""
    if not state.asked:
        return 0.0
    age = (context.clock.now() - datetime.fromisoformat(state.asked)).total_seconds()
    return min(max(LATE_SECONDS - age, 0.0), LATE_SECONDS)
