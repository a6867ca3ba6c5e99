"""An environment of which parts are wrong, as far as it can be read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast

from mg_provider.environment.arguments import sections
from mg_provider.environment.environment import Environment
from mg_provider.environment.sections import Mistake, Part
from mg_provider.resources.model.salvage import adapter_of, members

Location = tuple[int | str, ...]
P = TypeVar("P", bound=Part)


def readable_part(part: type[P], value: Mapping[Any, Any], wrong: Collection[Location]) -> P:
    """A part of the configuration in which all is withheld that is wrong.

    Args:
        part: Its type.
        value: What the file says.
        wrong: Where something is wrong in it, from pydantic.
    """
    given = {key: entry for key, entry in value.items() if key not in part.model_fields and isinstance(key, str)}
    for name, field in part.model_fields.items():
        inside = [location[1:] for location in wrong if location[0] == name]
        if name in value and not inside:
            given[name] = adapter_of(part, name).validate_python(value[name])
        elif name in value and all(inside) and (kind := _part_of(field.annotation)):
            given[name] = _readable(kind, value[name], inside)
    unknown = [key for key in given if key not in part.model_fields and key not in part.takes()]
    found = cast(P, part.model_construct(**given))
    for key in (*unknown, *(str(location[0]) for location in wrong if location[0] not in given)):
        found.withhold(key)
    return found


def _readable(kind: tuple[type[Part], bool], value: Any, wrong: Collection[Location]) -> Any:
    part, by_name = kind
    if not by_name:
        return readable_part(part, value, wrong)
    # A name that is a number is reported as one, and nothing can refer to it.
    names = (name for name in value if isinstance(name, str))
    inside = {name: [location[1:] for location in wrong if location[0] == name] for name in names}
    return {
        name: readable_part(part, value[name], inside[name]) if all(inside[name]) else part.nothing() for name in inside
    }


def _part_of(annotation: Any) -> tuple[type[Part], bool] | None:
    """The part that a field holds, and whether it holds several by name."""
    kinds = [each for each in members(annotation) if each is not type(None)]
    by_name = getattr(kinds[0], "__origin__", None) is dict
    held = kinds[0].__args__[1] if by_name else kinds[0]
    found = len(kinds) == 1 and isinstance(held, type) and issubclass(held, Part)
    return (held, by_name) if found else None


def withhold(environment: Environment, mistakes: Iterable[Mistake]) -> None:
    """Let no later check rely on what is wrong."""
    for mistake in mistakes:
        for path, part in _parts(environment):
            if not mistake.path.startswith(path):
                continue
            rest = mistake.path.removeprefix(path)
            first = re.split(r"[.\[]", rest)[0]
            field = type(part).model_fields.get(first)
            if rest == first or first in part.takes() or (field and not _part_of(field.annotation)):
                part.withhold(first)


def _parts(environment: Environment) -> Iterator[tuple[str, Part]]:
    yield "", environment
    network = environment.known("network")
    if network is not None:
        yield "network.", network
    yield from ((f"{path}.", section) for path, section in sections(environment))
