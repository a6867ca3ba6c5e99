"""Who holds which machines, and for how long: GPU-seconds by accelerator."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Machines:
    """The machines of one deployment or batch job, from when they are added until they are given back.

    Each replica is ``nodes`` machines with so many accelerators each.
    """

    machine_type: str
    accelerator_type: str
    accelerator_count: int
    replicas: int
    nodes: int = 1

    @property
    def gpus(self) -> int:
        """Of all replicas."""
        return self.accelerator_count * self.nodes * self.replicas if self.accelerator_type else 0


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
