"""Rows and answers that are distinguished by more than their id: a few at a time, however many have one id."""

from __future__ import annotations

import os
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

from mg_provider.inference.batch.identity import Identity, by_columns, digest, identity_of, named_by, request_of
from mg_provider.inference.batch.records import Records
from mg_provider.inference.batch.ties import NOT_THERE, TIED, settle

STRETCH = 22
"""Rows are given out by stretches of the input of so many bits: 4 MB."""
PARTS = 256
MANY = 2_000
"""So many lines of one key are looked at together; more are first distinguished by what they ask."""

Place = tuple[int, int]
"""First byte and length of a line."""
Mark = Callable[[bytes], bytes | None]
"""What a line is distinguished by; None leaves it out."""


class Groups:
    """Matches lines of one key, and lines that no key brought together.

    Args:
        folder: Takes files while lines are distinguished.
        questions: The file of the questions.
        answers: The file of the answers.
        found: Takes of each question its first byte, and first byte and length of its answer. A negative length says
            that the answer needs no second look.

    Attributes:
        again: Answers that came again for a row that has one.
    """

    def __init__(self, folder: Path, questions: int, answers: int, found: Records) -> None:
        self._folder = folder
        self._questions = questions
        self._answers = answers
        self._found = found
        self.again = 0

    def has_id(self, start: int, size: int) -> bool:
        """Whether the question there has an id."""
        return request_of(_line(self._questions, start, size)).id is not None

    def settle(self, keys: set[int], asked: array[int], said: array[int]) -> None:
        """Match the lines of keys that several questions or answers have."""
        times = Counter(asked[0::3]) + Counter(said[0::3])
        large = {key for key in keys if times[key] > MANY}
        theirs, ours = _by_key(asked, keys - large), _by_key(said, keys - large)
        for key, places in theirs.items():
            self._settle(places, ours.get(key, []))
        for key in large:
            self._refine(_of_key(asked, key), _of_key(said, key))

    def _settle(self, places: list[Place], texts: list[Place]) -> None:
        rows = [identity_of(_line(self._questions, *place)) for place in places]
        self._give(places, rows, texts, [identity_of(_line(self._answers, *place)) for place in texts])

    def _give(self, places: list[Place], rows: list[Identity], texts: list[Place], said: list[Identity]) -> None:
        settled = settle(rows, said)
        self.again += settled.again
        for place, at in zip(places, settled.found, strict=True):
            self._note(place, at, texts[at] if at >= 0 else (at, 0))

    def _note(self, place: Place, at: int, answer: Place) -> None:
        self._found.add(place[0] >> STRETCH, (place[0], answer[0], -answer[1] if at >= 0 else 0))
        self._found.counted(3)

    def _refine(self, asked: Iterable[Place], said: Iterable[Place]) -> None:
        """Match lines of a key that very many have: what asks the same is looked at together."""
        silent = False

        def of_answer(line: bytes) -> bytes | None:
            nonlocal silent
            mark = _request_mark(line)
            silent = silent or mark is None
            return mark

        with ExitStack() as held:
            ours = self._marked("group-said", said, self._answers, of_answer, held)
            theirs = self._marked("group-asked", asked, self._questions, _request_mark, held)
            self._each_group(theirs, ours, self._settle, TIED if silent else NOT_THERE)

    def by_key(self, asked: Records, said: Records, column: str) -> None:
        """Match all by the column whose values the output has as ``key``."""

        def match(places: list[Place], texts: list[Place]) -> None:
            rows = [named_by(column, _line(self._questions, *place)) for place in places]
            self._give(places, rows, texts, [identity_of(_line(self._answers, *place)) for place in texts])

        with ExitStack() as held:
            ours = self._marked("key-said", _places(said), self._answers, _key_mark, held)
            theirs = self._marked("key-asked", _places(asked), self._questions, _column_mark(column), held)
            self._each_group(theirs, ours, match, NOT_THERE)

    def by_body(self, asked: Records, said: Records) -> None:
        """Match all by what they ask and by the columns that are passed on, as the output has no custom_ids.

        A ``key`` is the value of one of the row's columns.
        """
        with ExitStack() as held:
            ours = self._marked("body-said", _places(said), self._answers, _body_mark, held)
            theirs = self._marked("body-asked", _places(asked), self._questions, _body_mark, held)
            self._each_group(theirs, ours, self._settle_by_columns, NOT_THERE)

    def _settle_by_columns(self, places: list[Place], texts: list[Place]) -> None:
        said = [_line(self._answers, *place) for place in texts]
        asked = [_line(self._questions, *place) for place in places]
        settled = by_columns(asked, said)
        if settled is None:
            for place in places:
                self._note(place, TIED, (TIED, 0))
        else:
            self._give(places, settled[0], texts, settled[1])

    def _marked(self, name: str, places: Iterable[Place], file: int, mark: Mark, held: ExitStack) -> Records:
        """Places of lines by the hash of their mark; a question without one has no answer."""
        records = held.enter_context(Records(self._folder / name))
        for place in places:
            marked = mark(_line(file, *place))
            key = hash(marked)
            if marked is not None:
                records.add(key & PARTS - 1, (key, *place))
                records.counted(3)
            elif file == self._questions:
                self._note(place, NOT_THERE, (NOT_THERE, 0))
        return records

    def _each_group(
        self, asked: Records, said: Records, match: Callable[[list[Place], list[Place]], None], without: int
    ) -> None:
        """Match what has one mark; of a mark that very many have, no line is distinguished from another."""
        for part in asked.parts():
            numbers, answers = asked.read(part), said.read(part)
            times, answered = Counter(numbers[0::3]), Counter(answers[0::3])
            few = {key for key, number in times.items() if answered[key] and number + answered[key] <= MANY}
            ours = _by_key(answers, few)
            for key, places in _by_key(numbers, few).items():
                match(places, ours[key])
            for key, start, size in zip(numbers[0::3], numbers[1::3], numbers[2::3], strict=True):
                if key not in few:
                    at = TIED if answered[key] else without
                    self._note((start, size), at, (at, 0))


def _request_mark(line: bytes) -> bytes | None:
    """What is asked, or of a row without an id all that it says; None where it does not say."""
    request = request_of(line)
    return request.body if request.id is not None else identity_of(line).row


def _key_mark(line: bytes) -> bytes | None:
    name = request_of(line).id
    return None if name is None else name.encode()


def _column_mark(column: str) -> Mark:
    def mark(line: bytes) -> bytes | None:
        name = named_by(column, line).id
        return None if name is None else name.encode()

    return mark


def _body_mark(line: bytes) -> bytes | None:
    body = request_of(line).body
    return None if body is None else digest(body)


def _line(file: int, start: int, size: int) -> bytes:
    return os.pread(file, size - 1, start)


def _places(records: Records) -> Iterable[Place]:
    for part in records.parts():
        numbers = records.read(part)
        yield from zip(numbers[1::3], numbers[2::3], strict=True)


def _of_key(numbers: array[int], wanted: int) -> Iterable[Place]:
    for key, start, size in zip(numbers[0::3], numbers[1::3], numbers[2::3], strict=True):
        if key == wanted:
            yield start, size


def _by_key(numbers: array[int], keys: set[int]) -> dict[int, list[Place]]:
    found: dict[int, list[Place]] = defaultdict(list)
    for key, start, size in zip(numbers[0::3], numbers[1::3], numbers[2::3], strict=True):
        if key in keys:
            found[key].append((start, size))
    return found
