"""Datasets and tables, as BigQuery keeps them. No HTTP here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mg_provider.emulator.services.bigquery.values import Column, columns

IDENTIFIER = re.compile(r"[A-Za-z0-9_]{1,1024}")


@dataclass
class Table:
    """A table with its rows; values are as `bigquery_values.read_row` returns them."""

    project: str
    dataset: str
    name: str
    location: str
    created: float
    schema_fields: Sequence[Mapping[str, Any]]
    details: Mapping[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The schema, read."""
        return columns(self.schema_fields)


@dataclass
class Dataset:
    """A dataset with its tables."""

    project: str
    name: str
    location: str
    created: float
    details: Mapping[str, Any] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)


class BigQueryState:
    """All datasets, by project and name."""

    def __init__(self) -> None:
        self.datasets: dict[tuple[str, str], Dataset] = {}
        self._job_count = 0

    def find_table(self, project: str, dataset: str, name: str) -> Table | None:
        """The table, or nothing when it or its dataset is not there."""
        holder = self.datasets.get((project, dataset))
        return holder.tables.get(name) if holder else None

    def next_job_id(self) -> str:
        """An id for a job whose caller gave none."""
        self._job_count += 1
        return f"job_mg{self._job_count:06d}"


def create_table(dataset: Dataset, name: str, schema_fields: Sequence[Mapping[str, Any]], now: float) -> Table:
    """Make an empty table; its schema must be readable."""
    columns(schema_fields)
    table = Table(dataset.project, dataset.name, name, dataset.location, now, schema_fields)
    dataset.tables[name] = table
    return table
