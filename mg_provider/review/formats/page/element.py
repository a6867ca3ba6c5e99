"""HTML and SVG in which a text is always a text: whatever a name holds, it stays within its element."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Child = str | Markup | Iterable["Child"] | None
"""What an element may hold: a text, an element, several, nothing."""
_EMPTY = frozenset({"meta", "rect", "line", "path", "wbr"})


def visible(text: str) -> str:
    """A text on one line, each character that cannot be seen (control, direction, half a pair) written as its code."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def short(text: str, most: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def fitted(text: str, columns: int) -> str:
    """A text of at most so many columns of a fixed-width font; characters of East Asia take two."""
    plain = visible(text)
    if len(plain) * 2 <= columns or sum(map(_columns, plain)) <= columns:
        return plain
    kept, room = "", columns - 1
    for char in plain:
        room -= _columns(char)
        if room < 0:
            break
        kept += char
    return f"{kept}…"


def _columns(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def el(tag: str, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """An element. An attribute that is None or False is left out; ``_`` stands for ``-``, and at the end for nothing.

    Args:
        tag: Its name.
        children: What it holds; texts are escaped.
        attributes: Their values are escaped.
    """
    attributes_text = "".join(
        f" {name.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{_attribute(value)}"')
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in _EMPTY and not children:
        return Markup(f"<{tag}{attributes_text}/>")
    return Markup(f"<{tag}{attributes_text}>{join(children)}</{tag}>")


def join(children: Iterable[Child]) -> Markup:
    """Several beside each other."""
    return Markup("".join(map(_child, children)))


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    return html.escape(visible(child), quote=True) if isinstance(child, str) else join(child)


def _attribute(value: str | float) -> str:
    return html.escape(visible(value), quote=True) if isinstance(value, str) else f"{round(value, 1):g}"
