"""Answers matched to the rows that they answer, in memory that does not grow with their number.

A job writes its answers in no particular order, and ids need not be unique. Both sides go to a folder: their lines as
they are, and where each line is by the hash of its id. Then hashes are matched a part at a time; what has one hash is
compared itself before an answer is given.
"""

from __future__ import annotations

import os
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import msgspec

from mg_provider.api.batch.rows import read_line
from mg_provider.api.storage.lines import Block, in_blocks
from mg_provider.inference.batch.identity import Identity, RowKey, id_of, identity_of, same_body
from mg_provider.inference.batch.records import Records
from mg_provider.inference.batch.spool import Spool
from mg_provider.inference.batch.ties import NOT_THERE, OTHER_REQUEST, TIED, settle

_STRETCH = 22
"""Rows are given out by stretches of the input of so many bits: 4 MB."""

_DECODE = msgspec.json.Decoder(RowKey).decode

Pair = tuple[bytes, bytes | int]
"""A line of input with its answer, or with NOT_THERE, TIED or OTHER_REQUEST."""


class DiskJoin:
    """Matches questions and answers by their id and what was asked.

    Attributes:
        questions: The input, with the lines of it that cannot be read.
        answers: The output, likewise.
        unmatched: Answers that went to no row; known when all pairs were taken.
        repeated: Rows whose id an earlier one has too.
        tied: Rows that cannot be distinguished, although their answers differ.
        other_requests: Rows whose id has an answer to another request.
    """

    def __init__(self, folder: Path) -> None:
        """``folder`` takes both sides: about their size."""
        self._folder = folder
        self.unmatched = self.repeated = self.tied = self.other_requests = 0
        self._given = 0

    def pairs(self, questions: Iterable[bytes], answers: Iterable[bytes]) -> Iterator[tuple[bytes, bytes | None]]:
        """Each question with its answer, or None where there is none, in the order of the questions.

        Args:
            questions: Lines of JSON.
            answers: Lines of JSON, in any order.
        """
        for question, answer in self.matches(in_blocks("input", questions), in_blocks("output", answers)):
            yield question, answer if isinstance(answer, bytes) else None

    def matches(self, questions: Iterable[Block], answers: Iterable[Block]) -> Iterator[Pair]:
        """Each question with its answer, or with why there is none, in the order of the questions."""
        with ExitStack() as held:
            asked, said, found = (
                held.enter_context(Records(self._folder / name)) for name in ("asked", "said", "found")
            )
            self.answers = Spool(self._folder / "answers", said)
            self.answers.fill(answers)
            self.questions = Spool(self._folder / "questions", asked)
            self.questions.fill(questions)
            question_file = held.enter_context(self.questions.path.open("rb"))
            answer_file = held.enter_context(self.answers.path.open("rb"))
            for part in asked.parts():
                self._match(asked.read(part), said.read(part), found, question_file, answer_file.fileno())
            yield from self._in_order(found, question_file, answer_file.fileno())
            self.unmatched = self.answers.count - self._given

    def _match(self, asked: array[int], said: array[int], found: Records, questions: BinaryIO, answers: int) -> None:
        """Note of each question of a part its first byte, and first byte and length of its answer."""
        keys, starts = asked[0::3], asked[1::3]
        at = {key: (start, size) for key, start, size in zip(said[0::3], said[1::3], said[2::3], strict=True)}
        several: set[int] = set()
        if len(at) * 3 < len(said):
            several |= {key for key, times in Counter(said[0::3]).items() if times > 1}
        if len(set(keys)) < len(keys):
            counted = Counter(keys)
            several |= {key for key, times in counted.items() if times > 1}
            self.repeated += sum(times - 1 for times in counted.values())
        none = (NOT_THERE, 0)
        for key, start in zip(keys, starts, strict=True):
            if key not in several:
                found.add(start >> _STRETCH, (start, *at.get(key, none)))
        found.counted(len(asked))
        if several:
            self._settle(several, asked, said, found, questions, answers)

    def _settle(
        self, several: set[int], asked: array[int], said: array[int], found: Records, questions: BinaryIO, answers: int
    ) -> None:
        """The same for keys that several questions or answers have."""
        theirs, ours = _places(asked, several), _places(said, several)
        for key, places in theirs.items():
            rows = [_identity(questions.fileno(), *place) for place in places]
            texts = ours.get(key, [])
            settled = settle(rows, [_identity(answers, *place) for place in texts])
            for (start, _), place in zip(places, settled, strict=True):
                at = texts[place] if place >= 0 else (place, 0)
                # A settled answer needs no second look, which a negative length says.
                found.add(start >> _STRETCH, (start, at[0], -at[1]))
            found.counted(3 * len(places))

    def _in_order(self, found: Records, questions: BinaryIO, answers: int) -> Iterator[Pair]:
        """The pairs, in the order of the questions."""
        place = 0
        questions.seek(0)
        for part in found.parts():
            numbers = found.read(part)
            where = dict(zip(numbers[0::3], zip(numbers[1::3], numbers[2::3], strict=True), strict=True))
            for _ in range(len(where)):
                line = questions.readline()
                at, size = where[place]
                place += len(line)
                line = line[:-1]
                yield line, self._answer(line, at, size, answers)

    def _answer(self, question: bytes, at: int, size: int, answers: int) -> bytes | int:
        if at < 0:
            self.tied += at == TIED
            self.other_requests += at == OTHER_REQUEST
            return at
        answer = os.pread(answers, abs(size) - 1, at)
        if size > 0 and not _belong(question, answer):
            self.other_requests += 1
            return OTHER_REQUEST
        self._given += 1
        return answer


def _places(numbers: array[int], keys: set[int]) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for key, start, size in zip(numbers[0::3], numbers[1::3], numbers[2::3], strict=True):
        if key in keys:
            found[key].append((start, size))
    return found


def _identity(file: int, start: int, size: int) -> Identity:
    return identity_of(read_line(os.pread(file, size - 1, start)))


def _belong(question: bytes, answer: bytes) -> bool:
    """Whether an answer is to this question: of its id, and to its request where it says which."""
    if answer.startswith(question[:-1]) and b'"custom_id"' in question and b'"body"' in question:
        return True  # It has the whole line at its beginning.
    asked, said = _DECODE(question), _DECODE(answer)
    if said.instance and bytes(said.instance)[:1] == b"{":
        inner = _DECODE(said.instance)
        said = inner if id_of(inner.custom_id, inner.key) else RowKey(said.custom_id, said.key, body=inner.body)
    name = id_of(asked.custom_id, asked.key)
    if asked.custom_id != said.custom_id and name != id_of(said.custom_id, said.key):
        return False
    if not said.body:
        return name is not None or settle([identity_of(read_line(question))], [identity_of(read_line(answer))]) == [0]
    return bool(asked.body) and same_body(asked.body, said.body)
