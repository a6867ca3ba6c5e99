"""Autoscaling: the number of replicas that serve follows the load that a test sets, and nobody calls for it.

The behaviour ``load`` says how many replicas an endpoint's requests need, by endpoint id. Each deployed model needs its
share of that, and has between its least and its most replicas. More come after :data:`SCALE_UP`, fewer go after
:data:`SCALE_DOWN` emulated seconds; the real times, and how the load is measured, are not emulated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from mg_provider.emulator.core.admin import administers
from mg_provider.emulator.core.world import World, watches_behaviours
from mg_provider.emulator.google.errors import ApiError, invalid_argument, not_found
from mg_provider.emulator.services.vertex.serving import meter
from mg_provider.emulator.services.vertex.state import Endpoint, Json, on_touch, touch, vertex

SCALE_UP = 120.0
SCALE_DOWN = 600.0


@dataclass
class _Scaling:
    """What was seen too small for its load, and what is being looked at again."""

    short: list[Json] = field(default_factory=list)
    due: set[tuple[Any, ...]] = field(default_factory=set)


@administers("POST", "/_mg/vertex/replicas")
def _scale(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """``{"endpoint_id": …, "deployed_model_id": …, "available": 3}``: that many replicas serve from now on.

    Raises:
        ApiError: INVALID_ARGUMENT for more than its most replicas, NOT_FOUND for an endpoint that is not there.
    """
    available = int(body["available"])
    found = [endpoint for key, endpoint in vertex(world).endpoints.items() if key[2] == body["endpoint_id"]]
    if not found:
        raise not_found(f"no endpoint has the id {body['endpoint_id']}")
    endpoint = found[0]
    deployed = endpoint.find_deployed(body["deployed_model_id"])
    most = deployed.get("dedicatedResources", {}).get("maxReplicaCount", available)
    if not 0 <= available <= most:
        raise invalid_argument(f"{available} replicas are not between 0 and {most}")
    set_replicas(world, endpoint, deployed, available, world.now())
    return dict(deployed["status"])


@administers("GET", "/_mg/vertex/shortages")
def _shortages(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Each moment at which a deployed model had fewer replicas than its share of the load needs."""
    return {"shortages": list(world.part(_Scaling).short)}


def set_replicas(world: World, endpoint: Endpoint, deployed: Json, available: int, at: float) -> None:
    """Let that many replicas of a deployed model serve, and cost, from ``at`` on."""
    deployed["status"] = {"availableReplicaCount": available, "lastUpdateTime": world.timestamp(at)}
    meter(world, endpoint.key, deployed, available, at)
    touch(world, endpoint, at)


@watches_behaviours
def _load_changed(world: World) -> None:
    for endpoint in list(vertex(world).endpoints.values()):
        _follow(world, endpoint, world.now(), note=False)


@on_touch
def _endpoint_changed(world: World, endpoint: Endpoint, at: float) -> None:
    _follow(world, endpoint, at, note=True)


def _follow(world: World, endpoint: Endpoint, at: float, *, note: bool) -> None:
    """Note what is too small for its share of the load, and have the autoscaler look at it in a while."""
    load = world.behaviours["load"].get(endpoint.key[2])
    if load is None:
        return
    scaling = world.part(_Scaling)
    for deployed in endpoint.deployed:
        needed, available = _needed(endpoint, deployed, load), available_replicas(deployed)
        if note and needed > available:
            scaling.short.append(
                {
                    "endpoint_id": endpoint.key[2],
                    "deployed_model_id": deployed["id"],
                    "needed": needed,
                    "available": available,
                    "time": world.timestamp(at),
                }
            )
        wanted = _bounded(deployed, needed)
        if wanted != available:
            _look_again(world, endpoint, deployed["id"], at + (SCALE_UP if wanted > available else SCALE_DOWN))


def _look_again(world: World, endpoint: Endpoint, deployed_id: str, when: float) -> None:
    scaling, mark = world.part(_Scaling), (*endpoint.key, deployed_id)
    if mark in scaling.due:
        return
    scaling.due.add(mark)

    def settle(at: float) -> None:
        scaling.due.discard(mark)
        load = world.behaviours["load"].get(endpoint.key[2])
        deployed = next((each for each in endpoint.deployed if each["id"] == deployed_id), None)
        if load is None or deployed is None:
            return
        wanted = _bounded(deployed, _needed(endpoint, deployed, load))
        if wanted != available_replicas(deployed):
            set_replicas(world, endpoint, deployed, wanted, at)

    world.timeline.at(when, settle)


def wake(world: World, endpoint: Endpoint, deployed: Json) -> None:
    """Start the first replicas of a deployment at zero; what it was asked is dropped. ApiError RESOURCE_EXHAUSTED."""
    resources = deployed.get("dedicatedResources", {})
    if resources.get("scaleToZeroSpec") is None or available_replicas(deployed):
        return
    scaling, mark = world.part(_Scaling), (*endpoint.key, deployed["id"], "wake")

    def start(at: float) -> None:
        scaling.due.discard(mark)
        if not available_replicas(deployed):
            set_replicas(world, endpoint, deployed, int(resources.get("initialReplicaCount", 1)), at)

    if mark not in scaling.due:
        scaling.due.add(mark)
        world.timeline.at(world.now() + SCALE_UP, start)
    raise ApiError("RESOURCE_EXHAUSTED", "The model is scaled to zero and is starting. Please try again later.")


def _needed(endpoint: Endpoint, deployed: Json, load: float) -> int:
    share = float(endpoint.resource.get("trafficSplit", {}).get(deployed["id"], 0))
    return math.ceil(load * share / 100)


def available_replicas(deployed: Json) -> int:
    """How many replicas of a deployed model serve."""
    return int(deployed.get("status", {}).get("availableReplicaCount", 0))


def _bounded(deployed: Json, needed: int) -> int:
    resources = deployed.get("dedicatedResources") or deployed.get("automaticResources") or {}
    fewest, most = int(resources.get("minReplicaCount", 1)), int(resources.get("maxReplicaCount", 1))
    return min(max(needed, fewest), most)
