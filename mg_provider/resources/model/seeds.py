"""What ids follow from: the values of which another one makes another resource, deployment or Model.

What exists is found by its id, so an argument that is added must not change the ids of what is older: it counts only
where a program sets it. The first arguments count in any case; ``always_in_ids`` names them, and gets no other one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel

from mg_provider.resources.model.args import has
from mg_provider.resources.model.diff import canonical
from mg_provider.resources.model.identity import derived_id, parent_seeds
from mg_provider.resources.model.lifecycle import CloudArgs
from mg_provider.resources.model.marks import Replaces
from mg_provider.resources.model.unknown import Unknown


@cache
def seeds(args_type: type[CloudArgs], *ids: str) -> tuple[str, ...]:
    """The arguments of which another value makes another resource, but for those that are ids themselves."""
    return tuple(name for name in args_type.model_fields if has(args_type, name, Replaces) and name not in ids)


def counted(args: BaseModel, names: Iterable[str], always: Collection[str]) -> Iterator[tuple[str, Any]]:
    """The values that ids follow from, with their names."""
    for name in names:
        value = getattr(args, name)
        if name in always or value != type(args).model_fields[name].default:
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
    values = (
        f"{name}={canonical(type(args), name, value)}" for name, value in counted(args, names, args.always_in_ids)
    )
    return derived_id(args.owner, args.resource, *values, more, *parent_seeds(args.program_path))
