"""The page: verdict and reason first, then what it does, the fleet, money, and every difference, in one file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Final, TypeVar

from mg_provider.review.formats.page import parts
from mg_provider.review.formats.page.bars import cost, gpus
from mg_provider.review.formats.page.element import Child, Markup, el, join, short
from mg_provider.review.formats.page.regions import regions
from mg_provider.review.model import Review

T = TypeVar("T")
_BUDGETS: Final = {"reasons": 500_000, "fleet": 350_000, "changes": 750_000, "notes": 150_000}
"""Bytes of each part; together with what is short by nature they stay below two million."""


def page(review: Review) -> str:
    """The whole review as one HTML file that asks for nothing from anywhere."""
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    headline = short(review.headline, 600)
    head = el(
        "head",
        el("meta", charset="utf-8"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}"/>'),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="referrer", content="no-referrer"),
        el("title", headline),
        Markup(f"<style>{style}</style>"),
    )
    body = el("body", el("main", _header(review, headline), _sections(review), parts.footer(review)))
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


@cache
def _style() -> str:
    folder = Path(__file__).parent
    return "".join((folder / name).read_text(encoding="utf-8") for name in ("colours.css", "style.css", "drawing.css"))


def _header(review: Review, headline: str) -> Markup:
    refused = ", ".join(dict.fromkeys(gate.gate for gate in review.gates))
    gate = el("p", f"Refused by {refused}", class_="refused") if refused else None
    reason = headline.removeprefix(f"{review.verdict}: ")
    # The first letter stays as it is: it may be of a name.
    verdict = el("h1", el("b", review.verdict.capitalize()), " ", reason)
    return el("header", gate, verdict, el("p", parts.scope(review), class_="soft"), class_=review.verdict)


def _sections(review: Review) -> Iterator[Markup]:
    yield parts.facts(review)
    if review.gates:
        listed = [el("li", el("code", gate.gate), f" {short(gate.text, 1000)}") for gate in review.gates[:100]]
        yield _section("Gates that failed", el("ul", listed, class_="plain"))
    if review.reasons:
        items = _fit(review.reasons, "reasons", parts.reason)
        yield _section("What to decide", el("ol", items, class_="reasons"))
    if pictures := list(regions(review.fleet, review.gpus.lines)):
        figures = _fit(pictures, "fleet", lambda picture: el("figure", picture.inline()))
        yield _section("Fleet", el("div", figures, class_="grid"))
    yield from _of_money(review)
    if review.runs:
        yield _section("Batch runs", el("ul", _fit(review.runs, "notes", parts.run), class_="plain"))
    if review.diffs:
        shut = len(review.diffs) > 3
        folds = _fit(review.diffs, "changes", partial(parts.difference, shut=shut))
        yield _section("Changes", el("div", folds, class_="changes"))
    if notes := list(parts.notes(review)):
        yield _section("Also", el("ul", _fit(notes, "notes", Markup), class_="plain"))


def _section(title: str, *children: Child) -> Markup:
    return el("section", el("h2", title), children)


def _of_money(review: Review) -> Iterator[Markup]:
    figures: list[Child] = []
    if review.money.lines:
        figures.append(el("figure", el("figcaption", "Cost a month"), cost(review.money).inline()))
    if any((*review.gpus.before, *review.gpus.after, review.gpus.peak)):
        figures.append(el("figure", el("figcaption", "GPUs"), gpus(review.gpus).inline()))
    if figures:
        yield _section("Money and GPUs", el("div", figures, class_="grid"), parts.prices(review))


def _fit(given: Sequence[T], part: str, draw: Callable[[T], Markup]) -> Markup:
    """As many as there is room for, and how many there is none for."""
    kept: list[Markup] = []
    size = 0
    for item in map(draw, given):
        size += len(item.encode())
        if size > _BUDGETS[part]:
            break
        kept.append(item)
    if left := len(given) - len(kept):
        tag = "p" if part in ("fleet", "changes") else "li"
        kept.append(el(tag, f"and {left:,} more, which --format json has", class_="soft"))
    return join(kept)
