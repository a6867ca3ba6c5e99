"""Makes batch input of prompts in CSV, JSON lines or Parquet, row by row; the output is whole or not there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from mg_provider.api.errors import NotFound, PermissionDenied, UserError
from mg_provider.api.storage.client import StorageClient, split_object_uri
from mg_provider.command_line.whole_file import draft_of, put_in_place
from mg_provider.preflight.batch.input_files import note_denied, open_input
from mg_provider.preflight.batch.input_report import InputReport
from mg_provider.preflight.batch.text_check import TextCheck
from mg_provider.preflight.prepare.row import Shape
from mg_provider.preflight.prepare.sources import READERS, Format


def prepare_file(
    source: str, output: str, form: Format, shape: Shape, storage: StorageClient, *, overwrite: bool = False
) -> InputReport:
    """Make JSON lines of prompts, and check them. With an error nothing is written.

    Permissions: storage.objects.get on a source in Cloud Storage; storage.objects.get and create on an output there, to
    overwrite also storage.objects.delete.

    Args:
        source: File, ``gs://`` object or pattern. CSV has a header; a JSON line, or an entry of one JSON array, is an
            object with a prompt or a conversation, or the prompt as text; Parquet has columns as JSON lines have keys.
        output: File or ``gs://`` object.
        form: What the source is.
        shape: What the rows have in common.
        storage: The client.
        overwrite: Replace an output that is there.

    Raises:
        UserError: The output is there already, or is the source.
        Refusal: It cannot be written.
    """
    if output == source or (Path(output).exists() and Path(source).exists() and Path(output).samefile(source)):
        raise UserError(f"{output} is the source", property="output", hint="name another file")
    _refuse_output(output, storage, overwrite)
    report = InputReport()
    with _draft(output) as path:
        with path.open("xb") as made:
            _write(made, source, form, shape, storage, report)
        if report.ok:
            _check(path, report)
        if report.ok:
            _publish(path, output, storage)
    return report


@contextmanager
def _draft(output: str) -> Iterator[Path]:
    if not output.startswith("gs://"):
        with draft_of(Path(output)) as draft:
            yield draft
        return
    with tempfile.TemporaryDirectory(prefix="mg-prepare-") as folder:
        yield Path(folder) / "made.jsonl"


def _refuse_output(output: str, storage: StorageClient, overwrite: bool) -> None:
    if output.startswith("gs://"):
        bucket, name = split_object_uri(output)
        if not name or name.endswith("/"):
            raise UserError(f"{output} is not an object", property="output", hint="write gs://bucket/file.jsonl")
        try:
            storage.get_object(bucket, name)
        except NotFound:
            return
        there = True
    else:
        there = Path(output).is_file()
    if there and not overwrite:
        raise UserError(f"{output} is there already", property="output", hint="name another, or give --overwrite")


def _write(made: Any, source: str, form: Format, shape: Shape, storage: StorageClient, report: InputReport) -> None:
    encode = msgspec.json.Encoder().encode
    number = 0
    for file in open_input(source, storage, report):
        report.sources.append(file.name)
        try:
            for line, name, prompt, own in READERS[form](file, shape, report):
                number += 1
                if not prompt:
                    message = f"there is no {shape.prompt_column}, or it is empty"
                    report.add("error", "no_prompt", message, file.name, line)
                elif shape.id_column and not name:
                    report.add("error", "no_id", f"there is no {shape.id_column}, or it is empty", file.name, line)
                else:
                    made.write(encode(shape.row(name or f"row-{number}", prompt, own)) + b"\n")
        except PermissionDenied as problem:
            note_denied(problem, file.name, report)


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
        storage.upload_file(*split_object_uri(output), path, content_type="application/jsonl")
        return
    put_in_place(path, Path(output))
