"""Batch prediction jobs: what one would be in a program."""

from __future__ import annotations

import math
from typing import Any, cast

from mg_provider.api.errors import UserError
from mg_provider.importing.arguments import arguments_of, labels_of
from mg_provider.importing.finding import Found
from mg_provider.importing.imported import Draft
from mg_provider.resources.batch_job import BatchJobProvider
from mg_provider.resources.batch_job.args import BatchJobArgs
from mg_provider.resources.batch_job.outcome import DONE, BatchJobState, failed_share, is_settled, observed_job
from mg_provider.resources.batch_job.rules import RUN_LABEL
from mg_provider.resources.model.identity import OWNER_LABEL
from mg_provider.resources.model.lifecycle import Context
from mg_provider.wire.vertex.batch import BatchPredictionJob


def draft_of(found: Found, context: Context) -> Draft:
    """What the job would be in a program.

    Raises:
        UserError: It ended in a way that every `up` would report as an error.
    """
    job = cast(BatchPredictionJob, found.thing)
    if job.ended and job.state not in DONE:
        raise UserError(
            f"{found.path} ended as {job.state}, which every `up` would report as an error",
            hint="write a BatchJob in the program for another run; this one needs no place in a stack",
        )
    given = arguments_of(BatchJobArgs, "job", job)
    given = {name: _named(value, found) if name in ("model", "endpoint") else value for name, value in given.items()}
    labels = {key: value for key, value in labels_of(job.labels).items() if key != RUN_LABEL}
    given.pop("labels", None)
    if labels:
        given["labels"] = labels
    notes = ["a job's labels are fixed, so none are put on"]
    state = observed_job(job, BatchJobState(), context)
    if state.job_state in DONE and not is_settled(BatchJobArgs.recall({}), state):
        share = failed_share(state)
        given["allow_partial"] = math.ceil(share * 100) / 100
        counted = state.successful_count or state.failed_count
        failed = f"{share:.1%} of its rows failed" if counted else "Google does not say how many of its rows failed"
        notes.append(f"{failed}: allow_partial accepts them")
    if not job.ended:
        notes.append("it still runs: the next `up` waits for it, unless the program says wait=False")
    # A job that a stack of ours made belongs to it by these labels.
    owned = {key: value for key, value in (job.labels or {}).items() if OWNER_LABEL in (job.labels or {})}
    run = (job.labels or {}).get(RUN_LABEL, "") if owned else ""
    return Draft(
        BatchJobProvider,
        given,
        {"run": run or f"job-{found.id}", "display_name": job.display_name or ""},
        BatchJobState(batch_prediction_job=_named(job.name or "", found)),
        labels=owned or None,
        notes=tuple(notes),
    )


def _named(value: Any, found: Found) -> Any:
    return found.place.own(value) if isinstance(value, str) else value
