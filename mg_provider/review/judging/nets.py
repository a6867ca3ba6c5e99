"""Safety nets: what keeps a mistake from doing harm, and goes off or comes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from mg_provider.resources.model.marks import marked
from mg_provider.resources.model.meaning import SafetyNet, Strategy, Weakens
from mg_provider.review.judging.findings import Finding, about
from mg_provider.review.reading.compare import Subject
from mg_provider.review.reading.kinds import fits, marks_on, objects, value_of
from mg_provider.review.reading.preview import Step
from mg_provider.review.reading.values import is_unseen, name, show


def nets(subject: Subject) -> Iterator[Finding]:
    """What goes off, or comes on, on a resource of ours."""
    if subject.goes:
        return
    yield from _of(subject, subject.kind.args, None if subject.is_new else subject.old, subject.new, "")
    for entry, inner, old, new in subject.entries():
        if isinstance(new, Mapping):
            before = old if isinstance(old, Mapping) else None
            yield from _of(subject, inner, before, new, f"{subject.label}: {name(entry)}")


def _of(
    subject: Subject, model: type[BaseModel], old: Mapping[str, Any] | None, new: Mapping[str, Any], label: str
) -> Iterator[Finding]:
    for field, mark in marked(model, SafetyNet):
        value = value_of(model, new, field)
        if is_unseen(value) or is_unseen(value_of(model, old, field)):
            continue
        was, now = mark.on(value_of(model, old, field)), mark.on(value)
        gate = "unprobed" if any(isinstance(entry, Strategy) for entry in marks_on(model, field)) else "safety-net"
        if was and not now:
            made = "new, without a safety net" if old is None else "a safety net goes OFF"
            text = f"{made}: {mark.what} ({field})"
            also = ("safety-net",) if gate == "unprobed" else ()
            yield about(subject, gate, "look", "safety nets", text, also=also, label=label)
        elif now and not was and old is not None:
            yield about(subject, "change", "note", "safety nets", f"a safety net comes on: {mark.what}", label=label)
    yield from _weaker(subject, model, old, new, label)


def _weaker(
    subject: Subject, model: type[BaseModel], old: Any, new: Any, label: str, path: str = ""
) -> Iterator[Finding]:
    """What an object lets through that it did not before, or that a usual one does not."""
    was, now = (value if isinstance(value, Mapping) else {} for value in (old, new))
    for field in model.model_fields:
        before, after = value_of(model, was, field), value_of(model, now, field)
        for mark in marks_on(model, field):
            if not isinstance(mark, Weakens) or not all(_is_sound(model, field, each) for each in (before, after)):
                continue
            if mark.when(before, after) and (mark.gate == "unprobed" or not subject.is_new):
                also = ("safety-net",) if mark.gate != "safety-net" else ()
                text = f"{mark.what} ({path}{field} {show(before)} → {show(after)})"
                yield about(subject, mark.gate, "look", "safety nets", text, also=also, label=label)
    for field, inner in objects(model):
        before, after = value_of(model, was, field), value_of(model, now, field)
        if not is_unseen(after):
            yield from _weaker(subject, inner, before, after, label, f"{path}{field}.")


def _is_sound(model: type[BaseModel], field: str, value: Any) -> bool:
    """Whether a value can be compared: everybody sees it, and it has the shape of one."""
    return not is_unseen(value) and fits(model, field, value)


def protection(step: Step, label: str) -> Iterator[Finding]:
    """The engine's own safety nets, on any resource."""
    if step.old is None or step.new is None or step.op == "delete":
        return
    for was, now, what in (
        (step.old.protect, step.new.protect, "protect keeps it from being deleted"),
        (step.old.retain, step.new.retain, "retain on delete keeps it in the cloud"),
    ):
        if was and not now:
            text = f"a safety net goes OFF: {what}"
            yield Finding("safety-net", "look", "safety nets", label, text)
        elif now and not was:
            yield Finding("change", "note", "safety nets", label, f"a safety net comes on: {what}")
