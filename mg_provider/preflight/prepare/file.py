"""Makes batch input of prompts in CSV or JSON lines, row by row; the output is whole or not there."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import msgspec

from mg_provider.api.errors import NotFound, UserError
from mg_provider.api.storage.client import StorageClient, split_uri
from mg_provider.preflight.batch.input_files import InputFile, open_input
from mg_provider.preflight.batch.input_report import InputReport
from mg_provider.preflight.batch.text_check import LONGEST_LINE, TextCheck
from mg_provider.preflight.prepare.row import Shape

Format = Literal["csv", "jsonl"]
Prompts = Iterator[tuple[int, str | None, str | None]]
"""Line, name and prompt."""


def prepare_file(
    source: str, output: str, form: Format, shape: Shape, storage: StorageClient, *, overwrite: bool = False
) -> InputReport:
    """Make JSON lines of prompts, and check them. With an error nothing is written.

    Permissions: storage.objects.get on a source in Cloud Storage; storage.objects.get and create on an output there, to
    overwrite also storage.objects.delete.

    Args:
        source: File, ``gs://`` object or pattern. CSV has a header; a JSON line is an object, or the prompt as text.
        output: File or ``gs://`` object.
        form: What the source is.
        shape: What the rows have in common.
        storage: The client.
        overwrite: Replace an output that is there.

    Raises:
        UserError: The output is there already, or its folder is not.
    """
    _refuse_output(output, storage, overwrite)
    report = InputReport()
    folder = None if output.startswith("gs://") else Path(output).parent
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".mg-prepare-", suffix=".jsonl", delete=False) as made:
        path = Path(made.name)
        try:
            _write(made, source, form, shape, storage, report)
            made.close()
            if report.ok:
                _check(path, report)
            if report.ok:
                _publish(path, output, storage)
        finally:
            with suppress(FileNotFoundError):
                path.unlink()
    return report


def _refuse_output(output: str, storage: StorageClient, overwrite: bool) -> None:
    if output.startswith("gs://"):
        bucket, name = split_uri(output)
        if not name or name.endswith("/"):
            raise UserError(f"{output} is no object", property="output", hint="write gs://bucket/file.jsonl")
        try:
            storage.get_object(bucket, name)
        except NotFound:
            return
        there = True
    else:
        there = Path(output).exists()
        if not Path(output).parent.is_dir():
            raise UserError(f"there is no folder {Path(output).parent}", property="output")
    if there and not overwrite:
        raise UserError(f"{output} is there already", property="output", hint="name another, or give --overwrite")


def _write(made: Any, source: str, form: Format, shape: Shape, storage: StorageClient, report: InputReport) -> None:
    encode = msgspec.json.Encoder().encode
    number = 0
    for file in open_input(source, storage, report):
        report.sources.append(file.name)
        read = _csv if form == "csv" else _jsonl
        for line, name, prompt in read(file, shape, report):
            number += 1
            if not prompt:
                report.add("error", "no_prompt", f"there is no {shape.prompt_column}, or it is empty", file.name, line)
            elif shape.id_column and not name:
                report.add("error", "no_id", f"there is no {shape.id_column}, or it is empty", file.name, line)
            else:
                made.write(encode(shape.row(name or f"row-{number}", prompt)) + b"\n")


def _csv(file: InputFile, shape: Shape, report: InputReport) -> Prompts:
    csv.field_size_limit(LONGEST_LINE)
    text = io.TextIOWrapper(io.BufferedReader(_Pieces(file.pieces())), encoding="utf-8-sig", newline="")
    rows = csv.reader(text, strict=True)
    try:
        header = next(rows, [])
        wanted = [shape.prompt_column, *([shape.id_column] if shape.id_column else [])]
        for name in wanted:
            if name not in header:
                told = ", ".join(header[:20]) or "none"
                report.add("error", "missing_column", f"there is no column {name}; there is {told}", file.name, 1)
                return
        places = [header.index(name) for name in wanted]
        for row in rows:
            if row:
                values = [row[place] if place < len(row) else None for place in places]
                yield rows.line_num, values[1] if len(values) > 1 else None, values[0]
    except csv.Error as problem:
        report.add("error", "not_csv", f"it is not CSV: {problem}", file.name, rows.line_num)
    except UnicodeDecodeError:
        report.add("error", "not_utf8", "it is not UTF-8 from here on: save it as UTF-8", file.name, rows.line_num + 1)


def _jsonl(file: InputFile, shape: Shape, report: InputReport) -> Prompts:
    lines = io.BufferedReader(_Pieces(file.pieces()))
    number = 0
    while line := lines.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            report.add("error", "line_too_long", f"the line has more than {LONGEST_LINE:,} bytes", file.name, number)
            return
        if not line.strip():
            continue
        try:
            row = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
        except ValueError as problem:
            report.add("error", "not_json", f"the line is not valid JSON: {problem}", file.name, number)
            continue
        if isinstance(row, str):
            yield number, None, row
        elif isinstance(row, dict):
            prompt = row.get(shape.prompt_column)
            name = row.get(shape.id_column) if shape.id_column else None
            yield number, _text(name), prompt if isinstance(prompt, str) else None
        else:
            report.add("error", "not_an_object", "the line is neither an object nor text", file.name, number)


def _text(name: Any) -> str | None:
    return None if name is None else name if isinstance(name, str) else json.dumps(name)


def _check(path: Path, report: InputReport) -> None:
    def pieces() -> Iterator[bytes]:
        with path.open("rb", buffering=0) as file:
            while piece := file.read(256 * 1024):
                yield piece

    check = TextCheck(report)
    check.file("output", pieces())
    check.finish()


def _publish(path: Path, output: str, storage: StorageClient) -> None:
    if output.startswith("gs://"):
        storage.upload_file(*split_uri(output), path, content_type="application/jsonl")
        return
    with path.open("rb") as file:
        os.fsync(file.fileno())
    path.chmod(0o644)
    path.replace(output)


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
