"""Which arguments of a resource differ, and what marks they have."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from mg_provider.resources.model.args import Args
from mg_provider.resources.model.diff import differ
from mg_provider.resources.model.marks import InPlace, Replaces, RollsOut, Secret, marked
from mg_provider.resources.model.unknown import Unknown
from mg_provider.review.reading.kinds import Kind, compared, fits, parts, value_of
from mg_provider.review.reading.preview import Side, Step
from mg_provider.review.reading.values import HIDDEN, differing, hides, is_unknown, is_unseen, name

M = TypeVar("M")


@dataclass(frozen=True)
class Change:
    """An argument that differs. ``hidden``: the names of what differs in it and cannot be seen."""

    field: str
    old: Any
    new: Any
    marks: tuple[Any, ...] = ()
    hidden: tuple[str, ...] = ()

    def mark(self, kind: type[M]) -> M | None:
        """The mark of this kind on the argument."""
        return next((entry for entry in self.marks if isinstance(entry, kind)), None)

    @property
    def is_secret(self) -> bool:
        """Whether no part of its value may be shown."""
        return self.mark(Secret) is not None or HIDDEN in (self.old, self.new)

    @cached_property
    def is_hidden(self) -> bool:
        """Whether what differs in it, or a part of that, cannot be seen."""
        found = differing(self.old, self.new)
        return bool(self.hidden) or any(hides(was) or hides(now) for _, was, now in found)

    @property
    def is_unknown(self) -> bool:
        """Whether its new value is known only after up."""
        return is_unknown(self.new)

    @property
    def replaces(self) -> bool:
        """Whether it makes another resource."""
        if is_unseen(self.old) or is_unseen(self.new):
            return self.mark(Replaces) is not None
        replaces, in_place = self.mark(Replaces), self.mark(InPlace)
        if replaces is not None:
            return replaces.unless is None or not replaces.unless(self.old or "", self.new or "")
        return bool(in_place and in_place.replaces_if and in_place.replaces_if(self.old, self.new))

    @property
    def cause(self) -> Change:
        """Of a value with several parts, only the change of those that make another resource."""
        old, new = self.old, self.new
        if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
            return self
        alone = {key: {**old, key: new.get(key)} for key in {*old, *new} if old.get(key) != new.get(key)}
        found = {key: new.get(key) for key, value in alone.items() if replace(self, new=value).replaces}
        return replace(self, new={**old, **found}) if found else self

    @property
    def rolls_out(self) -> bool:
        """Whether it makes another deployment on the same resource."""
        return self.mark(RollsOut) is not None


@dataclass(frozen=True)
class Subject:
    """A resource of ours in a preview: what happens to it, and which of its arguments differ."""

    step: Step
    kind: Kind
    label: str

    @property
    def op(self) -> str:
        """What the engine does to it."""
        return self.step.op

    @cached_property
    def old(self) -> Mapping[str, Any]:
        """Its arguments before."""
        return self._sound((self.step.old or Side()).inputs)

    def _sound(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Without values that have not the shape of any value of their argument."""
        return {field: value for field, value in values.items() if fits(self.kind.args, field, value)}

    @property
    def odd(self) -> list[str]:
        """The arguments that hold something that is not a valid value of theirs."""
        return sorted({*(self.step.new or Side()).inputs} - {*self.new})

    @cached_property
    def outputs(self) -> Mapping[str, Any]:
        """What the cloud said of it before, and its arguments."""
        found = (self.step.old or Side()).outputs
        sound = {field: value for field, value in found.items() if fits(self.kind.state, field, value)}
        return {**self.old, **self._sound(sound)}

    @cached_property
    def new(self) -> Mapping[str, Any]:
        """Its arguments after."""
        return self._sound((self.step.new or Side()).inputs)

    @property
    def is_new(self) -> bool:
        """Whether it is not there before."""
        return self.op in ("create", "import") or self.step.old is None

    @property
    def goes(self) -> bool:
        """Whether it is not there after."""
        return self.op == "delete" or self.step.new is None

    @property
    def is_replaced(self) -> bool:
        """Whether another one takes its place."""
        return self.op == "replace"

    @property
    def goes_first(self) -> bool:
        """Whether what is replaced is deleted before the other one is made: as both would have one id, or as asked."""
        here = all(self.old.get(field) == self.new.get(field) for field in ("project", "region"))
        kept = any(self.new.get(field) and self.old.get(field) == self.new.get(field) for field in self.kind.ids)
        asked = self.step.old is not None and self.step.old.goes_first
        return self.is_replaced and (asked or (here and kept))

    @property
    def region(self) -> str:
        """Where it is after, or of one that goes before."""
        found = self.new.get("region") or self.old.get("region")
        return name(found) if isinstance(found, str) else ""

    @cached_property
    def changes(self) -> list[Change]:
        """The arguments that differ."""
        if self.is_new or self.goes:
            return []
        found = list(changed_fields(self.kind.args, self.old, self.new, self.step.paths))
        if found or self.step.paths or self.op != "update":
            return found
        # Nothing that shows differs, and the engine does not say what does: it may be any hidden value.
        return list(changed_fields(self.kind.args, self.old, self.new, tuple(self.kind.args.model_fields)))

    def changed(self, mark: type[M]) -> Iterator[tuple[Change, M]]:
        """The arguments with this mark that differ."""
        for change in self.changes:
            if (found := change.mark(mark)) is not None:
                yield change, found

    def entries(self) -> Iterator[tuple[str, type[BaseModel], Any, Any]]:
        """The deployments that it has by name: name, type, and the values before and after."""
        for field, inner in parts(self.kind.args):
            before, after = map(_named, _seen(self.old.get(field), self.new.get(field)))
            for entry in sorted({*before, *after}):
                yield entry, inner, *_seen(before.get(entry), after.get(entry))

    def changes_in(
        self, entry: str, inner: type[BaseModel], old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Iterator[Change]:
        """The arguments of a named deployment that differ.

        Args:
            entry: Its name.
            inner: The type of its arguments.
            old: Them before.
            new: Them afterwards.
        """
        return changed_fields(inner, old, new, self.step.paths, f"{parts(self.kind.args)[0][0]}.{entry}.")

    def changed_inside(self, mark: type[M]) -> Iterator[tuple[str, Change, M]]:
        """The arguments with this mark that show a difference in a named deployment, each with its name."""
        for entry, inner, old, new in self.entries():
            if isinstance(old, Mapping) and isinstance(new, Mapping):
                for field, found in marked(inner, cast(Hashable, mark)):
                    change = Change(field, value_of(inner, old, field), value_of(inner, new, field))
                    if change.old != change.new:
                        yield entry, change, found


def _seen(old: Any, new: Any) -> tuple[Any, Any]:
    """Both sides of named deployments, or of one; a side that nobody can see is taken for what the other one is."""
    before = new if _is_veiled(old) else old
    return before, before if _is_veiled(new) else new


def _is_veiled(value: Any) -> bool:
    return value == HIDDEN or isinstance(value, Unknown)


def _named(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def changed_fields(
    model: type[BaseModel], old: Mapping[str, Any], new: Mapping[str, Any], paths: tuple[str, ...] = (), at: str = ""
) -> Iterator[Change]:
    """The fields of a model that mean something else; what follows from others is left out.

    Args:
        model: With the marks.
        old: Values before.
        new: Values after.
        paths: What the engine says that differs, for values that are hidden here.
        at: Where in the resource the values are.
    """
    for field, marks, is_kept in compared(model):
        if field not in new and (is_kept or field not in old):
            continue
        was, now = value_of(model, old, field), value_of(model, new, field)
        hidden = _hidden(f"{at}{field}", now, paths) if paths else ()
        if hidden or differ(cast(type[Args], model), field, was, now):
            yield Change(field, was, now, marks, hidden)
    for field in sorted({*old, *new} - {*model.model_fields}):
        if old.get(field) != new.get(field):
            yield Change(field, old.get(field), new.get(field))


def _hidden(path: str, value: Any, paths: tuple[str, ...]) -> tuple[str, ...]:
    """The names of what differs within a value without showing, by the paths that the engine gives."""
    found = [entry for entry in paths if entry == path or entry.startswith((f"{path}.", f"{path}["))]
    places = []
    for entry in found:
        called, seen = _follow(value, entry[len(path) :])
        if seen == HIDDEN:
            places.append(called or path)
    return tuple(dict.fromkeys(places))


def _follow(value: Any, rest: str) -> tuple[str, Any]:
    """The value at a path within a value, and what it is called; a hidden one ends the way."""
    called = ""
    for part in rest.replace("[", ".").replace("]", "").replace('"', "").split("."):
        if not part:
            continue
        if isinstance(value, list) and part.isdigit():
            value = value[int(part)] if int(part) < len(value) else None
            called = str(value["name"]) if isinstance(value, Mapping) and value.get("name") else called
        elif isinstance(value, Mapping):
            value = value.get(part)
            called = part if part not in ("value", "name") or not called else called
        if value == HIDDEN:
            called = called or part
            # Which entry of a list that is hidden as a whole: its number is all that anybody can say.
            number = rest.rpartition("[")[2].partition("]")[0] if f".{part}[" in f".{rest}" else ""
            return (f"entry {int(number) + 1} of {called}" if number.isdigit() else called), value
    return called, value
