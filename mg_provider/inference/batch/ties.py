"""Which answer goes to which row where several have one id: decided by what they ask, then by all that was passed on.

Where rows are still alike and their answers are not, none is given: the wrong answer is worse than none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from mg_provider.inference.batch.identity import Identity

NOT_THERE: Final = -1
TIED: Final = -2
OTHER_REQUEST: Final = -3

K = TypeVar("K", bound=Hashable)


class Settled(NamedTuple):
    """Which answer goes to which question.

    Attributes:
        found: For each question the place of its answer, or NOT_THERE, TIED or OTHER_REQUEST.
        again: How many answers came again for a question that has one.
    """

    found: list[int]
    again: int


def settle(questions: Sequence[Identity], answers: Sequence[Identity]) -> Settled:
    """Give out answers to questions."""
    settling = _Settling(questions, answers)
    settling.by_unique_id()
    settling.by_request()
    settling.by_id()
    settling.other_requests()
    return Settled(settling.found, settling.again)


class _Settling:
    """Questions and answers, and what is given out so far."""

    def __init__(self, questions: Sequence[Identity], answers: Sequence[Identity]) -> None:
        self._questions = questions
        self._answers = answers
        self._free = set(range(len(answers)))
        self.again = 0
        self.found = [NOT_THERE] * len(questions)

    def by_unique_id(self) -> None:
        """Give a row whose id no other row has what answers it, also if that does not say the request."""
        said = _by(self._answers, _id)
        for name, asking in _by(self._questions, _id).items():
            if name is not None and len(asking) == 1:
                asks = self._questions[asking[0]].asks
                places = [at for at in said.get(name, ()) if self._answers[at].asks in (None, asks)]
                self._share(asking, places, alone=True)

    def by_request(self) -> None:
        """Give answers to what they answer; first where all other columns agree too."""
        said = _by(self._answers, _request, sorted(self._free))
        waiting = (at for at, place in enumerate(self.found) if place == NOT_THERE)
        for request, asking in _by(self._questions, _request, waiting).items():
            rows = _by(self._answers, _row, said.get(request, ()))
            left: list[int] = []
            for row, theirs in _by(self._questions, _row, asking).items():
                if row in rows:
                    self._share(theirs, rows[row], alone=len(theirs) == 1)
                else:
                    left += theirs
            free = [place for place in said.get(request, ()) if place in self._free]
            self._share(left, free, alone=len(asking) == 1)

    def by_id(self) -> None:
        """Give out answers that say nothing of the request: only the id is left to go by."""
        bare = [place for place in sorted(self._free) if self._answers[place].asks is None]
        waiting = _by(self._questions, _id, (at for at, place in enumerate(self.found) if place == NOT_THERE))
        for name, places in _by(self._answers, _id, bare).items():
            if name is not None:
                self._share(waiting.get(name, []), places)

    def other_requests(self) -> None:
        """Say of a row without an answer that its id has one, to another request."""
        names = {self._answers[place].id for place in self._free}
        for at, each in enumerate(self._questions):
            if self.found[at] == NOT_THERE and each.id is not None and each.id in names:
                self.found[at] = OTHER_REQUEST

    def _share(self, asking: list[int], said: list[int], *, alone: bool = False) -> None:
        """Give the answers out in order where that cannot be wrong; otherwise to nobody.

        Where no other row can be meant, one is ``alone``. It may be answered more than once: an answer goes before an
        error.
        """
        if not asking or not said:
            return
        if alone:
            said = sorted(said, key=lambda place: not self._answers[place].answered)
            self._give(asking, said)
            return
        alike = (
            len({self._answers[place].said for place in said}) == len({self._questions[at].asks for at in asking}) == 1
        )
        enough = len(said) >= len(asking) or len({self._questions[at].row for at in asking}) == 1
        if alike and enough:
            self._give(asking, said)
            return
        for at in asking:
            self.found[at] = TIED
        self._free.difference_update(said)

    def _give(self, asking: list[int], said: list[int]) -> None:
        for at, place in zip(asking, said, strict=False):
            self.found[at] = place
        self.again += max(0, len(said) - len(asking))
        self._free.difference_update(said)


def _id(each: Identity) -> str | None:
    return each.id


def _row(each: Identity) -> bytes:
    return each.row


def _request(each: Identity) -> tuple[str | None, bytes]:
    if each.asks is not None:
        return each.id, each.asks
    return each.id, b"" if each.id is not None else each.row


def _by(
    items: Sequence[Identity], key: Callable[[Identity], K], places: Iterable[int] | None = None
) -> Mapping[K, list[int]]:
    found: dict[K, list[int]] = defaultdict(list)
    for place in range(len(items)) if places is None else places:
        found[key(items[place])].append(place)
    return found
