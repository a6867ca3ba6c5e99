"""What the documents say about a component, from its docstring and the signature of its constructor."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from typing import Any, is_typeddict

from mg_provider import components
from tools.pages.reference import cell

_SECTION = re.compile(r"^(Args|Attributes|Raises):$", re.MULTILINE)
_ENTRY = re.compile(r"^    (\w+): (.*(?:\n        .*)*)", re.MULTILINE)
_WORD = re.compile(r"\w+")
_INPUT = re.compile(r"pulumi\.Input\[(\w+)\]")


def component(name: str) -> str:
    """A component: what it is and needs, its arguments, its attributes."""
    cls = getattr(components, name)
    about, sections = _parts(inspect.getdoc(cls) or "")
    rows = ["| argument | type | what it is |", "|---|---|---|"]
    signature = inspect.signature(cls.__init__).parameters
    for argument, text in _entries(sections["Args"]):
        needed = " Required." if signature[argument].default is inspect.Parameter.empty else ""
        rows.append(f"| `{argument}` | {_type(signature[argument].annotation)} | {cell(text)}{needed} |")
    entries = list(_entries(sections.get("Attributes", "")))
    outputs = ["", "| attribute | what it is |", "|---|---|"] if entries else []
    outputs += [f"| `{attribute}` | {cell(text)} |" for attribute, text in entries]
    objects = [line for argument in signature.values() for line in _object(cls, str(argument.annotation))]
    return "\n".join([about, "", *rows, *outputs, *objects])


def _object(cls: type, annotation: str) -> list[str]:
    """The keys of an argument that is an object of its own kind, or that has such objects by name."""
    module = sys.modules[cls.__module__]
    name = next((word for word in _WORD.findall(annotation) if is_typeddict(getattr(module, word, None))), None)
    if name is None:
        return []
    about, sections = _parts(inspect.getdoc(getattr(module, name)) or "")
    keys = [f"| `{key}` | {cell(text)} |" for key, text in _entries(sections["Attributes"])]
    return ["", f"**{name}**: {about}", "", "| key | what it is |", "|---|---|", *keys]


def _parts(text: str) -> tuple[str, dict[str, str]]:
    """The paragraphs before the sections, each on a line of its own, and the sections by name."""
    about, *rest = _SECTION.split(text)
    paragraphs = [" ".join(paragraph.split()) for paragraph in about.strip().split("\n\n")]
    return "\n\n".join(paragraphs).replace("``", "`"), dict(zip(rest[::2], rest[1::2], strict=True))


def _entries(section: str) -> Iterator[tuple[str, str]]:
    for match in _ENTRY.finditer(section):
        yield match[1], match[2]


def _type(annotation: Any) -> str:
    return "`" + _INPUT.sub(r"\1", str(annotation)).removesuffix(" | None").replace("|", "\\|") + "`"
