"""How answers are written."""

from __future__ import annotations

from enum import StrEnum


class ResultsFormat(StrEnum):
    """How answers are written."""

    jsonl = "jsonl"
    csv = "csv"
    table = "table"
