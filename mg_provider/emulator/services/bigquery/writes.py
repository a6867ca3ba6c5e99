"""Where a job puts its rows: a table that is made, filled, added to or replaced, as its dispositions say.

Source: ``writeDisposition`` and ``createDisposition`` of ``bigquery.v2``, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mg_provider.emulator.core.routing import Call
from mg_provider.emulator.google import errors
from mg_provider.emulator.services.bigquery.calls import bigquery_state, find_dataset, invalid
from mg_provider.emulator.services.bigquery.state import Dataset, Table, create_table

Json = dict[str, Any]


class Target:
    """The table that a job writes to.

    Args:
        call: Of the job.
        reference: ``destinationTable``.
        options: The job's configuration, with its dispositions.
        usual: What ``writeDisposition`` is where the configuration says nothing.

    Raises:
        ApiError: NOT_FOUND for the dataset, or for the table where it may not be made.
    """

    def __init__(self, call: Call, reference: Mapping[str, str], options: Json, usual: str) -> None:
        self._call = call
        self._name = reference.get("tableId", "")
        project = call.world.project_id(call.world.project_number(reference.get("projectId", call.project)))
        self.dataset: Dataset = find_dataset(call.world, project, reference.get("datasetId", ""))
        self._write = options.get("writeDisposition", usual)
        self.table: Table | None = bigquery_state(call.world).find_table(project, self.dataset.name, self._name)
        if self.table is None and options.get("createDisposition") == "CREATE_NEVER":
            raise errors.not_found(f"Not found: Table {self._full_name()}")
        if self.table is not None and self.table.rows and self._write == "WRITE_EMPTY":
            raise errors.ApiError("ALREADY_EXISTS", f"Already Exists: Table {self._full_name()}", reason="duplicate")

    @property
    def kept(self) -> Table | None:
        """The table whose schema holds on, if there is one."""
        return None if self._write == "WRITE_TRUNCATE" else self.table

    def write(self, fields: Sequence[Mapping[str, Any]], rows: Sequence[Json]) -> Table:
        """Write rows of these columns. ApiError when the table that is added to lacks a column."""
        table = self.kept
        if table is None:
            table = create_table(self.dataset, self._name, fields, self._call.world.now())
        known = {column.name.lower(): column.name for column in table.columns}
        for field in fields:
            if str(field["name"]).lower() not in known:
                text = f"Provided Schema does not match Table {self._full_name()}."
                raise invalid(f"{text} Cannot add fields (field: {field['name']})")
        table.rows.extend({known[name.lower()]: value for name, value in row.items()} for row in rows)
        return table

    def _full_name(self) -> str:
        return f"{self.dataset.project}:{self.dataset.name}.{self._name}"
