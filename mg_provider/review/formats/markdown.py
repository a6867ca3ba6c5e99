"""A review as Markdown, for a comment on a pull request: verdict and summary stay, details fold, whatever the size."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from mg_provider.review.formats.mermaid import topology
from mg_provider.review.formats.text import pair, where
from mg_provider.review.model import Money, Reason, Review

MOST: Final = 65_536
"""Characters that GitHub takes in one comment."""
_ROOM: Final = 1_000
_SIGNS: Final = {"safe": "🟢", "look": "🟡", "stop": "🔴"}
_SPECIAL: Final = re.compile(r"([\\`*_\[\]#|~$@])")


def plain(text: str) -> str:
    """A text that Markdown shows as it is: no markup, no HTML, no mention, no link."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = _SPECIAL.sub(r"\\\1", safe)
    # A backslash stops no mention of people and issues, and no link.
    for mark, shown in (("://", ":&#47;&#47;"), ("www.", "www&#46;"), ("\\@", "@&#8203;"), ("\\#", "#&#8203;")):
        escaped = escaped.replace(mark, shown)
    return escaped


def markdown(review: Review, most: int = MOST) -> str:
    """The whole review within so many characters: what does not fit is left out from the end, and said.

    Args:
        review: The review.
        most: The limit of the place where it is shown.
    """
    head = "\n".join(_head(review))
    if review.verdict == "safe" and not review.gates:
        return f"{head}\n"
    parts = [head, *(part for part in _parts(review) if part)]
    text, left = parts[0][: most - _ROOM], 0
    for part in parts[1:]:
        if len(text) + len(part) + 2 > most - _ROOM:
            left += 1
        else:
            text += f"\n\n{part}"
    if left:
        text += f"\n\n_{left} parts did not fit: the JSON and HTML of this review have them._"
    return f"{text}\n"


def _head(review: Review) -> Iterator[str]:
    for gate in review.gates:
        yield f"**❌ gate {plain(gate.gate)} failed:** {plain(gate.text)}\n"
    yield f"### {_SIGNS[review.verdict]} {plain(_short(review.headline, 600))}"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _parts(review: Review) -> Iterator[str]:
    yield _summary(review)
    yield _reasons(review.reasons)
    yield _drawn(topology(review.fleet))
    yield _folded("Machines", _machines(review))
    yield _folded("Money", _money(review))
    yield _folded("Batch runs", _runs(review))
    for title, reasons in (
        ("Exposure", review.exposure.changes),
        ("Service", review.service.changes),
        ("Safety nets", review.safety_nets),
        ("Models and weights", review.models),
        ("Other resources", review.others),
        ("Other changes", [*review.gone, *review.notes, *review.unknown]),
    ):
        yield _folded(title, _notes([reason for reason in reasons if reason.severity == "note"]))


def _summary(review: Review) -> str:
    money, service = review.money, review.service
    rows = [("service", service.effect + (f", {service.minutes}" if service.minutes else ""))]
    if money.lines:
        rows += _moves(money)
    if review.gpus.lines:
        gpus = f"{pair(review.gpus.before)} → {pair(review.gpus.after)}, at the peak {review.gpus.peak}"
        rows.append(("GPUs", gpus))
    if review.exposure.public:
        rows.append(("public afterwards", _few(review.exposure.public)))
    rows.append(("resources", ", ".join(f"{count} {operation}" for operation, count in review.counts.items())))
    return _table(("", ""), rows)


