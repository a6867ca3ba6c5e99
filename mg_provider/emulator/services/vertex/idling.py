"""Scale to zero: an idle deployment goes down to no replica, and after :data:`LONGEST_IDLE` seconds it is undeployed.

Source: Google's page on autoscaling. How exactly Google measures the two periods is not emulated: a deployment is idle
since its last request, and up since its replicas came.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mg_provider.emulator.core.timeline import Event
from mg_provider.emulator.core.world import World
from mg_provider.emulator.services.vertex.autoscaling import available_replicas, set_replicas
from mg_provider.emulator.services.vertex.serving import meter_key, take_off
from mg_provider.emulator.services.vertex.state import Endpoint, Json, on_touch

LONGEST_IDLE = 30 * 86_400.0


@dataclass
class _Idling:
    """Moments in emulated seconds, by the name that the meter has for a deployment.

    Attributes:
        used: Of the last request, or of the deployment.
        up: Since when there are replicas.
        due: When each will be looked at again.
    """

    used: dict[str, float] = field(default_factory=dict)
    up: dict[str, float] = field(default_factory=dict)
    due: dict[str, Event] = field(default_factory=dict)


def note_request(world: World, endpoint: Endpoint, deployed: Json) -> None:
    """Note that a deployed model was asked just now."""
    world.part(_Idling).used[meter_key(endpoint.key, deployed["id"])] = world.now()


@on_touch
def _endpoint_changed(world: World, endpoint: Endpoint, at: float) -> None:
    idling = world.part(_Idling)
    for deployed in endpoint.deployed:
        mark = meter_key(endpoint.key, deployed["id"])
        idling.used.setdefault(mark, at)
        if available_replicas(deployed):
            idling.up.setdefault(mark, at)
        else:
            idling.up.pop(mark, None)
        _look_again(world, endpoint, deployed)


def _look_again(world: World, endpoint: Endpoint, deployed: Json) -> None:
    idling, deployed_id = world.part(_Idling), deployed["id"]
    mark = meter_key(endpoint.key, deployed_id)
    if mark in idling.due:
        idling.due.pop(mark).cancel()
    if _spec(deployed) is None:
        return

    def look(at: float) -> None:
        found = next((each for each in endpoint.deployed if each["id"] == deployed_id), None)
        if found is None:
            return
        if at >= idling.used[mark] + LONGEST_IDLE:
            take_off(world, endpoint, deployed_id, at)
        elif available_replicas(found) and at >= _next(idling, mark, found):
            set_replicas(world, endpoint, found, 0, at)
        else:
            _look_again(world, endpoint, found)

    idling.due[mark] = world.timeline.at(_next(idling, mark, deployed), look)


def _next(idling: _Idling, mark: str, deployed: Json) -> float:
    """When something happens, if nobody asks until then."""
    gone = idling.used[mark] + LONGEST_IDLE
    if mark not in idling.up:
        return gone
    spec = _spec(deployed) or {}
    idle = idling.used[mark] + _seconds(spec, "idleScaledownPeriod")
    return min(max(idle, idling.up[mark] + _seconds(spec, "minScaleupPeriod")), gone)


def _spec(deployed: Json) -> Json | None:
    spec: Json | None = deployed.get("dedicatedResources", {}).get("scaleToZeroSpec")
    return spec


def _seconds(spec: Json, name: str) -> float:
    return float(str(spec.get(name, "3600s")).removesuffix("s"))
