"""The two statements that the emulated BigQuery understands: all rows of a table, and their number."""

from __future__ import annotations

import re
from dataclasses import dataclass

SUPPORTED = "this emulator reads SELECT * FROM `p.d.t` [LIMIT n] and SELECT COUNT(*) FROM `p.d.t`, nothing else"

_STATEMENT = re.compile(
    r"\s*SELECT\s+(?:(?P<all>\*)|COUNT\s*\(\s*\*\s*\)(?:\s+AS\s+(?P<alias>\w+))?)"
    r"\s+FROM\s+(?P<table>`[^`]+`|[\w.-]+)(?:\s+LIMIT\s+(?P<limit>\d+))?\s*;?\s*",
    re.IGNORECASE,
)


class StatementRefusedError(ValueError):
    """The text is no statement that is understood here."""


@dataclass(frozen=True)
class Statement:
    """A parsed query over one table."""

    project: str
    dataset: str
    table: str
    count_as: str | None
    """The result column's name when rows are to be counted."""
    limit: int | None


def parse_statement(text: str, project: str, default_dataset: str | None) -> Statement:
    """Read ``text``; a table's missing project and dataset come from the request."""
    match = _STATEMENT.fullmatch(text)
    if match is None:
        raise StatementRefusedError(f"Unsupported statement: {SUPPORTED}")
    parts = match["table"].strip("`").replace(":", ".").split(".")
    if len(parts) == 1 and default_dataset:
        parts.insert(0, default_dataset)
    if len(parts) == 2:
        parts.insert(0, project)
    if len(parts) != 3 or not all(parts):
        raise StatementRefusedError(f'Table "{match["table"]}" must be qualified with a dataset (e.g. dataset.table).')
    count_as = None if match["all"] else match["alias"] or "f0_"
    return Statement(parts[0], parts[1], parts[2], count_as, int(match["limit"]) if match["limit"] else None)
