"""The emulator's time: a start, plus the real time that passed times a speed, plus what a test skipped."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 1, tzinfo=UTC)
FASTEST = 1_000_000
"""Most emulated seconds per real second."""

_LAST = 1000 * 365.25 * 86400


def new_identity() -> str:
    """What no other emulator has; the only randomness of the emulator."""
    return str(uuid.uuid4())


def check_speed(speed: float) -> None:
    """Refuse what is not a speed. ValueError then."""
    if not 0 <= speed <= FASTEST:
        raise ValueError(f"speed is 0 to {FASTEST:,} emulated seconds per second, not {speed}")


class EmulatorClock:
    """Emulated seconds since :data:`START`; the only reader of real time in the emulator.

    While a call is answered, time stands still for the thread that answers it: see :meth:`held`.
    """

    def __init__(self, speed: float = 1.0) -> None:
        check_speed(speed)
        self._lock = threading.Lock()
        self._speed = speed
        self._base = 0.0
        self._mark = time.monotonic()
        self._held = threading.local()

    @property
    def speed(self) -> float:
        """Emulated seconds per real second."""
        return self._speed

    def seconds(self) -> float:
        """Emulated seconds since the start."""
        held: float | None = getattr(self._held, "at", None)
        if held is not None:
            return held
        with self._lock:
            return self._seconds()

    @contextmanager
    def held(self, at: float | None = None) -> Iterator[float]:
        """Let time stand still for this thread, at this moment or at ``at``: a call happens at one moment."""
        before = getattr(self._held, "at", None)
        moment = self.seconds() if at is None else at
        self._held.at = moment
        try:
            yield moment
        finally:
            self._held.at = before

    def flow(self) -> None:
        """Let time go on for this thread, which waits."""
        self._held.at = None

    def _move(self, seconds: float) -> None:
        if getattr(self._held, "at", None) is not None:
            self._held.at += seconds

    def _seconds(self) -> float:
        return self._base + (time.monotonic() - self._mark) * self._speed

    def advance(self, seconds: float) -> None:
        """Skip ``seconds`` of emulated time; it never goes back."""
        if not seconds >= 0:
            raise ValueError("time does not go back")
        with self._lock:
            if self._seconds() + seconds > _LAST:
                raise ValueError("the emulator's calendar ends after a thousand years")
            self._base += seconds
        self._move(seconds)

    def set_speed(self, speed: float) -> None:
        """Go on from here at ``speed`` emulated seconds per real second; 0 stands still."""
        check_speed(speed)
        with self._lock:
            self._base = self._seconds()
            self._mark = time.monotonic()
            self._speed = speed

    def restart(self, speed: float, at: float = 0.0) -> None:
        """Back to the start, or to ``at``, at ``speed``."""
        with self._lock:
            self._base, self._mark, self._speed = at, time.monotonic(), speed
        self._move(at - self.seconds())


def moment(seconds: float) -> datetime:
    """The emulated time of day, ``seconds`` after the start."""
    return START + timedelta(seconds=seconds)


def timestamp(seconds: float) -> str:
    """A moment as the APIs write it: RFC 3339, UTC, microseconds."""
    return moment(seconds).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def seconds_of(text: str) -> float:
    """The inverse of :func:`timestamp`, for any ISO 8601 text; without a zone it is UTC."""
    parsed = datetime.fromisoformat(text)
    return ((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)) - START).total_seconds()


def real_seconds() -> float:
    """Seconds since 1970 by this machine's clock, which may be set back."""
    return time.time()


def pause(seconds: float) -> None:
    """Let real time pass; only the ``delay`` fault and slow answers do that."""
    time.sleep(seconds)
