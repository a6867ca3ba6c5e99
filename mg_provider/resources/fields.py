"""The marks on an argument and what follows from them: validation, planning with unknowns, and the diff.

A mark says what a change of that argument does. It stands on the field, once, and drives the diff, the documentation
and the review of deployments.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Self, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from mg_provider.api.texts import cut
from mg_provider.resources.reasons import MOST_SAID, explain, nearest
from mg_provider.resources.salvage import salvaged
from mg_provider.resources.soundness import MOST_CHARACTERS, misplaced, unsound, whole


@dataclass(frozen=True)
class Mark:
    """What a change of the field does; ``reason`` is told to the reviewer."""

    reason: str


@dataclass(frozen=True)
class Replaces(Mark):
    """A change makes a new resource and deletes the old one.

    ``keeps`` names outputs that stay as they are all the same; ``unless`` tells, by the old and the new value, changes
    that are made in place.
    """

    keeps: tuple[str, ...] = ()
    unless: Callable[[Any, Any], bool] | None = None


@dataclass(frozen=True)
class InPlace(Mark):
    """A change is made on the running resource; ``reason`` names the API call.

    Some values cannot be reached in place: ``replaces_if`` tells them by the old and the new value, ``because`` why.
    """

    replaces_if: Callable[[Any, Any], bool] | None = None
    because: str = ""


@dataclass(frozen=True)
class RollsOut(Mark):
    """A change makes another deployment on the same resource, which takes the old one's place; the address stays."""


@dataclass(frozen=True)
class Local(Mark):
    """A change touches nothing in the cloud."""


@dataclass(frozen=True)
class Secret:
    """The value is kept from state, diffs and logs."""


@dataclass(frozen=True)
class SetLike:
    """Order and repeats mean nothing: in the list itself, or in the lists that ``within`` names in its object."""

    within: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lines:
    """Texts in it may have several lines; in all others a line break is a slip."""


@dataclass(frozen=True)
class Computed:
    """The provider or the cloud chooses a value if the user gives none, and then keeps it."""


@dataclass(frozen=True)
class Derived:
    """The plan always makes it from other arguments, so that a preview knows it; no program sets it."""


@dataclass(frozen=True)
class Transient:
    """Used while arguments are checked and kept nowhere, so that a change of it is none."""


class Unknown:
    """The place of a value that is known only after something else was made."""

    def __repr__(self) -> str:
        return "<known after up>"


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Problem:
    """Something wrong with an argument: which, and what to do."""

    property: str
    reason: str


@dataclass(frozen=True)
class Rule:
    """A check across fields. It runs only if every one of ``fields`` is fully known."""

    fields: tuple[str, ...]
    test: Callable[[Any], str | None]

    @property
    def property(self) -> str:
        """The field that a failure is reported against."""
        return self.fields[0]


