"""The marks on an argument: each says, once, what a change of it does, and drives diff, documentation and review."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel

M = TypeVar("M")


@dataclass(frozen=True)
class Mark:
    """What a change of the field does; ``reason`` is shown to the reviewer."""

    reason: str


@dataclass(frozen=True)
class Replaces(Mark):
    """A change makes a new resource and deletes the old one.

    ``keeps`` names outputs that stay as they are all the same; ``unless`` picks out, by the old and the new value, the
    changes that are made in place.
    """

    keeps: tuple[str, ...] = ()
    unless: Callable[[Any, Any], bool] | None = None


@dataclass(frozen=True)
class InPlace(Mark):
    """A change is made on the running resource; ``reason`` names the API call.

    Some values cannot be reached in place: ``replaces_if`` picks them out by old and new value, ``because`` says why.
    """

    replaces_if: Callable[[Any, Any], bool] | None = None
    because: str = ""


@dataclass(frozen=True)
class RollsOut(Mark):
    """A change makes another deployment on the same resource, which takes the old one's place; the address stays.

    ``another_model``: it is a deployment of another Model. ``by``: the field that follows from it and carries it out.
    """

    another_model: bool = False
    by: str = ""


@dataclass(frozen=True)
class Local(Mark):
    """A change touches nothing in the cloud."""


@dataclass(frozen=True)
class Secret:
    """The value is kept from state, diffs and logs."""


@dataclass(frozen=True)
class SetLike:
    """Order and repeats mean nothing: in the list itself, or in the lists that ``within`` names in its object."""

    within: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lines:
    """Texts in it may have several lines; in all others a line break is a slip."""


@dataclass(frozen=True)
class Computed:
    """The provider or the cloud chooses a value if the user gives none, and then keeps it."""


@dataclass(frozen=True)
class NotInDeploy:
    """Model Garden's deploy does not do it, so that Model and deployment are made by calls of their own.

    ``needed``: where these cannot be made, it is refused; otherwise the deploy is tried, and what it made is looked at.
    """

    needed: bool = False


@dataclass(frozen=True)
class OnlyInDeploy:
    """Only Model Garden's deploy takes it: it does not go with an uploaded Model."""


@dataclass(frozen=True)
class ReadBack:
    """An output for programs as well, although nobody but the program and the plan gives it a value."""


@dataclass(frozen=True)
class FilledIn:
    """A value where there was none is not a change: nothing in the cloud can take it on."""


@dataclass(frozen=True)
class Derived:
    """The plan always makes it from other arguments, so that a preview knows it; no program sets it."""


@dataclass(frozen=True)
class Unique:
    """Its id in the cloud, or a part of it: no two resources have the same."""


@dataclass(frozen=True)
class Transient:
    """Used while arguments are checked and kept nowhere, so that changing it changes nothing."""


@cache
def marked(model: type[BaseModel], kind: type[M]) -> tuple[tuple[str, M], ...]:
    """The fields that have a mark of this kind, each with the mark, in the order of the fields."""
    return tuple(
        (name, mark) for name, field in model.model_fields.items() for mark in field.metadata if isinstance(mark, kind)
    )


def unique(args_type: type[BaseModel]) -> tuple[str, ...]:
    """The arguments that no two resources share."""
    return tuple(name for name, _ in marked(args_type, Unique))
