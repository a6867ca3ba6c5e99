"""Keeps a wide process from becoming a burst of calls."""

from __future__ import annotations

import threading

from mg_provider.clock import Clock


class RateLimit:
    """A token bucket shared by all threads.

    Args:
        clock: Measures and waits.
        rate: Calls per second in the long run.
        burst: Calls that may come at once.
    """

    def __init__(self, clock: Clock, rate: float = 20.0, burst: int = 40) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._updated = clock.monotonic()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when one more call is allowed."""
        with self._lock:
            now = self._clock.monotonic()
            self._tokens = min(self._burst, self._tokens + (now - self._updated) * self._rate)
            self._updated = now
            # A token may be owed: later callers then wait longer, in the order in which they came.
            self._tokens -= 1
            delay = -self._tokens / self._rate
        if delay > 0:
            self._clock.sleep(delay)