class Args(BaseModel):
    """The arguments of a resource, as the user wrote them and as ``plan`` completed them.

    Fields are named as the API names them, in snake_case. ``rules`` are the checks across fields.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True, arbitrary_types_allowed=True, defer_build=True)
    rules: ClassVar[tuple[Rule, ...]] = ()

    @classmethod
    def decode(cls, given: Mapping[str, Any]) -> tuple[Self, list[Problem]]:
        """Arguments from plain values, and what is wrong with them.

        A value that is or holds an ``Unknown`` is validated as far as it is known: its missing parts are no error.
        """
        known = cls.model_fields
        unknown = [
            Problem(cut(name), f"unknown argument: {nearest(name, known)}") for name in given if name not in known
        ]
        args, wrong = cls._read(given, strict=True)
        return args, [*unknown, *wrong] or list(args._broken_rules())

    @classmethod
    def recall(cls, given: Mapping[str, Any]) -> Self:
        """Arguments from plain values that have been checked before, beside which there may be others.

        An earlier version may have let pass what this one refuses: that is read as far as it can be.
        """
        return cls._read(given, strict=False)[0]

    @classmethod
    def _read(cls, given: Mapping[str, Any], *, strict: bool) -> tuple[Self, list[Problem]]:
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for name, field in cls.model_fields.items():
            if name in given and given[name] is not None:
                values[name], wrong = _validate(cls, name, given[name], strict=strict)
                problems += wrong
            elif field.is_required():
                problems.append(Problem(name, f"is required: {field.description or 'give a value'}"))
        return cast(Self, _blank(cls)).model_copy(update=values), problems

    def problems_beside(self, asked: Self) -> list[Problem]:
        """What is wrong with arguments that were completed; those that are as they were asked for are not looked at."""
        changed = (name for name in self.model_fields_set if getattr(self, name) is not getattr(asked, name))
        added = (name for name in changed if not has(type(self), name, Derived))
        wrong = [_validate(type(self), name, plain(getattr(self, name)), strict=True)[1] for name in added]
        return [problem for problems in wrong for problem in problems] or list(self._broken_rules())

    def _broken_rules(self) -> Iterator[Problem]:
        for rule in self.rules:
            if any(contains_unknown(getattr(self, name)) for name in rule.fields):
                continue
            reason = rule.test(self)
            if reason:
                yield Problem(rule.property, cut(reason, MOST_SAID))

    def encode(self) -> dict[str, Any]:
        """The fields that are set, as plain values; what Pulumi keeps as inputs."""
        return {name: plain(getattr(self, name)) for name in _lasting(type(self)) if name in self.model_fields_set}

    def with_values(self, **values: Any) -> Self:
        """A copy with these fields set."""
        return self.model_copy(update=values)

    def is_known(self, *names: str) -> bool:
        """Whether every one of these fields is fully known."""
        return not any(contains_unknown(getattr(self, name)) for name in names)


class State(BaseModel):
    """What the cloud said: the outputs of a resource beside its arguments."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True, defer_build=True)

    @classmethod
    def decode(cls, given: Mapping[str, Any]) -> Self:
        """Outputs from the stack's state; what is missing there takes its default."""
        return cls.model_validate({name: given[name] for name in cls.model_fields if given.get(name) is not None})

    def encode(self) -> dict[str, Any]:
        """All outputs as plain values."""
        return {name: plain(getattr(self, name)) for name in type(self).model_fields if getattr(self, name) is not None}


@dataclass(frozen=True)
class Changes:
    """Which arguments differ between what is and what is wanted."""

    fields: frozenset[str] = frozenset()
    replaces: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.fields or self.unknown)

    def touches(self, *names: str) -> bool:
        """Whether one of these fields changed."""
        return any(name in self.fields for name in names)


@cache
def marks(args_type: type[Args], name: str) -> tuple[object, ...]:
    """The marks on a field."""
    return tuple(args_type.model_fields[name].metadata)


def mark_of(args_type: type[Args], name: str) -> Mark:
    """What a change of the field does."""
    for mark in marks(args_type, name):
        if isinstance(mark, Mark):
            return mark
    raise TypeError(f"{args_type.__name__}.{name} has no mark that says what a change does")


def has(args_type: type[Args], name: str, kind: type[object]) -> bool:
    """Whether the field carries a mark of this kind."""
    return any(isinstance(mark, kind) for mark in marks(args_type, name))


def compare(old: Args, new: Args, *names: str) -> Changes:
    """What differs, in these fields or in all, by the marks.

    An unknown new value is a possible change, never a replacement.
    """
    args_type = type(new)
    changed: set[str] = set()
    unknown: set[str] = set()
    for name in names or args_type.model_fields:
        before, after = getattr(old, name, None), getattr(new, name)
        # Nearly all arguments are unset or a text on both sides, and a diff looks at each several times.
        if type(after) in _ALWAYS_KNOWN and before == after:
            continue
        if contains_unknown(after):
            unknown.add(name)
        elif has(args_type, name, Computed) and name not in new.model_fields_set:
            continue
        elif _differ(args_type, name, before, after):
            changed.add(name)
    replaces = frozenset(name for name in changed if _replaces(args_type, name, old, new))
    return Changes(frozenset(changed), replaces, frozenset(unknown))


def _differ(args_type: type[Args], name: str, before: Any, after: Any) -> bool:
    """Whether the values mean different things; texts and numbers do whenever they differ."""
    if before == after:
        return False
    plainly = type(before) in _ALWAYS_KNOWN and type(after) in _ALWAYS_KNOWN
    return plainly or canonical(args_type, name, before) != canonical(args_type, name, after)


def _replaces(args_type: type[Args], name: str, old: Args, new: Args) -> bool:
    mark, before, after = mark_of(args_type, name), getattr(old, name, None), getattr(new, name)
    if isinstance(mark, InPlace) and mark.replaces_if is not None:
        return mark.replaces_if(before, after)
    return isinstance(mark, Replaces) and (mark.unless is None or not mark.unless(before, after))


