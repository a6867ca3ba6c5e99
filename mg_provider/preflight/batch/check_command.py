"""`mg batch check`: say what is wrong with the input of a batch prediction job before it is paid for."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from mg_provider.api.clients import Clients
from mg_provider.api.errors import MgError, UserError, end_with
from mg_provider.api.http.settings import Settings
from mg_provider.clock import SystemClock
from mg_provider.command_line.exits import FAILED, FINE
from mg_provider.command_line.lines import columns_of, fit
from mg_provider.data import is_region
from mg_provider.preflight.batch.check import Engine, check_input
from mg_provider.preflight.batch.destination import check_output
from mg_provider.preflight.batch.input_report import LIMIT
from mg_provider.preflight.batch.rendering import render, to_json


def run(
    sources: Sequence[str],
    *,
    engine: Engine = "local",
    limit: int = LIMIT,
    model: str | None = None,
    output: str | None = None,
    as_json: bool = False,
    config: Mapping[str, str] | None = None,
    write: Callable[[str], object] | None = None,
    complain: Callable[[str], object] | None = None,
) -> int:
    """Check input and print the report.

    Args:
        sources: Files, ``gs://`` objects or patterns, ``bq://`` tables.
        engine: Who reads JSON lines: this process, or BigQuery where they are.
        limit: How many findings are printed; the others are counted.
        model: The model that the job will name, to see whether batch prediction is documented for it.
        output: Where the job will write, to see whether it can.
        as_json: Print one JSON object instead of text.
        config: Settings by full config key. With ``mg:region``, tables must be in that region.
        write: Takes the report; by default it is printed.
        complain: Takes what kept it from being made; by default it goes to stderr.

    Returns:
        0 if there is no error, 1 if there is or if the input could not be checked, 2 if an argument is wrong.
    """
    write, complain = write or sys.stdout.write, complain or sys.stderr.write
    clients = None
    try:
        clock = SystemClock()
        settings = Settings.from_config((config or {}).get, os.environ)
        if settings.region and not is_region(settings.region):
            raise UserError(
                f"{settings.region} is not a region of Vertex AI", property="region", hint="write one like us-central1"
            )
        clients = Clients.from_settings(settings, clock)
        report = check_input(
            sources, clients, engine=engine, limit=limit, model=model, region=settings.region, clock=clock
        )
        if output:
            check_output(output, settings.region or "", clients, report)
    except MgError as problem:
        return end_with(problem, complain, "the input could not be checked")
    finally:
        if clients:
            clients.close()
    if as_json:
        write(f"{json.dumps(to_json(report), indent=2)}\n")
    else:
        columns = columns_of(sys.stdout) if write == sys.stdout.write else None
        write(fit("\n".join((*render(report), "")), columns))
    return FINE if report.ok else FAILED
