"""BigQuery v2, as far as batch input and output need it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mg_provider.api.errors import UserError
from mg_provider.api.http.answers import pages, parse
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.transport import Call, Transport
from mg_provider.api.names import segment
from mg_provider.wire.bigquery import (
    Dataset,
    Job,
    QueryRequest,
    QueryResponse,
    Table,
    TableDataList,
    TableReference,
    TableRow,
)

WAIT = 20_000
"""Milliseconds that a call waits for a query to end, less than a call may take."""


def split_table_uri(uri: str) -> TableReference:
    """Project, dataset and table of ``bq://project[.dataset[.table]]``. A project may be ``domain.com:project``.

    Raises:
        UserError: it is not such a URI.
    """
    domain, colon, rest = uri.removeprefix("bq://").rpartition(":")
    parts = rest.split(".")
    if not uri.startswith("bq://") or not all(parts) or len(parts) > 3:
        raise UserError(f"{uri!r} is not a valid BigQuery URI", hint="write bq://project.dataset.table")
    project, dataset, table = (*parts, None, None)[:3]
    return TableReference(project_id=f"{domain}{colon}{project}", dataset_id=dataset, table_id=table)


class BigQueryClient:
    """Calls of BigQuery.

    Every method may raise any :class:`~mg_provider.api.errors.CloudError`, and
    :class:`~mg_provider.api.errors.ConnectionFailed`; NotFound means that the dataset or table does not exist.
    """

    def __init__(self, transport: Transport, settings: Settings) -> None:
        self._transport = transport
        self._base = f"{settings.big_query_custom_endpoint or settings.service('bigquery')}/bigquery/v2"

    def get_dataset(self, project: str, dataset: str) -> Dataset:
        """``GET projects/{project}/datasets/{dataset}``. Permission: bigquery.datasets.get."""
        return parse(Dataset, self._json("GET", _dataset(project, dataset)))

    def get_table(self, project: str, dataset: str, table: str) -> Table:
        """``GET …/tables/{table}``: schema, location, rows. Permission: bigquery.tables.get."""
        return parse(Table, self._json("GET", _table(project, dataset, table)))

    def delete_table(self, project: str, dataset: str, table: str) -> None:
        """``DELETE …/tables/{table}``: the table and its rows. Permission: bigquery.tables.delete."""
        self._json("DELETE", _table(project, dataset, table))

    def list_rows(self, project: str, dataset: str, table: str) -> Iterator[TableRow]:
        """``GET …/tables/{table}/data``: all rows, a page at a time. Permission: bigquery.tables.getData."""
        place = f"{_table(project, dataset, table)}/data"
        for page in pages(
            lambda token: parse(TableDataList, self._json("GET", place, {"maxResults": 1000, "pageToken": token}))
        ):
            yield from page.rows

    def query(self, project: str, request: QueryRequest) -> QueryResponse:
        """``POST projects/{project}/queries``. Permissions: bigquery.jobs.create, bigquery.tables.getData.

        With a ``request_id`` BigQuery recognises a repeat, so the call is repeated on failure; a dry run too.
        """
        call = Call(
            "POST",
            f"{self._base}/projects/{segment(project)}/queries",
            body=request.to_wire(),
            repeatable=bool(request.request_id or request.dry_run),
        )
        return parse(QueryResponse, self._transport.json(call))

    def pause(self, attempt: int) -> None:
        """Wait before another attempt at what came too fast."""
        self._transport.pause(attempt)

    def insert_job(self, project: str, job: Job) -> Job:
        """``POST projects/{project}/jobs``. Permissions: bigquery.jobs.create, and those of what it reads and writes.

        A job with an id runs once however often it is sent, so the call is repeated on failure; a dry run too.

        Raises:
            AlreadyExists: there is a job of that id, perhaps from a call whose answer was lost.
        """
        named = bool(job.job_reference and job.job_reference.job_id)
        dry = bool(job.configuration and job.configuration.dry_run)
        url = f"{self._base}/projects/{segment(project)}/jobs"
        return parse(Job, self._transport.json(Call("POST", url, body=job.to_wire(), repeatable=named or dry)))

    def get_query_results(
        self, project: str, job: str, *, location: str | None = None, page: str | None = None, wait: int = WAIT
    ) -> QueryResponse:
        """``GET projects/{project}/queries/{job}``: a page of rows. Permission: bigquery.jobs.get, on own jobs none.

        Args:
            project: The job's project.
            job: Its id.
            location: Where it runs.
            page: Token of the page; the first without one.
            wait: Milliseconds that BigQuery waits for the job to end; then ``job_complete`` is false.

        Raises:
            CloudError: the query failed, for the reason that the error has.
        """
        query = {"location": location, "pageToken": page, "timeoutMs": wait}
        return parse(QueryResponse, self._json("GET", f"projects/{segment(project)}/queries/{segment(job)}", query))

    def _json(
        self, method: str, place: str, query: Mapping[str, str | int | bool | None] | None = None
    ) -> dict[str, Any]:
        return self._transport.json(Call(method, f"{self._base}/{place}", query=query))


def _dataset(project: str, dataset: str) -> str:
    return f"projects/{segment(project)}/datasets/{segment(dataset)}"


def _table(project: str, dataset: str, table: str) -> str:
    return f"{_dataset(project, dataset)}/tables/{segment(table)}"
