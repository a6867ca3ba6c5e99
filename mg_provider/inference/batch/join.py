"""Answers matched to the rows that they answer, in memory that does not grow with their number.

A job writes its answers in no particular order. Both sides are spooled to a folder and their keys to a SQLite database
in it, which sorts and matches on disk.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

CACHE_KILOBYTES = 16_384
_ROWS_AT_ONCE = 5_000
_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
CREATE TABLE question (key INTEGER, start INTEGER, size INTEGER);
CREATE TABLE answer (key INTEGER, start INTEGER, size INTEGER);
"""
# Rows of one key are matched in their order: the second question with the second answer.
_NUMBER = """
CREATE TABLE nth_answer AS
  SELECT key, ROW_NUMBER() OVER (PARTITION BY key ORDER BY rowid) AS nth, start, size FROM answer;
CREATE UNIQUE INDEX by_key ON nth_answer (key, nth, start, size);
CREATE TABLE pair AS
  SELECT place, question.start AS start, question.size AS size, nth_answer.start AS at, nth_answer.size AS length
  FROM (SELECT rowid AS place, key, ROW_NUMBER() OVER (PARTITION BY key ORDER BY rowid) AS nth, start, size
        FROM question) AS question
  LEFT JOIN nth_answer ON nth_answer.key = question.key AND nth_answer.nth = question.nth;
"""
_INSERT = {
    "question": "INSERT INTO question VALUES (?, ?, ?)",
    "answer": "INSERT INTO answer VALUES (?, ?, ?)",
}
_PAIRS = "SELECT start, size, at, length FROM pair ORDER BY place"


class _Key(msgspec.Struct):
    custom_id: Any = None
    key: Any = None
    instance: msgspec.Raw = msgspec.Raw()
    body: msgspec.Raw = msgspec.Raw()


_DECODER = msgspec.json.Decoder(_Key)


class DiskJoin:
    """Matches questions and answers by ``custom_id``, or by what was asked where a row has none.

    Attributes:
        unmatched: Answers that no question was found for; known when all pairs were taken.
        repeated: Questions whose key an earlier one has too; those are matched in their order.
    """

    def __init__(self, folder: Path) -> None:
        """``folder`` takes both sides and their index: about twice their size."""
        self._folder = folder
        self.unmatched = 0
        self.repeated = 0

    def pairs(self, questions: Iterable[bytes], answers: Iterable[bytes]) -> Iterator[tuple[bytes, bytes | None]]:
        """Each question with its answer, in the order of the questions.

        Args:
            questions: Lines of JSON.
            answers: Lines of JSON, in any order.
        """
        with closing(sqlite3.connect(self._folder / "index.sqlite")) as database:
            database.executescript(f"PRAGMA cache_size = -{CACHE_KILOBYTES};{_TABLES}")
            given = self._spool(database, "answer", answers)
            self._spool(database, "question", questions)
            database.executescript(_NUMBER)
            (self.repeated,) = database.execute("SELECT COUNT(*) - COUNT(DISTINCT key) FROM question").fetchone()
            (matched,) = database.execute("SELECT COUNT(at) FROM pair").fetchone()
            self.unmatched = given - matched
            yield from self._read(database)

    def _spool(self, database: sqlite3.Connection, table: str, lines: Iterable[bytes]) -> int:
        """Write the lines to a file and their keys and places to a table; answers their number."""
        count = 0
        with (self._folder / table).open("wb") as spool:

            def places() -> Iterator[tuple[int, int, int]]:
                for line in lines:
                    yield _key(line), spool.tell(), len(line)
                    spool.write(line)

            rows = places()
            while batch := list(islice(rows, _ROWS_AT_ONCE)):
                database.executemany(_INSERT[table], batch)
                count += len(batch)
        database.commit()
        return count

    def _read(self, database: sqlite3.Connection) -> Iterator[tuple[bytes, bytes | None]]:
        with (self._folder / "question").open("rb") as asked, (self._folder / "answer").open("rb") as answered:
            for start, size, at, length in database.execute(_PAIRS):
                answer = None if at is None else os.pread(answered.fileno(), length, at)
                yield os.pread(asked.fileno(), size, start), answer


def _key(line: bytes) -> int:
    """A number that is the same for a row and its answer: 64 bits of a digest."""
    try:
        found = _DECODER.decode(line)
        content = _content(found)
    except msgspec.MsgspecError:
        content = line
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big", signed=True)


def _content(found: _Key) -> bytes:
    told = found.key if found.custom_id is None else found.custom_id
    if told is None and found.instance:
        return _content(_DECODER.decode(found.instance))
    if isinstance(told, str):
        return b"i" + told.encode()
    if told is not None:
        return b"i" + msgspec.json.encode(told)
    return b"b" + msgspec.json.encode(msgspec.json.decode(found.body or b"null"), order="sorted")
