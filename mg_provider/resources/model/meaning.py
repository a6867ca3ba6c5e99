"""What an argument means to the person who approves a change: money, exposure, availability, what clients hold.

One mark for each meaning, beside the field. A review reads the marks and no names, so that an argument that is added
later is reviewed as soon as it has its mark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Part = Literal["machine", "fewest", "most", "spot", "queued", "off"]


@dataclass(frozen=True)
class HeldByClients:
    """Clients have the value in their configuration, so another one breaks them; ``what`` it is."""

    what: str


@dataclass(frozen=True)
class Exposure:
    """Who can reach it, or where its data goes; ``what`` says which.

    ``open`` picks out values by which any network reaches it; ``widens`` picks out changes that let more in, by the old
    and the new value. Entries that a list gains widen it in any case.
    """

    what: str
    open: Callable[[Any], bool] | None = None
    widens: Callable[[Any, Any], bool] | None = None


@dataclass(frozen=True)
class SafetyNet:
    """Something that keeps a mistake from doing harm; ``on`` says by the value whether it is there."""

    what: str
    on: Callable[[Any], bool]


@dataclass(frozen=True)
class Weakens:
    """A part of how a new deployment is let in, of which some changes let harm through.

    Attributes:
        what: What such a change does.
        when: Picks them out by the old and the new value.
        gate: What they let through: a deployment that nobody tried, a gap, fewer replicas, or any mistake.
    """

    what: str
    when: Callable[[Any, Any], bool]
    gate: Literal["unprobed", "downtime", "capacity", "safety-net"]


@dataclass(frozen=True)
class Costs:
    """A part of what the machines cost: which machine, how many, at which kind of price, or that none runs.

    ``a_run``: they are paid for while a run lasts, not by the month.
    """

    part: Part
    a_run: bool = False


@dataclass(frozen=True)
class Content:
    """What answers: weights, a container, a model; ``what`` says which."""

    what: str


@dataclass(frozen=True)
class Service:
    """How requests are served; ``what`` says which part of it. ``gap``: what a change of it interrupts."""

    what: str
    gap: str = ""


@dataclass(frozen=True)
class Traffic:
    """Percent of the requests by name."""


@dataclass(frozen=True)
class Strategy:
    """How a new deployment takes the old one's place: a ``RolloutStrategy``."""


@dataclass(frozen=True)
class Plan:
    """What a change does to the deployments, in words; an update that rolls out has it."""


@dataclass(frozen=True)
class Flow:
    """Data that a run reads or writes."""

    direction: Literal["reads", "writes"]


@dataclass(frozen=True)
class Leads:
    """The resource that this one leads to: without it, or once it is public, this one reaches nothing."""


@dataclass(frozen=True)
class InNetwork:
    """The network from which it is reached."""


@dataclass(frozen=True)
class LastRun:
    """What the last run of a job came to; ``what`` is counted."""

    what: Literal["rows", "replica hours"]


@dataclass(frozen=True)
class Answers:
    """The ids of the deployments that answer requests; empty where none does."""


@dataclass(frozen=True)
class Inner:
    """Set by the constructor or the provider: no wish of a program's, and no output for one."""


def probes(rollout: Any) -> bool:
    """Whether a rollout, as a program or a preview writes it, asks the new deployment anything."""
    probe = rollout.get("probe") if isinstance(rollout, Mapping) else getattr(rollout, "probe", None)
    kind = probe.get("kind") if isinstance(probe, Mapping) else getattr(probe, "kind", None)
    return bool(kind != "none")