def canonical(args_type: type[Args], name: str, value: Any) -> str:
    """A text that is equal for values that mean the same."""
    content = plain(value)
    if content in (None, [], {}):
        return "null"
    for mark in marks(args_type, name):
        if isinstance(mark, SetLike) and isinstance(content, list):
            content = _as_set(content)
        elif isinstance(mark, SetLike) and isinstance(content, dict):
            content = {key: _as_set(entry) if key in mark.within else entry for key, entry in content.items()}
    return json.dumps(content, sort_keys=True, default=repr)


def _as_set(entries: Any) -> Any:
    if not isinstance(entries, list):
        return entries
    return sorted({json.dumps(entry, sort_keys=True, default=repr) for entry in entries})


def plain(value: Any) -> Any:
    """A value as JSON would hold it, in snake_case, without what was not set; unknowns stay."""
    if isinstance(value, BaseModel):
        set_fields = (name for name in type(value).model_fields if name in value.model_fields_set)
        dumped = {name: plain(getattr(value, name)) for name in set_fields}
        return {name: entry for name, entry in dumped.items() if entry is not None}
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    return value


# Most values are one of these, and a diff looks at each several times.
_ALWAYS_KNOWN = (str, int, float, bool, type(None))


def contains_unknown(value: Any) -> bool:
    """Whether a value is or holds an unknown."""
    if type(value) in _ALWAYS_KNOWN:
        return False
    if isinstance(value, Unknown):
        return True
    if isinstance(value, BaseModel):
        return any(contains_unknown(getattr(value, name)) for name in value.model_fields_set)
    if isinstance(value, Mapping):
        return any(contains_unknown(entry) for entry in value.values())
    return isinstance(value, list | tuple | set | frozenset) and any(map(contains_unknown, value))


@cache
def _lasting(args_type: type[Args]) -> tuple[str, ...]:
    """The fields that are kept."""
    return tuple(name for name in args_type.model_fields if not has(args_type, name, Transient))


@cache
def _blank(args_type: type[Args]) -> Args:
    """Arguments of which none is set."""
    return args_type.model_construct(_fields_set=set())


@cache
def _adapter(args_type: type[Args], name: str) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, args_type.model_fields[name].rebuild_annotation()))


def _validate(args_type: type[Args], name: str, value: Any, *, strict: bool) -> tuple[Any, list[Problem]]:
    """The value as the field's type has it; as given where parts are unknown, or something is wrong."""
    if isinstance(value, Unknown):
        return value, []
    if strict and (problems := list(_unsound(args_type, name, value))):
        return value, problems
    partial = contains_unknown(value)
    known = _without_unknown(value) if partial else value
    adapter = _adapter(args_type, name)
    try:
        validated = _validated(adapter, known, strict)
    except ValidationError as error:
        if not strict:
            return (value if partial else salvaged(adapter, value)), []
        wrong = [entry for entry in error.errors() if not (partial and entry["type"] == "missing")]
        secret, field = has(args_type, name, Secret), args_type.model_fields[name]
        return value, [Problem(*explain(name, field, entry, secret=secret)) for entry in wrong]
    if type(validated) in _ALWAYS_KNOWN:
        return validated, []
    problems = [Problem(path, reason) for path, reason in misplaced(name, validated)]
    return (value if partial else validated), problems


def _validated(adapter: TypeAdapter[Any], value: Any, strict: bool) -> Any:
    try:
        return adapter.validate_python(value, strict=strict)
    except ValidationError:
        # The engine has no whole numbers, so that 2.0 is meant as 2.
        return adapter.validate_python(whole(value), strict=strict)


def _unsound(args_type: type[Args], name: str, value: Any) -> Iterator[Problem]:
    """What can be no part of any value. Nearly all are short printable texts, and a check looks at each twice."""
    if (
        value is True
        or value is False
        or (type(value) is str and len(value) <= MOST_CHARACTERS and value.isprintable())
    ):
        return
    lines, secret = has(args_type, name, Lines), has(args_type, name, Secret)
    for path, reason in unsound(name, value, lines=lines, secret=secret, passed=(Unknown, BaseModel)):
        yield Problem(path, reason)


def _without_unknown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_unknown(entry) for key, entry in value.items() if not isinstance(entry, Unknown)}
    if isinstance(value, list | tuple):
        return [_without_unknown(entry) for entry in value if not isinstance(entry, Unknown)]
    return value
