"""What the pictures have in common: their width, their letters, and what they say to those who do not see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mg_provider.review.formats.page.element import Child, Markup, el, fitted

WIDTH: Final = 344
"""Units; a phone shows them without shrinking the letters."""
_LETTER: Final = 6.65
"""Width of a letter of the fixed-width font at 11 units."""


@dataclass(frozen=True)
class Drawing:
    """A picture with its text alternative.

    Attributes:
        title: What it shows.
        words: All that it shows, in words.
        height: In units.
        parts: What it is made of.
    """

    title: str
    words: str
    height: float
    parts: Child

    def inline(self) -> Markup:
        """As a part of a page, as wide as there is room."""
        return self._svg()

    def at(self, x: float, y: float) -> Markup:
        """As a part of a bigger picture."""
        return self._svg(x=x, y=y, width=WIDTH, height=self.height)

    def _svg(self, **place: float) -> Markup:
        title = f"{self.title}: {self.words}"
        box = f"0 0 {WIDTH} {self.height:g}"
        head = (el("title", self.title), el("desc", self.words))
        return el("svg", head, self.parts, viewBox=box, role="img", aria_label=title, **place)


def letters(text: str, x: float, y: float, width: float, kind: str = "", *, end: bool = False) -> Markup:
    """A text cut to a width, with the whole of it as a tooltip where it is cut."""
    shown = fitted(text, max(int(width / _LETTER), 2))
    whole = None if shown == text else el("title", text)
    return el("text", shown, whole, x=x, y=y, class_=kind or None, text_anchor="end" if end else None)


def width_of(text: str) -> float:
    """How wide a text of the fixed-width font is."""
    return len(text) * _LETTER
