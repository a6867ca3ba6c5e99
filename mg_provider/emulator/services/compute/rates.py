"""How many calls a minute, and how many operations at a time, Compute Engine takes from a project in a region.

Calls are counted in four groups, each from the beginning of a minute, with 1,500 for each (cloud.google.com/compute/
docs/api-rate-limits, read 2026-11). How many operations may run at a time is a quota too (cloud.google.com/compute/
operations-quota, read 2026-11), whose usual value no source gives: the behaviour ``compute_concurrent_operations``.
"""

from __future__ import annotations

from mg_provider.emulator.core.routing import Call, gates
from mg_provider.emulator.google import named_errors
from mg_provider.emulator.google.named_errors import About
from mg_provider.emulator.services.compute.calls import compute_state, place_of, repeated_operation

_MINUTE = 60.0
_READS = ("get", "wait")


class _Counts:
    """Calls of this minute, by group and place."""

    def __init__(self) -> None:
        self.minute = -1
        self.calls: dict[tuple[str, ...], int] = {}

    def add(self, minute: int, key: tuple[str, ...]) -> int:
        """Count one more; how many there are."""
        if minute != self.minute:
            self.minute, self.calls = minute, {}
        self.calls[key] = self.calls.get(key, 0) + 1
        return self.calls[key]


@gates("compute.")
def hold_back(call: Call) -> None:
    """Refuse a call that is one too many."""
    *_, kind, verb = call.rpc.split(".")
    place, about = place_of(call), call.about
    per_minute = call.world.behaviours["compute_calls_per_minute"]
    group = _group(kind, verb)
    if per_minute and call.world.part(_Counts).add(int(call.world.now() // _MINUTE), (group, *place)) > per_minute:
        limit = f"{group} per minute per region" if place[1] else f"{group} per minute"
        raise named_errors.rate_limit_per_minute_403(About(about.project, about.number, about.region, limit))
    most = call.world.behaviours["compute_concurrent_operations"]
    if most and group == "Queries" and repeated_operation(call) is None:
        operations = compute_state(call.world).operations.of(place)
        if sum(each.status(call.world.now()) != "DONE" for each in operations) >= most:
            raise named_errors.concurrent_operations_403(about)


def _group(kind: str, verb: str) -> str:
    if verb == "list":
        return "List requests"
    if verb in _READS:
        return "Operation read requests" if kind.endswith("Operations") else "Read requests"
    return "Queries"
