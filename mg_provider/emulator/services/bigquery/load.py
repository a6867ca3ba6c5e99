"""BigQuery load jobs: rows of newline-delimited JSON that are uploaded together with the job.

Source: "Loading JSON data" and "Schema auto-detection" of the BigQuery documentation, read 2026-11.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mg_provider.emulator.core.routing import Call
from mg_provider.emulator.google import errors
from mg_provider.emulator.payload import read_json
from mg_provider.emulator.services.bigquery.calls import invalid
from mg_provider.emulator.services.bigquery.values import Column, ValueRefusedError, columns, read_row
from mg_provider.emulator.services.bigquery.writes import Target

Json = dict[str, Any]

# Text that BigQuery would take for a number, a date or a time.
_MORE_THAN_TEXT = re.compile(r"\s*[-+]?[\d.].*|true|false|nan|inf", re.IGNORECASE | re.DOTALL)


@dataclass
class LoadResult:
    """A finished load job: what it read, or why it read nothing."""

    job_id: str
    location: str
    load: Json
    created: float
    read_bytes: int = 0
    rows: int = 0
    error: errors.ApiError | None = None

    @property
    def configuration(self) -> Json:
        """As the job shows it."""
        return {"jobType": "LOAD", "load": self.load}

    @property
    def statistics(self) -> Json:
        """What is special to this kind of job."""
        size = str(self.read_bytes)
        return {"load": {"inputFiles": "1", "inputFileBytes": size, "outputRows": str(self.rows), "outputBytes": size}}


def load(call: Call, result: LoadResult, content: bytes) -> None:
    """Read the rows and write them. ApiError for what is wrong with the job or with a row."""
    options = result.load
    if options.get("sourceFormat") != "NEWLINE_DELIMITED_JSON":
        raise errors.not_emulated("a BigQuery load of another format than NEWLINE_DELIMITED_JSON")
    target = Target(call, options.get("destinationTable", {}), options, "WRITE_APPEND")
    if result.location and result.location.lower() != target.dataset.location.lower():
        name = f"{target.dataset.project}:{target.dataset.name}"
        raise errors.not_found(f"Not found: Dataset {name} was not found in location {result.location}")
    result.location = target.dataset.location
    given = list(_lines(content))
    fields = _fields(options, target, given)
    ignore = options.get("ignoreUnknownValues", False)
    try:
        read = columns(fields)
        rows = [read_row(read, _as_text(read, row), ignore_unknown=ignore) for row in given]
    except ValueRefusedError as error:
        raise invalid(f"Error while reading data, error message: {error.message}") from error
    target.write(fields, rows)
    result.read_bytes, result.rows = len(content), len(rows)


def _lines(content: bytes) -> Iterable[Json]:
    position = 0
    for line in content.split(b"\n"):
        if line.strip():
            try:
                row = read_json(line)
            except ValueError as error:
                raise invalid(
                    "Error while reading data, error message: JSON parsing error in row starting at position "
                    f"{position}: Parser terminated before end of string"
                ) from error
            yield row
        position += len(line) + 1


def _fields(options: Json, target: Target, rows: list[Json]) -> list[Json]:
    """The schema of the job, of the table, or of what the rows look like."""
    if fields := options.get("schema", {}).get("fields"):
        return list(fields)
    if target.kept is not None:
        return [dict(each) for each in target.kept.schema_fields]
    if not options.get("autodetect"):
        raise invalid("No schema specified on job or table.")
    found: dict[str, Json] = {}
    for row in rows:
        for name, value in row.items():
            if value is not None:
                found.setdefault(name, {"name": name, **_detected(value)})
    return list(found.values())


def _detected(value: Any) -> Json:
    if isinstance(value, list):
        return {**_detected(value[0] if value else ""), "mode": "REPEATED"}
    if isinstance(value, dict):
        fields = [{"name": name, **_detected(each)} for name, each in value.items()]
        return {"type": "RECORD", "mode": "NULLABLE", "fields": fields}
    if isinstance(value, str) and _MORE_THAN_TEXT.fullmatch(value):
        raise errors.not_emulated("the detection of types in text that looks like a number, a date or a time")
    kinds = {bool: "BOOLEAN", int: "INTEGER", float: "FLOAT", str: "STRING"}
    return {"type": kinds[type(value)], "mode": "NULLABLE"}


def _as_text(schema: Iterable[Column], row: Mapping[str, Any]) -> Json:
    """What stands in a JSON column as JSON text; a load takes any value there, where streaming takes text alone."""
    kinds = {column.name.lower(): column.type for column in schema}
    return {
        name: json.dumps(value) if kinds.get(name.lower()) == "JSON" and value is not None else value
        for name, value in row.items()
    }
