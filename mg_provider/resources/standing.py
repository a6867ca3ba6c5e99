"""Where the cloud has the value of an argument: one mark, from which it is sent, compared, changed and observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any, Literal

from pydantic import BaseModel

from mg_provider.resources.fields import InPlace, RollsOut

Thing = Literal["endpoint", "deployment", "model"]


@dataclass(frozen=True)
class Stands:
    """The value stands in this thing, under a path of Google's names: it is sent there, and a refresh sees it there."""

    thing: Thing
    path: str


@dataclass(frozen=True)
class Unseen:
    """A refresh cannot show that the cloud has another value; ``reason`` says why.

    ``sent`` and ``kept``: whether a request has the value all the same, and whether the cloud then shows it.
    """

    reason: str
    sent: bool = False
    kept: bool = False


@cache
def standing(args_type: type[BaseModel], thing: Thing) -> dict[str, str]:
    """The fields whose values stand in this thing, each with its path there, in the order of the fields."""
    told = ((name, mark) for name, field in args_type.model_fields.items() for mark in field.metadata)
    return {name: mark.path for name, mark in told if isinstance(mark, Stands) and mark.thing == thing}


@cache
def changed_by(args_type: type[BaseModel], call: str) -> dict[str, str]:
    """The fields of a deployment that this call changes while it runs, each with its path."""
    return _marked(args_type, lambda mark: isinstance(mark, InPlace) and mark.reason == call)


@cache
def fixed_while_running(args_type: type[BaseModel]) -> dict[str, str]:
    """The fields of a deployment of which another value is another deployment, each with its path."""
    return _marked(args_type, lambda mark: isinstance(mark, RollsOut))


def _marked(args_type: type[BaseModel], fits: Any) -> dict[str, str]:
    paths = standing(args_type, "deployment")
    return {name: path for name, path in paths.items() if any(map(fits, args_type.model_fields[name].metadata))}


def value_at(thing: BaseModel | None, path: str) -> Any:
    """What stands under a path; None where something on the way is missing."""
    return reduce(lambda value, name: getattr(value, name, None), path.split("."), thing)


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by path as objects within objects; absent ones make none."""
    result: dict[str, Any] = {}
    for path, value in values.items():
        if value is None:
            continue
        *parents, last = path.split(".")
        inner = result
        for name in parents:
            inner = inner.setdefault(name, {})
        inner[last] = value
    return result


def asked_for(given: BaseModel, thing: Thing) -> dict[str, Any]:
    """What arguments ask for in a thing, by path. Nothing is asked for by a default that is empty."""
    fields = type(given).model_fields
    told = {}
    for name, path in standing(type(given), thing).items():
        value = getattr(given, name)
        if value or value != fields[name].default:
            told[path] = value
    return told
