"""The jobs of one run: found by name and by label, stopped and removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mg_provider.api.errors import FailedPrecondition, NotFound
from mg_provider.api.waiting import Progress, Waiting
from mg_provider.resources.batch_job.outcome import DONE, BatchJobState
from mg_provider.resources.batch_job.progress import state_words
from mg_provider.wire.vertex.batch import BatchPredictionJob, JobState

if TYPE_CHECKING:
    from mg_provider.resources.batch_job.args import BatchJobArgs
    from mg_provider.resources.model.lifecycle import Context


@dataclass(frozen=True)
class BatchRuns:
    """The jobs that carry the labels of one set of arguments: one, unless somebody made more by hand."""

    args: BatchJobArgs
    context: Context

    def get(self, name: str) -> BatchPredictionJob | None:
        """The job of that name, or None if there is none."""
        try:
            return self.context.clients.vertex.get_batch_prediction_job(name) if name else None
        except NotFound:
            return None

    def all(self, state: BatchJobState) -> list[BatchPredictionJob]:
        """The job in the stack's state, and those found by their labels.

        A job's labels are fixed, so one that ran before the stack was renamed has the old ones.
        """
        own = self.args.own_labels()
        found = self.context.clients.vertex.list_batch_prediction_jobs(
            self.args.parent, " AND ".join(f"labels.{key}={value}" for key, value in sorted(own.items()))
        )
        jobs = [job for job in found if own.items() <= (job.labels or {}).items()]
        known = self.get(state.batch_prediction_job)
        return jobs if known is None else [known, *(job for job in jobs if job.name != known.name)]

    def best(self, state: BatchJobState) -> BatchPredictionJob | None:
        """The job of this run: the one that succeeded, else one that still may, else the latest that ended badly.

        One that was passed over, because it found no machine, is not asked again.
        """
        jobs = [job for job in self.all(state) if job.name not in state.passed_over]
        return max(jobs, key=lambda job: (-_badness(job), job.create_time or ""), default=None)

    def remove(self, job: BatchPredictionJob, limit: float) -> None:
        """Cancel, wait, delete the output where the program wants that, delete the job.

        In this order whatever is left after an interruption is still found.

        Args:
            job: As it was found.
            limit: Seconds to wait for each step.

        Raises:
            NotFound: it is gone already.
        """
        vertex, context = self.context.clients.vertex, self.context
        job = self._stopped(job, limit)
        location = job.output_location
        if location and self.args.delete_output:
            self.delete_output(location)
        stays = f"; its output stays in {location}" if location and not self.args.delete_output else ""
        context.progress(f"deleting the job{stays}")
        context.wait(vertex.delete_batch_prediction_job(job.name or ""), limit, "deleting the job")

    def delete_output(self, location: str) -> None:
        """Delete what the job wrote; what is gone already is fine."""
        from mg_provider.api.batch.output import BatchOutput

        self.context.progress(f"deleting the output in {location}")
        BatchOutput(location, self.context.clients).delete()

    def _stopped(self, job: BatchPredictionJob, limit: float) -> BatchPredictionJob:
        """The job, ended."""
        if job.ended:
            return job
        if job.state != JobState.CANCELLING:
            self.context.progress(f"cancelling the job, which is {state_words(job.state)}")
            try:
                self.context.clients.vertex.cancel_batch_prediction_job(job.name or "")
            except FailedPrecondition:
                # It ended in the meantime, which the wait below sees.
                self.context.progress("the job cannot be cancelled any more")

        def tell(progress: Progress) -> None:
            self.context.progress(progress.silence or f"the job is {progress.stage}")

        waiting = Waiting(limit, tell, self.context.cancelled)
        return self.context.clients.operations.wait_job(job, waiting, lambda each: state_words(each.state))


def _badness(job: BatchPredictionJob) -> int:
    if job.state in DONE:
        return 0
    if job.state == JobState.CANCELLING:
        return 2
    return 3 if job.ended else 1
