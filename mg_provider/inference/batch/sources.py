"""The input of a job that is read again to match its answers: files, objects, tables; one or several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mg_provider.api.bigquery.client import split_table_uri
from mg_provider.api.bigquery.rows import row_lines
from mg_provider.api.clients import Clients
from mg_provider.api.errors import NotFound, UserError
from mg_provider.api.storage.client import StorageClient, is_pattern, split_object_uri
from mg_provider.api.storage.lines import CHUNK_BYTES, Block, blocks_of, in_blocks, object_blocks
from mg_provider.command_line.errors import unread
from mg_provider.wire.storage import StorageObject

Join = str | Path | Sequence[str | Path]
_HINT = "name the input that the job was given"


def sources_of(join: Join | None) -> tuple[str | Path, ...]:
    """The sources one by one."""
    if join is None:
        return ()
    return (join,) if isinstance(join, str | Path) else tuple(join)


def input_blocks(sources: Iterable[str | Path], clients: Clients) -> Iterator[Block]:
    """The rows of all sources, one after the other, as blocks of lines of JSON.

    Permissions: storage.objects.get, for a pattern also storage.objects.list; bigquery.tables.get and getData.

    Raises:
        UserError: there is nothing by one of the names.
    """
    for source in sources:
        yield from _blocks(source, clients)


def _blocks(source: str | Path, clients: Clients) -> Iterator[Block]:
    text = str(source)
    if text.startswith("bq://"):
        reference = split_table_uri(text)
        if not (reference.project_id and reference.dataset_id and reference.table_id):
            raise UserError(f"{text} is not a table", property="join", hint="write bq://project.dataset.table")
        rows = row_lines(clients.bigquery, reference.project_id, reference.dataset_id, reference.table_id)
        return in_blocks(text, rows)
    if text.startswith("gs://"):
        return _object_blocks(text, clients.storage)
    if not Path(source).exists() or Path(source).is_dir():
        raise UserError(f"{source} is not a file", property="join", hint=_HINT)
    return file_blocks(Path(source))


def _object_blocks(uri: str, storage: StorageClient) -> Iterator[Block]:
    bucket, name = split_object_uri(uri)
    for entry in _objects(uri, bucket, name, storage):
        yield from object_blocks(storage, bucket, entry.name or "", entry.size or 0)


def _objects(uri: str, bucket: str, name: str, storage: StorageClient) -> list[StorageObject]:
    """The objects; one that is named exactly needs no permission to list."""
    if not is_pattern(name):
        try:
            return [storage.get_object(bucket, name)]
        except NotFound as problem:
            raise UserError(f"there is no object {uri}", property="join", hint=_HINT) from problem
    found = list(storage.list_objects(bucket, match_glob=name))
    if not found:
        raise UserError(f"{uri} matches no object", property="join", hint=_HINT)
    return found


def file_blocks(path: Path) -> Iterator[Block]:
    """The lines of a file or pipe in blocks.

    Raises:
        UserError: it may not be read.
    """
    try:
        file = path.open("rb")
    except OSError as problem:
        raise UserError(f"{path} cannot be read: {unread(problem)}", property="join", hint=_HINT) from problem
    with file:
        yield from blocks_of(str(path), iter(lambda: file.read(CHUNK_BYTES), b""))
