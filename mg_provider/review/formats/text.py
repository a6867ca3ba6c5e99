"""A review for a terminal: the verdict first, then what applies, a line each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from textwrap import TextWrapper
from typing import Final

from mg_provider.review.model import MachineCount, Reason, Review, Run

MOST_DETAILS: Final = 12
MOST_LINES: Final = 40
WIDTH: Final = 80
_MOST_REGIONS: Final = 4
_NARROWEST: Final = 40
_HEADS: Final = ("stop  ", "look  ")


def where(reason: Reason) -> str:
    """The resources of a reason, with their regions where the names do not have them."""
    names = reason.resource
    if not names or all(region in names for region in reason.regions):
        return names
    several = f"{len(reason.regions)} regions" if len(reason.regions) > _MOST_REGIONS else ", ".join(reason.regions)
    return f"{names} [{several}]"


class _Wrapper(TextWrapper):
    """Breaks lines between words, and a name that is longer than a line after a slash; cuts nothing."""

    def _split(self, text: str) -> list[str]:
        room = self.width - len(self.subsequent_indent)
        found: list[str] = []
        for chunk in super()._split(text):
            found += [chunk] if len(chunk) <= room else [part for part in re.split(r"(?<=/)", chunk) if part]
        return found


def text(review: Review, width: int = WIDTH) -> str:
    """The whole review. Nothing that matters is one line.

    Args:
        review: The review.
        width: How many characters a line may have; at least 40.
    """
    width = max(width, _NARROWEST)
    if review.verdict == "safe" and not review.gates:
        return f"{_one_line(review, width)}\n"
    lines = [f"FAILED {gate.gate}: {gate.text}" for gate in review.gates]
    lines.append(review.headline)
    for title, body in sections(review):
        lines += ["", title, *(f"  {line}" for line in body)]
    return "\n".join(part for line in lines for part in _wrapped(line, width)) + "\n"


def _one_line(review: Review, width: int) -> str:
    """That nothing matters: with what changes, where there is room for it."""
    counts = ", ".join(f"{count} {operation}" for operation, count in review.counts.items())
    return next(
        (text for text in (review.headline, f"safe: nothing that matters changes: {counts}") if len(text) <= width),
        "safe: nothing that matters changes",
    )


def _wrapped(line: str, width: int) -> list[str]:
    """A line as several, where it is longer than there is room for; those that follow stand further in."""
    indent = " " * (len(line) - len(line.lstrip(" ")) + (6 if line.lstrip(" ")[:6] in _HEADS else 2))
    wrapper = _Wrapper(width, subsequent_indent=indent, break_on_hyphens=False)
    return wrapper.wrap(line) or [line]


def sections(review: Review) -> Iterator[tuple[str, list[str]]]:
    """Each part that applies, with its lines."""
    yield "reasons", list(_reasons(review.reasons))
    effect = review.service.effect + (f", {review.service.minutes}" if review.service.minutes else "")
    yield "service", [effect, *_notes(review.service.changes)]
    for title, reasons in (
        ("exposure", review.exposure.changes),
        ("safety nets", review.safety_nets),
        ("models and weights", review.models),
        ("other changes", [*review.notes, *review.gone, *review.unknown, *review.others]),
    ):
        if found := list(_notes(reasons)):
            yield title, found
    if review.runs:
        yield "batch runs", [line for run in review.runs for line in _run(run)]
    if review.gpus.lines:
        yield (
            "machines (fewest to most replicas)",
            [_machines(line) for line in review.gpus.lines]
            + [f"{entry}: how many GPUs it has is not known" for entry in review.gpus.unknown],
        )
    if review.money.lines:
        yield "money", list(_money(review))
    if review.counts:
        yield "resources", [", ".join(f"{count} {operation}" for operation, count in review.counts.items())]


def _reasons(reasons: Iterable[Reason]) -> Iterator[str]:
    for reason in reasons:
        yield f"{reason.severity:4}  {reason.gate}: {where(reason)}: {reason.text}"
        for detail in reason.details[:MOST_DETAILS]:
            yield f"        {detail}"
        if len(reason.details) > MOST_DETAILS:
            yield f"        and {len(reason.details) - MOST_DETAILS} more"


def _notes(reasons: Iterable[Reason]) -> Iterator[str]:
    """What is not a reason for the verdict: the reasons stand above already."""
    for reason in reasons:
        if reason.severity == "note":
            yield f"{where(reason)}: {reason.text}" + (f" ({'; '.join(reason.details)})" if reason.details else "")


def pair(counts: tuple[int, int]) -> str:
    """1, or 1 to 8."""
    return str(counts[0]) if counts[0] == counts[1] else f"{counts[0]} to {counts[1]}"


def _machines(line: MachineCount) -> str:
    machines = f"{pair(line.machines_before)} → {pair(line.machines_after)}, at the peak {line.machines_peak}"
    gpus = f"; {line.accelerator} {pair(line.before)} → {pair(line.after)}, at the peak {line.peak}"
    return f"{line.machine} in {line.region or 'an unknown region'}: {machines}{gpus if line.accelerator else ''}"


def _money(review: Review) -> Iterator[str]:
    money = review.money
    for title, before, after, difference, percent in (
        ("fewest replicas", money.before.min, money.after.min, money.difference.min, money.percent_min),
        ("most replicas", money.before.max, money.after.max, money.difference.max, money.percent_max),
    ):
        share = f", {percent:+g} %" if percent is not None else ""
        yield (
            f"{title}: {before.text} → {after.text} a month ({difference.text}{share}); "
            f"{before.hour_text} → {after.hour_text} an hour"
        )
    minutes = f" for {money.peak_minutes}" if money.peak_minutes else ""
    yield f"at the peak of the change: {money.peak.hour_text} an hour{minutes}"
    changing = [line for line in money.lines if line.changes]
    for line in changing[:MOST_LINES]:
        kind = "" if line.kind == "on demand" else f", {line.kind}"
        yield (
            f"{line.resource}: {line.before} → {line.after} x {line.machine} in {line.region}{kind}, "
            f"{line.each} an hour each ({line.basis})"
        )
    if left := len(money.lines) - len(changing[:MOST_LINES]):
        yield f"and {left} more, {'which --format json has' if changing[MOST_LINES:] else 'which stay as they are'}"
    for source in sorted({line.source for line in money.lines if line.source}):
        yield f"from {source}"
    scope = "every resource of the stack" if money.whole else "the resources that change"
    yield f"of {scope}; prices of {money.prices}; not in them: {', '.join(money.not_in)}"


def _run(run: Run) -> Iterator[str]:
    yield f"{run.resource}: {run.runs_on}, in {run.region}; {run.why}"
    yield f"  {run.flow}"
