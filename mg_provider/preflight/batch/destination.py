"""Whether a job can write to its destination."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from mg_provider.api.bigquery.client import split_table_uri
from mg_provider.api.clients import Clients
from mg_provider.api.errors import NotFound, PermissionDenied
from mg_provider.api.storage.client import split_object_uri
from mg_provider.preflight.batch.input_report import InputReport
from mg_provider.preflight.weights.location import is_around, is_near


def check_output(output: str, region: str, clients: Clients, report: InputReport) -> None:
    """Note what is wrong with an output: ``gs://`` folder, or ``bq://`` project, dataset or table.

    Source: "Get batch predictions from a self-deployed Model Garden model" and BatchPredictionJob.OutputConfig (both
    2026-11): the dataset exists and is in the job's region, the table does not exist. Permissions: storage.buckets.get,
    or bigquery.datasets.get and bigquery.tables.get; without them this is not known, and a warning says so.

    Raises:
        UserError: it is not a valid address.
    """
    try:
        if output.startswith("bq://"):
            _check_table(output, region, clients, report)
        else:
            _check_bucket(output, region, clients, report)
    except NotFound:
        what = "dataset" if output.startswith("bq://") else "bucket"
        report.add("error", "no_destination", f"the {what} for the output does not exist: make it first", output)
    except PermissionDenied as problem:
        message = f"whether the output can go there cannot be seen ({problem.message})"
        report.add("warning", "destination_unknown", message, output)


def check_buckets(sources: Sequence[str], region: str, clients: Clients, report: InputReport) -> None:
    """Note files in ``gs://`` that the job may not read, as their bucket is elsewhere.

    Source: "Get batch predictions from a custom trained model" (read 2026-11): in the region or multi-region of the
    job. Permission: storage.buckets.get; without it this is not known.
    """
    seen: set[str] = set()
    for source in sources:
        bucket = split_object_uri(source)[0] if source.startswith("gs://") else ""
        if bucket and bucket not in seen:
            seen.add(bucket)
            with contextlib.suppress(NotFound, PermissionDenied):
                _check_bucket(source, region, clients, report)


def _check_bucket(place: str, region: str, clients: Clients, report: InputReport) -> None:
    bucket, _ = split_object_uri(place)
    found = clients.storage.get_bucket(bucket)
    if region and found.location and not is_near(found, region):
        report.add("error", "other_region", other_region("bucket", found.location, region), place)


def _check_table(output: str, region: str, clients: Clients, report: InputReport) -> None:
    place = split_table_uri(output)
    if not place.project_id or not place.dataset_id:
        return  # Vertex AI makes a dataset.
    location = clients.bigquery.get_dataset(place.project_id, place.dataset_id).location or ""
    if region and not is_around(location, region):
        report.add("error", "other_region", other_region("dataset", location, region), output)
    if not place.table_id:
        return
    try:
        clients.bigquery.get_table(place.project_id, place.dataset_id, place.table_id)
    except NotFound:
        return
    message = "the output table exists already, and a job writes to a new one only: name another, or only the dataset"
    report.add("error", "output_exists", message, output)


def other_region(what: str, location: str, region: str) -> str:
    """That a table or bucket and its job are in two regions."""
    return (
        f"the {what} is in {location}, the job in {region}: they must be in the same region, or the {what} in the "
        "multi-region around it"
    )
