"""What a misspelt name was probably meant to be, in one form for commands, options, keys, arguments and names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_COMPARED = 200
_LISTED = 100
_SHORT = 4


def nearest(name: str, known: Iterable[str], alike: float | None = None) -> str | None:
    """The known name that a misspelt one is most like; None where none is ``alike`` enough (1 is the same).

    Less than 0.7 is rather another word, but for a letter in a short one.
    """
    alike = alike or (0.6 if len(name) <= _SHORT else 0.7)
    return next(iter(difflib.get_close_matches(name[:_COMPARED], sorted(set(known)), 1, alike)), None)


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """What to do about a name that does not exist.

    Args:
        name: As the user wrote it.
        known: The names that exist.
        otherwise: What to do if none of them is near; by default they are listed, unless they are many.
    """
    names = sorted(set(known))
    if near := nearest(name, names):
        return f"did you mean {near}?"
    if otherwise or not names:
        return otherwise or "remove it: there is none"
    return f"use one of {', '.join(names)}" if len(names) <= _LISTED else f"use one such as {names[0]}"
