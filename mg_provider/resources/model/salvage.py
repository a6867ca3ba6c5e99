"""Values in the shape of their type that no validation gives: kept by an earlier version, or known in part only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.alias_generators import to_snake

from mg_provider.resources.model.unknown import contains_unknown, mapped


@cache
def adapter_of(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    """What validates a field by itself."""
    return TypeAdapter(cast(Any, model.model_fields[name].rebuild_annotation()))


def partly_known(annotation: Any, value: Any) -> Any:
    """A value that holds unknowns, in the shape of its type: the objects in it are models with unknown leaves.

    Args:
        annotation: The type.
        value: The value as plain Python, of which the known parts are right.
    """
    kinds = list(members(annotation))
    if isinstance(value, Mapping):
        model = next((each for each in kinds if isinstance(each, type) and issubclass(each, BaseModel)), None)
        if model is not None:
            return _with_unknown_leaves(model, value)
        entries = _held(kinds, dict)
        return {key: partly_known(entries, entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        entries = _held(kinds, list)
        return [partly_known(entries, entry) for entry in value]
    return value


def _with_unknown_leaves(model: type[BaseModel], value: Mapping[str, Any]) -> BaseModel:
    given: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        key = next((key for key in (name, field.alias) if key in value), None)
        if key is None or value[key] is None:
            continue
        entry = value[key]
        known = not contains_unknown(entry)
        given[name] = salvaged(adapter_of(model, name), entry) if known else partly_known(field.annotation, entry)
    return model.model_construct(_fields_set=set(given), **given)


def members(annotation: Any) -> Iterator[Any]:
    """The types that a value may have."""
    if get_origin(annotation) is Annotated:
        yield from members(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from members(member)
    else:
        yield annotation


def _held(kinds: Sequence[Any], kind: type) -> Any:
    """The type of what a list or dictionary holds."""
    return next((get_args(each)[-1] for each in kinds if get_origin(each) is kind), Any)


def salvaged(adapter: TypeAdapter[Any], value: Any) -> Any:
    """A value in the shape of its type, so that a stack can be refreshed and destroyed whatever its state says.

    Args:
        adapter: Of the type.
        value: The value, in which parts may be wrong; one that is wrong as a whole stays as it is.
    """
    kept = mapped(value, lambda entry: entry)
    while True:
        try:
            return adapter.validate_python(kept)
        except ValidationError as error:
            # From the last one on, so that the places of the others in a list stay what they are.
            gone = [_leave_out(kept, entry["loc"]) for entry in reversed(error.errors())]
            if not any(gone):
                return value


def _leave_out(value: Any, location: Sequence[int | str]) -> bool:
    """Take what is at a location out of a value; whether it was there."""
    path: list[tuple[Any, Any]] = []
    for part in location:
        for name in (part, to_snake(part) if isinstance(part, str) else part):
            found = name in value if isinstance(value, dict) else isinstance(value, list) and name in range(len(value))
            if found:
                path.append((value, name))
                value = value[name]
                break
    if not path:
        return False
    holder, name = path[-1]
    del holder[name]
    return True
