"""Time and chance, in one place, so that a test can own both.

Nothing else in the project sleeps, reads a clock or draws a random number.
"""

from __future__ import annotations

import random
import select
import signal
import threading
import time
import uuid
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Protocol

_GLANCE_MILLISECONDS = 250


class Clock(Protocol):
    """What the project needs of time and chance."""

    def now(self) -> datetime:
        """The time of day, in UTC."""

    def monotonic(self) -> float:
        """Seconds that only ever grow; for ages and timeouts."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""

    def jitter(self, seconds: float) -> float:
        """A duration between half of ``seconds`` and ``seconds``, so that many clients do not call in step."""

    def request_id(self) -> str:
        """A UUID that marks one intended call, for APIs that recognise a repeat by it."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block the calling thread."""
        time.sleep(seconds)

    def jitter(self, seconds: float) -> float:
        """A duration between half of ``seconds`` and ``seconds``."""
        return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing

    def request_id(self) -> str:
        """A random UUID."""
        return str(uuid.uuid4())

    def wait_for_interrupt(self) -> None:
        """Block until Ctrl-C or SIGTERM, also where a shell started the process with Ctrl-C ignored. Main thread."""
        over = threading.Event()

        def end(number: int, frame: FrameType | None) -> None:
            over.set()

        before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
        over.wait()
        for number, handler in before.items():
            signal.signal(number, handler)

    def wait_until_unread(self, streams: Collection[int]) -> None:
        """Block until nobody is left who could read what is written to any of these pipes and sockets.

        Linux wakes at that moment. Where the system does not, a glance four times a second notices.
        """
        read = list(streams)
        while read:
            moment = select.poll()
            for stream in read:
                moment.register(stream, 0)
            moment.poll(_GLANCE_MILLISECONDS)
            read = [stream for stream in read if not _is_unread(stream)]


def _is_unread(stream: int) -> bool:
    glance = select.poll()
    glance.register(stream, select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in glance.poll(0))


class ManualClock:
    """A clock that stands still until somebody sleeps: a 40-minute wait takes no time in a test."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._requests = 0
        self._lock = threading.Lock()
        self.sleeps: list[float] = []

    def now(self) -> datetime:
        """The start plus everything slept."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Seconds slept so far."""
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        """Move the clock forward and remember by how much."""
        with self._lock:
            self._elapsed += seconds
            self.sleeps.append(seconds)

    def jitter(self, seconds: float) -> float:
        """The full duration."""
        return seconds

    def request_id(self) -> str:
        """A UUID that counts up."""
        with self._lock:
            self._requests += 1
            return str(uuid.UUID(int=self._requests))
