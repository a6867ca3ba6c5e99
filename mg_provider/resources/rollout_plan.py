"""What a change does to the machines that serve, told before it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mg_provider.preflight.machine import accelerators
from mg_provider.resources.capacity import accepts
from mg_provider.resources.endpoint_args import private
from mg_provider.resources.fields import UNKNOWN, Unknown, canonical, compare
from mg_provider.resources.identity import derived_id
from mg_provider.resources.machines import RUNS_ON
from mg_provider.resources.model_source import SOURCES

if TYPE_CHECKING:
    from mg_provider.resources.custom_weights_args import CustomWeightsModelArgs
    from mg_provider.wire.machine import MachineSpec

MADE_OF = (*SOURCES, "container_spec")
"""The arguments that a Model is made of: another value is another Model."""

_PLANNED = (*MADE_OF, "model_id", *RUNS_ON)


def rolls_out(old: CustomWeightsModelArgs, new: CustomWeightsModelArgs) -> bool:
    """Whether another deployment is wanted than the one that the last run left."""
    return bool(compare(old, new, *_PLANNED).fields)


def remade(old: CustomWeightsModelArgs, new: CustomWeightsModelArgs) -> bool:
    """Whether another Model is wanted."""
    return bool(compare(old, new, *MADE_OF).fields)


def next_model_id(old: CustomWeightsModelArgs, new: CustomWeightsModelArgs) -> str | Unknown:
    """The id of the Model where the program sets none: a new one for other weights or another container."""
    if not new.is_known("owner", "resource", *MADE_OF):
        return UNKNOWN
    if not remade(old, new):
        return old.model_id
    made_of = (f"{name}={canonical(type(new), name, getattr(new, name))}" for name in MADE_OF)
    return derived_id(new.owner, new.resource, "model", old.endpoint_id, *made_of)


def same_id_problem(old: CustomWeightsModelArgs, new: CustomWeightsModelArgs) -> str | None:
    """Why an id that the program sets cannot be that of another Model as well."""
    if old.model_id != new.model_id or old.endpoint_id != new.endpoint_id:
        return None
    if not new.is_known(*MADE_OF, "rollout", "model_id") or not remade(old, new):
        return None
    if new.rollout_or_default.strategy == "recreate" or new.parked:
        return None
    return (
        f"is {new.model_id!r} for the old weights and the new ones, but both are there during a rollout: remove it, "
        "give the new weights another id, or use strategy recreate"
    )


def plan_text(old: CustomWeightsModelArgs | None, new: CustomWeightsModelArgs) -> str | Unknown:
    """What ``up`` does to the machines: strategy, steps, probes, the most GPUs; the old text where that is nothing."""
    if not new.is_known(*_PLANNED, "parked", "rollout", "max_replica_count", "private_service_connect_config"):
        return UNKNOWN
    if old is None:
        return f"parked: no machine runs; resuming takes {_gpus(new)}" if new.parked else f"deploys on {_gpus(new)}"
    if new.parked != old.parked:
        change = f"parks: undeploys, and gives back {_gpus(old)}" if new.parked else f"resumes: deploys on {_gpus(new)}"
        return f"{change}; endpoint, address and Model stay"
    if not rolls_out(old, new):
        return old.deployment_plan
    if new.parked:
        return "parked: nothing is deployed"
    stays = "stays where it runs if that is still a choice; else " if _may_stay(old, new) else ""
    return f"{stays}{_way(new)}; {_peak(old, new)}; {_probing(new)}; endpoint and address stay"


def _may_stay(old: CustomWeightsModelArgs, new: CustomWeightsModelArgs) -> bool:
    others = (name for name in _PLANNED if name != "machine_spec")
    return not compare(old, new, *others).fields and (
        not old.choices() or any(accepts(new.machine_spec, choice) for choice in old.choices())
    )


def _way(args: CustomWeightsModelArgs) -> str:
    rollout = args.rollout_or_default
    if rollout.strategy == "recreate":
        return "recreate: undeploys first, so NOTHING SERVES until the new deployment is up"
    if rollout.strategy == "rolling":
        return "rolling: Vertex AI replaces replica by replica"
    return f"shift: deploys beside, then moves traffic to {', '.join(f'{step} %' for step in rollout.steps)}"


def _peak(old: CustomWeightsModelArgs, new: CustomWeightsModelArgs) -> str:
    if new.rollout_or_default.strategy == "recreate":
        return f"no more than {_gpus(new)} at a time"
    return f"at the peak {_gpus(old)} and {_gpus(new)} together"


def _probing(args: CustomWeightsModelArgs) -> str:
    probe = args.rollout_or_default.probing
    if probe is None:
        return "not probed"
    if private(args.private_service_connect_config) and not probe.address:
        return "NOT PROBED, as the endpoint is private and rollout.probe.address is not set"
    return f"probed by {probe.kind} at each step"


def _gpus(args: CustomWeightsModelArgs) -> str:
    """The most machines and GPUs of a deployment, of each choice."""
    replicas = args.max_replica_count or max(args.min_replica_count, 1)
    told = [_on(spec, replicas) for spec in args.choices()]
    return " or ".join(told) or f"up to {replicas} x the machine recommended for the model"


def _on(spec: MachineSpec, replicas: int) -> str:
    kind, count = accelerators(spec)
    return (
        f"up to {replicas * count} {kind} ({replicas} x {spec.machine_type})"
        if kind
        else (f"up to {replicas} x {spec.machine_type}")
    )
