"""Opens batch input: a file on this machine, or objects in Cloud Storage by name or pattern."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mg_provider.api.errors import NotFound, PermissionDenied
from mg_provider.api.storage.client import StorageClient, is_pattern, split_object_uri
from mg_provider.preflight.batch.input_report import InputReport
from mg_provider.wire.storage import StorageObject

FILE_PIECE = 256 * 1024
OBJECT_PIECE = 4 * 1024 * 1024


@dataclass(frozen=True)
class InputFile:
    """A file or object; ``pieces`` reads it from its beginning, ``size`` is its length in bytes."""

    name: str
    size: int
    pieces: Callable[[], Iterator[bytes]]


def open_input(source: str, storage: StorageClient, report: InputReport) -> Iterator[InputFile]:
    """The files that a source names; what there is not, or may not be read, is noted in the report.

    Permissions: storage.objects.get; for a pattern also storage.objects.list.
    """
    if not source.startswith("gs://"):
        yield from _local(source, report)
        return
    try:
        for found in _objects(source, storage, report):
            if found.content_encoding == "gzip":
                message = "the object is stored with Content-Encoding gzip: upload it uncompressed"
                report.add("error", "gzip", message, _uri(found))
            else:
                yield _remote(found, storage)
    except PermissionDenied as problem:
        note_denied(problem, source, report)


def note_denied(problem: PermissionDenied, source: str, report: InputReport) -> None:
    """Note that the caller may not read a file: whether by its name, by a pattern, or its content."""
    cause = f"; {problem.hint}" if problem.hint else ""
    message = (
        f"the caller may not read it ({problem.message}){cause}: grant roles/storage.objectViewer on the bucket to the "
        "caller, and to Vertex AI's service agent, which reads it for the job"
    )
    report.add("error", "permission_denied", message, source)


def _local(source: str, report: InputReport) -> Iterator[InputFile]:
    path = Path(source)
    if path.is_dir():
        report.add("error", "directory", "it is a directory: name the files in it", source)
    elif not path.exists():
        report.add("error", "not_found", "there is no such file", source)
    else:
        try:
            size = path.stat().st_size
            path.open("rb").close()
        except OSError as problem:
            report.add("error", "permission_denied", f"it cannot be read: {problem.strerror}", source)
            return
        yield InputFile(source, size, lambda: _file_pieces(path))


def _file_pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        while piece := file.read(FILE_PIECE):
            yield piece


def _objects(source: str, storage: StorageClient, report: InputReport) -> Iterator[StorageObject]:
    bucket, name = split_object_uri(source)
    if not name or name.endswith("/"):
        report.add("error", "directory", _directory(source), source)
        return
    if not is_pattern(name):
        try:
            yield storage.get_object(bucket, name)
        except NotFound:
            report.add("error", *_missing(source, storage, bucket, name), source)
        return
    empty = True
    try:
        for found in storage.list_objects(bucket, match_glob=name):
            if not (found.name or "").endswith("/"):
                empty = False
                yield found
    except NotFound:
        report.add("error", "not_found", f"there is no bucket gs://{bucket}", source)
        return
    if empty:
        report.add("error", "not_found", "the pattern matches no object", source)


def _missing(source: str, storage: StorageClient, bucket: str, name: str) -> tuple[str, str]:
    """Code and message for an object that is not there: perhaps the bucket is not, or it is a folder."""
    try:
        below = storage.list_folder(bucket, f"{name}/")
    except NotFound:
        return "not_found", f"there is no bucket gs://{bucket}"
    except PermissionDenied:
        return "not_found", "there is no such object"
    if below.objects or below.prefixes:
        return "directory", _directory(source)
    return "not_found", "there is no such object"


def _directory(source: str) -> str:
    return f"it is a folder, not an object: name the files in it, such as {source.rstrip('/')}/*.jsonl"


def _uri(found: StorageObject) -> str:
    return f"gs://{found.bucket}/{found.name}"


def _remote(found: StorageObject, storage: StorageClient) -> InputFile:
    bucket, name, size = found.bucket or "", found.name or "", found.size or 0
    return InputFile(_uri(found), size, lambda: _object_pieces(storage, bucket, name, size))


def _object_pieces(storage: StorageClient, bucket: str, name: str, size: int) -> Iterator[bytes]:
    """One piece is on its way while the one before is looked at."""

    def read(start: int) -> bytes:
        return storage.read_object(bucket, name, start=start, length=min(OBJECT_PIECE, size - start))

    starts = range(0, size, OBJECT_PIECE)
    with ThreadPoolExecutor(1, thread_name_prefix="batch-input") as pool:
        coming = pool.submit(read, 0) if size else None
        for start in starts:
            assert coming is not None
            piece = coming.result()
            following = start + OBJECT_PIECE
            coming = pool.submit(read, following) if following < size else None
            for part in range(0, len(piece), FILE_PIECE):
                yield piece[part : part + FILE_PIECE]
