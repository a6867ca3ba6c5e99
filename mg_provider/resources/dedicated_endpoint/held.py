"""Rollouts of named models that are held: two deployments share what a name has of the traffic.

What served before is kept in the arguments themselves, so that a preview without a network can tell the way back.
"""

from __future__ import annotations

from collections.abc import Mapping

from mg_provider.resources.dedicated_endpoint.args import DedicatedEndpointArgs
from mg_provider.resources.dedicated_endpoint.held_state import HeldModel
from mg_provider.resources.endpoint.served_model import assign
from mg_provider.resources.model.unknown import UNKNOWN, Unknown


def paired(old: DedicatedEndpointArgs, new: DedicatedEndpointArgs) -> dict[str, str]:
    """The deployment of each name, foretold: the old name of one that stays, or an id of one that is made."""
    before = old.deployed_models
    present = {name: served.wire(name, name) for name, served in before.items()}
    return assign(new.endpoint_id or "", new.deployed_models, {name: name for name in before}, before, present)


def replaced_names(old: DedicatedEndpointArgs, ids: Mapping[str, str]) -> set[str]:
    """The names whose deployment is replaced by another one."""
    taken, before = set(ids.values()), old.deployed_models
    return {name for name, id in ids.items() if name in before and name not in taken and id not in before}


def goes_back(old: DedicatedEndpointArgs, new: DedicatedEndpointArgs, name: str) -> bool:
    """Whether a name is wanted again as it was before the rollout that is held."""
    held = old.rollouts_held.get(name)
    return held is not None and held.before.fixed() == new.deployed_models[name].fixed()


def held_models(old: DedicatedEndpointArgs | None, new: DedicatedEndpointArgs) -> dict[str, HeldModel] | Unknown:
    """The rollouts that are held once ``up`` has been run, by name."""
    if old is None or old.parked:
        return {}
    if not new.is_known("deployed_models", "parked", "rollout"):
        return UNKNOWN if old.rollouts_held else {}
    replaced = replaced_names(old, paired(old, new))
    held = {}
    for name in () if new.parked else new.deployed_models:
        percent, earlier = new.rollout_of(name).hold, old.rollouts_held.get(name)
        if percent is None or goes_back(old, new, name):
            continue
        if earlier is not None:
            held[name] = earlier.model_copy(update={"percent": percent})
        elif name in replaced:
            held[name] = HeldModel(percent=percent, before=old.deployed_models[name])
    return held
