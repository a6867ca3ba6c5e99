"""What a change may do whose value nobody can see: it is hidden, or known only after up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel

from mg_provider.resources.model.marks import InPlace, Replaces
from mg_provider.resources.model.meaning import (
    Content,
    Costs,
    Exposure,
    HeldByClients,
    Leads,
    SafetyNet,
    Service,
    Strategy,
    Traffic,
)
from mg_provider.review.judging.findings import GATES, Finding, about
from mg_provider.review.reading.compare import Change, Subject
from mg_provider.review.reading.kinds import compared, parts
from mg_provider.review.reading.values import hides, name

_GATES: Final[tuple[tuple[type[object], tuple[str, ...]], ...]] = (
    (Exposure, ("exposure",)),
    (Leads, ("exposure", "downtime")),
    (HeldByClients, ("address-change",)),
    (Replaces, ("address-change",)),
    (SafetyNet, ("safety-net",)),
    (Strategy, ("unprobed", "downtime")),
    (Content, ("weights",)),
    (Traffic, ("traffic", "downtime")),
    (Service, ("change",)),
)
_MADE: Final = ("exposure", "safety-net", "unprobed", "cost")


def may_fail(subject: Subject, change: Change) -> tuple[str, ...]:
    """The gates that an argument's marks name, for a value that nobody can see; the most important first."""
    found = {gate for mark in change.marks for gate in _of_mark(mark)}
    for field, inner in parts(subject.kind.args):
        if field == change.field and _is_unseen_part(change.new):
            marks = (mark for _, on, _ in compared(inner) for mark in on)
            found |= {"traffic", "downtime", *(gate for mark in marks for gate in _of_mark(mark))}
    if subject.kind.runs:
        found.discard("address-change")
    return tuple(gate for gate in GATES if gate in found)


def _of_mark(mark: Any) -> Iterator[str]:
    for kind, gates in _GATES:
        if isinstance(mark, kind):
            yield from gates
    if isinstance(mark, InPlace) and mark.replaces_if is not None:
        yield "address-change"
    if isinstance(mark, Service) and mark.gap:
        yield "downtime"
    if isinstance(mark, Costs):
        yield from {"off": ("downtime",), "machine": ("cost",)}.get(mark.part, ("cost", "capacity"))


def _is_unseen_part(value: Any) -> bool:
    """Whether nobody can see some of the named deployments as a whole."""
    return not isinstance(value, Mapping) or any(not isinstance(entry, Mapping) for entry in value.values())


def veiled(subject: Subject) -> Iterator[Finding]:
    """What hidden values may do; what answers is said with the models."""
    if subject.goes or subject.op == "read":
        return
    if subject.is_new:
        yield from _made(subject, subject.kind.args, subject.new, "")
    for change in subject.changes:
        yield from _changed(subject, change, "")
    for entry, inner, old, new in subject.entries():
        label = f"{subject.label}: {name(entry)}"
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            for change in subject.changes_in(entry, inner, old, new):
                yield from _changed(subject, change, label)
        elif isinstance(new, Mapping):
            yield from _made(subject, inner, new, label)


def _changed(subject: Subject, change: Change, label: str) -> Iterator[Finding]:
    is_part = not label and change.field in dict(parts(subject.kind.args))
    is_shown = is_part and not _is_unseen_part(change.new)
    is_late = bool(label) and change.is_unknown
    if is_shown or not (change.is_hidden or is_late) or change.mark(Content) is not None:
        return
    if gates := may_fail(subject, change):
        inner = ", ".join(name(hidden) for hidden in change.hidden if hidden != change.field)
        what = f"{name(change.field)}: {inner}" if inner else name(change.field)
        yield _finding(
            subject, gates, f"{what} changes, and is {'known only after up' if is_late else 'hidden'}", label
        )


def _made(subject: Subject, model: type[BaseModel], values: Mapping[str, Any], label: str) -> Iterator[Finding]:
    for field, marks, _ in compared(model):
        value = values.get(field)
        if hides(value) and (not isinstance(value, Mapping) or field not in dict(parts(model))):
            gates = tuple(gate for gate in may_fail(subject, Change(field, None, value, marks)) if gate in _MADE)
            if gates:
                yield _finding(subject, gates, f"new, and {name(field)} is hidden", label)


def _finding(subject: Subject, gates: tuple[str, ...], what: str, label: str) -> Finding:
    text = f"{what}: it may be that {', or '.join(GATES[gate] for gate in gates)}"
    return about(subject, gates[0], "look", "unknown", text, also=gates[1:], label=label)
