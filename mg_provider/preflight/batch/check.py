"""Checks batch input wherever it is, in memory that does not grow with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from mg_provider.api.clients import Clients
from mg_provider.api.errors import NotFound, PermissionDenied
from mg_provider.clock import Clock, SystemClock
from mg_provider.preflight.batch.destination import check_buckets
from mg_provider.preflight.batch.input_files import note_denied, open_input
from mg_provider.preflight.batch.input_report import LIMIT, InputReport
from mg_provider.preflight.batch.query_check import QueryCheck
from mg_provider.preflight.batch.supported_models import model_problem
from mg_provider.preflight.batch.text_check import TextCheck

Engine = Literal["local", "bigquery"]


def check_input(
    sources: Sequence[str],
    clients: Clients,
    *,
    engine: Engine = "local",
    limit: int = LIMIT,
    model: str | None = None,
    region: str | None = None,
    clock: Clock | None = None,
    progress: Callable[[str], object] | None = None,
    most_bytes: int | None = None,
) -> InputReport:
    """Check input as a batch prediction job needs it.

    Permissions: storage.objects.get; for patterns also storage.objects.list, with a region
    storage.buckets.get. Where BigQuery looks, also bigquery.jobs.create, and for tables bigquery.tables.get and
    bigquery.tables.getData.

    Args:
        sources: Paths of files, ``gs://bucket/object`` or ``gs://bucket/pattern``, ``bq://project.dataset.table``.
        clients: API clients.
        engine: Who reads JSON lines: this process, or BigQuery where they are. Tables are always BigQuery's.
        limit: How many findings are kept in full; the others are counted.
        model: The model that the job will name, to see whether batch prediction is documented for it.
        region: Region of the job; tables and buckets must be there.
        clock: Measures how long it takes.
        progress: Hears of each file before it is read.
        most_bytes: Of files, check no more than this, and say so; by default everything.

    Returns:
        The findings, in the order of the input; those about custom_ids of the whole input last.

    Raises:
        UserError: A source is not a valid address.
        CloudError: Google answered with an error that says nothing of the input.
        ConnectionFailed: No answer came.
    """
    clock = clock or SystemClock()
    begun = clock.monotonic()
    report = InputReport(limit=limit)
    if model and (problem := model_problem(model)):
        report.add(*problem)
    queries = QueryCheck(clients, report, region, clock)
    tables = [source for source in sources if source.startswith("bq://")]
    files = [source for source in sources if source not in tables]
    for table in tables:
        queries.table(table)
    if region:
        check_buckets(files, region, clients, report)
    if engine == "bigquery" and files:
        queries.files(files)
    elif files:
        _check_files(files, clients, report, progress, most_bytes)
    report.seconds = clock.monotonic() - begun
    return report


def _check_files(
    sources: Sequence[str],
    clients: Clients,
    report: InputReport,
    progress: Callable[[str], object] | None,
    most_bytes: int | None,
) -> None:
    check = TextCheck(report)
    for source in sources:
        for file in open_input(source, clients.storage, report):
            if most_bytes is not None and report.bytes + file.size > most_bytes:
                message = (
                    f"this file is not checked, nor what follows: with it there are more than {most_bytes:,} bytes; "
                    "check with `mg batch check --engine bigquery`"
                )
                report.add("warning", "not_all_checked", message, file.name)
                check.finish()
                return
            report.sources.append(file.name)
            if progress is not None:
                progress(f"checking {file.name} ({file.size:,} bytes)")
            try:
                check.file(file.name, file.pieces())
            except PermissionDenied as problem:
                note_denied(problem, file.name, report)
            except NotFound:
                report.add(
                    "error",
                    "changed_meanwhile",
                    "it was deleted during the check: run the same command again",
                    file.name,
                )
    check.finish()
