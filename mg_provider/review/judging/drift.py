"""What was changed in the cloud, as a preview with --refresh sees it; apart from what the program changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mg_provider.resources.model.marks import Computed, marked
from mg_provider.resources.model.meaning import Answers, HeldByClients
from mg_provider.review.judging.findings import Finding, about
from mg_provider.review.reading.compare import Change, Subject, changed_fields
from mg_provider.review.reading.kinds import value_of
from mg_provider.review.reading.values import difference, name, show


def drift(subject: Subject, wanted: Mapping[str, Any]) -> Iterator[Finding]:
    """What the cloud has that the last run did not leave.

    Args:
        subject: As the refresh saw it.
        wanted: What the program says, if this preview changes it.
    """
    if subject.step.new is None:
        yield about(subject, "drift", "look", "drift", "gone from the cloud: somebody deleted it")
        return
    yield from _lost(subject)
    for change in changed_fields(subject.kind.args, subject.old, subject.new):
        how = "; ".join(difference(change.old, change.new, change.field))
        shown = name(change.field) if change.is_secret else how
        text = f"somebody changed in the cloud: {shown}{_back(subject, change, wanted)}"
        yield about(subject, "drift", "look", "drift", text)


def _lost(subject: Subject) -> Iterator[Finding]:
    """What clients have of it, and what answers them, that is not there any more."""
    before, after = (side.outputs if side else {} for side in (subject.step.old, subject.step.new))
    for field, held in marked(subject.kind.state, HeldByClients):
        if before.get(field) and field in after and not after[field]:
            text = f"gone from the cloud: the {held.what} that clients use"
            yield about(subject, "drift", "look", "drift", text, detail=show(before[field]))
    for field, _ in marked(subject.kind.state, Answers):
        was, now = before.get(field), after.get(field)
        if was and field in after and not now:
            text = "NOTHING SERVES on it now: somebody undeployed what answered"
            yield about(subject, "drift", "look", "drift", text)
        elif isinstance(was, Mapping) and isinstance(now, Mapping) and (gone := sorted({*was} - {*now})):
            yield about(subject, "drift", "look", "drift", f"somebody undeployed {', '.join(map(name, gone))}")


def _back(subject: Subject, change: Change, wanted: Mapping[str, Any]) -> str:
    if not wanted or change.is_secret or (change.field not in wanted and change.mark(Computed) is not None):
        return ""
    value = value_of(subject.kind.args, wanted, change.field)
    if value == change.old:
        return f"; this change sets it back to {show(value)}"
    return f"; the program says {show(value)}"
