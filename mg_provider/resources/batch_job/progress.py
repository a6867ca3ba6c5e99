"""How far a batch prediction job has come, for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mg_provider.clock import Clock
from mg_provider.wire.vertex.batch import BatchPredictionJob, JobState

if TYPE_CHECKING:
    from mg_provider.api.waiting import Progress

SECONDS_BETWEEN_LINES = 30.0


def state_words(state: JobState | str | None) -> str:
    """JOB_STATE_PARTIALLY_SUCCEEDED as ``partially succeeded``."""
    return str(state or "").removeprefix("JOB_STATE_").replace("_", " ").lower()


class RowProgress:
    """Rows, percent and time left, from ``completionStats``.

    The rate is that of the rows done since watching began, so it holds after a resume too and leaves out the minutes
    in which machines come up.
    """

    def __init__(self, clock: Clock, say: Callable[[str], None]) -> None:
        self._clock = clock
        self._say = say
        self._first: tuple[float, int] | None = None
        self._state: str = ""
        self._said: tuple[str, float] | None = None

    def describe(self, job: BatchPredictionJob) -> str:
        """For example ``running: 1,200 of 10,000 rows (12 %), 3 failed, about 14 min left``."""
        self._state = state_words(job.state)
        counts = self._counts(job)
        return f"{self._state}: {counts}" if counts else self._state

    def tell(self, progress: Progress) -> None:
        """Say a new state at once, and counts now and then."""
        now = self._clock.monotonic()
        if self._said and self._said[0] == self._state and now - self._said[1] < SECONDS_BETWEEN_LINES:
            return
        self._said = (self._state, now)
        self._say(progress.silence or f"the job is {progress.stage}")

    def _counts(self, job: BatchPredictionJob) -> str:
        stats = job.completion_stats
        if stats is None:
            return ""
        failed, left = stats.failed_count or 0, stats.incomplete_count or 0
        done = (stats.successful_count or 0) + failed
        parts = [f"{done:,} rows"]
        if left >= 0 and done + left:
            parts = [f"{done:,} of {done + left:,} rows ({100 * done // (done + left)} %)"]
        if failed:
            parts.append(f"{failed:,} failed")
        if remaining := self._remaining(done, left):
            parts.append(f"about {remaining} left")
        return ", ".join(parts)

    def _remaining(self, done: int, left: int) -> str:
        now = self._clock.monotonic()
        if self._first is None:
            self._first = (now, done)
        began, before = self._first
        if left <= 0 or done <= before or now <= began:
            return ""
        seconds = left * (now - began) / (done - before)
        if seconds < 90:
            return f"{seconds:.0f} s"
        return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
