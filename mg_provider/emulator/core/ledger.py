"""What exists, and what it has cost so far.

A service adds to it with two decorators, :func:`counts_resources` and :func:`counts_data`, and meters machines through
``world.meter``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from mg_provider.emulator.core.world import World


@dataclass(frozen=True)
class Entry:
    """One existing thing: its kind (``aiplatform.Endpoint``), resource name, creation time and labels.

    ``details`` are for a person who looks at the emulator's page.
    """

    kind: str
    name: str
    created: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)


Contribution = Callable[["World"], Iterable[Entry]]
_RESOURCES: list[Contribution] = []
_DATA: list[Contribution] = []


def counts_resources(contribution: Contribution) -> Contribution:
    """Register a function that lists what a stack should not leave behind."""
    return _registered(contribution, _RESOURCES)


def counts_data(contribution: Contribution) -> Contribution:
    """Register a function that lists what tests put there: buckets, objects, tables. It never counts as left over."""
    return _registered(contribution, _DATA)


def _registered(contribution: Contribution, place: list[Contribution]) -> Contribution:
    """Whatever service is imported first, what exists is listed in the same order."""
    place.append(contribution)
    place.sort(key=lambda each: each.__module__)
    return contribution


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


def entries(world: World) -> tuple[list[Entry], list[Entry]]:
    """What a stack should not leave behind, and what tests put there."""
    return (
        [entry for contribution in _RESOURCES for entry in contribution(world)],
        [entry for contribution in _DATA for entry in contribution(world)],
    )


def _accounted(entry: Entry) -> dict[str, Any]:
    return {"kind": entry.kind, "name": entry.name, "created": entry.created, "labels": entry.labels}


def ledger(world: World) -> dict[str, Any]:
    """The whole account at this moment."""
    now = world.now()
    resources, data = ([_accounted(entry) for entry in part] for part in entries(world))
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
