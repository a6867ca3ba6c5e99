"""Values that are known only after something else was made, and values as JSON holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel


class Unknown:
    """The place of a value that is known only after something else was made."""

    def __repr__(self) -> str:
        return "<known after up>"


UNKNOWN = Unknown()


def plain(value: Any) -> Any:
    """A value as JSON would hold it, in snake_case, without what was not set; unknowns stay."""
    if isinstance(value, BaseModel):
        set_fields = (name for name in type(value).model_fields if name in value.model_fields_set)
        dumped = {name: plain(getattr(value, name)) for name in set_fields}
        return {name: entry for name, entry in dumped.items() if entry is not None}
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    return value


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """A value with a change made to all in it that is neither a mapping nor a list."""
    if isinstance(value, Mapping):
        return {key: mapped(entry, change) for key, entry in value.items()}
    return [mapped(entry, change) for entry in value] if isinstance(value, list | tuple) else change(value)


# Most values are one of these, and a diff looks at each several times.
ALWAYS_KNOWN = (str, int, float, bool, type(None))


def contains_unknown(value: Any) -> bool:
    """Whether a value is or holds an unknown."""
    if type(value) in ALWAYS_KNOWN:
        return False
    if isinstance(value, Unknown):
        return True
    if isinstance(value, BaseModel):
        return any(contains_unknown(getattr(value, name)) for name in value.model_fields_set)
    if isinstance(value, Mapping):
        return any(contains_unknown(entry) for entry in value.values())
    return isinstance(value, list | tuple | set | frozenset) and any(map(contains_unknown, value))


def without_unknown(value: Any) -> Any:
    """A value without its parts that are not known yet."""
    if isinstance(value, Mapping):
        return {key: without_unknown(entry) for key, entry in value.items() if not isinstance(entry, Unknown)}
    if isinstance(value, list | tuple):
        return [without_unknown(entry) for entry in value if not isinstance(entry, Unknown)]
    return value
