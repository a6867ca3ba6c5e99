"""The types of resources whose arguments have marks, and how a mark is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from mg_provider.resources.batch_job.args import BatchJobArgs
from mg_provider.resources.batch_job.outcome import BatchJobState
from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs, CustomWeightsModelState
from mg_provider.resources.dedicated_endpoint.args import DedicatedEndpointArgs
from mg_provider.resources.dedicated_endpoint.state import DedicatedEndpointState
from mg_provider.resources.model.marks import Computed, Derived, Transient, marked, unique
from mg_provider.resources.model.meaning import Costs, HeldByClients, Inner
from mg_provider.resources.model.unknown import Unknown
from mg_provider.resources.psc_forwarding_rule.args import PscForwardingRuleArgs, PscForwardingRuleState
from mg_provider.review.reading.values import HIDDEN

OURS = "pulumi-python:dynamic/mg:"


@dataclass(frozen=True)
class Kind:
    """A type of resource: its arguments and its outputs."""

    name: str
    args: type[BaseModel]
    state: type[BaseModel]

    @property
    def ids(self) -> tuple[str, ...]:
        """The arguments that no two of them share."""
        return unique(self.args)

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
def marks_on(model: type[BaseModel], field: str) -> tuple[Any, ...]:
    """All marks on a field."""
    return tuple(model.model_fields[field].metadata)


@cache
def derived(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields that follow from others."""
    return tuple(field for field in model.model_fields if _has(model, field, Derived))


@cache
def compared(model: type[BaseModel]) -> tuple[tuple[str, tuple[Any, ...], bool], ...]:
    """The fields that a program decides on, each with its marks, and whether one that it leaves out stays as it is."""
    fields = (field for field in model.model_fields if not _has(model, field, Derived, Inner, Transient))
    return tuple((field, marks_on(model, field), _has(model, field, Computed)) for field in fields)


def _has(model: type[BaseModel], field: str, *kinds: type[object]) -> bool:
    return any(isinstance(mark, kinds) for mark in marks_on(model, field))


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
def objects(model: type[BaseModel]) -> tuple[tuple[str, type[BaseModel]], ...]:
    """The fields that hold an object, each with its type."""
    found = []
    for name, field in model.model_fields.items():
        inner = [each for each in (field.annotation, *get_args(field.annotation)) if isinstance(each, type)]
        found += [(name, each) for each in inner if issubclass(each, BaseModel)]
    return tuple(found)


@lru_cache(maxsize=4096)
def _shapes(model: type[BaseModel], field: str) -> tuple[type, ...]:
    """The Python types that a value of a field may have in JSON; none where it may have any, or is not known."""
    if field not in model.model_fields:
        return ()
    return tuple(dict.fromkeys(_json_types(model.model_fields[field].annotation)))


def _json_types(annotation: Any) -> Iterator[type]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _json_types(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for inner in get_args(annotation):
            yield from _json_types(inner)
    elif origin is Literal:
        yield from {type(value) for value in get_args(annotation)}
    elif isinstance(origin or annotation, type):
        kind = origin or annotation
        if issubclass(kind, BaseModel | dict):
            yield dict
        else:
            yield from (kind, int) if kind is float else (kind,)


def fits(model: type[BaseModel], field: str, value: Any) -> bool:
    """Whether a value has the shape that a field's values have; unknown and hidden ones do."""
    shapes = _shapes(model, field)
    if value is None or not shapes or isinstance(value, Unknown) or value == HIDDEN:
        return True
    if isinstance(value, bool):
        return bool in shapes
    return isinstance(value, shapes)


@cache
def default(model: type[BaseModel], field: str) -> Any:
    """What a field holds where nothing is given."""
    value = model.model_fields[field].default
    return None if value is PydanticUndefined else value


def value_of(model: type[BaseModel], values: Mapping[str, Any] | None, field: str) -> Any:
    """What a field holds, its default where nothing is given."""
    found = (values or {}).get(field)
    return default(model, field) if found is None else found
