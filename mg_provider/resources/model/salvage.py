"""Reading what an earlier version kept, and this one would refuse: what is wrong in it is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.alias_generators import to_snake


def salvaged(adapter: TypeAdapter[Any], value: Any) -> Any:
    """A value in the shape of its type, so that a stack can be refreshed and destroyed whatever its state says.

    Args:
        adapter: Of the type.
        value: The value, in which parts may be wrong; one that is wrong as a whole stays as it is.
    """
    kept = _copy(value)
    while True:
        try:
            return adapter.validate_python(kept)
        except ValidationError as error:
            # From the last one on, so that the places of the others in a list stay what they are.
            gone = [_leave_out(kept, entry["loc"]) for entry in reversed(error.errors())]
            if not any(gone):
                return value


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(entry) for key, entry in value.items()}
    return [_copy(entry) for entry in value] if isinstance(value, list) else value


def _leave_out(value: Any, location: Sequence[int | str]) -> bool:
    """Take what is at a location out of a value; whether it was there."""
    path: list[tuple[Any, Any]] = []
    for part in location:
        for name in (part, to_snake(part) if isinstance(part, str) else part):
            found = name in value if isinstance(value, dict) else isinstance(value, list) and name in range(len(value))
            if found:
                path.append((value, name))
                value = value[name]
                break
    if not path:
        return False
    holder, name = path[-1]
    del holder[name]
    return True
