"""Rows of a BigQuery table as JSON, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from mg_provider.api.bigquery.client import BigQueryClient
from mg_provider.wire.bigquery import TableFieldSchema

_DOCUMENTED = frozenset(
    (
        "custom_id",
        "method",
        "url",
        "body",
        "id",
        "response",
        "prediction",
        "error",
        "errors",
        "status",
        "key",
        "instance",
    )
)
_WHOLE = frozenset({"INTEGER", "INT64"})
_RECORD = frozenset({"RECORD", "STRUCT"})
_TRUTH = frozenset({"BOOLEAN", "BOOL"})
_FLOAT = frozenset({"FLOAT", "FLOAT64"})


def row_lines(bigquery: BigQueryClient, project: str, dataset: str, table: str) -> Iterator[bytes]:
    """Every row as one line of JSON: an object by column, a JSON column as the JSON that it holds, no nulls.

    Columns of batch prediction have the names that Google documents, in small letters: to BigQuery, case means nothing.

    Permissions: bigquery.tables.get, bigquery.tables.getData.
    """
    schema = bigquery.get_table(project, dataset, table).table_schema
    columns = [_documented(column) for column in schema.fields_] if schema else []
    encode = msgspec.json.Encoder().encode
    for row in bigquery.list_rows(project, dataset, table):
        yield encode(record(columns, [cell.v for cell in row.f]))


def _documented(column: TableFieldSchema) -> TableFieldSchema:
    name = (column.name or "").lower()
    return column.model_copy(update={"name": name}) if name in _DOCUMENTED else column


def record(columns: Sequence[TableFieldSchema], values: Sequence[Any]) -> dict[str, Any]:
    """A row by column, without nulls; a JSON column as msgspec.Raw."""
    pairs = zip(columns, values, strict=True)
    return {column.name or "": _value(column, value) for column, value in pairs if value is not None}


def _value(column: TableFieldSchema, value: Any) -> Any:
    if column.mode == "REPEATED":
        return [_single(column, entry["v"]) for entry in value]
    return _single(column, value)


def _single(column: TableFieldSchema, value: Any) -> Any:
    kind = (column.type or "").upper()
    if kind in _RECORD:
        return record(column.fields_ or [], [entry["v"] for entry in value["f"]])
    if kind == "JSON":
        return msgspec.Raw(value.encode())
    if kind in _WHOLE:
        return int(value)
    if kind in _FLOAT:
        number = float(value)
        return number if number - number == 0 else value
    return value == "true" if kind in _TRUTH else value
