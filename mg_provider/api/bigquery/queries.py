"""Queries that run as jobs: over tables, and over files in Cloud Storage that are a table for the query alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mg_provider.api.bigquery.client import BigQueryClient
from mg_provider.api.bigquery.rows import record
from mg_provider.api.errors import AlreadyExists, RateLimited
from mg_provider.wire.bigquery import (
    CsvOptions,
    ExternalDataConfiguration,
    Job,
    JobConfiguration,
    JobConfigurationQuery,
    JobReference,
    TableFieldSchema,
    TableSchema,
)

_MOST_JOBS = 6
"""How often a query is run while its jobs end because there are too many of them."""


def text_lines(uris: list[str], column: str) -> ExternalDataConfiguration:
    """A table of one column, a line of the files each: the delimiter never comes, and quotes mean nothing."""
    return ExternalDataConfiguration(
        source_uris=uris,
        source_format="CSV",
        table_schema=TableSchema(fields_=[TableFieldSchema(name=column, type="STRING")]),
        csv_options=CsvOptions(field_delimiter="\x01", quote=""),
    )


class Query:
    """One query. Permissions: bigquery.jobs.create and bigquery.tables.getData; storage.objects.get for files.

    Args:
        bigquery: The client.
        project: Who pays for it.
        sql: GoogleSQL, one statement.
        job_id: Its id, which makes a repeat harmless.
        location: Where its tables are; BigQuery finds out where it can.
        files: External tables by name.
    """

    def __init__(
        self,
        bigquery: BigQueryClient,
        project: str,
        sql: str,
        job_id: str,
        *,
        location: str | None = None,
        files: Mapping[str, ExternalDataConfiguration] | None = None,
    ) -> None:
        self._bigquery = bigquery
        self._project = project
        self._id = job_id
        self._location = location
        self._query = JobConfigurationQuery(
            query=sql, use_legacy_sql=False, table_definitions=dict(files or {}) or None
        )

    def bytes_to_process(self) -> int:
        """What it would process, at most; it is checked and does not run. For files this is not always known.

        Raises:
            CloudError: it cannot run, for the reason that the error has.
        """
        configuration = JobConfiguration(query=self._query, dry_run=True)
        reference = JobReference(location=self._location) if self._location else None
        job = self._bigquery.insert_job(self._project, Job(configuration=configuration, job_reference=reference))
        return (job.statistics and job.statistics.total_bytes_processed) or 0

    def rows(self) -> Iterator[dict[str, Any]]:
        """Run it, wait, and answer its rows by column, without nulls. A job that met a rate limit is run again.

        Raises:
            CloudError: it failed, for the reason that the error has.
        """
        for attempt in range(_MOST_JOBS):
            rows = self._run(f"{self._id}-{attempt}" if attempt else self._id)
            try:
                first = next(rows, None)
            except RateLimited:
                if attempt + 1 == _MOST_JOBS:
                    raise
                self._bigquery.pause(attempt)
                continue
            yield from ([] if first is None else [first])
            yield from rows
            return

    def _run(self, id: str) -> Iterator[dict[str, Any]]:
        reference = JobReference(project_id=self._project, job_id=id, location=self._location)
        job = Job(configuration=JobConfiguration(query=self._query), job_reference=reference)
        try:
            started = self._bigquery.insert_job(self._project, job).job_reference or reference
        except AlreadyExists:
            started = reference
        page = None
        while True:
            answer = self._bigquery.get_query_results(self._project, id, location=started.location, page=page)
            columns = answer.table_schema.fields_ if answer.table_schema else []
            for row in answer.rows:
                yield record(columns, [cell.v for cell in row.f])
            page = answer.page_token
            if answer.job_complete and not page:
                return
