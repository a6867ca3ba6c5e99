"""What is wrong with a value, in words: where it is, as a program would write it, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo

from mg_provider.api.texts import cut, shown
from mg_provider.command_line.wrong_values import in_words
from mg_provider.spelling import did_you_mean, nearest
from mg_provider.wire.form import WRONG_FORM

KEY = "[key]"
"""What pydantic puts after the key of a mapping whose key, not its value, is wrong."""

MOST_SAID = 300
"""Characters of a message."""


def explain(name: str, field: FieldInfo, error: Mapping[str, Any], *, secret: bool = False) -> tuple[str, str]:
    """Where in an argument a validation error is, and what to do about it.

    Args:
        name: The argument.
        field: Its field.
        error: One of pydantic's errors on its value.
        secret: Whether the value must not be shown.
    """
    path, deepest = _walk(name, field, error["loc"])
    return path, cut(_reason(deepest, error, secret), MOST_SAID)


def _walk(name: str, field: FieldInfo, location: Iterable[int | str]) -> tuple[str, FieldInfo | type[BaseModel]]:
    """The path as a program would write it, and what is at its end; for an unknown field, the object it is in."""
    path, deepest, annotation = name, field, field.annotation
    for part in location:
        if part == KEY:
            break
        if (chosen := _tagged(annotation, part)) is not None:
            annotation = chosen
            continue
        annotation = _bare(annotation)
        held = get_args(annotation)
        if get_origin(annotation) is list:
            path, annotation = f"{path}[{part}]", held[0]
        elif get_origin(annotation) is dict:
            path, annotation = f"{path}.{cut(str(part))}", held[1]
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found = _field(annotation, part)
            if found is None:
                return f"{path}.{cut(str(part))}", annotation
            path, deepest, annotation = f"{path}.{found[0]}", found[1], found[1].annotation
    return path, deepest


def _tagged(annotation: Any, tag: int | str) -> Any:
    """The member that a location names of a union whose members have tags; None if it names none."""
    if get_origin(annotation) is Annotated:
        held, *extras = get_args(annotation)
        if any(isinstance(extra, Tag) and extra.tag == tag for extra in extras):
            return held
        return _tagged(held, tag)
    if get_origin(annotation) in (Union, UnionType):
        return next((found for entry in get_args(annotation) if (found := _tagged(entry, tag)) is not None), None)
    return None


def _bare(annotation: Any) -> Any:
    """The type without ``Annotated`` and ``None``."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return _bare(next(entry for entry in get_args(annotation) if entry is not type(None)))
    return annotation


def _field(model: type[BaseModel], part: int | str) -> tuple[str, FieldInfo] | None:
    return next(((key, field) for key, field in model.model_fields.items() if part in (key, field.alias)), None)


def _reason(deepest: FieldInfo | type[BaseModel], error: Mapping[str, Any], secret: bool) -> str:
    kind, shown = error["type"], _shown(error["input"], secret)
    if error["loc"] and error["loc"][-1] == KEY:
        return f"the key {in_words(error)}: write it in quotes"
    if isinstance(deepest, FieldInfo):
        description = deepest.description or "give another value"
        if kind == "missing":
            return f"is required: {description}"
        if kind == WRONG_FORM:
            return f"{shown} does not fit: write {error['ctx']['write']}"
    elif kind == "extra_forbidden":
        return f"is not a key that is known here: {did_you_mean(str(error['loc'][-1]), deepest.model_fields)}"
    message = in_words(error)
    return message if kind == "value_error" else f"{message}, not {shown}{_meant(error)}"


def _meant(error: Mapping[str, Any]) -> str:
    """What a misspelt one of a few texts was probably meant to be."""
    known = re.findall(r"'([^']+)'", str(error.get("ctx", {}).get("expected", "")))
    given = error["input"] if error["type"] == "literal_error" and isinstance(error["input"], str) else ""
    near = nearest(given, known)
    return f": did you mean {near}?" if near else ""


def _shown(value: Any, secret: bool) -> str:
    """The value, or what kind of thing it is: what is inside may be secret."""
    if secret or isinstance(value, Mapping | list | tuple):
        kinds = {"dict": "mapping", "str": "text", "int": "number", "float": "number", "bool": "truth value"}
        kind = type(value).__name__
        return f"a {kinds.get(kind, kind)}"
    return shown(value)
