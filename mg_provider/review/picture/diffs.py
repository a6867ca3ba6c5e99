"""What differs in each resource, argument by argument; the same on several resources once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from mg_provider.review.model import Diff, Difference
from mg_provider.review.reading.compare import Change, Subject
from mg_provider.review.reading.kinds import compared, value_of
from mg_provider.review.reading.preview import Side, Step
from mg_provider.review.reading.values import differing, name, sides

MOST: Final = 400
"""Characters of a value that are shown."""
_RANKS: Final = ("delete", "replace", "create", "import", "update", "drift")
_Key = tuple[str, str, tuple[tuple[str, str, str], ...]]


def diffs(subjects: Iterable[Subject], drifted: Iterable[Subject], others: Iterable[tuple[Step, str]]) -> list[Diff]:
    """What differs.

    Args:
        subjects: The resources of ours.
        drifted: The same as a refresh saw them, where somebody changed them in the cloud.
        others: Resources of other providers, each with what it is called.
    """
    found: dict[_Key, list[tuple[str, str]]] = {}
    for subject in subjects:
        lines = () if subject.op == "same" else tuple(_ours(subject))
        if subject.op != "same":
            key = (_operation(subject.step), subject.kind.name, lines)
            found.setdefault(key, []).append((subject.label, subject.region))
    for subject in drifted:
        key = ("drift", subject.kind.name, tuple(_changed(subject.changes)))
        found.setdefault(key, []).append((subject.label, subject.region))
    for step, label in others:
        if step.op != "same":
            found.setdefault((_operation(step), step.type, tuple(_theirs(step))), []).append((label, ""))
    return sorted((_diff(key, members) for key, members in found.items()), key=_order)


def _order(diff: Diff) -> tuple[int, int, list[str]]:
    rank = _RANKS.index(diff.operation) if diff.operation in _RANKS else len(_RANKS)
    return rank, -len(diff.resources), diff.resources


def _diff(key: _Key, members: list[tuple[str, str]]) -> Diff:
    operation, kind, lines = key
    return Diff(
        resources=sorted({label for label, _ in members}),
        regions=sorted({region for _, region in members if region}),
        kind=kind,
        operation=operation,
        lines=[Difference(path=path, before=before, after=after) for path, before, after in lines],
    )


def _operation(step: Step) -> str:
    return name(step.op)


def _ours(subject: Subject) -> Iterator[tuple[str, str, str]]:
    if not (subject.is_new or subject.goes):
        yield from _changed(subject.changes)
        return
    model = subject.kind.args
    values = subject.old if subject.goes else subject.new
    for field, marks, computed in compared(model):
        value = values.get(field)
        # The region stands beside the name; what the provider works out follows from the rest.
        if field == "region" or computed or value == value_of(model, {}, field):
            continue
        old, new = (value, None) if subject.goes else (None, value)
        yield from _lines(Change(field, old, new, marks))


def _changed(changes: Iterable[Change]) -> Iterator[tuple[str, str, str]]:
    for change in changes:
        if change.hidden:
            for hidden in change.hidden:
                yield f"{name(change.field)}: {name(hidden)}", "hidden", "hidden, another value"
        else:
            yield from _lines(change)


def _lines(change: Change) -> Iterator[tuple[str, str, str]]:
    if change.is_secret:
        before, after = ("" if value in (None, "") else "hidden" for value in (change.old, change.new))
        yield name(change.field), before, f"{after}, another value" if before and after else after
        return
    yield from _written(differing(change.old, change.new, change.field))


def _theirs(step: Step) -> Iterator[tuple[str, str, str]]:
    old, new = (step.old or Side()).inputs, (step.new or Side()).inputs
    yield from _written(differing(dict(old), dict(new)))


def _written(found: Iterable[tuple[str, Any, Any]]) -> Iterator[tuple[str, str, str]]:
    for path, was, now in found:
        if not (isinstance(was, Mapping) or isinstance(now, Mapping)):
            yield (name(path), *sides(path, was, now, MOST))
