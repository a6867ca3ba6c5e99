"""What became of a batch prediction job: counts, the first rows that failed, and whether that is an error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from mg_provider.api.errors import CloudError, ConnectionFailed, MgError, UserError
from mg_provider.api.reading.agents import says_being_provisioned
from mg_provider.api.reading.error_reader import error_from_status
from mg_provider.api.redaction import excerpt
from mg_provider.resources.model.lifecycle import CloudState
from mg_provider.resources.model.meaning import Costs, Inner, LastRun
from mg_provider.wire.vertex.batch import END_STATES, BatchPredictionJob, JobState

if TYPE_CHECKING:
    from mg_provider.resources.batch_job.args import BatchJobArgs
    from mg_provider.resources.batch_job.output_rows import OutputRows
    from mg_provider.resources.model.lifecycle import Context

FIRST_ERRORS = 10
ERROR_CHARACTERS = 300
# "Get batch predictions from a custom trained model", read 2026-11.
_NEVER_READY = "never became ready"
_AGAIN = (
    "it is not run again automatically, as that costs money: change an argument or a value in triggers for another run"
)


class BatchJobState(CloudState):
    """What the cloud says of the run."""

    batch_prediction_job: str = Field(default="", description="Resource name of the job.")
    job_state: str = Field(default="", description="JOB_STATE_SUCCEEDED, JOB_STATE_RUNNING, ….")
    machine_type: Annotated[str, Costs("machine")] = Field(
        default="", description="Machine type that the job runs on, also where Google chose it."
    )
    accelerator_type: str = Field(default="", description="Accelerator of that machine, such as NVIDIA_L4.")
    accelerator_count: int = Field(default=0, description="Accelerators of one machine.")
    successful_count: Annotated[int, LastRun("rows")] = Field(
        default=0, description="Rows that were answered; an error in the place of an answer does not count."
    )
    failed_count: Annotated[int, LastRun("rows")] = Field(
        default=0, description="Rows that failed, also where the service counts them as answered."
    )
    incomplete_count: int = Field(default=0, description="Rows that were not looked at; -1 where that is not known.")
    output_location: str = Field(default="", description="gs:// folder or bq:// table with the output.")
    replica_hours: Annotated[float, LastRun("replica hours")] = Field(default=0.0, description="Replica hours used.")
    first_errors: list[str] = Field(
        default=[], description="Why the job failed, then the first rows that failed, by custom_id, and why."
    )
    passed_over: list[str] = Field(
        default=[], description="Jobs that found no machine, after which another choice of machine_spec was tried."
    )
    asked: Annotated[str, Inner()] = Field(
        default="", description="When a job was asked for whose answer never came, until it is found."
    )

    @property
    def ended(self) -> bool:
        """Whether the job will never run again."""
        return self.job_state in END_STATES


DONE: Final = (JobState.SUCCEEDED, JobState.PARTIALLY_SUCCEEDED)
"""States of a job that went through its rows, whatever came of each."""


def is_settled(args: BatchJobArgs, state: BatchJobState) -> bool:
    """Whether the job has ended in a way that the program accepts."""
    if state.job_state == JobState.SUCCEEDED and not state.failed_count:
        return True
    return state.job_state in DONE and (args.allow_partial >= 1 or failed_share(state) <= args.allow_partial)


def failed_share(state: BatchJobState) -> float:
    """Share of rows without an answer, 0 to 1; 1 where the service gives no counts."""
    lost = state.failed_count + max(state.incomplete_count, 0)
    total = lost + state.successful_count
    return lost / total if total else 1.0


def ended_job(state: BatchJobState) -> BatchPredictionJob:
    """A job that is gone, as far as the outputs tell how it ended."""
    return BatchPredictionJob(name=state.batch_prediction_job, state=JobState(state.job_state))


def observed_job(job: BatchPredictionJob, known: BatchJobState, context: Context) -> BatchJobState:
    """The outputs of the resource. Errors of an ended job are read from its output once, and then kept."""
    stats, machines = job.completion_stats, job.dedicated_resources
    spec = machines.machine_spec if machines else None
    state = BatchJobState(
        claim=known.claim,
        passed_over=known.passed_over,
        batch_prediction_job=job.name or "",
        job_state=str(job.state or ""),
        machine_type=(spec.machine_type if spec else "") or "",
        accelerator_type=(spec.accelerator_type if spec else "") or "",
        accelerator_count=(spec.accelerator_count if spec else 0) or 0,
        successful_count=(stats.successful_count if stats else 0) or 0,
        failed_count=(stats.failed_count if stats else 0) or 0,
        incomplete_count=(stats.incomplete_count if stats else 0) or 0,
        output_location=job.output_location,
        replica_hours=(job.resources_consumed.replica_hours if job.resources_consumed else 0.0) or 0.0,
    )
    same = (known.batch_prediction_job, known.job_state) == (state.batch_prediction_job, state.job_state)
    if same and state.ended and (known.first_errors or not known.failed_count):
        kept = ("successful_count", "failed_count", "first_errors")
        return state.model_copy(update={name: getattr(known, name) for name in kept})
    return _with_rows(job, state, context)


def _with_rows(job: BatchPredictionJob, state: BatchJobState, context: Context) -> BatchJobState:
    """With what the output says: the first errors, and errors that the service counts among the answers.

    Where the output cannot be read, the errors are those that the service lists.
    """
    seen = _rows_of(job, state, context)
    own = [job.error.message or f"code {job.error.code}"] if job.error else []
    rows = seen.first or [status.message or "" for status in job.partial_failures or []]
    # In one table with the answers are also the rows that the service counts as failed.
    hidden = seen.failed if seen.apart else max(0, seen.failed - state.failed_count)
    if hidden:
        context.progress(f"{hidden:,} rows that the service counts as answered are errors")
    return state.model_copy(
        update={
            "successful_count": max(0, state.successful_count - hidden),
            "failed_count": state.failed_count + hidden,
            "first_errors": [excerpt(text, ERROR_CHARACTERS) for text in (*own, *rows)][:FIRST_ERRORS],
        }
    )


def _rows_of(job: BatchPredictionJob, state: BatchJobState, context: Context) -> OutputRows:
    from mg_provider.api.batch.output import BatchOutput
    from mg_provider.resources.batch_job.output_rows import MOST_ROWS, OutputRows, look_at_rows

    if not job.ended or not state.output_location:
        return OutputRows()
    try:
        seen = look_at_rows(BatchOutput(state.output_location, context.clients), FIRST_ERRORS)
    except (CloudError, ConnectionFailed, UserError) as problem:
        context.progress(f"the rows in {state.output_location} cannot be read: {problem.summary}")
        return OutputRows()
    if not seen.whole:
        context.progress(f"only the first {MOST_ROWS:,} rows of the output were looked at for errors")
    return seen


def problem_of(job: BatchPredictionJob, args: BatchJobArgs, state: BatchJobState) -> MgError | None:
    """Why the end of the job is an error, from the way it ended; None where it is not one, or while it runs."""
    if not job.ended or is_settled(args, state):
        return None
    what, hint = _failure(job, args, state)
    seen = "".join(f"\n  {text}" for text in state.first_errors[:FIRST_ERRORS])
    kept = f"; what was answered is in {state.output_location}" if state.output_location else ""
    exists = [job.name or ""]
    return MgError(f"{what}{kept}{seen}", resource=args.resource, hint=f"{hint}; {_AGAIN}", exists=exists)


def _failure(job: BatchPredictionJob, args: BatchJobArgs, state: BatchJobState) -> tuple[str, str]:
    """What happened, and what to do."""
    done = f"{state.successful_count:,} rows answered, {state.failed_count:,} failed"
    if state.incomplete_count > 0:
        done += f", {state.incomplete_count:,} not looked at"
    if job.state in DONE:
        share, allowed = failed_share(state), args.allow_partial
        return (
            f"the job ended as {job.state}: {done}; {share:.2%} is more than allow_partial, {allowed:.2%}",
            f"correct those rows, or accept them with allow_partial={math.ceil(share * 100) / 100:g}",
        )
    if job.state == JobState.CANCELLED:
        return f"the job ended as {job.state}, because somebody cancelled it: {done}", "find out who cancelled it"
    if job.state == JobState.EXPIRED:
        return (
            f"the job ended as {job.state}, because it ran out of time: {done}",
            "split the input, or raise starting_replica_count",
        )
    if job.error and _NEVER_READY in (job.error.message or ""):
        return (
            f"the job ended as {job.state}: {done}",
            "check the weights and the container; a model has about 40 minutes to load, so another machine may help",
        )
    if job.error and says_being_provisioned(job.error.message or ""):
        return (
            f"the job ended as {job.state}: {done}",
            "nothing was computed: wait a few minutes until the service agents of the new project are ready",
        )
    cause = error_from_status(job.error) if job.error else None
    if state.passed_over:
        done += f"; {len(state.passed_over)} other choices of machine_spec had no capacity before it"
    return f"the job ended as {job.state}: {done}", (cause.hint if cause else None) or "fix the cause"
