r"""Half of a character, such as ``\ud83d``: JSON can spell it, no text in UTF-8 can hold it."""

from __future__ import annotations

import re

# What is matched first is passed over: an escaped backslash, and the two halves of a whole character.
_ESCAPES = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def half_character(text: str) -> tuple[str, int] | None:
    """The first half of a character in a text of JSON, and its column from 1; None without one."""
    if "\\u" not in text:
        return None
    halves = (match for match in _ESCAPES.finditer(text) if match["half"])
    found = next(halves, None)
    return (found["half"], found.start() + 1) if found else None


def half_character_words(text: str) -> str | None:
    """What a finding says of it."""
    found = half_character(text)
    if found is None:
        return None
    half, column = found
    return f"has half of a character, {half} at column {column}: cut texts between characters, and write the line again"
