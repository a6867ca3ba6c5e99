"""Reads prompts and conversations: CSV, JSON lines as people and Hugging Face's ``datasets`` write them, Parquet."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from mg_provider.api.errors import UserError
from mg_provider.preflight.batch.input_files import InputFile
from mg_provider.preflight.batch.input_report import InputReport
from mg_provider.preflight.batch.rendering import plural
from mg_provider.preflight.batch.row_rules import NotARow, parse_line
from mg_provider.preflight.batch.text_check import LONGEST_LINE, why_not_text
from mg_provider.preflight.prepare.conversations import NoPrompt, parameters_of, prompt_of
from mg_provider.preflight.prepare.row import Asked, Shape

Format = Literal["csv", "jsonl", "parquet"]
Prompts = Iterator[Asked]

_ROWS_AT_ONCE = 1000
_UTF_8_MARK = b"\xef\xbb\xbf"
_PEEKED = 64
_LONGEST_ARRAY = 200_000_000
"""Bytes of a file that is one array: it is held in memory."""
_OFFLINE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


def read_csv(file: InputFile, shape: Shape, report: InputReport) -> Prompts:
    """Rows of CSV with a header."""
    csv.field_size_limit(LONGEST_LINE)
    if (content := _text(file, report)) is None:
        return
    rows = csv.reader(io.TextIOWrapper(content, encoding="utf-8-sig", newline=""), strict=True)
    try:
        header = next(rows, [])
        wanted = [shape.prompt_column, *([shape.id_column] if shape.id_column else [])]
        for name in wanted:
            if name not in header:
                columns = ", ".join(header[:20]) or "none"
                report.add("error", "missing_column", f"there is no column {name}; there is {columns}", file.name, 1)
                return
            if header.count(name) > 1:
                report.add("error", "not_csv", f"the header has {name} more than once", file.name, 1)
                return
        for row in rows:
            if row and len(row) != len(header):
                cells = f"{len(row)} {plural('cell', len(row))}, the header has {len(header)}"
                message = f"the row has {cells}: put quotes around a cell that has a comma or a line break"
                report.add("error", "not_csv", message, file.name, rows.line_num)
            elif row:
                yield from _read(dict(zip(header, row, strict=True)), shape, report, file.name, rows.line_num)
    except csv.Error as problem:
        report.add("error", "not_csv", f"it is not CSV: {problem}", file.name, rows.line_num)
    except UnicodeDecodeError:
        report.add("error", "not_utf8", "it is not UTF-8 from here on: save it as UTF-8", file.name, rows.line_num + 1)


def read_jsonl(file: InputFile, shape: Shape, report: InputReport) -> Prompts:
    """Lines of JSON, or one array of such entries: objects by key, or prompts as text."""
    if (lines := _text(file, report)) is None:
        return
    if lines.peek(_PEEKED).removeprefix(_UTF_8_MARK).lstrip().startswith(b"["):
        yield from _read_array(lines.read(_LONGEST_ARRAY + 1), file, shape, report)
        return
    number = 0
    while line := lines.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            report.add("error", "line_too_long", f"the line has more than {LONGEST_LINE:,} bytes", file.name, number)
            return
        if not line.strip():
            continue
        try:
            row = parse_line(line.removeprefix(_UTF_8_MARK))
        except NotARow as problem:
            report.add("error", problem.code, str(problem), file.name, number)
            continue
        yield from _entry(row, "line", shape, report, file.name, number)


def _read_array(content: bytes, file: InputFile, shape: Shape, report: InputReport) -> Prompts:
    """One JSON array that is the whole file; its entries are counted as lines are."""
    if len(content) > _LONGEST_ARRAY:
        message = f"the file is one JSON array of more than {_LONGEST_ARRAY:,} bytes: write one entry on each line"
        report.add("error", "array_too_long", message, file.name, None)
        return
    try:
        rows = parse_line(content.removeprefix(_UTF_8_MARK).strip())
    except NotARow as problem:
        # Positions are those of the whole file, which begins as an array.
        report.add("error", problem.code, f"the file begins as one JSON array, and {problem.message}", file.name, None)
        return
    if not rows:
        report.add("error", "empty", "the file is one JSON array without entries", file.name, None)
    for number, row in enumerate(rows, 1):
        yield from _entry(row, "entry", shape, report, file.name, number)


def _entry(row: Any, what: str, shape: Shape, report: InputReport, source: str, number: int) -> Prompts:
    if isinstance(row, str):
        yield Asked(number, None, row)
    elif isinstance(row, dict):
        yield from _read(row, shape, report, source, number)
    else:
        report.add("error", "not_an_object", f"the {what} is neither an object nor text", source, number)


def read_parquet(file: InputFile, shape: Shape, report: InputReport) -> Prompts:
    """Rows of a Parquet file, which DuckDB reads.

    Raises:
        UserError: DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError as problem:
        raise UserError("Parquet is read by DuckDB, which is not installed", hint="pip install duckdb") from problem
    with tempfile.TemporaryDirectory(prefix="mg-parquet-") as folder, duckdb.connect(config=_OFFLINE) as engine:
        path = Path(folder) / "input.parquet"
        if file.name.startswith("gs://"):
            with path.open("wb") as copy:
                copy.writelines(file.pieces())
        else:
            # DuckDB would read a name such as run[1].parquet as a pattern.
            path.symlink_to(Path(file.name).resolve())
        try:
            engine.execute("SELECT * FROM read_parquet(?)", [str(path)])
            names = [column[0] for column in engine.description or []]
            number = 0
            while values := engine.fetchmany(_ROWS_AT_ONCE):
                for each in values:
                    number += 1
                    yield from _read(dict(zip(names, each, strict=True)), shape, report, file.name, number)
        except duckdb.Error as problem:
            report.add("error", "not_parquet", f"it is not Parquet: {str(problem).splitlines()[0]}", file.name)


READERS: dict[Format, Callable[[InputFile, Shape, InputReport], Prompts]] = {
    "csv": read_csv,
    "jsonl": read_jsonl,
    "parquet": read_parquet,
}


def _read(row: dict[str, Any], shape: Shape, report: InputReport, source: str, line: int) -> Prompts:
    try:
        prompt = prompt_of(row, shape, report, source, line)
        yield Asked(line, _name(row, shape), prompt, parameters_of(row, prompt, report, source, line))
    except NoPrompt as problem:
        report.add("error", "no_prompt", str(problem), source, line)


def _name(row: dict[str, Any], shape: Shape) -> str | None:
    name = row.get(shape.id_column or "custom_id")
    if isinstance(name, bool | int | float | list | dict):
        return json.dumps(name, default=str)
    return None if name is None else str(name)


def _text(file: InputFile, report: InputReport) -> io.BufferedReader[_Pieces] | None:
    """The bytes of a file of text; None, with a finding, where they are of another kind."""
    content = io.BufferedReader(_Pieces(file.pieces()))
    if problem := why_not_text(content.peek(_PEEKED)):
        report.add("error", *problem, file.name)
        return None
    return content


class _Pieces(io.RawIOBase):
    """Bytes that come in pieces, as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        target = memoryview(buffer).cast("B")
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
