"""What the pictures have in common: their width, their letters, and what they say to those who do not see them."""

from __future__ import annotations

from typing import Final

from mg_provider.review.formats.page.element import Child, Markup, el, fitted

WIDTH: Final = 344
"""Units; a phone shows them without shrinking the letters."""
_LETTER: Final = 6.65
"""Width of a letter of the fixed-width font at 11 units."""


def drawing(title: str, words: str, height: float, *children: Child) -> Markup:
    """A picture with its text alternative.

    Args:
        title: What it shows.
        words: All that it shows, in words.
        height: In units.
        children: What it is made of.
    """
    return el(
        "svg",
        el("title", title),
        el("desc", words),
        children,
        viewBox=f"0 0 {WIDTH} {height:g}",
        role="img",
        aria_label=f"{title}: {words}",
        xmlns="http://www.w3.org/2000/svg",
    )


def letters(text: str, x: float, y: float, width: float, kind: str = "", *, end: bool = False) -> Markup:
    """A text cut to a width, with the whole of it as a tooltip where it is cut."""
    shown = fitted(text, max(int(width / _LETTER), 2))
    whole = None if shown == text else el("title", text)
    return el("text", shown, whole, x=x, y=y, class_=kind or None, text_anchor="end" if end else None)


def width_of(text: str) -> float:
    """How wide a text of the fixed-width font is."""
    return len(text) * _LETTER
