"""Records of whole numbers on disk, by part: written in any order, read a part at a time."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

_HELD = 120_000
_BYTES = 8


class Records:
    """A file of numbers, and where in it those of each part are.

    Args:
        path: The file, which is made.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self._held: dict[int, list[int]] = {}
        self._count = 0
        self._places: dict[int, array[int]] = {}
        self._end = 0

    def __enter__(self) -> Self:
        """The records."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self._file.close()

    def add(self, part: int, numbers: Iterable[int]) -> None:
        """Numbers for a part, after those that it has."""
        held = self._held.get(part)
        if held is None:
            self._held[part] = list(numbers)
        else:
            held.extend(numbers)

    def counted(self, count: int) -> None:
        """Say that so many numbers were added; from time to time they go to disk."""
        self._count += count
        if self._count >= _HELD:
            self._flush()

    def read(self, part: int) -> array[int]:
        """All numbers of a part, in the order in which they were added."""
        self._flush()
        found = array("q")
        places = self._places.get(part, array("q"))
        for place in range(0, len(places), 2):
            found.frombytes(os.pread(self._file.fileno(), places[place + 1], places[place]))
        return found

    def parts(self) -> list[int]:
        """The parts that have numbers, in order."""
        self._flush()
        return sorted(self._places)

    def _flush(self) -> None:
        if not self._held:
            return
        whole = array("q")
        for part, numbers in self._held.items():
            size = _BYTES * len(numbers)
            self._places.setdefault(part, array("q")).extend((self._end, size))
            self._end += size
            whole.fromlist(numbers)
        self._file.write(whole.tobytes())
        self._held.clear()
        self._count = 0
