"""How to wait for work in the cloud, and how far it has come."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from mg_provider.api.errors import ConnectionFailed, MgError

_SHORT: Final = 10.0
_STEP: Final = 30.0


@dataclass(frozen=True)
class Progress:
    """How far the work has come.

    Attributes:
        name: What is waited for.
        waited: Seconds since waiting began.
        stage: What the service says about its stage, if anything.
        polls: How often it was asked.
        trouble: Why the last poll got no answer, if it got none.
        silent: Seconds since the last good answer, if the last poll got none.
    """

    name: str
    waited: float
    stage: str | None
    polls: int
    trouble: MgError | None = None
    silent: float = 0.0

    @property
    def silence(self) -> str:
        """That nobody answers, since when and why, in words that change now and then; empty for a short while."""
        if not isinstance(self.trouble, ConnectionFailed) or self.silent < _SHORT:
            return ""
        seconds = int(max(_SHORT, self.silent // _STEP * _STEP))
        since = f"{seconds // 60}m" * (seconds >= 60) + f"{seconds % 60}s" * (seconds % 60 > 0)
        host = urlsplit(self.trouble.url).netloc
        return f"no answer from {host} for {since} ({_words(self.trouble.problem)}); trying again"


def _words(problem: str) -> str:
    """Why a call got no answer, without the name of the Python exception and the number of the system's error."""
    words = re.sub(r"^(\w+: )?(.*\[Errno -?\d+\] )?", "", problem)
    return words[:1].lower() + words[1:]


@dataclass(frozen=True)
class Waiting:
    """How to wait.

    Attributes:
        timeout: Seconds to wait at most.
        on_progress: Called after every poll.
        cancelled: Whether the user wants to stop waiting; looked at every second.
    """

    timeout: float
    on_progress: Callable[[Progress], None] | None = None
    cancelled: Callable[[], bool] | None = None
