"""Answers matched to the rows that they answer, in memory that does not grow with their number.

A job writes its answers in no particular order, and ids need not be unique. Both sides go to a folder: their lines as
they are, and where each line is by the hash of its id. Then hashes are matched a part at a time; what has one hash is
compared itself before an answer is given.
"""

from __future__ import annotations

import os
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import msgspec

from mg_provider.api.batch.rows import id_of
from mg_provider.api.storage.lines import Block, in_blocks
from mg_provider.inference.batch.groups import STRETCH, Groups
from mg_provider.inference.batch.identity import RowKey, identity_of, same_body
from mg_provider.inference.batch.records import Records
from mg_provider.inference.batch.spool import Spool
from mg_provider.inference.batch.ties import NOT_THERE, OTHER_REQUEST, TIED, settle

_DECODE = msgspec.json.Decoder(RowKey).decode

Pair = tuple[bytes, bytes | int]
"""A line of input with its answer, or with NOT_THERE, TIED or OTHER_REQUEST."""


class DiskJoin:
    """Matches questions and answers by their id and what was asked.

    Attributes:
        questions: The input, with the lines of it that cannot be read.
        answers: The output, likewise.
        unmatched: Answers that went to no row; known when all pairs were taken.
        again: Answers that came again for a row that has one.
        repeated: Rows whose id an earlier one has too.
        repeated_requests: Rows without an id that ask what an earlier one asks.
        tied: Rows that cannot be distinguished, although their answers differ.
        other_requests: Rows whose id has an answer to another request.
    """

    def __init__(self, folder: Path, key_field: str | None = None) -> None:
        """``folder`` takes both sides: about their size. Of ``key_field`` the answers may have the value as ``key``."""
        self._folder = folder
        self._key_field = key_field
        self.unmatched = self.again = self.repeated = self.repeated_requests = self.tied = self.other_requests = 0
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
            groups = Groups(self._folder, question_file.fileno(), answer_file.fileno(), found)
            if self._key_field not in (None, "custom_id", "key") and "custom_id" not in self.answers.kinds:
                groups.by_key(asked, said, self._key_field or "")
            elif self._without_ids(asked, said):
                groups.by_body(asked, said)
            else:
                for part in asked.parts():
                    self._match(asked.read(part), said.read(part), found, groups)
            self.again = groups.again
            yield from self._in_order(found, question_file, answer_file.fileno())
            self.unmatched = self.answers.count - self._given - self.again

    def _without_ids(self, asked: Records, said: Records) -> bool:
        """Whether the job's ``instance_config`` left the custom_ids out, or put another column in their place."""
        kinds = self.answers.kinds
        if "custom_id" in kinds or "body" not in kinds:
            return False
        if "nameless" in kinds and self.questions.kinds & {"custom_id", "key"}:
            return True
        return "key" in kinds and any(set(said.read(part)[0::3]) - set(asked.read(part)[0::3]) for part in said.parts())

    def _match(self, asked: array[int], said: array[int], found: Records, groups: Groups) -> None:
        """Note of each question of a part its first byte, and first byte and length of its answer."""
        keys, starts = asked[0::3], asked[1::3]
        at = {key: (start, size) for key, start, size in zip(said[0::3], said[1::3], said[2::3], strict=True)}
        several: set[int] = set()
        if len(at) * 3 < len(said):
            several |= {key for key, times in Counter(said[0::3]).items() if times > 1}
        if len(set(keys)) < len(keys):
            repeated = {key: times for key, times in Counter(keys).items() if times > 1}
            several |= repeated.keys()
            self._count_repeated(repeated, keys, asked, groups)
        none = (NOT_THERE, 0)
        for key, start in zip(keys, starts, strict=True):
            if key not in several:
                found.add(start >> STRETCH, (start, *at.get(key, none)))
        found.counted(len(asked))
        if several:
            groups.settle(several, asked, said)

    def _count_repeated(self, repeated: dict[int, int], keys: array[int], asked: array[int], groups: Groups) -> None:
        """Count rows that have the id of an earlier one, and those that have none and ask the same."""
        first = dict(zip(reversed(keys), zip(reversed(asked[1::3]), reversed(asked[2::3]), strict=True), strict=True))
        for key, times in repeated.items():
            if groups.has_id(*first[key]):
                self.repeated += times - 1
            else:
                self.repeated_requests += times - 1

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
        return name is not None or settle([identity_of(question)], [identity_of(answer)]).found == [0]
    return bool(asked.body) and same_body(asked.body, said.body)
