"""Text in pieces, line by line or in blocks of whole lines, with a few megabytes in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mg_provider.api.storage.client import StorageClient

CHUNK_BYTES = 4 * 1024 * 1024
_OBJECT_END = b"}\n{"
_WORD = 18


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of one text.

    Attributes:
        source: What the text is called.
        first: Number of the first line, from 1.
        text: The lines, each with its line feed; the last of all may have none.
    """

    source: str
    first: int
    text: bytes

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """The lines that are not blank, without their ends, each with its number."""
        for number, line in enumerate(self.text.split(b"\n"), self.first):
            if line := line.strip():
                yield number, line


def are_objects(text: bytes, lines: int, start: int = 0, end: int | None = None) -> bool:
    """Whether a text has so many lines, each of which begins and ends as an object does.

    Then no object can go over two lines: inside of JSON, ``}`` is never followed by ``{``. A longer word is looked for
    first: it is found quicker.
    """
    if end is None:
        end = len(text) - text.endswith(b"\n")
    if text[start : start + 1] != b"{" or text[end - 1 : end] != b"}":
        return False
    if lines == 1:
        return True
    cut = text.find(b"\n", start, end)
    word = text[cut - 1 : cut + _WORD]
    if word.startswith(_OBJECT_END) and text.count(word, start, end) == lines - 1:
        return True
    return text.count(_OBJECT_END, start, end) == lines - 1


def object_blocks(storage: StorageClient, bucket: str, name: str, size: int) -> Iterator[Block]:
    """The lines of an object in blocks. Permission: storage.objects.get.

    Args:
        storage: The client.
        bucket: The bucket.
        name: The object.
        size: Its length in bytes, as a listing gives it.
    """

    def chunks() -> Iterator[bytes]:
        start = 0
        while start < size:
            chunk = storage.read_object(bucket, name, start=start, length=min(CHUNK_BYTES, size - start))
            if not chunk:
                return
            start += len(chunk)
            yield chunk

    return blocks_of(f"gs://{bucket}/{name}", chunks())


def blocks_of(source: str, chunks: Iterable[bytes]) -> Iterator[Block]:
    """Blocks of whole lines of text that comes in pieces."""
    held: list[bytes] = []
    line = 1
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if not end:
            held.append(chunk)
            continue
        text = b"".join((*held, chunk[:end]))
        yield Block(source, line, text)
        line += text.count(b"\n")
        held = [chunk[end:]]
    if text := b"".join(held):
        yield Block(source, line, text)


def in_blocks(source: str, lines: Iterable[bytes], size: int = CHUNK_BYTES // 4) -> Iterator[Block]:
    """Blocks of about this size in bytes, of lines that come one by one without their ends."""
    held: list[bytes] = []
    first = count = length = 0
    for count, line in enumerate(lines, 1):
        held.append(line)
        length += len(line)
        if length >= size:
            yield Block(source, first + 1, b"\n".join((*held, b"")))
            held, first, length = [], count, 0
    if held:
        yield Block(source, first + 1, b"\n".join((*held, b"")))
