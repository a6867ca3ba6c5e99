"""What changes of a resource, in lines for people: as `pulumi preview --diff` says it, each with its whole path."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Final

from mg_provider.rehearsal.state.differences import Path, parse_path
from mg_provider.rehearsal.state.properties import MASK, Secret, Unknown, Value
from mg_provider.rehearsal.state.steps import Step

_WIDTH: Final = 80
_MOST_CHARACTERS: Final = 300
_SIGNS: Final = {"add": "+", "delete": "-", "update": "~"}
_ARROW: Final = "=> "
_PLAN: Final = "_plan"


def change_lines(step: Step, indent: str) -> Iterator[str]:
    """A line for each property that a step changes, with its value before and after; more where one is not enough.

    Of a creation, only what the provider says of it beforehand: the inputs whose name ends with ``_plan``.
    """
    if step.operation in ("create", "create-replacement") and step.new is not None:
        for name, plan in step.new.inputs.items():
            if name.endswith(_PLAN):
                yield from _fitted(f"{indent}+ {name}:", [_text(plan)])
        return
    for path, difference in (step.detailed or {}).items():
        if path.startswith("__"):
            continue
        kind = difference.kind.partition("-")[0]
        elements = parse_path(path)
        before = [] if kind == "add" or step.old is None else [_at(step.old.inputs, elements)]
        after = [] if kind == "delete" or step.new is None else [_at(step.new.inputs, elements)]
        values = [_cut(_text(value)) for value in (*before, *after)]
        yield from _fitted(f"{indent}{_SIGNS[kind]} {path}:", values)


def _fitted(label: str, values: list[str]) -> Iterator[str]:
    """One line, or the values below their label where the line would be too long."""
    line = f"{label} {f' {_ARROW}'.join(values)}"
    if len(line) <= _WIDTH:
        yield line
        return
    yield label
    # Below the label, which stands behind its sign; the arrow stands before the value.
    margin = " " * (len(label) - len(label.lstrip()) + 2 + len(_ARROW))
    for index, value in enumerate(values):
        first = margin[: -len(_ARROW)] + _ARROW if index else margin
        yield from textwrap.wrap(
            value,
            _WIDTH,
            initial_indent=first,
            subsequent_indent=margin,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _at(value: Value, path: Path) -> Value:
    """The value at a path; a secret on the way hides it, and what is not there is None."""
    for element in path:
        if isinstance(value, Secret):
            return value
        there = (
            element in value if isinstance(value, dict) else isinstance(value, list) and element in range(len(value))
        )
        if not there:
            return None
        value = value[element]
    return value


def _text(value: Value) -> str:
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, Unknown):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_text(entry)}' for key, entry in value.items())}}}"
    return "[none]" if value is None else json.dumps(value, ensure_ascii=False)


def _cut(text: str) -> str:
    if len(text) <= _MOST_CHARACTERS:
        return text
    return f"{text[:_MOST_CHARACTERS]}... ({len(text)} characters)"
