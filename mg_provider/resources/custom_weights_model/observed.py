"""Which of an endpoint's deployments are a model's, and what the cloud has of its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mg_provider.resources.custom_weights_model.ids import is_known, wanted_ids
from mg_provider.resources.endpoint.capacity import accepts
from mg_provider.resources.endpoint.machines import observed_deployment
from mg_provider.resources.endpoint.served_model import is_our_deployment_id
from mg_provider.resources.endpoint.settings import observed_endpoint, with_drift
from mg_provider.resources.model.standing import seen
from mg_provider.rollout.capacity import RAISED
from mg_provider.rollout.journal import journal_of
from mg_provider.rollout.traffic import shares
from mg_provider.wire.vertex.deployed_model import DeployedModel
from mg_provider.wire.vertex.endpoint import Endpoint
from mg_provider.wire.vertex.machine import MachineSpec

if TYPE_CHECKING:
    from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs, CustomWeightsModelState
    from mg_provider.wire.vertex.model import Model


def own(endpoint: Endpoint, args: CustomWeightsModelArgs) -> DeployedModel | None:
    """The deployment of this resource's Model, if there is one; of several, the one on the right machine first."""
    split = shares(endpoint)
    held = wanted_ids(args) if args.rollout_held else []

    def rank(entry: DeployedModel) -> tuple[bool, bool, bool, int]:
        spot = bool(entry.dedicated_resources and entry.dedicated_resources.spot)
        fits = accepts(args.machine_spec, machine_of(entry))
        return entry.id in held, fits, spot == args.spot, split.get(entry.id or "", 0)

    entries = [entry for entry in endpoint.deployed_models or [] if _is_model(entry.model, args)]
    return max(entries, key=rank, default=None)


def beside(endpoint: Endpoint, args: CustomWeightsModelArgs, state: CustomWeightsModelState, id: str) -> str:
    """The deployment that has the rest of the traffic while a rollout is held; empty where none does."""
    split = shares(endpoint)
    others = [other for other in split if other != id and is_known(args, state, other)] if args.rollout_held else []
    return max(others, key=lambda other: split[other], default="")


def ids_of(endpoint: Endpoint, args: CustomWeightsModelArgs) -> list[str]:
    """The ids of this resource's deployments: those of its Model, and those whose id is of its making."""
    return [
        entry.id
        for entry in endpoint.deployed_models or []
        if entry.id and (_is_model(entry.model, args) or is_our_deployment_id(args.endpoint_id, entry.id))
    ]


def machine_of(deployed: DeployedModel) -> MachineSpec | None:
    """The machine that a deployment runs on."""
    return deployed.dedicated_resources.machine_spec if deployed.dedicated_resources else None


def observed_model(args: CustomWeightsModelArgs, endpoint: Endpoint, model: Model | None) -> CustomWeightsModelArgs:
    """The arguments that would give what is there. What nobody set and Google chose is not drift."""
    deployed = own(endpoint, args)
    # Nothing deployed is shown as no replicas, and none that a request would wake: one of the two then differs.
    missing: dict[str, object] = {} if args.parked else {"min_replica_count": 0, "scale_to_zero_spec": None}
    running = {**observed_deployment(args, deployed), "parked": False} if deployed else missing
    if deployed and journal_of(endpoint).deployment:
        # Raised while traffic moves between two deployments, for the next run to set back.
        running |= {name: getattr(args, name) for name in RAISED}
    named = seen(type(args), "model", model) if model else {}
    return with_drift(args, {**observed_endpoint(args, endpoint), **running, **named})


def _is_model(name: str | None, args: CustomWeightsModelArgs) -> bool:
    """Whether a Model's resource name, with project id or number and perhaps a version, is this resource's."""
    parts = (name or "").split("@")[0].split("/")
    return len(parts) == 6 and parts[3] == args.region and parts[5] == args.model_id
