"""External tables over objects in the emulated buckets: text files with one column, a line each.

``_FILE_NAME`` is the object that a row is from. As in the service, what is not UTF-8 becomes U+FFFD, a line without
anything is not a row, and rows may be up to 100 MB. Source: "Loading CSV data from Cloud Storage" and "Querying Cloud
Storage data", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mg_provider.emulator.google import errors
from mg_provider.emulator.services.bigquery.engine import Rows
from mg_provider.emulator.services.bigquery.values import Column, columns
from mg_provider.emulator.services.storage.state import ListOptions, StorageState

FILE_NAME = Column("_FILE_NAME", "STRING", "NULLABLE")
LONGEST_ROW = 100 * 1024 * 1024


@dataclass(frozen=True)
class ExternalTable:
    """A table's definition, with the objects that it reads."""

    column: Column
    objects: list[tuple[str, str]]
    location: str
    size: int

    def rows(self, storage: StorageState) -> Rows:
        """Its rows. ApiError for one that is too long."""
        return Rows((self.column, FILE_NAME), self._lines(storage))

    def _lines(self, storage: StorageState) -> Iterator[dict[str, Any]]:
        for bucket, name in self.objects:
            place = f"gs://{bucket}/{name}"
            for line in (storage.read(bucket, name) or b"").split(b"\n"):
                line = line.removesuffix(b"\r")
                if len(line) > LONGEST_ROW:
                    raise errors.ApiError(
                        "INVALID_ARGUMENT",
                        f"Error while reading table, error message: Row larger than the maximum size. File: {place}",
                        reason="invalid",
                    )
                if line:
                    yield {self.column.name: line.decode("utf-8", "replace"), FILE_NAME.name: place}


def read_definition(name: str, definition: dict[str, Any], storage: StorageState) -> ExternalTable:
    """Read one of ``tableDefinitions``. ApiError when it is of another kind, or there is nothing to read."""
    options = definition.get("csvOptions", {})
    found = columns(definition.get("schema", {}).get("fields", []))
    if definition.get("sourceFormat") != "CSV" or len(found) != 1 or options.get("quote", '"') != "":
        raise errors.not_emulated("an external table that is not CSV of one column without quotes")
    objects, locations = [], set()
    for uri in definition.get("sourceUris", []):
        bucket, _, pattern = uri.removeprefix("gs://").partition("/")
        if bucket not in storage.buckets:
            raise errors.not_found(f"Not found: Bucket {bucket}")
        # A wildcard may go over folders.
        names, _ = storage.names(bucket, ListOptions(match_glob=pattern.replace("*", "**")))
        if not names:
            raise errors.not_found(f"Not found: URI {uri}")
        objects += [(bucket, each) for each in names]
        locations.add(storage.buckets[bucket].location)
    if not objects:
        raise errors.invalid_argument(f"External table {name} has no source URIs")
    sizes = [stored.content.size for place in objects if (stored := storage.find(*place))]
    # BigQuery writes regions in small letters, and multi-regions in large ones.
    location = locations.pop()
    return ExternalTable(found[0], objects, location.lower() if "-" in location else location, sum(sizes))
