"""Who can reach what, and where data goes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mg_provider.resources.model.marks import marked
from mg_provider.resources.model.meaning import Exposure
from mg_provider.review.judging.findings import Finding, about
from mg_provider.review.reading.compare import Change, Subject
from mg_provider.review.reading.kinds import value_of
from mg_provider.review.reading.values import difference, is_unseen, leaves, name, show

_PROJECT = re.compile(r"(?:bq://|projects/)([a-z][a-z0-9:-]*)")
PERMISSION = "aiplatform.endpoints.predict"


def is_public(subject: Subject, values: Mapping[str, Any]) -> bool | None:
    """Whether the internet reaches it; None where the question does not arise, or the answer is not known."""
    model = subject.kind.args
    told = [(value_of(model, values, field), mark.open) for field, mark in marked(model, Exposure) if mark.open]
    if not told or any(is_unseen(value) for value, _ in told):
        return None
    return all(test(value) for value, test in told if test)


def exposures(subject: Subject) -> Iterator[Finding]:
    """What a change or a creation exposes."""
    if subject.goes:
        return
    now = is_public(subject, subject.new)
    if subject.is_new:
        yield from _made(subject, now)
        return
    was = is_public(subject, subject.old)
    if now and was is False:
        text = f"becomes PUBLIC: everybody with {PERMISSION} reaches it from the internet"
        yield about(subject, "exposure", "stop", "exposure", text)
    elif was and now is False:
        yield about(
            subject,
            "exposure",
            "note",
            "exposure",
            f"becomes private: not from the internet any more; {_reached(subject)}",
        )
    for change, mark in subject.changed(Exposure):
        if not (mark.open and was != now):
            yield from _changed(subject, change, mark)
    for entry, inner, old, new in subject.entries():
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            for field, mark in marked(inner, Exposure):
                change = Change(field, value_of(inner, old, field), value_of(inner, new, field))
                if change.old != change.new:
                    yield from _changed(subject, change, mark, f"{subject.label}: {name(entry)}")


def _made(subject: Subject, public: bool | None) -> Iterator[Finding]:
    told = [
        f"{mark.what}: {show(subject.new[field])}{elsewhere(subject, subject.new[field])}"
        for field, mark in marked(subject.kind.args, Exposure)
        if subject.new.get(field) and subject.new[field] != value_of(subject.kind.args, {}, field)
    ]
    also = "; ".join(told)
    if public:
        text = f"new, and PUBLIC: everybody with {PERMISSION} reaches it from the internet"
        yield about(subject, "exposure", "look", "exposure", text, detail=also)
    elif public is False:
        yield about(subject, "exposure", "note", "exposure", f"new, and private; {_reached(subject)}")
        if told := [text for text in told if "another project" in text]:
            yield about(subject, "exposure", "look", "exposure", "; ".join(told))
    elif told:
        yield about(subject, "exposure", "look", "exposure", also)


def _reached(subject: Subject) -> str:
    """Who connects to what is private: the lists that say so."""
    told = []
    for field, mark in marked(subject.kind.args, Exposure):
        value = subject.new.get(field)
        if mark.open is None or not value:
            continue
        lists = [show(leaf) for _, leaf in leaves(value) if isinstance(leaf, list) and leaf]
        told.append(f"{mark.what}: {', '.join(lists) or show(value)}")
    return "; ".join(told)


def _changed(subject: Subject, change: Change, mark: Exposure, label: str = "") -> Iterator[Finding]:
    if change.is_secret or change.is_unknown:
        text = f"{mark.what}: {name(change.field)} changes{', and is known only after up' if change.is_unknown else ''}"
    else:
        told = "; ".join(_short(entry, mark) for entry in difference(change.old, change.new))
        text = f"{mark.what}: {told}{elsewhere(subject, change.new)}"
    yield about(subject, "exposure", "look", "exposure", text, label=label)


def widens(change: Change, mark: Exposure) -> bool:
    """Whether more can reach something than before."""
    if is_unseen(change.old) or is_unseen(change.new):
        return False
    if mark.widens is not None and mark.widens(change.old, change.new):
        return True
    return any("+ " in entry for entry in difference(change.old, change.new))


def _short(entry: str, mark: Exposure) -> str:
    """Of a list that says who is let in, whom it gains or loses."""
    _, _, rest = entry.partition(" ")
    words = {"+": "lets in", "-": "shuts out"}
    return f"{words[rest[0]]} {rest[2:]}" if mark.open and rest[:2] in ("+ ", "- ") else entry


def elsewhere(subject: Subject, value: Any) -> str:
    """That data goes to, or something is of, another project."""
    own = subject.new.get("project")
    found = [match for _, leaf in leaves(value) if isinstance(leaf, str) for match in _PROJECT.findall(leaf)]
    others = sorted({project for project in found if isinstance(own, str) and own and project != own})
    return f" (another project: {', '.join(map(name, others))})" if others else ""