def _moves(money: Money) -> Iterator[tuple[str, str]]:
    """What a month and an hour cost before and after, and more than that at the peak."""
    ranges = (
        ("at the fewest replicas", money.before.min, money.after.min, money.difference.min, money.percent_min),
        ("at the most replicas", money.before.max, money.after.max, money.difference.max, money.percent_max),
    )
    one = (money.before.min, money.after.min) == (money.before.max, money.after.max)
    for title, was, now, change, percent in ranges[1:] if one else ranges:
        if was == now and not change.usd:
            amount = f"{now.text}, {now.hour_text} an hour: as before" if change.usd is not None else now.text
        else:
            sign = "+" if (change.usd or 0) > 0 else ""
            share = f", {percent:+,g} %" if percent else ""
            more = f" ({sign}{change.text}{share}); {was.hour_text} → {now.hour_text} an hour"
            amount = f"{was.text} → {now.text}{'' if change.text == 'unknown' else more}"
        yield ("a month" if one else f"a month, {title}", amount)
    if money.peak_minutes or money.peak.usd != max(money.before.max.usd or 0, money.after.max.usd or 0):
        minutes = f" for {money.peak_minutes}" if money.peak_minutes else ""
        yield ("peak of the change", f"{money.peak.hour_text} an hour{minutes}")


def _few(names: Sequence[str], most: int = 10) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head)]
    cells = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([*cells, *(f"| {' | '.join(map(plain, row))} |" for row in rows)])


def _reasons(reasons: Sequence[Reason]) -> str:
    found = []
    for reason in reasons:
        sign = _SIGNS["stop" if reason.severity == "stop" else "look"]
        found.append(f"- {sign} **{plain(_short(where(reason), 300))}**: {plain(reason.text)}")
        found += [f"  - {plain(_short(detail, 500))}" for detail in reason.details[:5]]
        if len(reason.details) > 5:
            found.append(f"  - and {len(reason.details) - 5} more")
    return _cut(found, 30_000)


def _cut(lines: Sequence[str], most: int) -> str:
    kept: list[str] = []
    size = 0
    for index, line in enumerate(lines):
        size += len(line) + 1
        if size > most:
            return "\n".join([*kept, f"- and {len(lines) - index} more lines"])
        kept.append(line)
    return "\n".join(kept)


def _folded(title: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    body = _cut(lines, 12_000)
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def _drawn(chart: str) -> str:
    """A chart, which GitHub and GitLab draw; a big one is folded."""
    if not chart:
        return ""
    fold = " open" if chart.count("\n") < 24 else ""
    return f"<details{fold}><summary>Topology</summary>\n\n```mermaid\n{chart}\n```\n\n</details>"


def _machines(review: Review) -> list[str]:
    def shape(was: tuple[int, int], now: tuple[int, int], peak: int) -> str:
        return f"{pair(was)} → {pair(now)}, at the peak {peak}"

    rows = [
        (
            line.region,
            line.machine,
            shape(line.machines_before, line.machines_after, line.machines_peak),
            f"{line.accelerator} {shape(line.before, line.after, line.peak)}" if line.accelerator else "none",
        )
        for line in review.gpus.lines
    ]
    return _table(("region", "machine", "machines", "GPUs"), rows).split("\n") if rows else []


def _money(review: Review) -> list[str]:
    money = review.money
    rows = [
        (
            line.resource,
            line.region,
            line.machine,
            f"{line.before} → {line.after}",
            line.each,
            line.basis,
        )
        for line in money.lines
    ]
    if not rows:
        return []
    table = _table(("deployment", "region", "machine", "replicas", "each, an hour", "price of"), rows)
    scope = "every resource of the stack" if money.whole else "the resources that change"
    said = f"Of {scope}, at 730 hours a month; prices of {money.prices}. Not in them: {', '.join(money.not_in)}."
    return [*table.split("\n"), "", plain(said)]


def _runs(review: Review) -> list[str]:
    return [
        f"- **{plain(run.resource)}**: {plain(run.runs_on)}, in {plain(run.region)}; "
        f"{plain(run.why)}; {plain(run.flow)}"
        for run in review.runs
    ]


def _notes(reasons: Sequence[Reason]) -> list[str]:
    return [f"- {plain(_short(where(reason), 300))}: {plain(reason.text)}" for reason in reasons]
