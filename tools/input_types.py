"""Writes ``mg_provider/resources/inputs.py``: a TypedDict for each object inside the arguments."""

from __future__ import annotations

import textwrap
import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from mg_provider.resources.model.args import Args, settable
from mg_provider.wire.base import WireModel
from tools.resource_types import RESOURCES, lifecycle_of

PATH = "mg_provider/resources/inputs.py"
WIDTH = 120
HEADER = '''"""Nested arguments as dictionaries, with the names that the API has, in snake_case.

Generated from the shapes inside the arguments by `make generate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from pulumi import Input
'''


def outputs() -> dict[str, str]:
    """Path to content."""
    found: dict[str, type[BaseModel]] = {}
    for name in RESOURCES:
        _collect_inside(lifecycle_of(name).args_type, found)
    classes = [_class(found[name]) for name in sorted(found)]
    return {PATH: "\n\n".join([HEADER, *classes])}


def input_type(annotation: Any) -> str:
    """A type as a program may write it: outputs of other resources in every place."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(input_type(part) for part in arguments if part is not type(None))
    if origin is typing.Annotated:
        return input_type(arguments[0])
    if origin is list:
        return f"Sequence[Input[{input_type(arguments[0])}]]"
    if origin is dict:
        return f"Mapping[str, Input[{input_type(arguments[1])}]]"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"{annotation.__name__}Input"
    if origin is typing.Literal:
        return "str"
    if annotation is Any:
        return "object"
    return str(annotation.__name__)


def _collect(model: type[BaseModel], found: dict[str, type[BaseModel]]) -> None:
    if model.__name__ in found:
        return
    found[model.__name__] = model
    _collect_inside(model, found)


def _collect_inside(model: type[BaseModel], found: dict[str, type[BaseModel]]) -> None:
    for name in _settable(model):
        for nested in _models(model.model_fields[name].annotation):
            _collect(nested, found)


def _settable(model: type[BaseModel]) -> Iterator[str]:
    if issubclass(model, Args):
        yield from settable(model)
        return
    output_only = model.output_only() if issubclass(model, WireModel) else frozenset[str]()
    yield from (name for name in model.model_fields if name not in output_only)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _models(part)


def _class(model: type[BaseModel]) -> str:
    document = (model.__doc__ or "").strip().splitlines()[0]
    lines = [f"class {model.__name__}Input(TypedDict, total=False):", f'    """{document}"""', ""]
    for name in _settable(model):
        field = model.model_fields[name]
        lines.append(f"    {name}: Input[{input_type(field.annotation)}]")
        if field.description:
            text = f'"""{field.description}"""'
            lines += textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(lines) + "\n"
