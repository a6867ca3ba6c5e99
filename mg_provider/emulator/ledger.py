"""What exists, and what it has cost so far.

A service adds to it with two decorators, :func:`counts_resources` and :func:`counts_data`, and meters machines through
``world.meter``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mg_provider.emulator.world import World


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


@dataclass
class _Use:
    accelerator: str
    gpus: float
    since: float


class GpuMeter:
    """GPU-seconds by accelerator: GPUs times emulated seconds."""

    def __init__(self) -> None:
        self._running: dict[str, _Use] = {}
        self._finished: dict[str, float] = {}

    def start(self, key: str, accelerator: str, gpus: float, at: float) -> None:
        """From ``at`` on, ``key`` holds ``gpus`` GPUs; what it held before ends there."""
        self.stop(key, at)
        if accelerator and gpus:
            self._running[key] = _Use(accelerator, gpus, at)

    def stop(self, key: str, at: float) -> None:
        """``key`` gives its GPUs back at ``at``; without any this does nothing."""
        use = self._running.pop(key, None)
        if use:
            self._finished[use.accelerator] = self._finished.get(use.accelerator, 0.0) + use.gpus * (at - use.since)

    def held(self) -> dict[str, float]:
        """GPUs in use now, by accelerator."""
        total: dict[str, float] = {}
        for use in self._running.values():
            total[use.accelerator] = total.get(use.accelerator, 0.0) + use.gpus
        return total

    def seconds(self, now: float) -> dict[str, float]:
        """GPU-seconds up to ``now``, by accelerator."""
        total = dict(self._finished)
        for use in self._running.values():
            total[use.accelerator] = total.get(use.accelerator, 0.0) + use.gpus * (now - use.since)
        return {accelerator: round(seconds, 3) for accelerator, seconds in sorted(total.items())}


def ledger(world: World) -> dict[str, Any]:
    """The whole account at this moment."""
    now = world.now()
    resources = [asdict(entry) for contribution in _RESOURCES for entry in contribution(world)]
    data = [asdict(entry) for contribution in _DATA for entry in contribution(world)]
    seconds = world.meter.seconds(now)
    held = world.meter.held()
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
        "gpus_in_use": held,
        "operations_running": [operation.name for operation in world.operations.running()],
        "empty": not resources and not held,
        "leftovers": [entry["name"] for entry in resources],
    }
