"""The four resources, and their arguments in the order in which a reader looks for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

import mg_provider
from mg_provider.resources.endpoint.machines import Machines
from mg_provider.resources.model.args import settable
from mg_provider.resources.model.lifecycle import CloudArgs
from mg_provider.resources.weights.source import ModelSource

RESOURCES = ("CustomWeightsModel", "DedicatedEndpoint", "PscForwardingRule", "BatchJob")
# What stands before the rest, which is in the order of the fields, those of the resource itself first.
_FIRST: Mapping[str, tuple[str | type[BaseModel], ...]] = {
    "CustomWeightsModel": (
        ModelSource,
        "model_id",
        "model_display_name",
        "query_model_id",
        "container_spec",
        Machines,
        "enable_container_logging",
        "system_labels",
        "endpoint_id",
        "endpoint_display_name",
        "description",
        "labels",
        "retain_model",
        "rollout",
        "parked",
        "dedicated_endpoint_disabled",
    ),
    "DedicatedEndpoint": (
        "deployed_models",
        "traffic_split",
        "query_model_ids",
        "rollout",
        "parked",
        "remove_unmanaged_deployed_models",
        "dedicated_endpoint_enabled",
        "private_service_connect_config",
    ),
}


def resource(name: str) -> Any:
    """The class that a program calls."""
    return getattr(mg_provider, name)


def lifecycle_of(name: str) -> Any:
    """The lifecycle of a resource."""
    return resource(name).provider_type.lifecycle


def room_of(name: str) -> str:
    """The folder of a resource, below ``mg_provider/resources``."""
    return str(resource(name).__module__).rpartition(".")[2]


def arguments_of(name: str) -> list[str]:
    """The arguments that a program may set: what it must set first, where it is and how long to wait last."""
    args_type = lifecycle_of(name).args_type
    known, fields = set(settable(args_type)), args_type.model_fields
    ordered = [each for each in dict.fromkeys(_in_order(name, args_type)) if each in known]
    return sorted(ordered, key=lambda each: not fields[each].is_required())


def _in_order(name: str, args_type: type[CloudArgs]) -> Iterator[str]:
    for first in _FIRST.get(name, ()):
        yield from (first,) if isinstance(first, str) else first.model_fields
    for owner in args_type.__mro__:
        if issubclass(owner, BaseModel) and owner is not CloudArgs:
            yield from owner.__annotations__
    yield from CloudArgs.model_fields
