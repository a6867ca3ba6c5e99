"""What a change does to the machines that serve, shown before it is done."""

from __future__ import annotations

from collections.abc import Iterator

from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs
from mg_provider.resources.custom_weights_model.held import (
    MODEL_ARGUMENTS,
    PLANNED,
    goes_back,
    model_id_before,
    served_before,
)
from mg_provider.resources.endpoint.args import private
from mg_provider.resources.endpoint.capacity import accepts
from mg_provider.resources.endpoint.plan.words import (
    ENVIRONMENT,
    _within,
    gpus,
    peak,
    probing,
    replicas_text,
    size,
    way,
)
from mg_provider.resources.model.args import marks
from mg_provider.resources.model.diff import canonical, compare
from mg_provider.resources.model.identity import derived_id
from mg_provider.resources.model.meaning import Costs
from mg_provider.resources.model.seeds import counted
from mg_provider.resources.model.unknown import UNKNOWN, Unknown

# How many machines there are, and so what they cost.
_COUNTS = tuple(
    name
    for name in CustomWeightsModelArgs.model_fields
    if {Costs("fewest"), Costs("most")}.intersection(marks(CustomWeightsModelArgs, name))
)
# What else the texts speak of.
_READ = ("parked", "rollout", "scale_to_zero_spec", "private_service_connect_config")


def rolls_out(old: CustomWeightsModelArgs, new: CustomWeightsModelArgs) -> bool:
    """Whether another deployment is wanted than the one that the last run left."""
    return bool(compare(old, new, *PLANNED).fields)


def remade(old: CustomWeightsModelArgs, new: CustomWeightsModelArgs) -> bool:
    """Whether another Model is wanted."""
    return bool(compare(old, new, *MODEL_ARGUMENTS).fields)


def next_model_id(old: CustomWeightsModelArgs, new: CustomWeightsModelArgs) -> str | Unknown:
    """The id of the Model where the program sets none: a new one for other weights or another container."""
    if not new.is_known("owner", "resource", *MODEL_ARGUMENTS):
        return UNKNOWN
    if not remade(old, new):
        return old.model_id
    if before := model_id_before(old, new):
        return before
    return derived_id(new.owner, new.resource, "model", old.endpoint_id, *model_seeds(new))


def model_seeds(args: CustomWeightsModelArgs) -> Iterator[str]:
    """What a Model is made of, a text each."""
    for name, value in counted(args, MODEL_ARGUMENTS, args.always_in_ids):
        yield f"{name}={canonical(type(args), name, value)}"


def same_id_problem(old: CustomWeightsModelArgs, new: CustomWeightsModelArgs) -> str | None:
    """Why an id that the program sets cannot be that of another Model as well."""
    if old.model_id != new.model_id or old.endpoint_id != new.endpoint_id:
        return None
    if not new.is_known(*MODEL_ARGUMENTS, "rollout", "model_id") or not remade(old, new):
        return None
    if new.rollout_or_default.strategy == "recreate" or new.parked:
        return None
    return (
        f"is {new.model_id!r} for the old weights and the new ones, but both are there during a rollout: remove it, "
        "give the new weights another id, or use strategy recreate"
    )


def plan_text(old: CustomWeightsModelArgs | None, new: CustomWeightsModelArgs) -> str | Unknown:
    """What ``up`` does to the machines: strategy, steps, probes, GPUs; the old text where that is nothing."""
    if not new.is_known(*PLANNED, *_COUNTS, *_READ):
        return UNKNOWN
    if old is None:
        return f"parked: no machine runs; resuming takes {gpus(new)}" if new.parked else _creation(new)
    if new.parked != old.parked:
        starts = f", starting with what served when it was parked{_within(new)}" if new.autoscales else ""
        change = f"parks: undeploys, and gives back {gpus(old)}"
        resumes = f"resumes: deploys on {replicas_text(new, new.region)}{starts}"
        return f"{change if new.parked else resumes}; endpoint, address and Model stay"
    if new.parked:
        return "parked: nothing is deployed" if rolls_out(old, new) else old.deployment_plan
    if goes_back(old, new):
        return (
            "goes back: what served before the held rollout gets all of the traffic, then the other deployment is "
            f"undeployed, which gives back {gpus(old)}; endpoint and address stay"
        )
    if rolls_out(old, new) or old.rollout_held != new.rollout_held:
        return _rollout(old, new)
    if compare(old, new, *_COUNTS).fields:
        held = f"; still {_held(new)}" if new.rollout_held else ""
        return f"scales in place: {replicas_text(old, old.region)} -> {replicas_text(new, new.region)}{held}"
    return old.deployment_plan


def _creation(new: CustomWeightsModelArgs) -> str:
    public = (
        "public, under the region's DNS name" if new.dedicated_endpoint_disabled else "public, under its own DNS name"
    )
    exposed = private(new.private_service_connect_config)
    way_in = "private, through Private Service Connect" if exposed else public
    return f"deploys on {replicas_text(new, new.region)}; {way_in}"


def _rollout(old: CustomWeightsModelArgs, new: CustomWeightsModelArgs) -> str:
    before, rollout, held = served_before(old), new.rollout_or_default, new.rollout_held
    stays = "stays where it runs if that is still a choice; else " if _may_stay(old, new) else ""
    steps = [f"{step} %" for step in rollout.steps if held is None or step < held.percent]
    stops = [f"{held.percent} %, where it is {_held(new)} until rollout.hold is removed"] if held else []
    cost = f"BOTH RUN AND ARE PAID FOR: {replicas_text(before, new.region)} and {replicas_text(new, new.region)}"
    parts = [
        f"{stays}{way(rollout, ', '.join([*steps, *stops]))}",
        *size(before, new),
        cost if held else peak(rollout, before, new, new.region),
        f"{probing(new, rollout)}{_renamed(old, new)}",
        *_environment(old, new),
    ]
    return "; ".join([*parts, "endpoint and address stay"])


def _environment(old: CustomWeightsModelArgs, new: CustomWeightsModelArgs) -> list[str]:
    """Environment variables by name alone: with a secret value among them, a preview hides the whole list."""
    was, now = _variables(old), _variables(new)
    differ = (name for name in sorted({*was, *now}) if was.get(name) != now.get(name))
    how = [f"{name} {'is new' if name not in was else 'changes' if name in now else 'is gone'}" for name in differ]
    return [f"{ENVIRONMENT}{', '.join(how)}"] if how else []


def _variables(args: CustomWeightsModelArgs) -> dict[str, str]:
    container = args.container_spec
    return {entry.name: entry.value for entry in (container.env if container else None) or ()}


def _renamed(old: CustomWeightsModelArgs, new: CustomWeightsModelArgs) -> str:
    if old.query_model_id == new.query_model_id or not old.query_model_id:
        return ""
    return f"; ANSWERS TO {new.query_model_id} INSTEAD OF {old.query_model_id}, which requests name as model"


def _held(args: CustomWeightsModelArgs) -> str:
    held = args.rollout_held
    return f"held at {held.percent} %" if held else ""


def _may_stay(old: CustomWeightsModelArgs, new: CustomWeightsModelArgs) -> bool:
    others = (name for name in PLANNED if name != "machine_spec")
    return not compare(old, new, *others).fields and (
        not old.choices() or any(accepts(new.machine_spec, choice) for choice in old.choices())
    )
