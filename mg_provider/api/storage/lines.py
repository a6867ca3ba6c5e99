"""Text files in Cloud Storage, line by line, with a few megabytes in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mg_provider.api.storage.client import StorageClient

CHUNK_BYTES = 4 * 1024 * 1024


def object_lines(storage: StorageClient, bucket: str, name: str, size: int) -> Iterator[bytes]:
    """The lines of an object that are not blank, without their ends. Permission: storage.objects.get.

    Args:
        storage: The client.
        bucket: The bucket.
        name: The object.
        size: Its length in bytes, as a listing tells it.
    """

    def chunks() -> Iterator[bytes]:
        start = 0
        while start < size:
            chunk = storage.read_object(bucket, name, start=start, length=min(CHUNK_BYTES, size - start))
            if not chunk:
                return
            start += len(chunk)
            yield chunk

    return lines_of(chunks())


def lines_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines that are not blank, without their ends, of text that comes in pieces."""
    pieces: list[bytes] = []
    for chunk in chunks:
        head, newline, rest = chunk.partition(b"\n")
        pieces.append(head)
        if not newline:
            continue
        if line := b"".join(pieces).strip():
            yield line
        *lines, last = rest.split(b"\n")
        yield from (line for line in map(bytes.strip, lines) if line)
        pieces = [last]
    if line := b"".join(pieces).strip():
        yield line
