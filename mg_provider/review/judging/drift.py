"""What was changed in the cloud, as a preview with --refresh sees it; apart from what the program changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mg_provider.review.judging.findings import Finding, about
from mg_provider.review.reading.compare import Change, Subject, changed_fields
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
    for change in changed_fields(subject.kind.args, subject.old, subject.new):
        how = "; ".join(difference(change.old, change.new, change.field))
        shown = name(change.field) if change.is_secret else how
        text = f"somebody changed in the cloud: {shown}{_back(change, wanted)}"
        yield about(subject, "drift", "look", "drift", text)


def _back(change: Change, wanted: Mapping[str, Any]) -> str:
    if change.field not in wanted or change.is_secret:
        return ""
    value = wanted[change.field]
    if value == change.old:
        return f"; this change sets it back to {show(value)}"
    return f"; the program says {show(value)}"
