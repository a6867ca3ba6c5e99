"""Values and calls as Python to paste into a program."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_WIDTH = 100


@dataclass(frozen=True)
class Expression:
    """A value that is written as it is, such as another resource's output."""

    text: str


def call(variable: str, kind: str, name: str, arguments: Mapping[str, Any], comments: Mapping[str, str]) -> list[str]:
    """A variable that holds what a class makes, as lines.

    Args:
        variable: The variable.
        kind: The class.
        name: The first argument.
        arguments: The others, by name.
        comments: What stands beside an argument.
    """
    lines = [f"{variable} = {kind}(", f"    {literal(name)},"]
    for key, value in arguments.items():
        first, *rest = _entry(f"{key}=", value, 1)
        comment = f"  # {comments[key]}" if key in comments else ""
        lines += [f"{first}{comment}", *rest]
    return [*lines, ")"]


def variable(name: str, taken: Iterable[str] = (), prefix: str = "resource_") -> str:
    """A name for a variable, other than those that are taken."""
    text = re.sub(r"\W", "_", name)
    wanted = f"{prefix}{text}" if text[:1].isdigit() or keyword.iskeyword(text) or not text.strip("_") else text
    used, found, number = set(taken), wanted, 1
    while found in used:
        number += 1
        found = f"{wanted}_{number}"
    return found


def literal(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Expression):
        return value.text
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(name)}: {literal(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(literal(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _entry(start: str, value: Any, depth: int) -> Iterator[str]:
    """A value behind what it belongs to; one that is long has a line for each part."""
    indent = "    " * depth
    line = f"{indent}{start}{literal(value)},"
    if len(line) <= _WIDTH or not isinstance(value, Mapping | list) or not value:
        yield line
        return
    yield f"{indent}{start}{'{' if isinstance(value, Mapping) else '['}"
    parts = (
        ((f"{literal(name)}: ", each) for name, each in value.items())
        if isinstance(value, Mapping)
        else (("", each) for each in value)
    )
    for before, part in parts:
        yield from _entry(before, part, depth + 1)
    yield f"{indent}{'}' if isinstance(value, Mapping) else ']'},"
