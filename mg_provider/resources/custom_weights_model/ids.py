"""What a model's deployments and Models are known by: ids and labels that follow from what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mg_provider.resources.custom_weights_model.plan import model_seeds
from mg_provider.resources.endpoint.args import derived_endpoint_id
from mg_provider.resources.endpoint.machines import RUNS_ON
from mg_provider.resources.endpoint.served_model import ServedModel, is_our_deployment_id, our_deployment_id
from mg_provider.resources.model.identity import ENDPOINT_LABEL, content_hash

if TYPE_CHECKING:
    from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs, CustomWeightsModelState
    from mg_provider.wire.vertex.machine import MachineSpec

CONTENT_LABEL = "mg-content"
"""Label of a Model: a hash of what it was made of."""


def content_of(args: CustomWeightsModelArgs) -> str:
    """A hash of what the Model is made of, as a label's value."""
    return content_hash(*model_seeds(args))


def model_labels(args: CustomWeightsModelArgs) -> dict[str, str]:
    """The labels of a Model: who owns it, which endpoint it was made for, and what it was made of."""
    return {**args.ownership, ENDPOINT_LABEL: args.endpoint_id, CONTENT_LABEL: content_of(args)}


def wanted_ids(args: CustomWeightsModelArgs) -> list[str]:
    """The ids that the wanted deployment may have where ``endpoints.deployModel`` makes it."""
    choices: list[MachineSpec | None] = [*args.choices()]
    return [deployment_id(args, machine) for machine in choices or [None]]


def is_known(args: CustomWeightsModelArgs, state: CustomWeightsModelState, id: str) -> bool:
    """Whether a deployment's id says that it is this resource's."""
    return id in (state.deployed_model_id, state.held_deployed_model_id) or is_our_deployment_id(args.endpoint_id, id)


def derived_model_ids(args: CustomWeightsModelArgs) -> tuple[str, ...]:
    """The ids that nobody but this resource gives a Model, as they follow from the stack's and the resource's names.

    None where the endpoint's id is of the program's choice.
    """
    derived = derived_endpoint_id(args)
    return (derived, f"model-{derived}") if isinstance(derived, str) and args.endpoint_id == derived else ()


def has_derived_ids(args: CustomWeightsModelArgs) -> bool:
    """Whether endpoint and Model have the ids that follow from the stack's and the resource's names."""
    return args.model_id in derived_model_ids(args)


def deployment_id(args: CustomWeightsModelArgs, machine: MachineSpec | None) -> str:
    """The id of a deployment: the same each time for what it serves and what is fixed while it runs."""
    served = ServedModel.model_construct(model=args.model, machine_spec=machine).model_copy(
        update={name: getattr(args, name) for name in RUNS_ON if name != "machine_spec"}
    )
    return our_deployment_id(args.endpoint_id, content_of(args), served)
