"""Keeps a wide process from becoming a burst of calls."""

from __future__ import annotations

import threading

from mg_provider.clock import Clock

STORAGE_HOST = "storage."


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


class RateLimits:
    """A limit for each host: Google counts calls by service and, of Vertex AI, by region, whose hosts differ.

    Args:
        clock: Measures and waits.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limits: dict[str, RateLimit] = {}
        self._lock = threading.Lock()

    def of(self, host: str) -> RateLimit:
        """The limit of a host, the same each time."""
        with self._lock:
            if host not in self._limits:
                # Reading headers of a large model's files is hundreds of small calls, which Cloud Storage is made for.
                storage = host.startswith(STORAGE_HOST)
                self._limits[host] = RateLimit(self._clock, 200.0, 200) if storage else RateLimit(self._clock)
            return self._limits[host]
