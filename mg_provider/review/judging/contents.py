"""What answers: weights, containers, models; and whether they are where the deployment is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from mg_provider.resources.endpoint.plan.words import ENVIRONMENT
from mg_provider.resources.model.marks import RollsOut, marked
from mg_provider.resources.model.meaning import Content, HeldByClients, Plan
from mg_provider.review.judging.findings import Finding, about
from mg_provider.review.judging.places import Places, is_far
from mg_provider.review.judging.traffic import shares
from mg_provider.review.reading.compare import Change, Subject
from mg_provider.review.reading.kinds import marks_on
from mg_provider.review.reading.values import HIDDEN, arguments, difference, name, show

_ENV = "env"
_VARIABLES = re.compile(rf"(?:^|; ){ENVIRONMENT}([^;]+)")


@dataclass(frozen=True)
class Sources:
    """The resources of a preview by the names that follow from their ids, before and after, and places of buckets."""

    before: Mapping[str, Subject]
    after: Mapping[str, Subject]
    places: Places

    def of(self, change: Change) -> tuple[Subject | None, Subject] | None:
        """Those that a value named before and names now; None where it names none of the preview now."""
        now = self.after.get(change.new) if isinstance(change.new, str) else None
        was = self.before.get(change.old) if isinstance(change.old, str) else None
        return None if now is None else (was, now)


def contents(subject: Subject, sources: Sources) -> Iterator[Finding]:
    """Other weights, containers and models, and those that are far away.

    Args:
        subject: The resource.
        sources: The resources of the preview, by the names that follow from their ids.
    """
    if subject.goes or subject.kind.runs:
        return
    if subject.is_new:
        yield from _made(subject)
    elif not subject.is_replaced:
        for change, mark in subject.changed(Content):
            yield from _changed(subject, change, mark, subject.label, sources.places)
    for entry, inner, old, new in subject.entries():
        label = f"{subject.label}: {name(entry)}"
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            for change in subject.changes_in(entry, inner, old, new):
                kind, share = change.mark(Content), shares(subject, subject.new).get(entry)
                pair = sources.of(change)
                if kind is not None and pair is not None:
                    yield from _followed(subject, pair, label, share)
                elif kind is not None:
                    yield from _changed(subject, change, kind, label, sources.places, share)
        elif isinstance(new, Mapping) and not subject.is_new:
            yield from _beside(subject, inner, entry, new, sources.places)
        if isinstance(new, Mapping):
            yield from _far(subject, inner, new, label, sources)
    yield from _far(subject, subject.kind.args, subject.new, subject.label, sources)


def answering(subject: Subject, entry: str) -> set[str]:
    """What answers behind a named deployment afterwards."""
    found = [
        (inner, new) for called, inner, _, new in subject.entries() if called == entry and isinstance(new, Mapping)
    ]
    values = [new.get(field) for inner, new in found for field, _ in marked(inner, Content)]
    return {value for value in values if isinstance(value, str)}


def _made(subject: Subject) -> Iterator[Finding]:
    texts = [
        f"{mark.what} {_short(subject.new[field])}"
        for field, mark in marked(subject.kind.args, Content)
        if subject.new.get(field)
    ]
    for entry, inner, _, new in subject.entries():
        found = new if isinstance(new, Mapping) else {}
        texts += [f"{name(entry)}: {_short(found[field])}" for field, _ in marked(inner, Content) if found.get(field)]
    if texts:
        yield about(subject, "change", "note", "models", f"serves {'; '.join(texts)}")


def _followed(
    subject: Subject, pair: tuple[Subject | None, Subject], label: str, share: int | None
) -> Iterator[Finding]:
    """What answers is what another resource of this preview makes."""
    before, source = pair
    part = f"{share} % of the requests" if share is not None else "requests"
    text = f"the other model that {source.label} makes answers {part}"
    yield about(subject, "weights", "look", "models", text, label=label, follows=True)
    for field, mark in marked(source.kind.args, HeldByClients):
        rolls_out = any(isinstance(entry, RollsOut) for entry in marks_on(source.kind.args, field))
        was, now = before.old.get(field) if before else None, source.new.get(field)
        if rolls_out and was and was != now:
            text = f"{mark.what} changes with {source.label}, so that {part} fail where they give the old one"
            detail = f"{show(was)} → {show(now)}"
            yield about(subject, "address-change", "stop", "gone", text, label=label, detail=detail, follows=True)


def _beside(
    subject: Subject, inner: type[BaseModel], entry: str, new: Mapping[str, Any], places: Places
) -> Iterator[Finding]:
    """A new name beside others: a Model that did not answer before, or one of another project."""
    share = shares(subject, subject.new).get(entry, 0)
    for field, mark in marked(inner, Content):
        value = new.get(field)
        served = [old[field] for _, _, old, _ in subject.entries() if isinstance(old, Mapping) and old.get(field)]
        if not value or value in served:
            continue
        whose = places.foreign(subject, value)
        if share or whose:
            text = f"new: another {mark.what} answers {share} % of the requests{f' ({whose})' if whose else ''}"
            also = ("exposure",) if whose else ()
            label = f"{subject.label}: {name(entry)}"
            yield about(subject, "weights", "look", "models", text, also=also, label=label, detail=_short(value))


def _changed(
    subject: Subject, change: Change, mark: Content, label: str, places: Places, share: int | None = None
) -> Iterator[Finding]:
    gets = f"other {mark.what} answer" if _is_plural(mark) else f"another {mark.what} answers"
    gets += f" {share} % of the requests" if share is not None else ""
    whose = places.foreign(subject, change.new)
    own = whose and places.foreign(subject, change.old) != whose
    detail = ""
    if change.is_unknown:
        text = f"{gets}: known only after up"
    elif isinstance(change.old, Mapping) or isinstance(change.new, Mapping):
        text = f"{gets}: {_object(change, _variables(subject))}"
    elif change.is_secret:
        text = f"{gets}: {name(change.field)} changes"
    else:
        was, now = show(change.old), show(change.new)
        gets += f" ({whose})" if own else ""
        # The ids of Models differ from region to region.
        has_ids = was.startswith("projects/") or now.startswith("projects/")
        text, detail = (gets, f"{was} → {now}") if has_ids else (f"{gets}: {was} → {now}", "")
    also = ("exposure",) if own else ()
    alike = text.replace(subject.region, "REGION") if subject.region else ""
    yield about(subject, "weights", "look", "models", text, also=also, label=label, detail=detail, alike=alike)


def _is_plural(mark: Content) -> bool:
    return mark.what.endswith("s")


def _variables(subject: Subject) -> str:
    """What the plan says of environment variables, by name: it sees those whose list is hidden here."""
    plans = (subject.new.get(field) for field, _ in marked(subject.kind.args, Plan))
    found = [_VARIABLES.search(plan) for plan in plans if isinstance(plan, str)]
    return next((name(match[1]) for match in found if match), "")


def _hidden_names(hidden: tuple[str, ...], variables: str) -> list[str]:
    """What changes and cannot be seen; of a list of variables that is hidden as a whole, what the plan says."""
    texts = [text for text in hidden if not (variables and text.rpartition(" of ")[2] == _ENV)]
    env = [f"{variables} (hidden)"] if len(texts) < len(hidden) else []
    return [*env, *(f"{name(text)} changes (hidden)" for text in texts)]


def _object(change: Change, variables: str) -> str:
    """A container or model that is an object: its image first, then the rest, hidden values by name."""
    old = change.old if isinstance(change.old, Mapping) else {}
    new = change.new if isinstance(change.new, Mapping) else {}
    texts = []
    for key in sorted({*old, *new}, key=lambda key: (key != "image_uri", str(key))):
        was, now = old.get(key), new.get(key)
        if was == now:
            continue
        if HIDDEN in (was, now) and key == _ENV and variables:
            texts.append(f"{variables} (hidden)")
        elif HIDDEN in (was, now):
            texts.append(f"{name(key)} is hidden, and {'set' if was is None else 'changes'}")
        elif key in ("args", "command"):
            texts.append(f"{name(key)} {arguments(was) or 'none'} → {arguments(now) or 'none'}")
        elif key == "image_uri":
            texts.append(f"image {show(was)} → {show(now)}{_digest(now)}")
        else:
            texts += [text for text in _names(difference(was, now, key))]
    texts += _hidden_names(change.hidden, variables)
    return "; ".join(dict.fromkeys(texts))


def _names(texts: list[str]) -> list[str]:
    """Environment variables by name alone."""
    return sorted({entry.replace(".value changes", " changes").replace(".name changes", " changes") for entry in texts})


def _digest(image: Any) -> str:
    return "" if isinstance(image, str) and "@sha256:" in image else " (no digest: the tag may move)"


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return show(value.get("image_uri") or value.get("artifact_uri") or value) + _digest(
            value.get("image_uri") or "@sha256:"
        )
    return show(value)


def _far(
    subject: Subject, model: type[BaseModel], values: Mapping[str, Any], label: str, sources: Sources
) -> Iterator[Finding]:
    """What answers is in another region than the deployment, as far as names and known buckets say where it is."""
    for called, mark in marked(model, Content):
        value = values.get(called)
        place = sources.places.of(value)
        if is_far(place, subject.region):
            be = "are" if _is_plural(mark) else "is"
            text = f"{mark.what} {be} in {name(place)}, and the deployment in {subject.region}"
            alike = f"{mark.what} {be} in {name(place)}, and the deployments elsewhere"
            yield about(subject, "weights", "look", "models", text, label=label, alike=alike)
        elif subject.is_new and isinstance(value, str) and value.startswith("gs://") and not place:
            text = "its name does not say where the bucket of the weights is: check that it is near, or name it in "
            yield about(subject, "change", "note", "models", f"{text}buckets of review.toml", label=label)
