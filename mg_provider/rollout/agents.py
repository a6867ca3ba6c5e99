"""A new project's service agents take some minutes: what needs them is asked for again until they are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from mg_provider.api.errors import AgentsNotReady, MgError, OperationFailed
from mg_provider.api.reading.agents import says_being_provisioned
from mg_provider.rollout.place import World

R = TypeVar("R")

_FIRST_SECONDS, _LONGEST_SECONDS = 0.5, 15.0


def awaits_agents(error: MgError) -> bool:
    """Whether an error says that the project's service agents are not there yet: of a call, or of an operation."""
    return isinstance(error, AgentsNotReady) or (
        isinstance(error, OperationFailed) and says_being_provisioned(error.message)
    )


@dataclass
class Agents:
    """The wait for a project's service agents.

    Attributes:
        world: What may be used.
        limit: Seconds to wait at most, in all.
        times: How often it was waited.
    """

    world: World
    limit: float
    times: int = field(default=0, init=False)
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.world.clock.monotonic()

    def wait(self, error: MgError) -> bool:
        """Let some time pass, if the error says that only that helps; whether to ask again."""
        waited = self.world.clock.monotonic() - self._began
        if not awaits_agents(error) or waited > self.limit or self.world.cancelled():
            return False
        if not self.times:
            self.world.progress(
                "this project's service agents are being provisioned, which takes a few minutes: going on once they "
                "are there"
            )
        self.world.clock.sleep(min(_LONGEST_SECONDS, _FIRST_SECONDS * 2**self.times))
        self.times += 1
        return True

    def tolerates(self, work: Callable[[], object]) -> bool:
        """Do something; whether it ended well, and not because the agents are not there yet.

        Raises:
            MgError: It ended badly for another reason, or the wait for the agents is over.
        """
        try:
            work()
        except (AgentsNotReady, OperationFailed) as error:
            if not self.wait(error):
                raise
            return False
        return True


def once_agents_are_there(attempt: Callable[[], R], limit: float, world: World) -> R:
    """Make an attempt that needs the service agents, and again until they are there.

    Raises:
        MgError: From the attempt; that they are not there is one after ``limit`` seconds, or where the user stops.
    """
    agents = Agents(world, limit)
    while True:
        try:
            return attempt()
        except (AgentsNotReady, OperationFailed) as error:
            if not agents.wait(error):
                raise
