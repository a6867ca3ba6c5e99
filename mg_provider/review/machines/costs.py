"""Money and machines: before, after, and at the peak while the change is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mg_provider.prices import HOURS_A_MONTH, NOT_IN, Amount, Prices
from mg_provider.review.machines.deployments import CHOSEN_BY_GOOGLE, Replicas, Turn
from mg_provider.review.model import CostLine, Gpus, MachineCount, Money, Range, Sum

MINUTES = "10 to 60 minutes"
"""How long a deployment takes to serve."""


def sum_of(amount: Amount) -> Sum:
    """An amount, as the review writes it."""
    month = None if amount.usd is None else round(amount.usd * HOURS_A_MONTH, 2)
    usd = None if amount.usd is None else round(amount.usd, 4)
    return Sum(usd=usd, at_least=amount.at_least, month=month, text=amount.text(HOURS_A_MONTH), hour_text=amount.text())


@dataclass(frozen=True)
class Basis:
    """What a price rests on: date, and source."""

    text: str
    source: str = ""


@dataclass
class Bill:
    """Adds up what deployments cost.

    Attributes:
        prices: The table.
    """

    prices: Prices
    unknown: dict[str, None] = field(default_factory=dict)
    found: dict[tuple[object, ...], tuple[Amount, Amount, Basis]] = field(default_factory=dict)

    def machine(self, deployment: Replicas, region: str) -> tuple[Amount, Amount, Basis]:
        """The cheapest and the dearest of its choices, an hour, and what that rests on."""
        key = (deployment.machines, deployment.usage, deployment.is_known, region)
        if key not in self.found:
            self.found[key] = self._machine(deployment, region)
        return self.found[key]

    def _machine(self, deployment: Replicas, region: str) -> tuple[Amount, Amount, Basis]:
        found = [
            (each, self.prices.hour(each.type, region, deployment.usage, each.accelerator, each.count, each.nodes))
            for each in deployment.machines
        ]
        known = [price for _, price in found if price is not None]
        if not found or not deployment.is_known:
            why = "known after up" if found else "unknown: Google chooses the machine"
            return Amount(None), Amount(None), Basis(why)
        for machine, price in found:
            if price is None:
                kind = "" if deployment.usage == "on demand" else f" as {deployment.usage}"
                self.unknown[f"{machine.type} in {region or 'an unknown region'}{kind}"] = None
        if not known:
            return Amount(None), Amount(None), Basis("unknown: no price in the table")
        low, high = min(known, key=lambda price: price.usd), max(known, key=lambda price: price.usd)
        partly = len(known) < len(found)
        basis = f"{high.as_of or 'undated'}{', derived' if high.derived else ''}"
        return Amount(low.usd, partly), Amount(high.usd, partly), Basis(basis, high.source)

    def of(self, deployment: Replicas | None, region: str) -> tuple[Amount, Amount]:
        """An hour at the fewest and at the most replicas."""
        if deployment is None:
            return Amount(), Amount()
        low, high, _ = self.machine(deployment, region)
        return times(low, *deployment.replicas(0)), times(high, *deployment.replicas(1))


def times(price: Amount, count: int, is_known: bool) -> Amount:
    """What so many replicas cost; at least that where there may be more."""
    amount = price.times(count)
    return amount if is_known else Amount(amount.usd, True)


def money_of(turns: list[Turn], runs: list[Turn], prices: Prices, *, whole: bool) -> Money:
    """What the deployments cost before and after, and with the runs at the peak."""
    bill = Bill(prices)
    zero = Amount()
    before, after = [zero, zero], [zero, zero]
    change: list[Amount | None] = [zero, zero]
    peak, lines = zero, []
    for turn in turns:
        was = bill.of(turn.before, turn.region_before)
        now = bill.of(turn.after, turn.subject.region)
        if turn.is_held:
            now = (was[0] + now[0], was[1] + now[1])
        for at in (0, 1):
            before[at], after[at] = before[at] + was[at], after[at] + now[at]
            more, so_far = _difference(turn, was[at], now[at], at), change[at]
            change[at] = None if more is None or so_far is None else so_far + more
        peak = peak + _peak(turn, bill)
        lines.append(_line(turn, bill))
    for run in runs:
        peak = peak + bill.of(run.after, run.subject.region)[1]
    differences = [Amount(None) if entry is None else entry for entry in change]
    moving = any(turn.run_at_once and len(turn.sides) > 1 for turn in turns)
    return Money(
        before=_range(before),
        after=_range(after),
        difference=_range(differences),
        percent_min=_percent(before[0], differences[0]),
        percent_max=_percent(before[1], differences[1]),
        peak=sum_of(peak),
        peak_minutes=MINUTES if moving else "",
        lines=sorted(
            filter(None, lines), key=lambda line: (not line.changes, line.resource, line.region, line.machine)
        ),
        unknown=sorted(bill.unknown),
        prices=f"{prices.as_of}, {prices.source}",
        not_in=list(NOT_IN),
        whole=whole,
    )


def _difference(turn: Turn, was: Amount, now: Amount, at: int) -> Amount | None:
    """What a deployment costs more; nothing where the same unknown runs before and after, None where nobody can say."""
    before, after = turn.before, turn.after
    if before and after and not turn.is_held and (before.machines, before.usage) == (after.machines, after.usage):
        same_place = turn.region_before == turn.subject.region
        if same_place and before.replicas(at) == after.replicas(at):
            return Amount()
    if not was.known or (was.usd and not now.known):
        return None
    return Amount(None) if now.usd is None else Amount(now.usd - (was.usd or 0), now.at_least)


def _peak(turn: Turn, bill: Bill) -> Amount:
    """What runs at once while the change is made; of one after the other, the dearer."""
    found = [bill.of(entry, region)[1] for entry, region in turn.sides]
    known = [amount.usd for amount in found if amount.usd is not None]
    if turn.run_at_once or not known:
        return sum(found, start=Amount())
    return Amount(max(known), not all(amount.known for amount in found))


def _line(turn: Turn, bill: Bill) -> CostLine | None:
    shown = turn.after or turn.before
    if shown is None:
        return None
    region = turn.subject.region
    low, high, basis = bill.machine(shown, region)
    was = "0" if turn.before is None else turn.before.span
    now = "0" if turn.after is None else turn.after.span
    label = shown.label
    if turn.before and turn.after and turn.before.machines != turn.after.machines:
        label = f"{turn.before.label} → {turn.after.label}"
    return CostLine(
        resource=turn.label,
        region=region,
        machine=label,
        kind=shown.usage,
        before=was,
        after=now,
        machine_hour=sum_of(high),
        machine_hour_least=sum_of(low),
        basis=basis.text,
        source=basis.source,
        changes=turn.changes_bill or turn.rolls_out,
    )


def _range(pair: Iterable[Amount]) -> Range:
    low, high = pair
    return Range(min=sum_of(low), max=sum_of(high))


def _percent(before: Amount, change: Amount) -> float | None:
    if not before.known or not before.usd or not change.known or change.usd is None:
        return None
    return round(100 * change.usd / before.usd, 1)


@dataclass
class _Count:
    machines_before: list[int] = field(default_factory=lambda: [0, 0])
    machines_after: list[int] = field(default_factory=lambda: [0, 0])
    machines_peak: int = 0
    before: list[int] = field(default_factory=lambda: [0, 0])
    after: list[int] = field(default_factory=lambda: [0, 0])
    peak: int = 0


def gpus_of(turns: list[Turn], runs: list[Turn]) -> Gpus:
    """Machines and accelerators by type and region."""
    counts: dict[tuple[str, str, str], _Count] = {}
    unknown: dict[str, None] = {}
    most: list[int] = []

    def count(deployment: Replicas, region: str, label: str) -> _Count:
        if not deployment.machines and deployment.most:
            unknown[f"{label}: {CHOSEN_BY_GOOGLE}"] = None
        if not all(deployment.counted):
            unknown[f"{label}: a number of replicas that is not known before up"] = None
        return counts.setdefault((region, deployment.accelerator, deployment.label), _Count())

    for turn in turns:
        for deployment, region in turn.sides:
            entry, is_after = count(deployment, region, turn.label), deployment is turn.after
            for at, replicas in enumerate((deployment.fewest, deployment.most)):
                if is_after or turn.is_held:
                    entry.machines_after[at] += replicas
                    entry.after[at] += replicas * deployment.gpus
                if not is_after:
                    entry.machines_before[at] += replicas
                    entry.before[at] += replicas * deployment.gpus
        found = [(count(*side, turn.label), side[0]) for side in turn.sides]
        most.append(_at_peak(found, at_once=turn.run_at_once))
    for run in runs:
        if run.after is not None:
            most.append(_at_peak([(count(run.after, run.subject.region, run.label), run.after)], at_once=True))
    lines = [_count_line(key, entry) for key, entry in sorted(counts.items())]
    return Gpus(
        before=(sum(line.before[0] for line in lines), sum(line.before[1] for line in lines)),
        after=(sum(line.after[0] for line in lines), sum(line.after[1] for line in lines)),
        peak=sum(most),
        lines=[line for line in lines if line.machines_peak],
        unknown=sorted(unknown),
    )


def _at_peak(found: list[tuple[_Count, Replicas]], *, at_once: bool) -> int:
    """Count what runs at the peak, each on its own line. Returns the accelerators of all of them."""
    together: Callable[[list[int]], int] = sum if at_once else max
    for entry in {id(entry): entry for entry, _ in found}.values():
        here = [deployment for other, deployment in found if other is entry]
        entry.machines_peak += together([deployment.most for deployment in here])
        entry.peak += together([deployment.most * deployment.gpus for deployment in here])
    return together([deployment.most * deployment.gpus for _, deployment in found] or [0])


def _count_line(key: tuple[str, str, str], entry: _Count) -> MachineCount:
    region, accelerator, machine = key
    return MachineCount(
        region=region,
        machine=machine,
        accelerator=accelerator,
        machines_before=(entry.machines_before[0], entry.machines_before[1]),
        machines_after=(entry.machines_after[0], entry.machines_after[1]),
        machines_peak=entry.machines_peak,
        before=(entry.before[0], entry.before[1]),
        after=(entry.after[0], entry.after[1]),
        peak=entry.peak,
    )
