"""What clients notice: whether it serves, with how much, and whether what comes is tried before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mg_provider.resources.model.marks import marked
from mg_provider.resources.model.meaning import Service, Traffic
from mg_provider.review.judging.exposure import is_public
from mg_provider.review.judging.findings import Finding, about
from mg_provider.review.judging.traffic import shares
from mg_provider.review.machines.costs import MINUTES
from mg_provider.review.machines.deployments import Turn, is_off
from mg_provider.review.model import Effect, Reason
from mg_provider.review.reading.compare import Change, Subject
from mg_provider.review.reading.values import difference, is_unseen, name

_PARKED: Final = "parked:"


def service(subject: Subject, turns: list[Turn], saved: str, beside: str) -> Iterator[Finding]:
    """What a change of a resource does to those who call it.

    Args:
        subject: The resource.
        turns: Its deployments.
        saved: What it costs before, in words.
        beside: What else serves its Model, in words.
    """
    if subject.kind.runs or subject.goes:
        return
    yield from _parking(subject, turns, saved, beside)
    for turn in turns:
        yield from _added(turn, turns)
        yield from _rollout(turn, turns)
        yield from _capacity(turn)
    yield from _emptied(subject, turns)
    yield from _settings(subject)


def _parking(subject: Subject, turns: list[Turn], saved: str, beside: str) -> Iterator[Finding]:
    was, now = is_off(subject)
    if now and not was and not subject.is_new:
        text = f"{_PARKED} NOTHING SERVES on it until it is resumed; id, address and Model stay; saves {saved}"
        yield about(subject, "downtime", "stop", "service", text, detail=beside)
    elif now and subject.is_new:
        yield about(subject, "downtime", "look", "service", "new, and parked: nothing serves on it")
    elif was and not now:
        starts = ", ".join(turn.after.text() for turn in turns if turn.after is not None)
        yield about(subject, "cost", "look", "service", f"resumed: serves after {MINUTES}, on {starts}")


def _added(turn: Turn, turns: list[Turn]) -> Iterator[Finding]:
    """A new name beside others: it takes no other deployment's place, so that it is not probed."""
    if turn.before is not None or turn.after is None or not turn.after.most or not any(each.before for each in turns):
        return
    if share := _share(turn):
        text = f"a new name gets {share} % of the traffic at once, UNPROBED: it takes the place of no deployment"
        yield about(turn.subject, "unprobed", "look", "service", text, label=turn.label)


def _rollout(turn: Turn, turns: list[Turn]) -> Iterator[Finding]:
    if not turn.rolls_out:
        return
    subject, strategy = turn.subject, turn.strategy
    others = [other for other in turns if other is not turn and other.after is not None and _share(other)]
    if strategy.strategy == "rolling" and strategy.max_unavailable_percentage == 100 and not others:
        text = f"NOTHING SERVES for {MINUTES}: the rollout may take down every replica at once"
        yield about(subject, "downtime", "stop", "service", text, label=turn.label)
    elif strategy.strategy == "recreate" and not others:
        text = f"NOTHING SERVES for {MINUTES}: strategy recreate undeploys the old deployment before the new one is up"
        yield about(subject, "downtime", "stop", "service", text, label=turn.label)
    elif strategy.strategy == "recreate":
        text = f"less capacity for {MINUTES}: strategy recreate undeploys first, and the other names answer its share"
        yield about(subject, "capacity", "look", "service", text, label=turn.label)
    elif strategy.strategy == "rolling" and (strategy.max_unavailable_replicas or strategy.max_unavailable_percentage):
        missing = strategy.max_unavailable_replicas or f"{strategy.max_unavailable_percentage} % of the"
        text = f"less capacity during the rollout: {missing} replicas may be missing"
        yield about(subject, "capacity", "look", "service", text, label=turn.label)
    else:
        held = [strategy.hold] if turn.is_held and strategy.hold else []
        reached = [step for step in strategy.steps if not held or step < held[0]]
        steps = ", ".join(f"{step} %" for step in [*reached, *held])
        way = "replica by replica" if strategy.strategy == "rolling" else f"beside the old one, then traffic at {steps}"
        text = f"a new deployment comes {way}; {MINUTES}, both run meanwhile"
        yield about(subject, "change", "note", "service", text, label=turn.label)
    if turn.is_held:
        text = f"held at {strategy.hold} %: both deployments run and are paid until rollout.hold is removed"
        yield about(subject, "cost", "look", "service", text, label=turn.label)
    yield from _probing(turn)


def _share(turn: Turn) -> int:
    return shares(turn.subject, turn.subject.new).get(turn.name, 0) if turn.name else 100


