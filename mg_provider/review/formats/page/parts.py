"""The parts of the page that are text: facts, reasons, prices, runs, differences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from mg_provider.review.formats.page.element import Child, Markup, el, short
from mg_provider.review.formats.text import pair
from mg_provider.review.model import Diff, Reason, Review, Run, Sum

_MOST_NAMES: Final = 5
_MOST_FOLDED: Final = 200
_MOST_LINES: Final = 150
_MOST_PRICES: Final = 400
_OPERATIONS: Final = {"drift": "in the cloud"}


def names(found: Sequence[str]) -> Child:
    """Resources by name, of many the first ones."""
    children: list[Child] = []
    for index, name in enumerate(found[:_MOST_NAMES]):
        children += [", " if index else "", el("bdi", short(name, 200), class_="name")]
    more = len(found) - _MOST_NAMES
    return [*children, f" and {more:,} more" if more > 0 else ""]


def facts(review: Review) -> Markup:
    """What it comes to, in a few numbers."""
    service, money, gpus = review.service, review.money, review.gpus
    found: list[tuple[str, str, str, bool]] = []
    grave = service.effect in ("NOTHING SERVES", "interrupted")
    found.append(("Service", service.effect, service.minutes, grave))
    if money.lines:
        found.append(
            ("A month, at the most", _moves(money.before.max, money.after.max), _share(money.percent_max), False)
        )
        if (money.before.min, money.after.min) != (money.before.max, money.after.max):
            text = _moves(money.before.min, money.after.min)
            found.append(("A month, at the fewest", text, _share(money.percent_min), False))
    if gpus.peak or gpus.before[1]:
        was, now = pair(gpus.before), pair(gpus.after)
        peak = f"{gpus.peak} at the peak of the change"
        found.append(("GPUs", was if was == now else f"{was} → {now}", peak, False))
    if review.exposure.public:
        shown = short(", ".join(review.exposure.public[:3]), 120)
        more = len(review.exposure.public) - 3
        also = f"and {more:,} more" if more > 0 else ""
        found.append(("Public afterwards", shown, also, review.exposure.widened))
    return el("dl", [_fact(*fact) for fact in found], class_="facts")


def scope(review: Review) -> str:
    """Of which stacks it is, and how many resources it changes."""
    more = len(review.stacks) - 8
    stacks = ", ".join(review.stacks[:8]) + (f" and {more:,} more" if more > 0 else "")
    counts = ", ".join(f"{count:,} {operation}" for operation, count in review.counts.items())
    return short(": ".join(filter(None, (stacks, counts))), 400)


def _fact(title: str, value: str, note: str, grave: bool) -> Markup:
    shown = el("dd", value, el("span", note) if note else None, class_="grave" if grave else None)
    return el("div", el("dt", title), shown)


def _moves(was: Sum, now: Sum) -> str:
    return now.text if was == now else f"{was.text} → {now.text}"


def _share(percent: float | None) -> str:
    return f"{percent:+,g} %" if percent else ""


def reason(found: Reason) -> Markup:
    """What to stop for, or to look at."""
    where = ", ".join(region for region in found.regions if region not in found.resource)
    head = el("p", el("b", found.severity.capitalize()), el("span", found.gate, class_="gate"))
    text = el("p", names(found.resources), f" ({short(where, 200)})" if where else "")
    shown = [el("li", short(detail, 600)) for detail in found.details[:3]]
    body: list[Child] = [text, el("p", short(found.text, 2000))]
    if shown:
        body.append(el("ul", shown, class_="details"))
    rest = found.resources[_MOST_NAMES:_MOST_FOLDED], found.details[3:_MOST_FOLDED]
    if any(rest):
        items = [el("li", short(entry, 600)) for entry in (*rest[0], *rest[1])]
        left = max(len(found.resources), len(found.details)) - _MOST_FOLDED
        items.append(el("li", f"and {left:,} more, which --format json has") if left > 0 else Markup(""))
        summary = "All of them" if rest[0] else "More of it"
        body.append(el("details", el("summary", summary), el("ul", items, class_="details")))
    return el("li", head, el("div", body), class_=found.severity)


def prices(review: Review) -> Child:
    """Each deployment with what its price rests on."""
    money = review.money
    head = ("deployment", "region", "machine", "replicas", "each, an hour", "price of")
    rows = [
        (
            el("bdi", short(line.resource, 200), class_="name"),
            line.region,
            line.machine,
            line.before if line.before == line.after else f"{line.before} → {line.after}",
            line.each,
            line.basis,
        )
        for line in money.lines[:_MOST_PRICES]
    ]
    if not rows:
        return None
    titles = el("tr", [el("th", title, scope="col") for title in head])
    table = el("table", el("thead", titles), el("tbody", [el("tr", [el("td", cell) for cell in row]) for row in rows]))
    left = len(money.lines) - _MOST_PRICES
    more = el("p", f"and {left:,} more, which --format json has", class_="soft") if left > 0 else None
    # A table may be wider than a phone: it scrolls by itself, and by the keyboard.
    scroll = el("div", table, class_="scroll", tabindex="0", role="region", aria_label="Prices of the deployments")
    return el("details", el("summary", "Prices of each deployment"), scroll, more)


def run(found: Run) -> Markup:
    """A batch run that will start."""
    on = f"{found.runs_on}, in {found.region}"
    return el("li", el("bdi", found.resource, class_="name"), short(f": {on}; {found.why}; {found.flow}", 2000))


def difference(diff: Diff, *, shut: bool) -> Markup:
    """What differs in a resource, folded."""
    operation = _OPERATIONS.get(diff.operation, diff.operation)
    where = [region for region in diff.regions if not any(region in name for name in diff.resources)]
    kind = f" {diff.kind.rpartition(':')[2] or diff.kind}" + (f" in {short(', '.join(where), 200)}" if where else "")
    summary = el(
        "summary",
        el("span", operation, class_=f"op {diff.operation}" if diff.operation in ("delete", "replace") else "op"),
        " ",
        names(diff.resources),
        el("span", kind, class_="soft"),
    )
    lines = [_line(line.path, line.before, line.after) for line in diff.lines[:_MOST_LINES]]
    left = len(diff.lines) - _MOST_LINES
    more = el("p", f"and {left:,} more, which --format json has", class_="soft") if left > 0 else None
    body = el("dl", lines, class_="diff") if lines else el("p", "no argument differs", class_="soft")
    return el("details", summary, body, more, open=not shut)


def _line(path: str, before: str, after: str) -> Markup:
    gone = el("dd", el("del", f"\N{MINUS SIGN} {before}")) if before else None
    made = el("dd", el("ins", f"+ {after}")) if after else None
    # A long path breaks between its parts, not within a word.
    whole = [[part, el("wbr")] for part in re.split(r"(?<=[.\[])", path)]
    return el("div", el("dt", whole), gone, made)


def notes(review: Review) -> Iterator[Markup]:
    """What needs no decision."""
    texts = (
        *review.service.changes,
        *review.exposure.changes,
        *review.safety_nets,
        *review.models,
        *review.traffic,
        *review.gone,
        *review.notes,
        *review.unknown,
        *review.others,
    )
    for found in texts:
        if found.severity == "note":
            detail = f" ({'; '.join(found.details[:3])})" if found.details else ""
            yield el("li", names(found.resources or [found.resource]), short(f": {found.text}{detail}", 1000))


def footer(review: Review) -> Markup:
    """What the numbers rest on."""
    money = review.money
    found: list[Child] = []
    if money.lines:
        scope = "every resource of the stack" if money.whole else "the resources that change"
        text = f"Money is of {scope}, at 730 hours a month; prices of {money.prices}."
        found.append(el("p", text))
        found.append(el("p", f"Not in it: {', '.join(money.not_in)}."))
        sources = sorted({line.source for line in money.lines if line.source})
        found += [el("p", short(f"From {source}.", 500)) for source in sources[:10]]
        if money.unknown:
            found.append(el("p", short(f"Without a known price: {', '.join(money.unknown)}.", 1000)))
    found.append(el("p", "Made by mg review from a preview. This file asks for nothing from the network."))
    return el("footer", found)
