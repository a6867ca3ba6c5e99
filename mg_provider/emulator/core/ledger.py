"""What exists, and what it has cost so far.

A service adds to it with two decorators, :func:`counts_resources` and :func:`counts_data`, and meters machines through
``world.meter``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mg_provider.emulator.core.world import World


@dataclass(frozen=True)
class Entry:
    """One existing thing: its kind (``aiplatform.Endpoint``), resource name, creation time and labels."""

    kind: str
    name: str
    created: str = ""
    labels: dict[str, str] = field(default_factory=dict)


Contribution = Callable[["World"], Iterable[Entry]]
_RESOURCES: list[Contribution] = []
_DATA: list[Contribution] = []


def counts_resources(contribution: Contribution) -> Contribution:
    """Register a function that lists what a stack should not leave behind."""
    _RESOURCES.append(contribution)
    return contribution


def counts_data(contribution: Contribution) -> Contribution:
    """Register a function that lists what tests put there: buckets, objects, tables. It never counts as left over."""
    _DATA.append(contribution)
    return contribution


@dataclass(frozen=True)
class Machines:
    """The machines of one deployment or batch job, from when they are added until they are given back."""

    machine_type: str
    accelerator_type: str
    accelerator_count: int
    replicas: int

    @property
    def gpus(self) -> int:
        """Of all replicas."""
        return self.accelerator_count * self.replicas if self.accelerator_type else 0


@dataclass
class _Use:
    machines: Machines
    since: float


class GpuMeter:
    """Who holds which machines now, and GPU-seconds by accelerator: GPUs times emulated seconds."""

    def __init__(self) -> None:
        self._running: dict[str, _Use] = {}
        self._finished: dict[str, float] = {}

    def start(self, holder: str, machines: Machines, at: float) -> None:
        """From ``at`` on, ``holder``, a resource's name, holds these machines; what it held before ends there."""
        self.stop(holder, at)
        if machines.replicas:
            self._running[holder] = _Use(machines, at)

    def stop(self, holder: str, at: float) -> None:
        """``holder`` gives its machines back at ``at``; without any this does nothing."""
        use = self._running.pop(holder, None)
        if use and use.machines.gpus:
            accelerator = use.machines.accelerator_type
            self._finished[accelerator] = self._finished.get(accelerator, 0.0) + use.machines.gpus * (at - use.since)

    def machines(self) -> list[dict[str, Any]]:
        """Each holder with its machines now."""
        return [{"holder": holder, **asdict(use.machines)} for holder, use in sorted(self._running.items())]

    def held(self) -> dict[str, float]:
        """GPUs in use now, by accelerator."""
        total: dict[str, float] = {}
        for use in self._running.values():
            if use.machines.gpus:
                accelerator = use.machines.accelerator_type
                total[accelerator] = total.get(accelerator, 0.0) + use.machines.gpus
        return total

    def seconds(self, now: float) -> dict[str, float]:
        """GPU-seconds up to ``now``, by accelerator."""
        total = dict(self._finished)
        for use in self._running.values():
            if use.machines.gpus:
                accelerator = use.machines.accelerator_type
                total[accelerator] = total.get(accelerator, 0.0) + use.machines.gpus * (now - use.since)
        return {accelerator: round(seconds, 3) for accelerator, seconds in sorted(total.items())}


def target(world: World, path: str) -> dict[str, Any] | None:
    """What a request's path names or is below, among what exists: its resource name and its labels at this moment.

    An operation of the location that makes an endpoint counts as that endpoint.
    """
    asked = _with_number(world, path.partition("/projects/")[2].partition(":")[0])
    for contribution in _RESOURCES:
        for entry in contribution(world):
            name = _with_number(world, entry.name.removeprefix("projects/"))
            if asked == name or asked.startswith(f"{name}/"):
                return {"name": entry.name, "labels": entry.labels}
    for operation in world.operations.running():
        if operation.plan.labels and operation.name == f"projects/{asked}":
            return {"name": operation.name, "labels": operation.plan.labels}
    return None


def _with_number(world: World, path: str) -> str:
    project, _, rest = path.partition("/")
    return f"{world.project_number(project)}/{rest}"


def ledger(world: World) -> dict[str, Any]:
    """The whole account at this moment."""
    now = world.now()
    resources = [asdict(entry) for contribution in _RESOURCES for entry in contribution(world)]
    data = [asdict(entry) for contribution in _DATA for entry in contribution(world)]
    seconds = world.meter.seconds(now)
    machines = world.meter.machines()
    kinds: dict[str, int] = {}
    for entry in resources:
        kinds[entry["kind"]] = kinds.get(entry["kind"], 0) + 1
    return {
        "time": world.timestamp(now),
        "resources": resources,
        "counts": kinds,
        "data": data,
        "gpu_seconds": seconds,
        "gpu_seconds_total": round(sum(seconds.values()), 3),
        "machines": machines,
        "gpus_in_use": world.meter.held(),
        "operations_running": [operation.name for operation in world.operations.running()],
        "empty": not resources and not machines,
        "leftovers": [entry["name"] for entry in resources],
    }