def _probing(turn: Turn) -> Iterator[Finding]:
    subject, strategy = turn.subject, turn.strategy
    if strategy.probing is None:
        text = "the new deployment gets its traffic UNPROBED: the rollout has no probe"
    elif strategy.strategy != "rolling" and is_public(subject, subject.new) is False and not strategy.probing.address:
        text = "the new deployment gets its traffic UNPROBED: the endpoint is private, and rollout.probe has no address"
    elif not turn.planned:
        share = f"{_share(turn)} % of the traffic goes" if turn.name else "the traffic goes"
        text = f"{share} to a new deployment, and the preview has no plan of steps or probes: take it as UNPROBED"
    else:
        return
    yield about(subject, "unprobed", "look", "service", text, label=turn.label)


def _capacity(turn: Turn) -> Iterator[Finding]:
    before, after = turn.before, turn.after
    if before is None or after is None or turn.subject.is_replaced or not (before.most and after.most):
        return
    if after.has_fewer(before):
        text = f"less capacity: {before.span} → {after.span} replicas"
        if not after.fewest:
            text += "; with none left when idle, requests are refused with 429 while it wakes, and after 30 idle days "
            text += "Google undeploys it"
        yield about(turn.subject, "capacity", "look", "service", text, label=turn.label)
    if after.usage == "spot" and before.usage != "spot":
        text = "moves to Spot machines: cheaper, and Google may take them away at any time"
        yield about(turn.subject, "capacity", "look", "service", text, label=turn.label)
    elif after.usage == "flex start" != before.usage:
        text = (
            f"machines come by flex start instead of {before.usage}: it waits in a queue for them, and they are taken "
            "down after at most seven days"
        )
        yield about(turn.subject, "capacity", "look", "service", text, label=turn.label)
    elif after.usage != before.usage:
        text = f"machines are on demand instead of {before.usage}: Google does not take them away"
        yield about(turn.subject, "change", "note", "service", text, label=turn.label)


def _emptied(subject: Subject, turns: list[Turn]) -> Iterator[Finding]:
    """All that served is undeployed, although nothing is parked."""
    before = [turn for turn in turns if turn.before is not None]
    after = [turn for turn in turns if turn.after is not None]
    if before and not after and not subject.is_replaced:
        yield about(subject, "downtime", "stop", "service", "NOTHING SERVES on it: every model is undeployed")
    split = [subject.new.get(field) for field, _ in marked(subject.kind.args, Traffic)]
    if not split or not after or any(map(is_unseen, split)) or is_off(subject)[1]:
        return
    if any(shares(subject, subject.old).values()) and not any(shares(subject, subject.new).values()):
        yield about(subject, "downtime", "stop", "service", "NOTHING SERVES on it: no name gets any of the traffic")


def _settings(subject: Subject) -> Iterator[Finding]:
    found: list[tuple[Change, Service, str]] = [(change, mark, "") for change, mark in subject.changed(Service)]
    found += [
        (change, mark, f"{subject.label}: {name(entry)}") for entry, change, mark in subject.changed_inside(Service)
    ]
    for change, mark, label in found:
        how = "known only after up" if change.is_unknown else "; ".join(difference(change.old, change.new))
        if mark.gap:
            text = f"{mark.what} changes: {mark.gap}"
            yield about(subject, "downtime", "look", "service", text, label=label, detail=how)
        elif not subject.is_replaced:
            yield about(subject, "change", "look", "service", f"{mark.what}: {how}", label=label)


def _how_long(texts: list[str]) -> str:
    if all(MINUTES in text for text in texts):
        return MINUTES
    if all(text.startswith(_PARKED) for text in texts):
        return "until it is resumed"
    return "until clients have another address, or it serves again"


def effect_of(reasons: list[Reason]) -> tuple[Effect, str]:
    """The worst that clients notice, and for how long."""
    # A safety net that is weaker changes nothing until the next rollout.
    reasons = [reason for reason in reasons if reason.section != "safety nets"]
    gates = {(gate, reason.severity) for reason in reasons for gate in (reason.gate, *reason.also)}
    if ("downtime", "stop") in gates:
        return "NOTHING SERVES", _how_long(
            [reason.text for reason in reasons if "downtime" in (reason.gate, *reason.also)]
        )
    if ("address-change", "stop") in gates:
        return "interrupted", "until clients use the new name"
    if ("downtime", "look") in gates:
        return "interrupted", "seconds" if _is_seen("downtime", reasons) else "nobody knows for how long"
    if ("capacity", "look") in gates:
        return "less capacity", "" if _is_seen("capacity", reasons) else "if at all: nobody knows before up"
    return "none", ""


def _is_seen(gate: str, reasons: list[Reason]) -> bool:
    """Whether more than what is known only after up, or hidden, fails a gate."""
    return any(gate in (reason.gate, *reason.also) for reason in reasons if reason.section != "unknown")
