"""Reading a batch job's input from the emulated buckets and tables."""

from __future__ import annotations

from typing import Any

from mg_provider.emulator.services.batch.job import JobFailedError
from mg_provider.emulator.services.batch.rows import RESERVED_COLUMNS, Row, row_of, rows_of_json_lines
from mg_provider.emulator.services.bigquery.state import BigQueryState, Table
from mg_provider.emulator.services.storage.state import ListOptions, StorageState, is_around

INVALID_ARGUMENT, NOT_FOUND = 3, 5


def read_input(config: dict[str, Any], region: str, storage: StorageState, bigquery: BigQueryState) -> list[Row]:
    """All rows of ``inputConfig``. JobFailedError when it is missing, empty or in another region."""
    if "bigquerySource" in config:
        rows = _read_table(config["bigquerySource"]["inputUri"], region, bigquery)
    else:
        rows = [row for uri in config["gcsSource"]["uris"] for row in _read_files(uri, region, storage)]
    if not rows:
        raise JobFailedError(INVALID_ARGUMENT, "The input of the batch prediction job has no rows.")
    return rows


def _read_files(uri: str, region: str, storage: StorageState) -> list[Row]:
    bucket, pattern = place_in_bucket(uri, uri, region, storage)
    names, _ = storage.names(bucket, ListOptions(match_glob=pattern))
    if not names:
        raise JobFailedError(NOT_FOUND, f"No files found for the input {uri}.")
    rows = []
    for name in names:
        try:
            text = (storage.read(bucket, name) or b"").decode("utf-8")
        except UnicodeDecodeError:
            raise JobFailedError(INVALID_ARGUMENT, f"gs://{bucket}/{name} is not UTF-8 text.") from None
        rows += rows_of_json_lines(text)
    return rows


def parse_table_uri(uri: str) -> list[str]:
    """The one to three names in a ``bq://`` URI."""
    return uri.removeprefix("bq://").split(".")


def input_table(uri: str, bigquery: BigQueryState) -> Table:
    """The table at ``uri``. JobFailedError when there is none."""
    names = parse_table_uri(uri)
    table = bigquery.find_table(*names) if len(names) == 3 else None
    if table is None:
        raise JobFailedError(NOT_FOUND, f"The BigQuery table {uri} does not exist.")
    return table


def _read_table(uri: str, region: str, bigquery: BigQueryState) -> list[Row]:
    table = input_table(uri, bigquery)
    refuse_other_region(table.location, region, uri)
    columns = {column.name.lower() for column in table.columns}
    if "body" not in columns:
        raise JobFailedError(INVALID_ARGUMENT, f"The BigQuery table {uri} has no column body (JSON).")
    if taken := columns.intersection(RESERVED_COLUMNS):
        names = ", ".join(sorted(taken))
        raise JobFailedError(INVALID_ARGUMENT, f"The BigQuery table {uri} has reserved columns: {names}.")
    return [
        row_of({name: value for name, value in record.items() if value is not None}, f"row {number}")
        for number, record in enumerate(table.rows, 1)
    ]


def refuse_other_region(location: str, region: str, uri: str) -> None:
    """A job's tables are in its region or the multi-region around it. JobFailedError otherwise."""
    around = {"US": "us-", "EU": "europe-"}.get(location)
    if location.lower() != region and not (around and region.startswith(around)):
        raise JobFailedError(
            INVALID_ARGUMENT, f"The BigQuery dataset of {uri} is in {location}, the batch prediction job in {region}."
        )


def place_in_bucket(uri: str, called: str, region: str, storage: StorageState) -> tuple[str, str]:
    """Bucket and rest of a ``gs://`` URI. JobFailedError unless the bucket is in the region or several around it."""
    bucket, _, rest = uri.removeprefix("gs://").partition("/")
    if bucket not in storage.buckets:
        raise JobFailedError(NOT_FOUND, f"The Cloud Storage bucket of {called} does not exist.")
    location = storage.buckets[bucket].location
    if not is_around(location, region):
        raise JobFailedError(
            INVALID_ARGUMENT, f"The bucket of {uri} is in {location}, the batch prediction job in {region}."
        )
    return bucket, rest
