"""Where the cloud has the value of an argument: one mark, from which it is sent, compared, changed and observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel

from mg_provider.resources.model.marks import InPlace, Replaces, RollsOut, marked
from mg_provider.wire.base import same, value_at, without_outputs

Thing = Literal["endpoint", "deployment", "model", "job", "rule"]


@dataclass(frozen=True)
class Stands:
    """The value stands in this thing, under a path of Google's names: it is sent there, and a refresh sees it there.

    ``always``: also where the program sets none, as its default is a fact of its own, and no choice of Google's.
    """

    thing: Thing
    path: str
    always: bool = False


@dataclass(frozen=True)
class Unseen:
    """A refresh cannot show that the cloud has another value; ``reason`` says why.

    ``sent`` and ``kept``: whether a request has the value all the same, and whether the cloud then shows it.
    ``or_shown``: where the cloud shows a value all the same, it counts.
    """

    reason: str
    sent: bool = False
    kept: bool = False
    or_shown: bool = False


@cache
def standing(args_type: type[BaseModel], thing: Thing) -> dict[str, str]:
    """The fields whose values stand in this thing, each with its path there, in the order of the fields."""
    return {name: mark.path for name, mark in marked(args_type, Stands) if mark.thing == thing}


@cache
def changed_by(args_type: type[BaseModel], thing: Thing, call: str) -> dict[str, str]:
    """The fields that this call changes in a thing, each with its path."""
    called = {name for name, mark in marked(args_type, InPlace) if mark.reason == call}
    return {name: path for name, path in standing(args_type, thing).items() if name in called}


@cache
def fixed_in(args_type: type[BaseModel], thing: Thing) -> dict[str, str]:
    """The fields that nobody can change in a thing, each with its path."""
    fixed = {name for name, _ in marked(args_type, Replaces)}
    return {name: path for name, path in standing(args_type, thing).items() if name in fixed}


@cache
def fixed_while_running(args_type: type[BaseModel]) -> tuple[str, ...]:
    """The fields of which another value is another deployment."""
    return _rolling(args_type, another_model=False)


@cache
def model_arguments(args_type: type[BaseModel]) -> tuple[str, ...]:
    """The fields of which another value is another Model."""
    return _rolling(args_type, another_model=True)


def _rolling(args_type: type[BaseModel], *, another_model: bool) -> tuple[str, ...]:
    found = marked(args_type, RollsOut)
    return tuple(mark.by or name for name, mark in found if mark.another_model or not another_model)


@cache
def seen_in(args_type: type[BaseModel], thing: Thing) -> dict[str, str]:
    """The fields that a refresh sees in this thing, each with its path."""
    unseen = {name for name, mark in marked(args_type, Unseen) if not mark.or_shown}
    hidden = unseen | fixed_in(args_type, thing).keys()
    return {name: path for name, path in standing(args_type, thing).items() if name not in hidden}


@cache
def _silent(args_type: type[BaseModel]) -> frozenset[str]:
    """The fields whose absence in the cloud says nothing."""
    return frozenset(name for name, mark in marked(args_type, Unseen) if mark.or_shown)


def seen(args_type: type[BaseModel], thing: Thing, actual: BaseModel | None) -> dict[str, Any]:
    """What the cloud has, by field; what is absent there is as empty as the field's default."""
    found = {}
    for name, path in seen_in(args_type, thing).items():
        value, default = without_outputs(value_at(actual, path)), args_type.model_fields[name].default
        if value is None and name in _silent(args_type):
            continue
        found[name] = type(default)() if value is None and default is not None else value
    return found


def drifted(wanted: BaseModel, actual: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from what was asked for. What nobody set and Google chose is not drift."""
    compared = wanted.model_fields_set | _always(type(wanted))
    return {
        name: value for name, value in actual.items() if name in compared and not same(getattr(wanted, name), value)
    }


@cache
def _always(args_type: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for name, mark in marked(args_type, Stands) if mark.always)


def asked_for(given: BaseModel, thing: Thing) -> dict[str, Any]:
    """What arguments ask for in a thing, by path. Nothing is asked for by a default that is empty."""
    fields = type(given).model_fields
    found = {}
    for name, path in standing(type(given), thing).items():
        value = getattr(given, name)
        if value or value != fields[name].default:
            found[path] = value
    return found
