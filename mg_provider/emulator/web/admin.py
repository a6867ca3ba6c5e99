"""The emulator's own routes, below ``/_mg/``: no part of Google's APIs."""

from __future__ import annotations

from typing import Any

from mg_provider.emulator.core import clock
from mg_provider.emulator.core.admin import administers
from mg_provider.emulator.core.faults import Faults
from mg_provider.emulator.core.ledger import ledger
from mg_provider.emulator.core.world import World
from mg_provider.emulator.google.errors import invalid_argument


@administers("GET", "/_mg/identity")
def _identity(world: World, body: dict[str, Any]) -> dict[str, Any]:
    return {"identity": world.identity}


@administers("GET", "/_mg/ledger")
def _ledger(world: World, body: dict[str, Any]) -> dict[str, Any]:
    return ledger(world)


@administers("GET", "/_mg/addresses")
def _addresses(world: World, body: dict[str, Any]) -> dict[str, Any]:
    return dict(world.listeners.urls())


@administers("GET", "/_mg/requests")
def _requests(world: World, body: dict[str, Any]) -> dict[str, Any]:
    return {"requests": list(world.requests)}


@administers("GET", "/_mg/faults")
def _faults(world: World, body: dict[str, Any]) -> dict[str, Any]:
    return {"faults": world.faults.listed()}


@administers("POST", "/_mg/faults")
def _fail(world: World, body: dict[str, Any]) -> dict[str, Any]:
    world.faults.add(**body)
    return {"faults": world.faults.listed()}


@administers("DELETE", "/_mg/faults")
def _stop_failing(world: World, body: dict[str, Any]) -> dict[str, Any]:
    world.faults = Faults()
    return {}


@administers("GET", "/_mg/clock")
def _time(world: World, body: dict[str, Any]) -> dict[str, Any]:
    return {"now": world.timestamp(), "speed": world.clock.speed}


@administers("POST", "/_mg/clock")
def _set_time(world: World, body: dict[str, Any]) -> dict[str, Any]:
    unknown = set(body) - {"advance", "speed", "now"}
    if unknown:
        raise invalid_argument(f"the clock takes advance, speed and now, not {sorted(unknown)}")
    try:
        if "speed" in body:
            world.clock.set_speed(float(body["speed"]))
        if "advance" in body:
            world.clock.advance(float(body["advance"]))
        if "now" in body:
            world.clock.advance(clock.seconds_of(body["now"]) - world.now())
    except (TypeError, ValueError) as error:
        raise invalid_argument(f"clock: {error}") from error
    world.settle()
    return _time(world, {})


@administers("POST", "/_mg/reset")
def _reset(world: World, body: dict[str, Any]) -> dict[str, Any]:
    world.reset()
    return {}


@administers("GET", "/_mg/behaviour")
def _behaviour(world: World, body: dict[str, Any]) -> dict[str, Any]:
    return world.behaviours


@administers("POST", "/_mg/behaviour")
def _behave(world: World, body: dict[str, Any]) -> dict[str, Any]:
    world.behave(body)
    return world.behaviours


@administers("POST", "/_mg/quota")
def _quota(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """``{"my-project/us-central1/NVIDIA_L4": 8}``; null lifts the limit."""
    for key, gpus in body.items():
        if key.count("/") != 2 or not (gpus is None or isinstance(gpus, int)):
            raise invalid_argument(f"quota: {key!r}: {gpus!r} is not project/region/accelerator and a number of GPUs")
        if gpus is None:
            world.quota.pop(key, None)
        else:
            world.quota[key] = gpus
    return dict(world.quota)
