"""Values and rows as BigQuery's REST API takes and gives them.

Rows go in as JSON objects and come out as ``{"f": [{"v": …}]}``, every scalar a string; a JSON column is a string
of JSON text in both directions.
Source: bigquery.v2 TableRow and TableCell; "Data types" of the REST reference, read 2026-11.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mg_provider.emulator.payload import read_json

Json = dict[str, Any]

_INTEGER = {"INTEGER", "INT64"}
_FLOAT = {"FLOAT", "FLOAT64", "NUMERIC", "BIGNUMERIC"}
_BOOLEAN = {"BOOLEAN", "BOOL"}
_RECORD = {"RECORD", "STRUCT"}
TYPES = (
    _INTEGER
    | _FLOAT
    | _BOOLEAN
    | _RECORD
    | {"STRING", "BYTES", "TIMESTAMP", "DATE", "TIME", "DATETIME", "JSON", "GEOGRAPHY", "INTERVAL"}
)


class ValueRefusedError(ValueError):
    """A value does not fit its column; ``location`` is the column's path."""

    def __init__(self, location: str, message: str) -> None:
        super().__init__(message)
        self.location = location
        self.message = message


@dataclass(frozen=True)
class Column:
    """One column of a schema."""

    name: str
    type: str
    mode: str
    fields: tuple[Column, ...] = ()


def columns(schema_fields: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """Read ``schema.fields``. ValueRefusedError for an unknown type or a name given twice."""
    found: dict[str, Column] = {}
    for entry in schema_fields:
        name, kind = str(entry.get("name", "")), str(entry.get("type", "")).upper()
        if not name or kind not in TYPES:
            raise ValueRefusedError(name, f"Invalid value for type: {entry.get('type')} is not a valid value")
        if name.lower() in found:
            raise ValueRefusedError(name, f"Field {name} already exists in schema")
        mode = str(entry.get("mode", "NULLABLE")).upper()
        found[name.lower()] = Column(name, kind, mode, columns(entry.get("fields", ())))
    return tuple(found.values())


def read_row(schema: Sequence[Column], row: Mapping[str, Any], *, ignore_unknown: bool, path: str = "") -> Json:
    """Check a row against the schema and bring it to one form: numbers as numbers, JSON columns as parsed JSON."""
    known = {column.name.lower(): column for column in schema}
    if not ignore_unknown:
        for name in row:
            if name.lower() not in known:
                raise ValueRefusedError(f"{path}{name}", f"no such field: {path}{name}.")
    given = {name.lower(): value for name, value in row.items()}
    result: Json = {}
    for lowered, column in known.items():
        value = given.get(lowered)
        where = f"{path}{column.name}"
        if column.mode == "REPEATED":
            items = [] if value is None else value
            if not isinstance(items, list):
                raise ValueRefusedError(where, f"Array specified for non-repeated field: {where}.")
            result[column.name] = [_read_value(column, item, where, ignore_unknown) for item in items]
        elif value is None:
            if column.mode == "REQUIRED":
                raise ValueRefusedError(where, f"Missing required field: {where}.")
            result[column.name] = None
        else:
            result[column.name] = _read_value(column, value, where, ignore_unknown)
    return result


def _read_value(column: Column, value: Any, where: str, ignore_unknown: bool) -> Any:
    if column.type in _RECORD:
        if not isinstance(value, Mapping):
            raise ValueRefusedError(where, f"This field: {where} is not a record.")
        return read_row(column.fields, value, ignore_unknown=ignore_unknown, path=f"{where}.")
    if isinstance(value, Mapping | list):
        # The service takes JSON text for a JSON column, and reads a nested object as a record.
        raise ValueRefusedError(where, f"This field: {where} is not a record.")
    try:
        return _read_scalar(column.type, value)
    except (ValueError, OverflowError):
        raise ValueRefusedError(where, f"Cannot convert value to {column.type.lower()}: {value}") from None


def _read_scalar(kind: str, value: Any) -> Any:
    if kind == "JSON":
        return json.loads(value) if isinstance(value, str) else value
    if kind in _INTEGER:
        return int(value)
    if kind in _FLOAT:
        return float(value)
    if kind in _BOOLEAN:
        return _read_boolean(value)
    if kind == "TIMESTAMP":
        return _read_timestamp(value)
    return value if isinstance(value, str) else json.dumps(value)


def _read_boolean(value: Any) -> bool:
    words = {"true": True, "1": True, "false": False, "0": False}
    if str(value).lower() not in words:
        raise ValueError(value)
    return words[str(value).lower()]


def _read_timestamp(value: Any) -> float:
    """Seconds since 1970, from a number or from RFC 3339 text."""
    try:
        return float(value)
    except ValueError:
        moment = datetime.fromisoformat(str(value).removesuffix(" UTC"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def write_row(schema: Sequence[Column], row: Mapping[str, Any]) -> Json:
    """A row in ``f``/``v`` form."""
    return {"f": [{"v": _write_value(column, row.get(column.name))} for column in schema]}


def _write_value(column: Column, value: Any) -> Any:
    if column.mode == "REPEATED":
        return [{"v": _write_single(column, item)} for item in value or []]
    return None if value is None else _write_single(column, value)


def _write_single(column: Column, value: Any) -> Any:
    if column.type in _RECORD:
        return write_row(column.fields, value)
    if column.type == "JSON":
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if column.type in _BOOLEAN:
        return "true" if value else "false"
    if column.type in _FLOAT and math.isfinite(value):
        return repr(value)
    return str(value)


# The JSON type of BigQuery: "maximum nesting depth" in its quotas.
_DEEPEST = 500
_STEPS = re.compile(r'"(?:\\.|[^"\\])*"|[\[{]|[\]}]')


def is_json(text: str) -> bool:
    """Whether BigQuery reads a text as JSON."""
    depth = 0
    for step in _STEPS.finditer(text):
        depth += (step[0] in "[{") - (step[0] in "]}")
        if depth > _DEEPEST:
            return False
    try:
        read_json(text)
    except ValueError:
        return False
    return True
