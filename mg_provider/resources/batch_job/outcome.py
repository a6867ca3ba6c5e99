"""What became of a batch prediction job: counts, the first rows that failed, and whether that is an error."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from mg_provider.api.batch.rows import read_line
from mg_provider.api.errors import CloudError, ConnectionFailed, MgError, UserError
from mg_provider.api.reading.agents import says_being_provisioned
from mg_provider.api.reading.error_reader import error_from_status
from mg_provider.api.redaction import excerpt
from mg_provider.resources.model.args import State
from mg_provider.resources.model.meaning import Costs, LastRun
from mg_provider.wire.vertex.batch import END_STATES, BatchPredictionJob, JobState

if TYPE_CHECKING:
    from mg_provider.api.batch.output import BatchOutput
    from mg_provider.resources.batch_job.args import BatchJobArgs
    from mg_provider.resources.model.lifecycle import Context

FIRST_ERRORS = 10
ERROR_CHARACTERS = 300
# One table may hold millions of answers and a single failure: no more is read for the sake of a message.
ROWS_LOOKED_AT = 20_000
# "Get batch predictions from a custom trained model", read 2026-11.
_NEVER_READY = "never became ready"
_AGAIN = "none is run again by itself, as it costs money: change an argument, or a value in triggers, for another run"


class BatchJobState(State):
    """What the cloud says of the run."""

    batch_prediction_job: str = Field(default="", description="Resource name of the job.")
    job_state: str = Field(default="", description="JOB_STATE_SUCCEEDED, JOB_STATE_RUNNING, ….")
    machine_type: Annotated[str, Costs("machine")] = Field(
        default="", description="Machine type that the job runs on, also where Google chose it."
    )
    accelerator_type: str = Field(default="", description="Accelerator of that machine, such as NVIDIA_L4.")
    accelerator_count: int = Field(default=0, description="Accelerators of one machine.")
    successful_count: Annotated[int, LastRun("rows")] = Field(default=0, description="Rows that were answered.")
    failed_count: Annotated[int, LastRun("rows")] = Field(default=0, description="Rows that failed.")
    incomplete_count: int = Field(default=0, description="Rows that were not looked at; -1 where that is not known.")
    output_location: str = Field(default="", description="gs:// folder or bq:// table with the output.")
    replica_hours: Annotated[float, LastRun("replica hours")] = Field(default=0.0, description="Replica hours used.")
    first_errors: list[str] = Field(
        default=[], description="Why the job failed, then the first rows that failed, by custom_id, and why."
    )
    asked: str = Field(default="", description="When a job was asked for whose answer never came, until it is found.")
    claim: str = Field(default="", description="Marks the create that started the job or took it up.")

    @property
    def ended(self) -> bool:
        """Whether the job will never run again."""
        return self.job_state in END_STATES


def is_settled(args: BatchJobArgs, state: BatchJobState) -> bool:
    """Whether the job has ended in a way that the program accepts."""
    return state.job_state == JobState.SUCCEEDED or _accepts(args, state)


def _accepts(args: BatchJobArgs, state: BatchJobState) -> bool:
    partly = state.job_state == JobState.PARTIALLY_SUCCEEDED
    return partly and (args.allow_partial >= 1 or _failed_share(state) <= args.allow_partial)


def _failed_share(state: BatchJobState) -> float:
    """Share of rows without an answer, 0 to 1; 1 where the service tells no counts."""
    lost = state.failed_count + max(state.incomplete_count, 0)
    total = lost + state.successful_count
    return lost / total if total else 1.0


def ended_job(state: BatchJobState) -> BatchPredictionJob:
    """A job that is gone, as far as the outputs tell how it ended."""
    return BatchPredictionJob(name=state.batch_prediction_job, state=JobState(state.job_state))


def observe(job: BatchPredictionJob, known: BatchJobState, context: Context) -> BatchJobState:
    """The outputs of the resource. Errors of an ended job are read from its output once, and then kept."""
    stats, machines = job.completion_stats, job.dedicated_resources
    spec = machines.machine_spec if machines else None
    state = BatchJobState(
        claim=known.claim,
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
    if same and known.first_errors:
        return state.model_copy(update={"first_errors": known.first_errors})
    return state.model_copy(update={"first_errors": _errors(job, state, context)})


def _errors(job: BatchPredictionJob, state: BatchJobState, context: Context) -> list[str]:
    """The job's own error, then its rows'; those that the service lists where the output cannot be read."""
    from mg_provider.api.batch.output import BatchOutput

    own = [job.error.message or f"code {job.error.code}"] if job.error else []
    rows: list[str] = []
    if job.ended and state.failed_count and state.output_location:
        try:
            rows = _failed_rows(BatchOutput(state.output_location, context.clients))
        except (CloudError, ConnectionFailed, UserError) as problem:
            context.progress(f"the errors in {state.output_location} cannot be read: {problem.summary}")
    rows = rows or [status.message or "" for status in job.partial_failures or []]
    return [excerpt(text, ERROR_CHARACTERS) for text in (*own, *rows)][:FIRST_ERRORS]


def _failed_rows(output: BatchOutput) -> list[str]:
    lines = map(read_line, islice(output.error_lines(), ROWS_LOOKED_AT))
    told = (f"{line.name}: {line.failure}" if line.name else line.failure for line in lines if line.failure)
    return [text for text in islice(told, FIRST_ERRORS) if text]


def problem_of(job: BatchPredictionJob, args: BatchJobArgs, state: BatchJobState) -> MgError | None:
    """Why the end of the job is an error, told by the way it ended; None where it is none, or while it runs."""
    if not job.ended or is_settled(args, state):
        return None
    what, hint = _told(job, args, state)
    seen = "".join(f"\n  {text}" for text in state.first_errors[:FIRST_ERRORS])
    kept = f"; what was answered is in {state.output_location}" if state.output_location else ""
    exists = [job.name or ""]
    return MgError(f"{what}{kept}{seen}", resource=args.resource, hint=f"{hint}; {_AGAIN}", exists=exists)


def _told(job: BatchPredictionJob, args: BatchJobArgs, state: BatchJobState) -> tuple[str, str]:
    """What happened, and what to do."""
    done = f"{state.successful_count:,} rows answered, {state.failed_count:,} failed"
    if state.incomplete_count > 0:
        done += f", {state.incomplete_count:,} not looked at"
    if job.state == JobState.PARTIALLY_SUCCEEDED:
        share, allowed = _failed_share(state), args.allow_partial
        return (
            f"the job ended as {job.state}: {done}; {share:.2%} is more than allow_partial, {allowed:.2%}",
            f"correct those rows, or accept them with allow_partial={math.ceil(share * 100) / 100:g}",
        )
    if job.state == JobState.CANCELLED:
        return f"the job ended as {job.state}, because somebody cancelled it: {done}", "find out who cancelled it"
    if job.state == JobState.EXPIRED:
        return (
            f"the job ended as {job.state}, because its time was over: {done}",
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
            "wait some minutes: the service agents of a new project are on their way, and nothing was computed",
        )
    cause = error_from_status(job.error) if job.error else None
    return f"the job ended as {job.state}: {done}", (cause.hint if cause else None) or "fix the cause"
