"""Who can reach what, and where data goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from mg_provider.resources.model.marks import marked
from mg_provider.resources.model.meaning import Exposure, Leads
from mg_provider.review.judging.findings import Finding, about
from mg_provider.review.judging.places import Places
from mg_provider.review.model import Severity
from mg_provider.review.reading.compare import Change, Subject
from mg_provider.review.reading.kinds import value_of
from mg_provider.review.reading.values import difference, hides, is_unseen, leaves, name, show

PERMISSION = "aiplatform.endpoints.predict"


def is_public(subject: Subject, values: Mapping[str, Any]) -> bool | None:
    """Whether the internet reaches it; None where the question does not arise, or the answer is not known."""
    model = subject.kind.args
    values_open = [(value_of(model, values, field), mark.open) for field, mark in marked(model, Exposure) if mark.open]
    if not values_open or any(is_unseen(value) for value, _ in values_open):
        return None
    return all(test(value) for value, test in values_open if test)


def exposures(subject: Subject, places: Places) -> Iterator[Finding]:
    """What a change or a creation exposes.

    Args:
        subject: The resource.
        places: Where things are, and whose.
    """
    if subject.goes:
        return
    now = is_public(subject, subject.new)
    if subject.is_new:
        yield from _made(subject, now, places)
        return
    was = is_public(subject, subject.old)
    if now and was is False:
        text = f"becomes PUBLIC: everybody with {PERMISSION} reaches it from the internet"
        yield about(subject, "exposure", "stop", "exposure", text)
    elif was and now is False:
        yield from _private(subject, "becomes private: not from the internet any more", places)
    for change, mark in subject.changed(Exposure):
        if not (mark.open and was != now) and not change.is_hidden:
            yield from _changed(subject, change, mark, places)
    for entry, change, mark in subject.changed_inside(Exposure):
        if not change.is_hidden:
            yield from _changed(subject, change, mark, places, f"{subject.label}: {name(entry)}")


def led(subject: Subject, known: set[str], places: Places) -> Iterator[Finding]:
    """Requests that go to something that is not of the preview.

    Args:
        subject: What leads there, such as a private address.
        known: What the resources of the preview are called.
        places: Where things are, and whose.
    """
    fields = [field for field, _ in marked(subject.kind.args, Leads)]
    was, now = ([values[field] for field in fields if values.get(field)] for values in (subject.old, subject.new))
    if subject.goes or is_unseen(now) or any(hides(value) for value in now):
        return
    strange = [target for target in now if target not in known]
    whose = places.foreign(subject, strange)
    if strange and (whose if subject.is_new else was != now):
        leads = f"requests go to {whose}" if whose else "requests go elsewhere"
        text = f"{leads}: {'' if subject.is_new else f'{show(was)} → '}{show(now)}"
        yield about(subject, "exposure", "look", "exposure", text)


def _made(subject: Subject, public: bool | None, places: Places) -> Iterator[Finding]:
    found = _sentences(subject, subject.kind.args, subject.new, places)
    also = "; ".join(text for text, _ in found)
    if public:
        text = f"new, and PUBLIC: everybody with {PERMISSION} reaches it from the internet"
        yield about(subject, "exposure", "look", "exposure", text, detail=also)
    elif public is False:
        yield from _private(subject, "new, and private", places)
        if far := [text for text, is_elsewhere in found if is_elsewhere]:
            yield about(subject, "exposure", "look", "exposure", "; ".join(far))
    elif found:
        yield about(subject, "exposure", "look", "exposure", also)
    for entry, inner, _, new in subject.entries():
        if isinstance(new, Mapping) and (found := _sentences(subject, inner, new, places)):
            label = f"{subject.label}: {name(entry)}"
            yield about(subject, "exposure", "look", "exposure", "; ".join(text for text, _ in found), label=label)


def _sentences(
    subject: Subject, model: type[BaseModel], values: Mapping[str, Any], places: Places
) -> list[tuple[str, bool]]:
    """What values that are not the usual ones expose, and whether each is of another project or region."""
    found = [
        (mark.what, values[field], places.elsewhere(subject, values[field]))
        for field, mark in marked(model, Exposure)
        if values.get(field) and values[field] != value_of(model, {}, field)
    ]
    return [(f"{what}: {show(value)}{where}", bool(where)) for what, value, where in found]


def _private(subject: Subject, text: str, places: Places) -> Iterator[Finding]:
    """Who connects to what is private: the lists that say so."""
    texts, is_far = [], False
    for field, mark in marked(subject.kind.args, Exposure):
        value = subject.new.get(field)
        if mark.open is None or not value:
            continue
        lists = [show(leaf) for _, leaf in leaves(value) if isinstance(leaf, list) and leaf]
        where = places.elsewhere(subject, value)
        is_far = is_far or bool(where)
        texts.append(f"{mark.what}: {', '.join(lists) or show(value)}{where}")
    severity: Severity = "look" if is_far and not subject.is_new else "note"
    yield about(subject, "exposure", severity, "exposure", "; ".join([text, *texts]))


def _changed(subject: Subject, change: Change, mark: Exposure, places: Places, label: str = "") -> Iterator[Finding]:
    if change.is_secret or change.is_unknown:
        text = f"{mark.what}: {name(change.field)} changes{', and is known only after up' if change.is_unknown else ''}"
    else:
        entries = "; ".join(_short(entry, mark) for entry in difference(change.old, change.new))
        text = f"{mark.what}: {entries}{places.elsewhere(subject, change.new)}"
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
