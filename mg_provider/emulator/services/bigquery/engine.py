"""Runs a statement on DuckDB over rows of emulated tables, and returns what came out in BigQuery's types."""

from __future__ import annotations

import datetime
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mg_provider.emulator.services.bigquery.sql import MACROS, Statement
from mg_provider.emulator.services.bigquery.values import Column, is_json

if TYPE_CHECKING:
    import duckdb

Json = dict[str, Any]

_TO_DUCKDB = {
    "INTEGER": "BIGINT",
    "INT64": "BIGINT",
    "FLOAT": "DOUBLE",
    "FLOAT64": "DOUBLE",
    "NUMERIC": "DOUBLE",
    "BIGNUMERIC": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "BOOL": "BOOLEAN",
    "JSON": "JSON",
    "TIMESTAMP": "DOUBLE",
}
_FROM_DUCKDB = {
    "tinyint": "INTEGER",
    "smallint": "INTEGER",
    "integer": "INTEGER",
    "bigint": "INTEGER",
    "hugeint": "INTEGER",
    "ubigint": "INTEGER",
    "uinteger": "INTEGER",
    "float": "FLOAT",
    "double": "FLOAT",
    "decimal": "FLOAT",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMP",
    "date": "DATE",
    "blob": "BYTES",
}
_OFFLINE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "threads": "1",
}
_LARGEST_ROW = 256 * 1024 * 1024


class QueryFailedError(ValueError):
    """The engine refused the statement, or failed at a row."""


@dataclass(frozen=True)
class Rows:
    """Rows with the columns that they have."""

    columns: Sequence[Column]
    rows: Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Output:
    """What a query gave: ``schema.fields``, and rows as an emulated table keeps them."""

    schema_fields: list[Json]
    rows: list[Json]


def run_statement(statement: Statement, tables: Mapping[str, Rows], *, dry: bool) -> Output:
    """Run the query of a statement. Dry, over tables without rows.

    Raises:
        QueryFailedError: The statement does not fit the tables, or a value stopped it.
    """
    import duckdb

    with tempfile.TemporaryDirectory(prefix="mg-bigquery-") as folder, closing(duckdb.connect(config=_OFFLINE)) as base:
        try:
            base.create_function("mg_is_json", is_json, ["VARCHAR"], "BOOLEAN")
            for macro in MACROS:
                base.execute(macro)
            for name, table in tables.items():
                _load(base, name, table, Path(folder), dry=dry)
            found = base.sql(statement.sql)
            fields = [_field(name, kind) for name, kind in zip(found.columns, found.types, strict=True)]
            rows = [] if dry else found.fetchall()
        except duckdb.Error as error:
            raise QueryFailedError(str(error).splitlines()[0]) from error
    return Output(fields, [_row(fields, row) for row in rows])


def _load(base: duckdb.DuckDBPyConnection, name: str, table: Rows, folder: Path, *, dry: bool) -> None:
    described = ", ".join(f"{_quoted(column.name)} {_type(column)}" for column in table.columns)
    base.execute(f"CREATE TABLE {name} ({described})")
    if dry:
        return
    path = folder / f"{name}.json"
    written = 0
    with path.open("w", encoding="utf-8") as file:
        for row in table.rows:
            file.write(json.dumps(row) + "\n")
            written += 1
    if written:
        types = _struct({column.name: _type(column) for column in table.columns})
        how = f"columns = {types}, format = 'newline_delimited', maximum_object_size = {_LARGEST_ROW}"
        base.execute(f"INSERT INTO {name} BY NAME FROM read_json(?, {how})", [str(path)])


def _type(column: Column) -> str:
    kind = _TO_DUCKDB.get(column.type, "VARCHAR")
    if column.type in ("RECORD", "STRUCT"):
        kind = "STRUCT(" + ", ".join(f"{_quoted(each.name)} {_type(each)}" for each in column.fields) + ")"
    return f"{kind}[]" if column.mode == "REPEATED" else kind


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _struct(types: Mapping[str, str]) -> str:
    pairs = ", ".join(f"{_quoted(name)}: '{kind}'" for name, kind in types.items())
    return "{" + pairs + "}"


def _field(name: str, kind: Any) -> Json:
    """A column of the result, as ``schema.fields`` has it."""
    mode = "NULLABLE"
    if kind.id == "list":
        mode, kind = "REPEATED", kind.children[0][1]
    if kind.id == "struct":
        return {
            "name": name,
            "type": "RECORD",
            "mode": mode,
            "fields": [_field(inner, each) for inner, each in kind.children],
        }
    kind_name = "JSON" if str(kind) == "JSON" else _FROM_DUCKDB.get(str(kind.id), "STRING")
    return {"name": name, "type": kind_name, "mode": mode}


def _row(fields: Sequence[Json], values: Sequence[Any]) -> Json:
    return {field["name"]: _value(field, value) for field, value in zip(fields, values, strict=True)}


def _value(field: Json, value: Any) -> Any:
    if field["mode"] == "REPEATED":
        return [_single(field, each) for each in value or []]
    return _single(field, value)


def _single(field: Json, value: Any) -> Any:
    if value is None:
        return None
    if field["type"] == "RECORD":
        return _row(field["fields"], [value[each["name"]] for each in field["fields"]])
    if field["type"] == "JSON":
        return json.loads(value)
    if field["type"] == "FLOAT":
        return float(value)
    return value.timestamp() if isinstance(value, datetime.datetime) else value
