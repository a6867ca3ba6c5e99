"""`mg batch results`: the answers of a job on standard output, those that failed apart."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import msgspec

from mg_provider.api.clients import Clients
from mg_provider.api.errors import MgError, UserError
from mg_provider.api.http.settings import Settings
from mg_provider.api.redaction import excerpt
from mg_provider.clock import SystemClock
from mg_provider.inference.batch.formats import ResultsFormat
from mg_provider.inference.batch.results import BatchResult, BatchResults

FINE, FAILED, USAGE = 0, 1, 2
SHOWN_ERRORS = 5
_COLUMNS = ("custom_id", "answer", "finish_reason", "prompt_tokens", "completion_tokens")
_WIDTHS = (24, 92)


Writer = Callable[[BatchResult], bytes]


def run(
    job: str,
    *,
    form: ResultsFormat = ResultsFormat.jsonl,
    join: str | None = None,
    errors: Path | None = None,
    config: Mapping[str, str] | None = None,
    output: BinaryIO | None = None,
    complain: Callable[[str], object] | None = None,
) -> int:
    """Write the answers of a job, in memory that does not grow with them.

    Args:
        job: As for :func:`mg_provider.inference.batch_results`.
        form: JSON lines, CSV with a header, or text for people.
        join: The input; the answers then come in its order.
        errors: File for the rows that failed, as JSON lines. Without it only the first are told.
        config: Settings by full config key, such as ``mg:project``.
        output: Takes the answers; by default standard output.
        complain: Takes what failed; by default standard error.

    Returns:
        0, also if rows failed; 1 if the results cannot be had; 2 if an argument is wrong.
    """
    output, complain = output or sys.stdout.buffer, complain or sys.stderr.write
    clients = None
    try:
        clients = Clients.from_settings(Settings.from_config((config or {}).get, os.environ), SystemClock())
        _collect(BatchResults(job, clients, join), _writer(form), errors, output, complain)
    except UserError as problem:
        complain(f"{problem}\n")
        return USAGE
    except MgError as problem:
        complain(f"the results of {job} cannot be had: {problem}\n")
        return FAILED
    finally:
        if clients:
            clients.close()
    return FINE


def _collect(
    results: BatchResults,
    write: tuple[bytes, Writer],
    errors: Path | None,
    output: BinaryIO,
    complain: Callable[[str], object],
) -> None:
    header, line_of = write
    answered, failed, first = 0, 0, list[str]()
    encode = msgspec.json.Encoder().encode
    with ExitStack() as held:
        apart = held.enter_context(errors.open("wb")) if errors else None
        output.write(header)
        for result in results:
            if result.error is None:
                answered += 1
                output.write(line_of(result))
                continue
            failed += 1
            if apart:
                apart.write(encode({**result.row, "custom_id": result.custom_id, "error": result.error}) + b"\n")
            if len(first) < SHOWN_ERRORS:
                first.append(f"  {result.custom_id or '(no custom_id)'}: {excerpt(result.error, 200)}\n")
        output.flush()
    complain(f"{answered:,} answers, {failed:,} rows failed{f', see {errors}' if errors and failed else ''}\n")
    for text in first:
        complain(text)
    if results.unmatched:
        complain(
            f"{results.unmatched:,} answers belong to no row of the input: is it the one that the job was given?\n"
        )
    if results.repeated:
        complain(f"{results.repeated:,} rows have a custom_id that an earlier row has: matched in their order\n")


def _writer(form: ResultsFormat) -> tuple[bytes, Writer]:
    """The header, and how one answer is written."""
    if form is ResultsFormat.csv:
        return _csv_line(_COLUMNS), lambda result: _csv_line(_cells(result))
    if form is ResultsFormat.table:
        heading = f"{'custom_id':<{_WIDTHS[0]}}  answer\n{'-' * _WIDTHS[0]}  {'-' * _WIDTHS[1]}\n"
        return heading.encode(), _table_line
    encode = msgspec.json.Encoder().encode

    def line(result: BatchResult) -> bytes:
        named = {"custom_id": result.custom_id} if result.custom_id else {}
        return encode({**named, **result.row, "response": result.response}) + b"\n"

    return b"", line


def _cells(result: BatchResult) -> tuple[object, ...]:
    response = result.response if isinstance(result.response, Mapping) else {}
    choices, usage = response.get("choices") or [{}], response.get("usage") or {}
    answer = result.text if result.text is not None else msgspec.json.encode(result.response).decode()
    finish = choices[0].get("finish_reason")
    return result.custom_id, answer, finish, usage.get("prompt_tokens"), usage.get("completion_tokens")


def _csv_line(cells: tuple[object, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def _table_line(result: BatchResult) -> bytes:
    name, answer, *_ = _cells(result)
    first = excerpt(str(name or ""), _WIDTHS[0])
    return f"{first:<{_WIDTHS[0]}}  {excerpt(str(answer), _WIDTHS[1])}\n".encode()
