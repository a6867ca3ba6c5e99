"""Finds rows that have the same custom_id, in memory that does not grow with their number."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 1_000_000
"""How many ids are remembered. Later rows are only compared with these."""


class CustomIds:
    """Remembers ids by their hash, so that one costs about 70 bytes; two texts in 10^19 have the same.

    Attributes:
        repeated: Rows whose custom_id an earlier row has.
        not_remembered: Rows that later ones were not compared with.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._seen: set[int] = set()
        self.repeated = 0
        self.not_remembered = 0

    def add(self, names: Sequence[str]) -> int | None:
        """Take the ids of further rows, in order; returns the place of the first that is not new."""
        hashes = list(map(hash, names))
        room = self._most - len(self._seen)
        if len(hashes) > room:
            return self._compare(hashes)
        fresh = self._seen.isdisjoint(hashes)
        before = len(self._seen)
        where = None if fresh else next(place for place, each in enumerate(hashes) if each in self._seen)
        self._seen.update(hashes)
        repeated = len(hashes) - (len(self._seen) - before)
        self.repeated += repeated
        if repeated and where is None:
            where = _first_repeat(hashes)
        return where

    def _compare(self, hashes: list[int]) -> int | None:
        found = [place for place, each in enumerate(hashes) if each in self._seen]
        self.repeated += len(found)
        self.not_remembered += len(hashes) - len(found)
        return found[0] if found else None


def _first_repeat(hashes: list[int]) -> int:
    met: set[int] = set()
    for place, each in enumerate(hashes):
        if each in met:
            return place
        met.add(each)
    raise AssertionError("there is a repeat")
