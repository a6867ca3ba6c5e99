"""Where a batch prediction job wrote, read line by line and deleted.

A job writes files ``predictions_*`` and ``errors_*`` in a new folder, or tables ``predictions*`` and ``errors*``
(aiplatform discovery document of 2026-11-06, ``outputConfig``). Where one table was named as the output, rows that
failed are taken to be in it, with an ``error`` in the column ``response``: no source says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mg_provider.api.bigquery.client import split_table_uri
from mg_provider.api.bigquery.rows import row_lines
from mg_provider.api.errors import NotFound, UserError
from mg_provider.api.storage.client import split_object_uri
from mg_provider.api.storage.lines import Block, in_blocks, object_blocks

if TYPE_CHECKING:
    from mg_provider.api.clients import Clients
    from mg_provider.wire.storage import StorageObject

_PREDICTIONS_TABLE = re.compile(r"predictions?(?=_|$)")
_FILE = re.compile(r"(predictions?|errors)[._-]")
_FOLDER = "prediction-"


@dataclass(frozen=True)
class BatchOutput:
    """The output of one run.

    Attributes:
        location: ``gs://bucket/folder/prediction-…`` or ``bq://project.dataset.table``.
        clients: API clients.
    """

    location: str
    clients: Clients

    def blocks(self) -> Iterator[Block]:
        """Every answer, then every failure, each as one line of JSON, in blocks; in the service's own order.

        Permissions: storage.objects.list and get, or bigquery.tables.get and getData.

        Raises:
            NotFound: there is no such bucket or table.
            UserError: the folder holds no output of a job.
        """
        if self.location.startswith("bq://"):
            yield from in_blocks(self.location, self._table_lines(self._table()))
            yield from self._error_table_blocks()
            return
        found = self._objects()
        if not found:
            raise UserError(f"{self.location} holds no predictions", hint="name the folder that the job made")
        for entry in found:
            yield from self._object_blocks(entry)

    def error_blocks(self) -> Iterator[Block]:
        """The rows that failed, where they are kept apart; otherwise nothing."""
        if self.location.startswith("bq://"):
            yield from self._error_table_blocks()
            return
        for entry in self._objects():
            if _is_of_errors(entry):
                yield from self._object_blocks(entry)

    def answer_blocks(self) -> Iterator[Block]:
        """The other rows: answers, as the service calls them."""
        if self.location.startswith("bq://"):
            yield from in_blocks(self.location, self._table_lines(self._table()))
            return
        for entry in self._objects():
            if not _is_of_errors(entry):
                yield from self._object_blocks(entry)

    def delete(self) -> None:
        """Delete the files of the folder, or the tables; what is gone already is fine.

        Permissions: storage.objects.list and delete, or bigquery.tables.delete.
        """
        if self.location.startswith("bq://"):
            project, dataset, table = self._table()
            for name in filter(None, (table, self._errors_table())):
                with suppress(NotFound):
                    self.clients.bigquery.delete_table(project, dataset, name)
            return
        bucket, folder = split_object_uri(self.location)
        if not folder.rstrip("/").rpartition("/")[2].startswith(_FOLDER):
            raise UserError(f"{self.location} is not named like a job's output folder", hint="delete it by hand")
        try:
            found = self._objects(all_files=True)
        except NotFound:
            return
        for entry in found:
            with suppress(NotFound):
                self.clients.storage.delete_object(bucket, entry.name or "")

    def _objects(self, *, all_files: bool = False) -> list[StorageObject]:
        """The output files: predictions before errors."""
        bucket, folder = split_object_uri(self.location)
        if not folder.strip("/"):
            raise UserError(f"{self.location} is a whole bucket", hint="name the folder that the job made in it")
        listed = self.clients.storage.list_objects(bucket, prefix=f"{folder.rstrip('/')}/")
        found = [entry for entry in listed if all_files or _FILE.match(_base(entry))]
        return sorted(found, key=lambda entry: (_is_of_errors(entry), entry.name))

    def _object_blocks(self, entry: StorageObject) -> Iterator[Block]:
        bucket, _ = split_object_uri(self.location)
        return object_blocks(self.clients.storage, bucket, entry.name or "", entry.size or 0)

    def _table(self) -> tuple[str, str, str]:
        reference = split_table_uri(self.location)
        if not reference.project_id or not reference.dataset_id or not reference.table_id:
            raise UserError(f"{self.location} is not a table", hint="write bq://project.dataset.table")
        return reference.project_id, reference.dataset_id, reference.table_id

    def _table_lines(self, table: tuple[str, str, str]) -> Iterator[bytes]:
        return row_lines(self.clients.bigquery, *table)

    def _errors_table(self) -> str | None:
        """The name of the table of failures that goes with a table of predictions."""
        table = self._table()[2]
        match = _PREDICTIONS_TABLE.match(table)
        return f"errors{table[match.end() :]}" if match else None

    def _error_table_blocks(self) -> Iterator[Block]:
        project, dataset, _ = self._table()
        name = self._errors_table()
        if name is None:
            return
        try:
            yield from in_blocks(f"bq://{project}.{dataset}.{name}", self._table_lines((project, dataset, name)))
        except NotFound:
            return


def _base(entry: StorageObject) -> str:
    return (entry.name or "").rpartition("/")[2]


def _is_of_errors(entry: StorageObject) -> bool:
    return _base(entry).startswith("errors")
