"""Bars: what a month costs before and after, and how many GPUs run before, meanwhile and after."""

from __future__ import annotations

from typing import Final

from mg_provider.review.formats.page.drawing import WIDTH, Drawing, letters
from mg_provider.review.formats.page.element import Child, Markup, el
from mg_provider.review.formats.text import pair
from mg_provider.review.model import Gpus, Money, Sum

_START: Final = 58.0
_ROOM: Final = 176.0
"""Units for the longest bar; the number stands to the right of it."""


def cost(money: Money) -> Drawing:
    """A month before and after, at the fewest and at the most replicas."""
    groups: tuple[tuple[str, Sum, Sum], ...] = (
        ("at the fewest replicas", money.before.min, money.after.min),
        ("at the most replicas", money.before.max, money.after.max),
    )
    if groups[0][1:] == groups[1][1:]:
        groups = (("at any number of replicas", *groups[1][1:]),)
    longest = max((part.usd or 0.0 for _, was, now in groups for part in (was, now)), default=0.0) or 1.0
    parts: list[Child] = []
    words, y = [], 0.0
    for title, was, now in groups:
        parts.append(letters(f"a month, {title}", 0, y + 12, WIDTH, "soft"))
        for label, part, kind in (("before", was, "before"), ("after", now, "after")):
            parts.append(_dollars(label, part, kind, y + 20, longest))
            y += 20
        words.append(f"{title}: {was.text} before, {now.text} after")
        y += 32
    return Drawing("Cost a month", "; ".join(words), y - 12, parts)


def _dollars(label: str, part: Sum, kind: str, y: float, longest: float) -> Markup:
    width = _ROOM * (part.usd or 0.0) / longest
    open_end = None
    if part.at_least or part.usd is None:
        # Nobody knows where it ends.
        x = _START + width
        open_end = el("path", d=f"M{x:g} {y + 1:g}h14M{x:g} {y + 11:g}h14", class_="open")
    return _bar(label, part.text, kind, y, ((0.0, width),), open_end)


def gpus(found: Gpus) -> Drawing:
    """GPUs before, at the peak of the change, and after."""
    most = max(found.before[1], found.after[1], found.peak, 1)
    rows: list[tuple[str, tuple[int, int], str]] = [
        ("before", found.before, "before"),
        ("peak", (found.peak, found.peak), "peak"),
        ("after", found.after, "after"),
    ]
    parts: list[Child] = [letters("GPUs, at the fewest to the most replicas", 0, 12, WIDTH, "soft")]
    y = 20.0
    for label, (low, high), kind in rows:
        ends = ((0.0, _ROOM * low / most), (_ROOM * low / most, _ROOM * high / most))
        parts.append(_bar(label, pair((low, high)), kind, y, ends, None))
        y += 20
    words = f"{pair(found.before)} before, {found.peak} at the peak of the change, {pair(found.after)} after"
    if found.unknown:
        parts.append(letters(f"without {len(found.unknown)} whose GPUs are not known", 0, y + 12, WIDTH, "soft"))
        words += f", without {len(found.unknown)} whose GPUs are not known"
        y += 20
    return Drawing("GPUs", words, y, parts)


def _bar(
    label: str, number: str, kind: str, y: float, ends: tuple[tuple[float, float], ...], more: Markup | None
) -> Markup:
    """A bar; what lies between the fewest and the most is drawn lighter."""
    bars = [
        el("rect", x=_START + low, y=y, width=high - low, height=12, class_=f"bar {kind}{' range' if index else ''}")
        for index, (low, high) in enumerate(ends)
        if high - low > 0.4
    ]
    return el(
        "g",
        letters(label, 0, y + 10, _START, ""),
        el("line", x1=_START, y1=y - 2, x2=_START, y2=y + 14, class_="axis"),
        bars,
        more,
        letters(number, WIDTH, y + 10, WIDTH - _START - _ROOM, "strong", end=True),
    )
