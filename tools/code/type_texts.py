"""Types in words: as a program writes them, as it reads them, as the documents say them; and the models inside them."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from mg_provider.resources.model.args import Args, has, settable
from mg_provider.resources.model.marks import Secret
from mg_provider.wire.base import WireModel


@dataclass(frozen=True)
class Words:
    """How a kind of reader is shown types; None, and what only restricts a type, is left out.

    Attributes:
        union: Between the members of a union.
        list: A list, by the words for its entries.
        dict: A mapping, by the words for key and value.
        model: An object.
        literal: One of some texts.
        other: Any other type.
    """

    union: str
    list: Callable[[str], str]
    dict: Callable[[str, str], str]
    model: Callable[[type[BaseModel]], str]
    literal: Callable[[tuple[Any, ...]], str]
    other: Callable[[Any], str]

    def __call__(self, annotation: Any) -> str:
        """The words for a type."""
        origin = typing.get_origin(annotation)
        arguments = tuple(entry for entry in typing.get_args(annotation) if entry is not types.NoneType)
        if origin is typing.Annotated:
            return self(arguments[0])
        if origin in (typing.Union, types.UnionType):
            return self.union.join(map(self, arguments))
        if origin is typing.Literal:
            return self.literal(arguments)
        if origin is list:
            return self.list(self(arguments[0]))
        if origin is dict:
            return self.dict(self(arguments[0]), self(arguments[1]))
        is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
        return self.model(annotation) if is_model else self.other(annotation)


as_input = Words(
    union=" | ",
    list="Sequence[Input[{}]]".format,
    dict=lambda _, value: f"Mapping[str, Input[{value}]]",
    model=lambda model: f"{model.__name__}Input",
    literal=lambda _: "str",
    other=lambda kind: "object" if kind is Any else str(kind.__name__),
)
"""A type as a program may write it: outputs of other resources in every place."""

as_output = Words(
    union=" | ",
    list="list[{}]".format,
    dict=lambda _, value: f"Mapping[str, {value}]",
    model=lambda _: "Mapping[str, Any]",
    literal=lambda _: "Any",
    other=lambda kind: str(kind.__name__) if isinstance(kind, type) else "Any",
)
"""A type as a program reads it: objects are mappings there."""

as_prose = Words(
    union=" or ",
    list="list of {}".format,
    dict="{} → {}".format,
    model=lambda model: model.__name__,
    literal=lambda texts: " or ".join(f"`{text}`" for text in texts),
    other=lambda kind: str(getattr(kind, "__name__", kind)),
)
"""A type as a reader would say it."""


def given_by_users(model: type[BaseModel]) -> Iterator[str]:
    """The fields that a user may set."""
    if issubclass(model, Args):
        yield from settable(model)
        return
    output_only = model.output_only() if issubclass(model, WireModel) else frozenset[str]()
    yield from (name for name in model.model_fields if name not in output_only)


def models_inside(model: type[BaseModel], found: dict[str, type[BaseModel]]) -> None:
    """Add the objects inside what a user may set, at any depth, by name."""
    for name in given_by_users(model):
        for nested in _models(model.model_fields[name].annotation):
            if nested.__name__ not in found:
                found[nested.__name__] = nested
                models_inside(nested, found)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _models(part)


def notes(args_type: type[Args], name: str) -> str:
    """What an argument is, whether it is secret or required, and its default."""
    field = args_type.model_fields[name]
    parts = [field.description or ""]
    if has(args_type, name, Secret):
        parts.append("Kept as a Pulumi secret.")
    if field.is_required():
        parts.append("Required.")
    elif _default(field) and "Default" not in (field.description or ""):
        parts.append(f"Default: {_default(field)}.")
    return " ".join(parts)


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined or value is None or value in ("", [], {}):
        return ""
    return f"`{value!r}`"
