"""Checks batch input where it is: BigQuery looks at every row, and only counts and a few samples come back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mg_provider.api.bigquery.client import split_table_uri
from mg_provider.api.bigquery.queries import Query, text_lines
from mg_provider.api.clients import Clients
from mg_provider.api.errors import CloudError, InvalidArgument, NotFound, PermissionDenied, UserError
from mg_provider.api.storage.client import split_object_uri
from mg_provider.clock import Clock
from mg_provider.preflight.batch.destination import other_region
from mg_provider.preflight.batch.fault_query import FILES, LINE, lines_query, table_query
from mg_provider.preflight.batch.input_files import note_denied, open_input
from mg_provider.preflight.batch.input_report import InputReport
from mg_provider.preflight.batch.text_check import TextCheck
from mg_provider.preflight.findings import shown
from mg_provider.preflight.weights.location import is_around
from mg_provider.wire.bigquery import Table

MOST_FILES = 10_000
"""Files of one query."""

_NAME = re.compile(r"bq://[\w.:-]+")
COLUMNS = {"custom_id": "STRING", "method": "STRING", "url": "STRING", "body": "JSON"}
RESERVED = ("response", "id")
_WARNINGS = ("duplicate_custom_id",)
_REASONS = {
    "no_body": "there is no body",
    "body_not_an_object": "body is not an object with the request",
    "messages_and_prompt": "body has messages and prompt: keep one of them",
    "no_messages": "body has neither messages nor prompt, or messages is not a list or is empty",
    "bad_prompt": "body.prompt is not text, or is empty",
    "bad_message": "a message is not an object with role and content",
    "bad_role": "a message has no role, or one that OpenAI does not have",
    "image": "a message has an image: batch prediction takes text only",
    "not_text": "a message has a part that is not text: batch prediction takes text only",
    "bad_content": "the content of a message is neither text nor a list of texts",
    "bad_parameter": "max_tokens, max_completion_tokens or temperature is not a number, or too small",
    "stream": "body.stream is set: an answer in a file cannot be streamed; remove it",
    "not_utf8": "the line has bytes that are not UTF-8, or U+FFFD, which stands for such",
    "half_character": "the line has half of a character, such as \\ud83d alone: cut texts between characters",
    "too_deep": "the line has lists and objects nested too deeply to be read",
    "not_json": "the line is not valid JSON",
    "not_an_object": "the line is not an object",
    "reserved_key": "'response' or 'id' is reserved for the output: rename it",
    "duplicate_custom_id": "rows have the custom_id of another: answers to them cannot be distinguished by it",
}


class QueryCheck:
    """Checks tables, and files as external tables.

    Permissions: bigquery.jobs.create, bigquery.tables.get, bigquery.tables.getData; for files storage.objects.get.
    """

    def __init__(self, clients: Clients, report: InputReport, region: str | None, clock: Clock) -> None:
        self._clients = clients
        self._report = report
        self._region = region
        self._clock = clock

    def table(self, uri: str) -> None:
        """Check the columns of a table ``bq://project.dataset.table``, where it is, and its rows.

        Raises:
            UserError: it is not a valid address.
        """
        place = split_table_uri(uri)
        if not place.project_id or not place.dataset_id or not place.table_id or not _NAME.fullmatch(uri):
            raise UserError(f"{uri} is not a table", property="input", hint="write bq://project.dataset.table")
        try:
            table = self._clients.bigquery.get_table(place.project_id, place.dataset_id, place.table_id)
            self._report.sources.append(uri)
            if not self._fits(table, uri):
                return
            name = f"{place.project_id}.{place.dataset_id}.{place.table_id}"
            query = self._query(table_query(name), place.project_id, table.location)
            self._read(query, uri)
        except NotFound as problem:
            self._report.add("error", "not_found", f"there is no such table ({problem.message})", uri)
        except PermissionDenied as problem:
            self._denied(uri, problem)

    def files(self, sources: Sequence[str]) -> None:
        """Check files in Cloud Storage, all of them with one query.

        Raises:
            UserError: one is not in Cloud Storage, or there are too many.
        """
        found: list[str] = []
        head = TextCheck(self._report)
        for source in sources:
            if not source.startswith("gs://"):
                raise UserError(f"{source} is not in Cloud Storage", hint="BigQuery reads gs:// and bq:// only")
            for file in open_input(source, self._clients.storage, self._report):
                try:
                    if head.begins_as_text(file.name, file.size, file.pieces):
                        found.append(file.name)
                except PermissionDenied as problem:
                    note_denied(problem, file.name, self._report)
        if len(found) > MOST_FILES:
            raise UserError(
                f"{len(found):,} files are more than {MOST_FILES:,}", property="input", hint="check them in parts"
            )
        if not found:
            return
        self._report.sources += found
        place = "" if len(found) > 1 else found[0]
        query = self._query(lines_query(), None, self._bucket_location(found[0]), text_lines(found, LINE))
        try:
            self._read(query, place)
        except PermissionDenied as problem:
            self._denied(place, problem)

    def _query(self, sql: str, project: str | None, location: str | None, files: Any = None) -> Query:
        payer = self._clients.settings.project or project
        if not payer:
            raise UserError("a query needs a project that pays for it", property="project", hint="give --project")
        job = f"mg_batch_check_{self._clock.request_id()}"
        tables = {FILES: files} if files else None
        return Query(self._clients.bigquery, payer, sql, job, location=location, files=tables)

    def _bucket_location(self, uri: str) -> str | None:
        try:
            location = self._clients.storage.get_bucket(split_object_uri(uri)[0]).location or ""
        except CloudError:
            return None
        return location.lower() if "-" in location else location

    def _fits(self, table: Table, uri: str) -> bool:
        """Whether the rows can be looked at; notes what is wrong with table and columns."""
        report = self._report
        if self._region and not is_around(table.location or "", self._region):
            report.add("error", "other_region", other_region("table", table.location or "?", self._region), uri)
        columns = {
            (each.name or "").lower(): each for each in (table.table_schema.fields_ if table.table_schema else [])
        }
        for name in RESERVED:
            if name in columns:
                report.add(
                    "error", "reserved_column", f"the column {name!r} is reserved for the output: rename it", uri
                )
        fits = True
        for name, kind in COLUMNS.items():
            column = columns.get(name)
            if column is None:
                report.add("error", "missing_column", f"there is no column {name} ({kind})", uri)
            elif (column.type or "").upper() != kind or (column.mode or "").upper() == "REPEATED":
                is_list = "a list of " if (column.mode or "").upper() == "REPEATED" else ""
                report.add("error", "wrong_type", f"the column {name} is {is_list}{column.type}, not {kind}", uri)
            else:
                continue
            fits = fits and name not in ("custom_id", "body")
        return fits

    def _read(self, query: Query, source: str) -> None:
        """Let the query say first what it would cost, then what is wrong."""
        try:
            self._report.bytes += query.bytes_to_process()
            kinds = sorted(query.rows(), key=lambda row: (row.get("fault") in _WARNINGS, -int(row.get("number", 0))))
        except InvalidArgument as problem:
            self._report.add("error", "not_readable", f"BigQuery cannot read it: {problem.message}", source)
            return
        before = self._report.rows
        for kind in kinds:
            number, fault = int(kind.get("number", 0)), kind.get("fault")
            if fault not in _WARNINGS:
                self._report.rows += number
            if fault and number:
                self._note(fault, number, kind.get("samples", []), source)
        if self._report.rows == before:
            self._report.add("error", "empty", "there are no rows: a job needs at least one", source)

    def _note(self, fault: str, number: int, samples: list[dict[str, Any]], source: str) -> None:
        shown = "; ".join(filter(None, (_sample(each) for each in samples)))
        place = samples[0].get("place") or source if samples else source
        message = (
            f"{_REASONS[fault]}: {number:,} {'row' if number == 1 else 'rows'}{f', such as {shown}' if shown else ''}"
        )
        warning = fault in _WARNINGS
        self._report.add("warning" if warning else "error", fault, message, place, times=number)
        if not warning:
            self._report.wrong_row(number, number)

    def _denied(self, source: str, problem: PermissionDenied) -> None:
        cause = f"; {problem.hint}" if problem.hint else ""
        message = (
            f"the caller may not look at it ({problem.message}){cause}: grant roles/bigquery.dataViewer on the "
            "dataset, or roles/storage.objectViewer on the bucket, and roles/bigquery.jobUser on the project"
        )
        self._report.add("error", "permission_denied", message, source)


def _sample(sample: dict[str, Any]) -> str:
    named, text = sample.get("custom_id"), sample.get("shown")
    return " ".join(filter(None, (f"custom_id {shown(named)}" if named else "", shown(text) if text else "")))
