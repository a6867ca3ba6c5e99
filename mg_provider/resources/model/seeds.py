"""What ids follow from: the values of which another one makes another resource, deployment or Model.

What exists is found by its id, so that an argument that comes later must not change the ids of what is older: it is
marked ``AddedLater``, and counts only where a program sets it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel

from mg_provider.resources.model.args import has
from mg_provider.resources.model.diff import canonical
from mg_provider.resources.model.identity import derived_id, parent_seeds
from mg_provider.resources.model.lifecycle import CloudArgs
from mg_provider.resources.model.marks import AddedLater, Replaces
from mg_provider.resources.model.unknown import Unknown


@cache
def seeds(args_type: type[CloudArgs], *ids: str) -> tuple[str, ...]:
    """The arguments of which another value makes another resource, but for those that are ids themselves."""
    return tuple(name for name in args_type.model_fields if has(args_type, name, Replaces) and name not in ids)


def counted(args: BaseModel, names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """The values that ids follow from, with their names."""
    for name in names:
        value = getattr(args, name)
        if value != type(args).model_fields[name].default or not has(type(args), name, AddedLater):
            yield name, value


def fresh_id(args: CloudArgs, *ids: str, more: str | Unknown = "") -> str | None:
    """An id for a new resource, from everything whose change makes another one; None while that is not known.

    Args:
        args: The arguments.
        ids: Those of them that are ids themselves.
        more: What else makes another one.
    """
    names = seeds(type(args), *ids)
    if isinstance(more, Unknown) or not args.is_known("owner", "resource", *names):
        return None
    values = (f"{name}={canonical(type(args), name, value)}" for name, value in counted(args, names))
    return derived_id(args.owner, args.resource, *values, more, *parent_seeds(args.program_path))
