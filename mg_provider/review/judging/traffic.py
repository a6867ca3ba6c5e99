"""Which name gets how much of the requests, and what answers behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mg_provider.resources.model.marks import marked
from mg_provider.resources.model.meaning import Content, Traffic
from mg_provider.review.judging.findings import Finding, about
from mg_provider.review.reading.compare import Subject
from mg_provider.review.reading.kinds import parts
from mg_provider.review.reading.values import is_unseen, name, show


def shares(subject: Subject, values: Mapping[str, Any]) -> dict[str, int]:
    """Percent by name; all for the only one."""
    for field, _ in marked(subject.kind.args, Traffic):
        split = values.get(field)
        if isinstance(split, Mapping) and split:
            return {str(key): value for key, value in split.items() if isinstance(value, int)}
    for field, _ in parts(subject.kind.args):
        served = values.get(field)
        if isinstance(served, Mapping) and len(served) == 1:
            return dict.fromkeys(map(str, served), 100)
    return {}


def behind(subject: Subject, values: Mapping[str, Any], entry: str) -> str:
    """What answers behind a name: the last part of its Model's name."""
    for field, inner in parts(subject.kind.args):
        served = values.get(field)
        found = served.get(entry) if isinstance(served, Mapping) else None
        if isinstance(found, Mapping):
            texts = [show(found[content]) for content, _ in marked(inner, Content) if found.get(content)]
            return ", ".join(text.rpartition("/")[2] for text in texts)
    return ""


def traffic(subject: Subject) -> Iterator[Finding]:
    """Requests that go elsewhere."""
    splits = [
        values.get(field) for field, _ in marked(subject.kind.args, Traffic) for values in (subject.old, subject.new)
    ]
    if subject.is_new or subject.goes or not splits or any(map(is_unseen, splits)):
        return
    was, now = shares(subject, subject.old), shares(subject, subject.new)
    moved = [entry for entry in sorted({*was, *now}) if was.get(entry, 0) != now.get(entry, 0)]
    if not moved:
        return
    found = []
    for entry in moved:
        model = behind(subject, subject.new, entry) or behind(subject, subject.old, entry)
        served = f" ({model})" if model else ""
        found.append(f"{name(entry)}{served} {was.get(entry, 0)} → {now.get(entry, 0)} %")
    same = _by_model(subject, subject.old, was) == _by_model(subject, subject.new, now)
    text = f"traffic: {'; '.join(found)}"
    if same:
        yield about(subject, "change", "note", "traffic", f"{text}: only names, each Model keeps its share")
    else:
        yield about(subject, "traffic", "look", "traffic", text)


def _by_model(subject: Subject, values: Mapping[str, Any], split: Mapping[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry, share in split.items():
        model = behind(subject, values, entry)
        found[model] = found.get(model, 0) + share
    return {model: share for model, share in found.items() if share}
