"""`mg batch prepare`: valid input of prompts that are in CSV, JSON lines, Parquet, or a query's rows."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from mg_provider.api.clients import Clients
from mg_provider.api.errors import UserError, end_with
from mg_provider.api.http.settings import Settings
from mg_provider.clock import SystemClock
from mg_provider.command_line.errors import StatedError, unread
from mg_provider.command_line.exits import FAILED, FINE
from mg_provider.preflight.batch.rendering import AGAIN, describe, plural
from mg_provider.preflight.prepare.file import prepare_file
from mg_provider.preflight.prepare.row import Shape
from mg_provider.preflight.prepare.table import prepare_table

Form = Literal["csv", "jsonl", "parquet", "query"]

_FORMS: dict[str, Form] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}


def run(
    source: str,
    output: str,
    form: Form | None,
    shape: Shape,
    *,
    overwrite: bool = False,
    config: Mapping[str, str] | None = None,
    write: Callable[[str], object] | None = None,
    complain: Callable[[str], object] | None = None,
) -> int:
    """Make input and say what it is.

    Args:
        source: File or ``gs://`` object of prompts; for a query its text, ``@file`` that has it, or a ``bq://`` table.
        output: File or ``gs://`` object; for a query a ``bq://`` table.
        form: What the source is; by default its name decides.
        shape: What the rows have in common.
        overwrite: Replace a file or object that is there.
        config: Settings by full config key.
        write: Takes what was made; by default it is printed.
        complain: Takes what is wrong; by default it goes to stderr.

    Returns:
        0 if it was made, 1 if the source is wrong or could not be read, 2 if an argument is wrong.
    """
    write, complain = write or sys.stdout.write, complain or sys.stderr.write
    clients = None
    try:
        kind = form or _form(source, output)
        clock = SystemClock()
        clients = Clients.from_settings(Settings.from_config((config or {}).get, os.environ), clock)
        if kind == "query":
            report = prepare_table(_statement(source), output, shape, clients, clock)
        else:
            report = prepare_file(source, output, kind, shape, clients.storage, overwrite=overwrite)
    except StatedError as problem:
        return end_with(problem, complain, "the input could not be made")
    finally:
        if clients:
            clients.close()
    for finding in report.findings:
        if finding.code != "ignored_field":
            complain(f"{describe(finding)}\n")
    if report.omitted:
        complain(f"and {report.omitted:,} more\n")
    if not report.ok:
        complain(f"nothing was written to {output}\n" if kind != "query" else f"{output} has rows that would fail\n")
        complain(f"{AGAIN}\n")
        return FAILED
    write(f"{output}: {report.rows:,} {plural('row', report.rows)}\n")
    return FINE


def _form(source: str, output: str) -> Form:
    if output.startswith("bq://"):
        return "query"
    suffix = Path(source.lower().removesuffix(".gz")).suffix
    if suffix not in _FORMS:
        hint = "give --from csv, jsonl, parquet or query"
        raise UserError(f"the name of {source} does not say what it is", hint=hint)
    return _FORMS[suffix]


def _statement(source: str) -> str:
    if not source.startswith("@"):
        return source
    try:
        return Path(source[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(
            f"{source[1:]} cannot be read: {unread(problem)}", property="source", hint="check the name after @"
        ) from problem
