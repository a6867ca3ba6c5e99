"""What goes, or gets another address: deleted, replaced, renamed; with what clients lose by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mg_provider.api.texts import cut
from mg_provider.resources.model.marks import Computed, Derived, Replaces, marked
from mg_provider.resources.model.meaning import Content, Costs, HeldByClients, Inner, SafetyNet
from mg_provider.review.judging.findings import Finding, about
from mg_provider.review.judging.traffic import shares
from mg_provider.review.machines.deployments import is_off
from mg_provider.review.model import Severity
from mg_provider.review.reading.compare import Subject
from mg_provider.review.reading.kinds import derived, marks_on, value_of
from mg_provider.review.reading.values import difference, is_unknown, name, show

_MOST_OF_A_URN: Final = 1000


def lost(subject: Subject) -> list[tuple[str, str]]:
    """What clients may have of it: what it is called, and the value."""
    kind = subject.kind
    fields = [*marked(kind.args, HeldByClients), *marked(kind.state, HeldByClients)]
    found = {mark.what: show(subject.outputs[field]) for field, mark in fields if subject.outputs.get(field)}
    return list(found.items())


def deletions(subject: Subject, beside: str = "") -> Iterator[Finding]:
    """What a deletion does.

    Args:
        subject: The resource.
        beside: What else serves its Model, in words.
    """
    if subject.kind.runs:
        yield from _record(subject)
        return
    side = subject.step.old
    if side is not None and side.retain:
        text = "leaves the stack and stays in the cloud (retain on delete): it goes on serving, and being paid"
        yield about(subject, "unprotected-delete", "look", "gone", text)
        return
    if not subject.kind.is_held:
        yield about(subject, "unprotected-delete", "look", "gone", "deleted")
        return
    text = "deleted, and its address is lost: clients that call it get nothing"
    also = ("downtime", "address-change")
    if is_off(subject)[0]:
        text = "deleted while it is parked: nothing serves on it, and its address is lost"
        detail = "; ".join(filter(None, (_lost_text(subject), beside, "it is not protected")))
        yield about(subject, "unprotected-delete", "stop", "gone", text, also=("address-change",), detail=detail)
        return
    live = ", ".join(f"{name(entry)} {share} %" for entry, share in sorted(shares(subject, subject.old).items()))
    detail = "; ".join(filter(None, (_lost_text(subject), f"serves {live}" if live else "", "it is not protected")))
    yield about(subject, "unprotected-delete", "stop", "gone", text, also=also, detail=detail)


def _record(subject: Subject) -> Iterator[Finding]:
    deleted = [
        mark.what
        for field, mark in marked(subject.kind.args, SafetyNet)
        if not mark.on(value_of(subject.kind.args, subject.old, field))
        and mark.on(value_of(subject.kind.args, {}, field))
        and "output" in mark.what
    ]
    if deleted:
        yield about(subject, "safety-net", "look", "gone", "record of a run deleted, and its output with it")
    else:
        yield about(subject, "change", "note", "gone", "record of a run deleted; its output stays")


def _lost_text(subject: Subject) -> str:
    texts = [f"{what} {value}" for what, value in lost(subject)]
    return "lost: " + ", ".join(texts) if texts else ""


def causes(subject: Subject) -> list[str]:
    """The arguments that make another resource, each with what it was and is."""
    found = [change for change in subject.changes if change.replaces]
    follows = [change for change in found if change.mark(HeldByClients) or change.field in subject.kind.ids]
    chosen = [change for change in found if change not in follows] or found
    texts = []
    for change in chosen:
        cost = change.mark(Costs)
        if change.is_secret or change.is_unknown or cost is not None:
            texts.append(f"{name(change.field)} changes")
        elif isinstance(change.old or change.new, Mapping) and not (change.old and change.new):
            texts.append(f"{name(change.field)} is {'removed' if change.old else 'added'}")
        else:
            cause = change.cause
            texts += difference(cause.old, cause.new, cause.field)[:3]
    return texts or [f"{name(field)} changes" for field in subject.step.replaces[:3]] or ["the engine says so"]


def replacements(subject: Subject) -> Iterator[Finding]:
    """What a replacement does: its cause, and what clients lose."""
    why = "; ".join(causes(subject))
    if subject.kind.runs:
        return
    if not subject.kind.is_held:
        yield about(subject, "change", "look", "gone", f"replaced, because {why}")
        return
    text = f"replaced, because {why}: the old one is deleted, and its address is lost"
    order = "deleted before the new one is made" if subject.goes_first else "deleted once the new one is made"
    detail = "; ".join(filter(None, (_moved_text(subject), f"the old one is {order}")))
    yield about(subject, "address-change", "stop", "gone", text, also=("downtime", "unprotected-delete"), detail=detail)


def _moved_text(subject: Subject) -> str:
    texts = []
    kind = subject.kind
    for field, mark in (*marked(kind.args, HeldByClients), *marked(kind.state, HeldByClients)):
        was, now = subject.outputs.get(field), subject.new.get(field)
        if not was or was == now:
            continue
        texts.append(f"{mark.what} {show(was)} → {show(now) if now else 'another one'}")
    return "lost: " + ", ".join(texts) if texts else ""


def readdressed(subject: Subject) -> Iterator[Finding]:
    """Another name that clients have, on a resource that stays."""
    if subject.is_replaced:
        return
    for change, mark in subject.changed(HeldByClients):
        if change.is_unknown or not change.old:
            continue
        text = f"{mark.what} changes, so that requests with the old one fail"
        detail = f"{show(change.old)} → {show(change.new)}"
        yield about(subject, "address-change", "stop", "gone", text, detail=detail)


def own_names(subject: Subject, values: Mapping[str, Any]) -> set[str]:
    """What others call it by: what follows from its ids."""
    found = [values.get(field) for field in derived(subject.kind.args)]
    return {value for value in found if isinstance(value, str) and "/" in value}


def called(subject: Subject) -> set[str]:
    """The same, of one that stays, with what the cloud calls it."""
    if subject.goes:
        return set()
    seen = {value for field, _ in marked(subject.kind.state, HeldByClients) if (value := subject.outputs.get(field))}
    return own_names(subject, subject.new) | {value for value in seen if isinstance(value, str)}


def renames(subjects: list[Subject]) -> list[tuple[Subject, Subject]]:
    """Pairs of a deleted and a created resource that are the same in all that the program says of them."""
    made: dict[tuple[str, str], list[Subject]] = {}
    for subject in subjects:
        if subject.op == "create":
            made.setdefault((subject.step.stack, subject.step.type), []).append(subject)
    pairs = []
    for subject in subjects:
        if subject.op != "delete":
            continue
        candidates = made.get((subject.step.stack, subject.step.type), [])
        match = next((other for other in candidates if _is_same(subject, other)), None)
        if match is not None:
            candidates.remove(match)
            pairs.append((subject, match))
    return pairs


def _is_same(old: Subject, new: Subject) -> bool:
    """Whether all that makes another resource or answers is equal, but for what has the resource's own name."""
    model = old.kind.args
    for field in model.model_fields:
        marks = marks_on(model, field)
        if any(isinstance(mark, Derived | Inner) for mark in marks):
            continue
        if not any(isinstance(mark, Replaces | Content) for mark in marks):
            continue
        was, now = value_of(model, old.old, field), value_of(model, new.new, field)
        if was == now or is_unknown(now):
            continue
        computed = any(isinstance(mark, Computed) for mark in marks)
        if not (computed and _is_own(was, old.step.name) and _is_own(now, new.step.name)):
            return False
    return _contents(old, old.old) == _contents(new, new.new)


def _is_own(value: Any, own: str) -> bool:
    return isinstance(value, str) and value.startswith(own[:20])


def _contents(subject: Subject, values: Mapping[str, Any]) -> list[Any]:
    """What the named deployments of a resource answer with."""
    return sorted(
        str(found.get(field))
        for _, inner, old, new in subject.entries()
        for found in [new if values is subject.new else old]
        if isinstance(found, Mapping)
        for field, _ in marked(inner, Content)
    )


def renamed(old: Subject, new: Subject) -> Iterator[Finding]:
    """What a resource that gets another name without an alias loses."""
    also = ("unprotected-delete", "address-change", "downtime") if old.kind.is_held else ()
    if old.step.place == new.step.place:
        what, alias = f"renamed to {new.step.name}", f'pulumi.Alias(name="{old.step.name}")'
    else:
        what, alias = f"moved to another parent as {new.step.name}", f'"{cut(old.step.urn, _MOST_OF_A_URN)}"'
    text = f"{what} without an alias: the live one is deleted, and another one made. Add an alias: aliases=[{alias}]"
    severity: Severity = "stop" if old.kind.is_held else "look"
    yield about(old, "rename", severity, "gone", text, also=also, detail=_lost_text(old))
