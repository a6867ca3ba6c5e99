"""One side of a join on disk: its lines in one file, and where each is by the hash of its key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import msgspec

from mg_provider.api.batch.rows import NotReadable, OutputLine, id_of, read_line
from mg_provider.api.storage.lines import Block, are_objects
from mg_provider.inference.batch.identity import RowKey, identity_of, request_of
from mg_provider.inference.batch.records import Records

PARTS = 256
MOST_SHOWN = 20
"""How many unreadable lines are shown; the others are counted."""

_DECODER = msgspec.json.Decoder(RowKey)


@dataclass(frozen=True, slots=True)
class UnreadableLine:
    """A line that is not a JSON object: ``source``, its number from 1, and why."""

    source: str
    line: int
    reason: str

    def __str__(self) -> str:
        """As an editor jumps to it."""
        return f"{self.source}:{self.line}: {self.reason}"


@dataclass
class LineReader:
    """Reads lines one by one, and remembers those that cannot be read.

    Attributes:
        unreadable: The first of those lines.
        left_out: How many there are.
    """

    unreadable: list[UnreadableLine] = field(default_factory=list)
    left_out: int = 0

    def lines(self, block: Block) -> Iterator[tuple[bytes, OutputLine]]:
        """The lines of a block that can be read."""
        for number, line in block.lines():
            try:
                read = read_line(line)
            except NotReadable as problem:
                self.left_out += 1
                if len(self.unreadable) < MOST_SHOWN:
                    self.unreadable.append(UnreadableLine(block.source, number, str(problem)))
            else:
                yield line, read


@dataclass
class Spool:
    """Takes lines one after the other.

    Attributes:
        path: The file that takes the lines.
        places: Takes hash, first byte and length of each line, by the lowest bits of the hash.
        reader: Reads the lines, and leaves out those that cannot be read.
        count: Lines that were taken.
        kinds: How they are named: by ``custom_id``, by ``key``, or by nothing (``nameless``); and whether there are any
            without a custom_id that say a ``body``.
    """

    path: Path
    places: Records
    reader: LineReader = field(default_factory=LineReader)
    count: int = 0
    kinds: set[str] = field(default_factory=set)

    def fill(self, blocks: Iterable[Block]) -> None:
        """Take all lines."""
        with self.path.open("wb") as file:
            for block in blocks:
                text = block.text if block.text.endswith(b"\n") else block.text + b"\n"
                if b"\r\n" in text:
                    text = text.replace(b"\r\n", b"\n")
                hashes = _hashes(text, self.kinds)
                if hashes is None:
                    text, hashes = self._slowly(block)
                self._take(hashes, text, file.tell())
                file.write(text)

    def _take(self, hashes: list[int], text: bytes, start: int) -> None:
        sizes = [len(line) + 1 for line in text.split(b"\n")]
        sizes.pop()
        add = self.places.add
        for key, size, end in zip(hashes, sizes, accumulate(sizes), strict=True):
            add(key & PARTS - 1, (key, start + end - size, size))
        self.places.counted(3 * len(hashes))
        self.count += len(hashes)

    def _slowly(self, block: Block) -> tuple[bytes, list[int]]:
        """The lines of a block that can be read, and their hashes."""
        kept = [line for line, _ in self.reader.lines(block)]
        return b"".join(line + b"\n" for line in kept), [
            _hash(_DECODER.decode(line), line, self.kinds) for line in kept
        ]


def _hashes(text: bytes, kinds: set[str]) -> list[int] | None:
    """The hash of the key of each line, or None if a line is blank or cannot be read."""
    try:
        if not text.isascii():
            # What the decoder skips it does not look at closely.
            str(text, "utf-8")
        rows = _DECODER.decode_lines(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if len(rows) != text.count(b"\n") or not are_objects(text, len(rows)):
        return None
    names = [row.custom_id for row in rows]
    if set(map(type, names)) == {str} and "" not in names:
        kinds.add("custom_id")
        return list(map(hash, names))
    return [_hash(row, line, kinds) for row, line in zip(rows, text.split(b"\n"), strict=False)]


def _hash(row: RowKey, line: bytes, kinds: set[str]) -> int:
    """The same number for a row and its answer: of its id, or without one of what it asks."""
    if (name := id_of(row.custom_id)) is not None:
        kinds.add("custom_id")
        return hash(name)
    request = request_of(line)
    kinds.add("custom_id" if request.custom_id else "key" if request.id else "nameless")
    if request.custom_id is None and request.given is not None:
        kinds.add("body")
    if request.id is not None:
        return hash(request.id)
    return hash(identity_of(line).row if request.body is None else request.body)
