"""A value in a message: short, on one line, whatever it is."""

from __future__ import annotations

from typing import Any, Final

MOST_SHOWN: Final = 80
"""Characters of a value that a message shows."""


def shown(value: Any) -> str:
    """A value as a program would write it; of a long one the beginning and how long it is."""
    if isinstance(value, str) and len(value) > MOST_SHOWN:
        return f"{_begun(repr(value[:MOST_SHOWN]))} ({len(value):,} characters)"
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 8 * MOST_SHOWN // 3:
        # Python refuses to write out the very longest.
        return f"a number of about {int(value.bit_length() * 0.30103) + 1:,} digits"
    text = repr(value)
    return text if len(text) <= 4 * MOST_SHOWN else f"{text[:MOST_SHOWN]}… ({len(text):,} characters)"


def cut(text: str, most: int = MOST_SHOWN) -> str:
    """A text of at most so many characters; what cannot be printed is escaped."""
    begun = text[: most + 1]
    plain = begun if begun.isprintable() else repr(begun)[1:-1]
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def _begun(quoted: str) -> str:
    """A quoted text that goes on."""
    return f"{quoted[:-1]}…{quoted[-1]}"
