"""The review that the documents show, as a picture and as Markdown: of a change that a person would refuse."""

from __future__ import annotations

import textwrap
from pathlib import Path

from mg_provider import review
from mg_provider.review.formats import page as page_of
from mg_provider.review.formats.markdown import markdown
from mg_provider.review.formats.mermaid import topology
from mg_provider.review.formats.page.bars import cost, gpus
from mg_provider.review.formats.page.drawing import WIDTH, Drawing
from mg_provider.review.formats.page.element import Child, Markup, el
from mg_provider.review.formats.page.regions import regions
from mg_provider.review.model import Review
from tests.review.sample import refused

_EDGE, _GAP = 28, 36
_WIDE = 2 * WIDTH + 2 * _EDGE + _GAP
_STYLE = """
.verdict { font: 700 40px system-ui, "Segoe UI", Roboto, Arial, sans-serif; letter-spacing: -.8px; fill: var(--stop); }
.reason { font: 17px system-ui, "Segoe UI", Roboto, Arial, sans-serif; fill: var(--ink); }
.also { font: 13px system-ui, "Segoe UI", Roboto, Arial, sans-serif; fill: var(--muted); }
.paper { fill: var(--paper); stroke: var(--line); } .edge { fill: var(--stop); }
"""


def outputs() -> dict[str, str]:
    """Path below the root to content."""
    return {"docs/review.svg": picture(review.of(refused()))}


def comment() -> str:
    """How a comment on a pull request begins: verdict, summary and reasons, before what folds."""
    return markdown(review.of(refused())).partition("\n\n<details")[0]


def refusal() -> str:
    """Why the pipeline refuses that change: the reasons to stop, as the comment has them."""
    return "\n".join(line for line in comment().splitlines() if line.startswith("- 🔴"))


def chart() -> str:
    """The chart of the same comment."""
    return f"```mermaid\n{topology(review.of(refused()).fleet)}\n```"


def picture(found: Review) -> str:
    """Verdict, reasons to stop, fleet and money, as one picture in light and dark."""
    parts: list[Child] = [_line(found.verdict.capitalize(), 62, "verdict")]
    y = 92.0
    for line in textwrap.wrap(found.headline.partition(": ")[2], 76):
        parts.append(_line(line, y, "reason"))
        y += 23
    stops = [reason for reason in found.reasons if reason.severity == "stop"]
    looks = len(found.reasons) - len(stops)
    also = [f"Also stop: {reason.resource}: {reason.text}" for reason in stops[1:3]]
    for line in [*also, f"{looks} more to look at: money, weights, traffic, a batch run, a safety net"]:
        parts.append(_line(line, y + 4, "also"))
        y += 20
    for row in _pairs([*regions(found.fleet, found.gpus.lines), cost(found.money), gpus(found.gpus)]):
        y += 26
        parts += [drawing.at(_EDGE + at * (WIDTH + _GAP), y) for at, drawing in enumerate(row)]
        y += max(drawing.height for drawing in row)
    height = y + _EDGE
    folder = Path(page_of.__file__).parent
    style = "".join((folder / name).read_text(encoding="utf-8") for name in ("colours.css", "drawing.css"))
    return (
        el(
            "svg",
            el("title", f"A review by mg review: {found.headline}"),
            Markup(f"<style>{style}{_STYLE}</style>"),
            el("rect", x=0.5, y=0.5, width=_WIDE - 1, height=height - 1, rx=6, class_="paper"),
            el("rect", x=_EDGE, y=0, width=_WIDE - 2 * _EDGE, height=5, class_="edge"),
            parts,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {_WIDE} {height:g}",
            width=_WIDE,
            height=height,
            role="img",
        )
        + "\n"
    )


def _line(text: str, y: float, kind: str) -> Markup:
    return el("text", text, x=_EDGE, y=y, class_=kind)


def _pairs(drawings: list[Drawing]) -> list[list[Drawing]]:
    return [drawings[at : at + 2] for at in range(0, len(drawings), 2)]
