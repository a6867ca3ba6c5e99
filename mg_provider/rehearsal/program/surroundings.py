"""What the providers of a run know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mg_provider.clock import Clock
from mg_provider.rehearsal.program.project import Project
from mg_provider.rehearsal.state.file import Snapshot


@dataclass(frozen=True)
class Surroundings:
    """The run that a provider works in.

    Attributes:
        project: what is deployed.
        snapshot: its state.
        state_file: where the state is kept; those of other stacks may be beside it.
        clock: time and ids.
        say: takes each line that a provider writes.
    """

    project: Project
    snapshot: Snapshot
    state_file: Path
    clock: Clock
    say: Callable[[str], None]
