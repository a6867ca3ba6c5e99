"""What was changed in the cloud, as a preview with --refresh sees it; apart from what the program changes."""

from __future__ import annotations

from collections.abc import Iterator

from mg_provider.review.compare import Subject, differing
from mg_provider.review.findings import Finding, about
from mg_provider.review.values import difference, name


def drift(subject: Subject) -> Iterator[Finding]:
    """What the cloud has that the last run did not leave."""
    if subject.step.new is None:
        yield about(subject, "drift", "look", "drift", "gone from the cloud: somebody deleted it")
        return
    for change in differing(subject.kind.args, subject.old, subject.new):
        how = "; ".join(difference(change.old, change.new, change.field))
        yield about(
            subject,
            "drift",
            "look",
            "drift",
            f"somebody changed in the cloud: {name(change.field) if change.is_secret else how}",
        )
