"""What a misspelt name was probably meant to be, in one form for commands, options, keys and names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LISTED = 20


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """What to do about a name that does not exist.

    Args:
        name: As the user wrote it.
        known: The names that exist.
        otherwise: What to do if none of them is near; by default they are listed, unless they are many.
    """
    names = sorted(set(known))
    if near := difflib.get_close_matches(name[:200], names, 1):
        return f"did you mean {near[0]}?"
    if otherwise or not names:
        return otherwise or "remove it: there is none"
    return f"use one of {', '.join(names)}" if len(names) <= _LISTED else f"use one such as {names[0]}"
