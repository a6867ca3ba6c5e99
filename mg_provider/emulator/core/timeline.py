"""What will happen, and when: effects in order of emulated time, run when somebody looks.

Nothing runs in the background. Each request first calls :meth:`Timeline.settle`, so what a client sees is a function of
the clock alone.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

Effect = Callable[[float], None]


@dataclass(order=True)
class Event:
    """One effect that is due at ``at`` emulated seconds; it gets that moment, not the moment of looking."""

    at: float
    order: int
    effect: Effect = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """It will not happen."""
        self.cancelled = True


class Timeline:
    """The effects that are still to come, and how many came."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._order = itertools.count()
        self.happened = 0

    def at(self, when: float, effect: Effect) -> Event:
        """Have ``effect`` happen at ``when`` emulated seconds."""
        event = Event(when, next(self._order), effect)
        heapq.heappush(self._events, event)
        return event

    def settle(self, now: float) -> None:
        """Run everything due by ``now``, in order, including what those effects add."""
        while self._events and self._events[0].at <= now:
            event = heapq.heappop(self._events)
            if not event.cancelled:
                self.happened += 1
                event.effect(event.at)
