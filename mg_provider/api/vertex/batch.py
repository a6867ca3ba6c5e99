"""Vertex AI's batch prediction jobs (aiplatform v1, or v1beta1 where a job uses what only that has)."""

from __future__ import annotations

from collections.abc import Iterator

from mg_provider.api.http.answers import parse
from mg_provider.api.http.transport import RETRY_BUDGET
from mg_provider.api.vertex.calls import VertexCalls
from mg_provider.wire.vertex.batch import BatchPredictionJob, ListBatchPredictionJobsResponse
from mg_provider.wire.vertex.operation import Operation


class BatchMethods(VertexCalls):
    """Calls for batch prediction jobs."""

    def create_batch_prediction_job(self, parent: str, job: BatchPredictionJob) -> BatchPredictionJob:
        """``POST v1/{parent}/batchPredictionJobs``: returns the job itself, not an operation.

        v1beta1 for a job with spot, flex_start or endpoint. Not repeated by itself, and the service chooses the id: a
        label of the caller's is what makes a repeat detectable. Permission: aiplatform.batchPredictionJobs.create.
        """
        version = "v1beta1" if job.needs_v1beta1 else "v1"
        answer = self._json("POST", f"{parent}/batchPredictionJobs", body=job.to_wire(), version=version)
        return parse(BatchPredictionJob, answer)

    def get_batch_prediction_job(self, name: str, *, retry_budget: float = RETRY_BUDGET) -> BatchPredictionJob:
        """``GET v1beta1/{name}``, which shows what v1 shows and more. Permission: aiplatform.batchPredictionJobs.get.

        Raises:
            NotFound: there is no such job.
        """
        return parse(BatchPredictionJob, self._json("GET", name, retry_budget=retry_budget))

    def list_batch_prediction_jobs(self, parent: str, filter: str | None = None) -> Iterator[BatchPredictionJob]:
        """``GET v1beta1/{parent}/batchPredictionJobs``. Permission: aiplatform.batchPredictionJobs.list.

        Args:
            parent: ``projects/{project}/locations/{location}``.
            filter: On display_name, model_display_name, state, create_time or labels.
        """
        for page in self._pages(ListBatchPredictionJobsResponse, f"{parent}/batchPredictionJobs", {"filter": filter}):
            yield from page.batch_prediction_jobs

    def cancel_batch_prediction_job(self, name: str) -> None:
        """``POST v1/{name}:cancel``: ask for it; the job then becomes CANCELLING and CANCELLED, output so far stays.

        Permission: aiplatform.batchPredictionJobs.cancel.
        """
        self._json("POST", f"{name}:cancel", body={}, repeatable=True, version="v1")

    def delete_batch_prediction_job(self, name: str) -> Operation:
        """``DELETE v1/{name}``: only a job that has ended. Permission: aiplatform.batchPredictionJobs.delete.

        Raises:
            NotFound: there is no such job, or an earlier attempt of this same call removed it.
            FailedPrecondition: it still runs.
        """
        return self._operation("DELETE", name, version="v1")
