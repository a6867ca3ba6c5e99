"""How a call happens, at one moment and written down where the world is kept, and how kept calls happen once more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Protocol

from mg_provider.emulator.core.journal import Journal, JournalEntry
from mg_provider.emulator.core.ledger import entries
from mg_provider.emulator.core.world import World
from mg_provider.emulator.web.request import Request

# Who calls is nothing that the emulated world depends on, and no token belongs in a file.
_NOT_KEPT = frozenset({"authorization", "cookie", "proxy-authorization", "connection", "content-length"})
# It leaves nothing that could be repeated.
_RESET = "/_mg/reset"


LONG = 1000
"""Calls from which on a journal is shortened, where it can be."""

_OF_WHAT_IS_DEPLOYED = ("/v1/", "/v1beta1/", "/compute/", "/_mg/vertex/")


class RepeatsCalls(Protocol):
    """What answers calls."""

    def repeat(self, request: Request) -> int:
        """Have a call happen once more; its status."""


@contextmanager
def happening(world: World, request: Request) -> Iterator[Callable[[int], None]]:
    """The time of one call: the world is its own, its clock stands, and what it changed is written down.

    Yields:
        What takes the status of the answer, at the end.
    """
    with world.lock, world.clock.held() as at:
        before, faulty = world.marks, world.faults.any

        def ended(status: int) -> None:
            journal = world.journal
            if journal is None or journal.repeating:
                return
            changed = request.method not in ("GET", "HEAD") or world.marks != before or faulty
            if changed and request.target.partition("?")[0] != _RESET and not _waits(request.target):
                headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_KEPT}
                entry = JournalEntry(at, before[0], request.method, request.target, headers, request.address, status)
                journal.write(entry, request.media)
            journal.seen(world.now())

        yield ended


def repeat_all(world: World, journal: Journal, application: Callable[[str | None], RepeatsCalls]) -> int:
    """Have every call of a journal happen once more.

    Args:
        world: an empty one.
        journal: what is to happen in it.
        application: what answers at an address.

    Returns:
        How many of them are answered in another way than they were, as by another version.

    Raises:
        NotKept: the journal cannot be read.
    """
    last, numbers, otherwise, count = 0.0, 0, 0, 0
    journal.repeating = True
    for entry, body in journal.calls():
        numbers = max(numbers, world.marks[0])
        world.count_from(entry.numbers)
        with world.clock.held(entry.at):
            otherwise += application(entry.address).repeat(_request(entry, body)) != entry.status
            last = max(last, world.now())
        count += 1
    world.count_from(max(numbers, world.marks[0]))
    world.clock.restart(world.clock.speed, journal.now(last))
    journal.repeating = False
    if count > LONG:
        _leave_out_what_left_nothing(world, journal)
    return otherwise


def _leave_out_what_left_nothing(world: World, journal: Journal) -> None:
    """Shorten a long journal where all that was deployed is gone again, and only buckets, tables and settings are left.

    The GPU-hours of what is gone are forgotten with it. Where batch jobs ran, their output depends on it all.
    """
    resources, _ = entries(world)
    if resources or world.operations.running() or world.faults.any:
        return
    calls = [entry.target for entry, _ in journal.calls()]
    if any("/batchPredictionJobs" in target for target in calls):
        return
    mark = JournalEntry(world.now(), world.marks[0], "GET", "/_mg/clock", {}, None, 200)
    journal.shorten(lambda entry: not entry.target.startswith(_OF_WHAT_IS_DEPLOYED), mark)


def _waits(target: str) -> bool:
    """Whether a call only waits for what happens anyway."""
    return target.partition("?")[0].endswith(":wait")


def _request(entry: JournalEntry, body: bytes) -> Request:
    return Request(entry.method, entry.target, entry.headers, BytesIO(body), entry.address)
