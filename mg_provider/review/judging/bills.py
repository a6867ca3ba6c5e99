"""What a change costs, as the approver reads it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from mg_provider.preflight.machines.machine import choices
from mg_provider.prices import Amount, Prices, is_in_catalogue
from mg_provider.resources.model.meaning import Costs
from mg_provider.review.judging.findings import Finding, about
from mg_provider.review.machines.costs import Bill, gpus_of, money_of
from mg_provider.review.machines.deployments import OR, Replicas, Turn, span
from mg_provider.review.model import Gpus
from mg_provider.review.reading.values import show


def bills(turns: list[Turn], runs: list[Turn], prices: Prices, renamed: Collection[int] = ()) -> Iterator[Finding]:
    """What is made, what moves to other machines, and what all of it comes to.

    Args:
        turns: Deployments.
        runs: Batch runs that are started.
        prices: The table.
        renamed: The ids of the turns that only take over what another resource ran.
    """
    bill = Bill(prices)
    for turn in turns:
        yield from _made(turn, bill, "change" if id(turn) in renamed else "cost")
        yield from _moved(turn, bill)
    yield from _sum(turns, prices)
    for turn in [*(turn for turn in turns if turn.changes_bill or turn.rolls_out), *runs]:
        yield from _unknown(turn, bill)


def _made(turn: Turn, bill: Bill, gate: str) -> Iterator[Finding]:
    if turn.before is not None and turn.after is None and not turn.subject.goes:
        gives = f"undeployed: gives back {turn.before.text()}{_gpus(turn.before)}"
        yield about(turn.subject, "change", "note", "service", gives, label=turn.label)
    if turn.before is not None or turn.after is None or not turn.after.most or turn.subject.op == "import":
        return
    low, high, _ = bill.machine(turn.after, turn.subject.region)
    text = f"new, on {turn.after.text()}{_gpus(turn.after)}, {_each(low, high)}"
    yield about(turn.subject, gate, "look", "money", text, label=turn.label)


def _moved(turn: Turn, bill: Bill) -> Iterator[Finding]:
    before, after = turn.before, turn.after
    if before is None or after is None or not (before.most and after.most):
        return
    if before.machines == after.machines:
        yield from _other_choices(turn)
        return
    was = bill.machine(before, turn.region_before)[1]
    now = bill.machine(after, turn.subject.region)[1]
    dearer = not (was.known and now.known) or (now.usd or 0) > (was.usd or 0)
    text = (
        f"other machines: {before.label}{_gpus(before)} → {after.label}{_gpus(after)}, "
        f"{was.text()} → {now.text()} an hour each"
    )
    detail = "whether the region has such machines is not known here" if after.gpus else ""
    yield about(turn.subject, "cost" if dearer else "change", "look", "money", text, label=turn.label, detail=detail)


def _other_choices(turn: Turn) -> Iterator[Finding]:
    """Machines that count from the next deployment on: this one stays where it is."""
    for change in turn.changes:
        mark = change.mark(Costs)
        if mark is not None and mark.part == "machine" and not turn.subject.is_replaced:
            machines = " or ".join(
                show(choice.get("machine_type")) for choice in choices(change.new) if isinstance(choice, Mapping)
            )
            others = machines or "what Google recommends"
            text = f"stays on its machine; from the next deployment on it may run on {others}"
            yield about(turn.subject, "cost", "look", "money", text, label=turn.label)


def _gpus(deployment: Replicas) -> str:
    return f" ({deployment.gpus} {deployment.accelerator})" if deployment.gpus else ""


def _sum(turns: list[Turn], prices: Prices) -> Iterator[Finding]:
    labels = {turn.subject.label for turn in turns if turn.changes_bill}
    named = [turn for turn in turns if turn.subject.label in labels]
    money, gpus, label = money_of(named, [], prices, whole=False), gpus_of(named, []), ", ".join(sorted(labels))
    difference = (money.difference.min, money.difference.max)
    unknown = any(part.usd is None for part in difference) and any(turn.may_cost_more for turn in named)
    more = any(part.usd is not None and round(part.usd, 4) > 0 for part in difference)
    if label and (more or unknown):
        low, high = (money.before.min, money.after.min), (money.before.max, money.after.max)
        text = f"costs {low[0].text} → {low[1].text} a month"
        if low != high:
            text += f" at the fewest replicas, {high[0].text} → {high[1].text} at the most"
        if gpus.before != gpus.after:
            text += (
                f"; GPUs {span(*gpus.before)} → {f'at least {gpus.after[0]}' if gpus.unknown else span(*gpus.after)}"
            )
        yield Finding("cost", "look", "money", label, text, detail=_quota(gpus), follows=True)


def _quota(gpus: Gpus) -> str:
    """The quota that the peak of the change needs, where it is more than what runs before."""
    needed: dict[tuple[str, str], list[int]] = {}
    for line in gpus.lines:
        if line.accelerator:
            sums = needed.setdefault((line.region, line.accelerator), [0, 0])
            sums[0], sums[1] = sums[0] + line.before[1], sums[1] + line.peak
    texts = [
        f"{now} {kind} in {region} (until now {_used(region, kind, needed)})"
        for (region, kind), (was, now) in needed.items()
        if now > was
    ]
    return f"needs quota for {', '.join(texts)}" if texts else ""


def _used(region: str, kind: str, needed: Mapping[tuple[str, str], list[int]]) -> str:
    """How many run before; of several kinds that it may be, those of each."""
    kinds = [each for each in kind.split(OR) if each != kind and (region, each) in needed]
    return " and ".join(f"{needed[region, each][0]} {each}" for each in kinds) or str(needed[region, kind][0])


def _unknown(turn: Turn, bill: Bill) -> Iterator[Finding]:
    if turn.after is None or not turn.after.most or bill.machine(turn.after, turn.subject.region)[1].known:
        return
    kind = "" if turn.after.usage == "on demand" else f" as {turn.after.usage}"
    text = f"no price is known for {turn.after.label}{kind} there: the sums lack it. {_advice(turn.after)}"
    yield about(turn.subject, "unknown-price", "look", "money", text)


def _advice(deployment: Replicas) -> str:
    """How the price gets known."""
    if not deployment.machines or not deployment.is_known:
        return "Name the machine in machine_spec"
    own = "give your own with --prices FILE"
    if any(is_in_catalogue(machine.type, deployment.usage) for machine in deployment.machines):
        return f"Take Google's with `mg prices --refresh`, or {own}"
    return f"Google publishes none that mg reads: {own}"


def _each(low: Amount, high: Amount) -> str:
    """What one machine costs; of several choices, from the cheapest to the dearest."""
    prices = dict.fromkeys((low.text(), high.text()))
    return "price unknown" if high.usd is None else f"{' to '.join(prices)} an hour each"
