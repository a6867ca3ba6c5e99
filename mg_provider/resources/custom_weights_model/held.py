"""A rollout that is held: two deployments share the traffic, until the program says how it goes on.

What served before is kept in the arguments themselves, so that a preview without a network can tell its way back.
"""

from __future__ import annotations

from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs, HeldRollout
from mg_provider.resources.endpoint.machines import RUNS_ON
from mg_provider.resources.model.diff import compare
from mg_provider.resources.model.standing import fixed_while_running, model_arguments, standing
from mg_provider.resources.model.unknown import UNKNOWN, Unknown, plain

MODEL_ARGUMENTS = model_arguments(CustomWeightsModelArgs)
PLANNED = fixed_while_running(CustomWeightsModelArgs)

_STAND = standing(CustomWeightsModelArgs, "model") | standing(CustomWeightsModelArgs, "deployment")
# Beside what rolls out, what a Model or a deployment has on it, and how requests name it.
_KEPT = tuple(dict.fromkeys((*PLANNED, *_STAND, "model", "query_model_id")))


def held_rollout(old: CustomWeightsModelArgs | None, new: CustomWeightsModelArgs) -> HeldRollout | Unknown | None:
    """The rollout that is held once ``up`` has been run; None where one deployment serves alone."""
    if old is None or old.parked:
        return None
    if not new.is_known("parked", "rollout", *MODEL_ARGUMENTS, *RUNS_ON):
        return UNKNOWN
    percent, earlier = new.rollout_or_default.hold, old.rollout_held
    if percent is None or new.parked:
        return None
    if earlier is not None:
        return None if goes_back(old, new) else earlier.model_copy(update={"percent": percent})
    if not compare(old, new, *MODEL_ARGUMENTS, *RUNS_ON).fields:
        return None
    return HeldRollout(percent=percent, before={name: plain(getattr(old, name)) for name in _named(old)})


def goes_back(old: CustomWeightsModelArgs, new: CustomWeightsModelArgs) -> bool:
    """Whether the arguments ask for what served before the rollout that is held."""
    if old.rollout_held is None or not new.is_known(*MODEL_ARGUMENTS, *RUNS_ON):
        return False
    return not compare(served_before(old), new, *MODEL_ARGUMENTS, *RUNS_ON).fields


def model_id_before(old: CustomWeightsModelArgs, new: CustomWeightsModelArgs) -> str:
    """The id of the Model that served before a held rollout, if the same one is wanted; else empty."""
    if old.rollout_held is None or compare(served_before(old), new, *MODEL_ARGUMENTS).fields:
        return ""
    return served_before(old).model_id


def served_before(args: CustomWeightsModelArgs) -> CustomWeightsModelArgs:
    """The arguments of what served before the rollout that is held; the same ones where none is."""
    if args.rollout_held is None:
        return args
    rest = {name: value for name, value in args.encode().items() if name not in (*_KEPT, "rollout_held")}
    return type(args).recall({**rest, **args.rollout_held.before})


def _named(args: CustomWeightsModelArgs) -> list[str]:
    return [name for name in _KEPT if name in args.model_fields_set and getattr(args, name) is not None]
