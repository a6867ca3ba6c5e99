"""What no other part of a review says: changes without a meaning of their own, and what is known only after up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mg_provider.resources.model.marks import Computed, InPlace, Local, Mark, Replaces, RollsOut, marked
from mg_provider.resources.model.meaning import (
    Content,
    Costs,
    Exposure,
    Flow,
    HeldByClients,
    SafetyNet,
    Service,
    Traffic,
)
from mg_provider.review.judging.findings import GATES, Finding, about
from mg_provider.review.judging.veiled import may_fail
from mg_provider.review.reading.compare import Change, Subject
from mg_provider.review.reading.kinds import compared, parts
from mg_provider.review.reading.values import difference, is_unknown, name

_REPORTED = (Content, Costs, Exposure, HeldByClients, SafetyNet, Service, Traffic)
_ANSWERED_BY = (Content, Costs, Exposure, Flow)


def rest(subject: Subject) -> Iterator[Finding]:
    """The other changes of a resource."""
    if subject.op in ("same", "read"):
        return
    if subject.op == "import":
        yield about(subject, "change", "look", "changes", "imported: it is taken over unchanged")
    if subject.op == "update" and subject.new.get("owner") and not subject.old.get("owner"):
        text = "was imported: gets this stack's labels, and is this stack's to change and delete from then on"
        yield about(subject, "change", "look", "changes", text)
    if subject.op == "create" and not subject.kind.runs and not marked_machines(subject):
        yield about(subject, "change", "note", "changes", "new")
    yield from _unknown(subject)
    if subject.odd:
        odd = ", ".join(map(name, subject.odd))
        yield about(subject, "unknown", "look", "changes", f"holds what this version of mg does not understand: {odd}")
    entries = {field for field, _ in parts(subject.kind.args)}
    for change in subject.changes:
        if change.is_unknown or change.field in entries or (subject.is_replaced and change.replaces):
            continue
        is_said = change.is_hidden and may_fail(subject, change)
        if not is_said and not any(isinstance(mark, _REPORTED) for mark in change.marks):
            yield from _plainly(subject, change)


def marked_machines(subject: Subject) -> bool:
    """Whether machines run for it."""
    return bool(marked(subject.kind.args, Costs) or any(inner for _, inner in parts(subject.kind.args)))


def _plainly(subject: Subject, change: Change) -> Iterator[Finding]:
    effect = change.mark(Mark)
    field = name(change.field)
    how = f"{field} changes"
    if not change.is_secret:
        how = "; ".join(difference(change.old, change.new, change.field)) or how
    if change.hidden:
        how = ", ".join(f"{field}: {name(hidden)} changes (hidden)" for hidden in change.hidden)
    if effect is None:
        text = f"an argument that this version of mg does not know: {how}"
        yield about(subject, "unknown", "look", "changes", text)
    elif isinstance(effect, RollsOut):
        if change.mark(Computed) is None:
            yield about(subject, "change", "look", "changes", f"{how}; {effect.reason}")
        elif not (subject.is_replaced or _has_a_cause(subject)):
            text = f"another deployment, although nothing that the preview shows asks for it: {field} changes"
            yield about(subject, "weights", "look", "models", text, detail=how)
    elif isinstance(effect, InPlace | Local):
        yield about(subject, "change", "note", "changes", how)
    elif not subject.kind.runs:
        yield about(subject, "change", "look", "changes", how)


def _unknown_of_new(subject: Subject) -> Iterator[str]:
    """What matters of a resource that is made, and that nobody can say yet."""
    if not subject.is_new:
        return
    made = [("", subject.kind.args, subject.new)]
    made += [(f"{name(entry)}: ", inner, new) for entry, inner, _, new in subject.entries() if isinstance(new, Mapping)]
    for label, model, values in made:
        for field, marks, _ in compared(model):
            if is_unknown(values.get(field)) and any(isinstance(mark, _ANSWERED_BY) for mark in marks):
                yield f"{label}{field}"


def _has_a_cause(subject: Subject) -> bool:
    """Whether something that the program says makes another deployment."""
    return any(change.rolls_out and change.mark(Computed) is None for change in subject.changes)


def _unknown(subject: Subject) -> Iterator[Finding]:
    if names := ", ".join(_unknown_of_new(subject)):
        yield about(subject, "unknown", "look", "unknown", f"known only after up: {names}")
    found = [change for change in subject.changes if change.is_unknown and change.marks]
    gates = {change.field: {*may_fail(subject, change)} - {"change"} for change in found}
    grave = [change for change in found if gates[change.field] or change.mark(Flow) is not None]
    if grave:
        also = tuple(gate for gate in GATES if any(gate in gates[change.field] - {"weights"} for change in grave))
        names = ", ".join(name(change.field) for change in grave)
        opens = any((mark := change.mark(Exposure)) is not None and mark.open for change in grave)
        names += "; whether it is public is not known" if opens else ""
        may = "; it may be replaced" if any(change.mark(Replaces) for change in grave) else ""
        yield about(subject, "unknown", "look", "unknown", f"known only after up: {names}{may}", also=also)
    if quiet := [change for change in found if change not in grave]:
        names = ", ".join(name(change.field) for change in quiet)
        yield about(subject, "unknown", "note", "unknown", f"known only after up: {names}")
