"""How to wait for work in the cloud, and how far it has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mg_provider.api.errors import MgError


@dataclass(frozen=True)
class Progress:
    """How far the work has come.

    Attributes:
        name: What is waited for.
        waited: Seconds since waiting began.
        stage: What the service says about its stage, if anything.
        polls: How often it was asked.
        trouble: Why the last poll got no answer, if it got none.
    """

    name: str
    waited: float
    stage: str | None
    polls: int
    trouble: MgError | None = None


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
