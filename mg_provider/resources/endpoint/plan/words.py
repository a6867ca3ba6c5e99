"""What plans say of machines: how many, of which kind, how one deployment takes another one's place."""

from __future__ import annotations

from typing import Final

from mg_provider.preflight.machines.machine import accelerators
from mg_provider.prices import Usage, money, standard_prices
from mg_provider.resources.endpoint.args import EndpointArgs
from mg_provider.resources.endpoint.machines import Machines
from mg_provider.resources.endpoint.plan.probing import unreachable, weights_of_google
from mg_provider.resources.endpoint.rollout_args import RolloutStrategy
from mg_provider.resources.model.unknown import Unknown
from mg_provider.wire.vertex.machine import MachineSpec

ENVIRONMENT: Final = "env: "
"""Begins what a plan says of environment variables; a review looks for it."""


def size(old: Machines, new: Machines) -> list[str]:
    """What the new deployment starts with, where the old one may have more than the fewest."""
    if (old.max_replica_count or 1) <= max(new.min_replica_count, 1) or not new.autoscales:
        return []
    return [f"starts with as many replicas as serve then{_within(new)}, and sets the fewest back at the end"]


def _within(args: Machines) -> str:
    return f" (at most {_most(args)})"


def way(rollout: RolloutStrategy, steps: str, *, alone: bool = True) -> str:
    """How the new deployment comes. ``steps``: percent of the endpoint's traffic; empty where it gets none."""
    if rollout.strategy == "recreate":
        meanwhile = "NOTHING SERVES" if alone else "the other names answer its share"
        return f"recreate: undeploys first, so {meanwhile} until the new deployment is up"
    if rollout.strategy == "rolling":
        return "rolling: Vertex AI replaces replica by replica"
    return f"shift: deploys beside, then {f'moves traffic to {steps}' if steps else 'undeploys the old one'}"


def peak(rollout: RolloutStrategy, old: Machines, new: Machines, region: str | Unknown) -> str:
    """The most GPUs while one deployment takes another one's place, and what both cost then."""
    if rollout.strategy == "recreate":
        return f"no more than {gpus(new)} at a time"
    return f"at the peak {gpus(old)} and {gpus(new)} together{_both(old, new, region)}"


def probing(args: EndpointArgs, rollout: RolloutStrategy) -> str:
    """Whether the new deployment is asked before it gets all of its traffic."""
    probe = rollout.probing
    if probe is None:
        return "not probed"
    reason = unreachable(args, rollout)
    else_by = " (by predict where the weights have no chat template)" if weights_of_google(args) else ""
    how = f"probed by {probe.kind} at each step{'' if probe.chosen else else_by}"
    return f"NOT PROBED, as {reason}" if reason else how


def gpus(machines: Machines) -> str:
    """The most machines and GPUs of a deployment, of each choice."""
    replicas = _most(machines)
    texts = [_on(spec, replicas) for spec in machines.choices()]
    return " or ".join(texts) or f"up to {replicas} x the machine recommended for the model"


def replicas_text(machines: Machines, region: str | Unknown) -> str:
    """Machines, GPUs and price of a deployment at the fewest and at the most replicas, of each choice.

    The price is of the table at the time of the change; a text that stands in a state stays as it is, so that another
    table is not a change.
    """
    low, high = machines.min_replica_count, _most(machines)
    texts = []
    for spec in machines.choices():
        kind, count = accelerators(spec)
        shown = f", {_span(low * count, high * count)} {kind}" if kind else ""
        texts.append(f"{_span(low, high)} x {spec.machine_type}{shown}{_price(machines, spec, region)}")
    return " or ".join(texts) or f"{_span(low, high)} x the machine recommended for the model"


def _price(machines: Machines, spec: MachineSpec, region: str | Unknown) -> str:
    if isinstance(region, Unknown):
        return ""
    each = _hour(machines, spec, region)
    if each is None:
        return ", price unknown"
    low, high = (money(each * replicas) for replicas in (machines.min_replica_count, _most(machines)))
    return f", {low if low == high else f'{low} to {high}'} an hour"


def _both(old: Machines, new: Machines, region: str | Unknown) -> str:
    """What two deployments cost at once, on the dearest of their choices."""
    if isinstance(region, Unknown):
        return ""
    hours = [[_hour(each, spec, region) for spec in each.choices()] for each in (old, new)]
    if not all(hours) or any(hour is None for each in hours for hour in each):
        return ", price unknown"
    most = [max(hour or 0 for hour in each) * _most(one) for each, one in zip(hours, (old, new), strict=True)]
    return f", {money(sum(most))} an hour"


def _hour(machines: Machines, spec: MachineSpec, region: str) -> float | None:
    usage: Usage = "spot" if machines.spot else "flex start" if machines.flex_start else "on demand"
    kind, count = accelerators(spec)
    found = standard_prices().hour(spec.machine_type or "", region, usage, kind or "", count or 0)
    return None if found is None else found.usd


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _most(machines: Machines) -> int:
    return machines.max_replica_count or max(machines.min_replica_count, 1)


def _on(spec: MachineSpec, replicas: int) -> str:
    kind, count = accelerators(spec)
    return (
        f"up to {replicas * count} {kind} ({replicas} x {spec.machine_type})"
        if kind
        else (f"up to {replicas} x {spec.machine_type}")
    )
