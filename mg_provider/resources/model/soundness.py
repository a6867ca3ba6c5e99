"""What no argument may hold, wherever it stands: what JSON, the engine or Google would lose, change or choke on."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from mg_provider.api.texts import cut, shown
from mg_provider.resources.model.unknown import mapped

# The longest that Linux takes as one argument or variable of a container.
MOST_CHARACTERS: Final = 131_072
MOST_LEVELS: Final = 32
# The engine keeps numbers as doubles; whole ones of the API are smaller.
_EXACT: Final = 2**53
_MOST: Final = 2**31 - 1
_LARGEST: Final = int(1.7976931348623157e308)

_NUMBERS = (int, float)
_LISTS = (list, tuple)

# Control characters, line and paragraph separators, changes of direction, halves of characters.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_UNFIT_IN_LINES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def unsound(
    path: str, value: Any, *, lines: bool, secret: bool = False, passed: tuple[type, ...] = ()
) -> Iterator[tuple[str, str]]:
    """Where in an argument something is that cannot be part of any value, and what to do.

    Args:
        path: Where the value stands.
        value: As the program gave it.
        lines: Whether a text may have several lines.
        secret: Whether the value must not be shown.
        passed: Types that are passed over.
    """
    return _Walk(lines, secret, passed).of(path, value, 0)


@dataclass(frozen=True)
class _Walk:
    lines: bool
    secret: bool
    passed: tuple[type, ...]

    def of(self, path: str, value: Any, level: int) -> Iterator[tuple[str, str]]:
        if isinstance(value, str):
            if problem := _text_problem(value, self.lines):
                yield path, problem
        elif isinstance(value, _NUMBERS):
            if problem := _number_problem(value):
                yield path, problem
        elif isinstance(value, Mapping | list | tuple):
            if level == MOST_LEVELS:
                yield path, f"is nested more than {MOST_LEVELS} levels deep: make it flatter"
            else:
                yield from self._within(path, value, level + 1)
        elif value is not None and not isinstance(value, self.passed):
            yield path, f"is of type {type(value).__name__}, which cannot be sent: use a text, number, list or mapping"

    def _within(self, path: str, value: Any, level: int) -> Iterator[tuple[str, str]]:
        if isinstance(value, _LISTS):
            for index, entry in enumerate(value):
                yield from self.of(f"{path}[{index}]", entry, level)
            return
        for key, entry in value.items():
            if not isinstance(key, str):
                yield path, f"has the key {shown(key)}: keys are texts"
            elif problem := _text_problem(key, lines=False):
                yield path, f"has a key that {problem}" if self.secret else f"has the key {shown(key)}, which {problem}"
            else:
                yield from self.of(f"{path}.{cut(key)}", entry, level)


def _text_problem(text: str, lines: bool) -> str | None:
    if len(text) > MOST_CHARACTERS:
        return f"has {len(text):,} characters: use at most {MOST_CHARACTERS:,}"
    if text.isprintable():
        return None
    found = (_UNFIT_IN_LINES if lines else _UNFIT).search(text)
    if not found:
        return None
    what = "a line break" if found[0] in "\n\r" else f"the control character U+{ord(found[0]):04X}"
    return f"has {what} at position {found.start() + 1}: remove it"


def _number_problem(number: int | float) -> str | None:
    if isinstance(number, float):
        return None if math.isfinite(number) else f"is {number}: use a finite number"
    if -_EXACT <= number <= _EXACT:
        return None
    if abs(number) > _LARGEST:
        return f"is {shown(number)}: use a smaller one"
    if int(float(number)) != number:
        return f"is {shown(number)}, which is kept as {float(number):.17g}: use at most 15 digits, or a text"
    return None


def whole(value: Any) -> Any:
    """A value as the engine may have sent it: whole numbers arrive as floats."""
    return mapped(value, lambda entry: int(entry) if isinstance(entry, float) and entry.is_integer() else entry)


def misplaced(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Where inside a value something is that only Google fills, or a number that stands for no amount."""
    if isinstance(value, BaseModel):
        for name in value.model_fields_set:
            extra = type(value).model_fields[name].json_schema_extra
            if isinstance(extra, dict) and extra.get("readOnly"):
                yield f"{path}.{name}", "is filled by Google: remove it"
            entry = getattr(value, name)
            if type(entry) is int and not 0 <= entry <= _MOST:
                yield f"{path}.{name}", f"is {shown(entry)}: use " + ("0 or more" if entry < 0 else f"at most {_MOST}")
            else:
                yield from misplaced(f"{path}.{name}", entry)
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from misplaced(f"{path}[{index}]", entry)
