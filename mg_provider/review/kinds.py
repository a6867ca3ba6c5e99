"""The types of resources whose arguments have marks, and how a mark is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from mg_provider.resources.batch_job.args import BatchJobArgs
from mg_provider.resources.batch_job.outcome import BatchJobState
from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs, CustomWeightsModelState
from mg_provider.resources.dedicated_endpoint.args import DedicatedEndpointArgs
from mg_provider.resources.dedicated_endpoint.state import DedicatedEndpointState
from mg_provider.resources.model.meaning import Costs, HeldByClients
from mg_provider.resources.psc_forwarding_rule.args import PscForwardingRuleArgs, PscForwardingRuleState

OURS = "pulumi-python:dynamic/mg:"
M = TypeVar("M")


@dataclass(frozen=True)
class Kind:
    """A type of resource: its arguments and its outputs."""

    name: str
    args: type[BaseModel]
    state: type[BaseModel]

    @property
    def runs(self) -> bool:
        """Whether it is a run, which is paid while it lasts and leaves nothing that serves."""
        return any(mark.a_run for _, mark in marked(self.args, Costs))

    @property
    def is_held(self) -> bool:
        """Whether clients have something of it in their configuration."""
        return bool(marked(self.args, HeldByClients) or marked(self.state, HeldByClients))


KINDS: Mapping[str, Kind] = {
    f"{OURS}CustomWeightsModel": Kind("CustomWeightsModel", CustomWeightsModelArgs, CustomWeightsModelState),
    f"{OURS}DedicatedEndpoint": Kind("DedicatedEndpoint", DedicatedEndpointArgs, DedicatedEndpointState),
    f"{OURS}PscForwardingRule": Kind("PscForwardingRule", PscForwardingRuleArgs, PscForwardingRuleState),
    f"{OURS}BatchJob": Kind("BatchJob", BatchJobArgs, BatchJobState),
}


@cache
def marked(model: type[BaseModel], mark: type[M]) -> tuple[tuple[str, M], ...]:
    """The fields that have a mark of this kind, each with the mark."""
    return tuple(
        (name, entry)
        for name, field in model.model_fields.items()
        for entry in field.metadata
        if isinstance(entry, mark)
    )


@cache
def marks_on(model: type[BaseModel], field: str) -> tuple[Any, ...]:
    """All marks on a field."""
    return tuple(model.model_fields[field].metadata)


@cache
def parts(model: type[BaseModel]) -> tuple[tuple[str, type[BaseModel]], ...]:
    """The fields that hold several deployments by name, each with the type of one."""
    found = []
    for name, field in model.model_fields.items():
        inner = get_args(field.annotation)
        named = get_origin(field.annotation) is dict and isinstance(inner[-1], type)
        if named and issubclass(inner[-1], BaseModel) and marked(inner[-1], Costs):
            found.append((name, inner[-1]))
    return tuple(found)


@cache
def default(model: type[BaseModel], field: str) -> Any:
    """What a field holds where nothing is given."""
    value = model.model_fields[field].default
    return None if value is PydanticUndefined else value


def value_of(model: type[BaseModel], values: Mapping[str, Any] | None, field: str) -> Any:
    """What a field holds, its default where nothing is given."""
    found = (values or {}).get(field)
    return default(model, field) if found is None else found
