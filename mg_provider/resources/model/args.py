"""Arguments as models: validation, planning with unknowns, and what the marks on a field say."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Self, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from mg_provider.api.texts import cut
from mg_provider.resources.model.marks import Computed, Derived, Lines, Mark, ReadBack, Secret, Transient
from mg_provider.resources.model.meaning import Inner
from mg_provider.resources.model.reasons import MOST_SAID, explain
from mg_provider.resources.model.salvage import adapter_of, partly_known, salvaged
from mg_provider.resources.model.soundness import MOST_CHARACTERS, misplaced, unsound, whole
from mg_provider.resources.model.unknown import ALWAYS_KNOWN, Unknown, contains_unknown, plain, without_unknown
from mg_provider.spelling import did_you_mean, nearest


@dataclass(frozen=True)
class Problem:
    """Something wrong with an argument: which, and what to do."""

    property: str
    reason: str


@dataclass(frozen=True)
class Rule:
    """A check across fields. It runs only if every one of ``fields`` is fully known, and right by itself.

    Of the mappings in ``keys_of`` it looks only at the keys, whatever is wrong or unknown below them.
    """

    fields: tuple[str, ...]
    test: Callable[[Any], str | None]
    keys_of: tuple[str, ...] = ()

    @property
    def property(self) -> str:
        """The field that a failure is reported against."""
        return self.fields[0]


class Args(BaseModel):
    """The arguments of a resource, as the user wrote them and as ``plan`` completed them.

    Fields are named as the API names them, in snake_case. ``rules`` are the checks across fields. ``always_in_ids`` are
    the arguments that ids have followed from since the first version; no other one is ever added.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True, arbitrary_types_allowed=True, defer_build=True)
    rules: ClassVar[tuple[Rule, ...]] = ()
    always_in_ids: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def decode(cls, given: Mapping[str, Any]) -> tuple[Self, list[Problem]]:
        """Arguments from plain values, and what is wrong with them.

        A value that is or holds an ``Unknown`` is validated as far as it is known: its missing parts are not an error.
        """
        known = cls.model_fields
        unknown = [name for name in given if name not in known]
        problems = [Problem(cut(name), f"is not an argument: {did_you_mean(name, known)}") for name in unknown]
        args, wrong = cls._read(given, strict=True)
        # What is wrong itself, or was probably meant by a misspelt name, breaks no rule as well.
        left_out = {re.split(r"[.\[]", problem.property)[0] for problem in wrong}
        left_out |= {near for name in unknown if (near := nearest(name, set(known) - set(given)))}
        return args, [*problems, *wrong, *args._broken_rules(left_out)]

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
        """What is wrong with arguments that were completed; what the program gave of them was validated before."""
        missing = (name for name in self.model_fields_set if not getattr(asked, name))
        added = (name for name in missing if getattr(self, name) and not has(type(self), name, Derived))
        wrong = [_validate(type(self), name, plain(getattr(self, name)), strict=True)[1] for name in added]
        return [problem for problems in wrong for problem in problems] or list(self._broken_rules())

    def _broken_rules(self, left_out: Collection[str] = ()) -> Iterator[Problem]:
        """The rules that are broken, apart from those about an argument that is left out."""
        passed = {*left_out, *(name for name in self.model_fields_set if contains_unknown(getattr(self, name)))}
        for rule in self.rules:
            if not passed.isdisjoint(rule.fields):
                continue
            if not all(_has_names(getattr(self, name)) for name in rule.keys_of):
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


def _has_names(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


@cache
def marks(args_type: type[BaseModel], name: str) -> tuple[object, ...]:
    """The marks on a field."""
    return tuple(args_type.model_fields[name].metadata)


def mark_of(args_type: type[Args], name: str) -> Mark:
    """What a change of the field does."""
    for mark in marks(args_type, name):
        if isinstance(mark, Mark):
            return mark
    raise TypeError(f"{args_type.__name__}.{name} has no mark that says what a change does")


def has(args_type: type[BaseModel], name: str, *kinds: type[object]) -> bool:
    """Whether the field carries a mark of one of these kinds."""
    return any(isinstance(mark, kinds) for mark in marks(args_type, name))


@cache
def settable(args_type: type[BaseModel]) -> tuple[str, ...]:
    """The arguments that a program may set, in order."""
    return tuple(name for name in args_type.model_fields if not has(args_type, name, Derived, Inner))


@cache
def declared_outputs(args_type: type[Args], state_type: type[State]) -> dict[str, FieldInfo]:
    """The outputs that a program may count on: arguments that come to have a value by themselves, and what is seen."""
    fields = args_type.model_fields
    planned = {name: fields[name] for name in fields if has(args_type, name, Derived, Computed, ReadBack)}
    seen = {name: field for name, field in state_type.model_fields.items() if Inner() not in field.metadata}
    return planned | seen


@cache
def _lasting(args_type: type[Args]) -> tuple[str, ...]:
    """The fields that are kept."""
    return tuple(name for name in args_type.model_fields if not has(args_type, name, Transient))


@cache
def _blank(args_type: type[Args]) -> Args:
    """Arguments of which none is set."""
    return args_type.model_construct(_fields_set=set())


def _validate(args_type: type[Args], name: str, value: Any, *, strict: bool) -> tuple[Any, list[Problem]]:
    """The value as the field's type has it, with its unknown parts; as given where something is wrong."""
    if isinstance(value, Unknown):
        return value, []
    if strict and (problems := list(_unsound(args_type, name, value))):
        return value, problems
    field, adapter = args_type.model_fields[name], adapter_of(args_type, name)
    partial = contains_unknown(value)
    try:
        validated = _validated(adapter, without_unknown(value) if partial else value, strict)
    except ValidationError as error:
        if strict and (wrong := [entry for entry in error.errors() if not (partial and entry["type"] == "missing")]):
            secret = has(args_type, name, Secret)
            return value, [Problem(*explain(name, field, entry, secret=secret)) for entry in wrong]
        validated = value if partial else salvaged(adapter, value)
    if partial:
        validated = partly_known(field.annotation, value)
    if type(validated) in ALWAYS_KNOWN:
        return validated, []
    return validated, [Problem(path, reason) for path, reason in misplaced(name, validated)]


def _validated(adapter: TypeAdapter[Any], value: Any, strict: bool) -> Any:
    try:
        return adapter.validate_python(value, strict=strict)
    except ValidationError:
        # The engine has no whole numbers, so that 2.0 is meant as 2.
        return adapter.validate_python(whole(value), strict=strict)


def _unsound(args_type: type[Args], name: str, value: Any) -> Iterator[Problem]:
    """What cannot be part of any value. Nearly all are short printable texts, and a check looks at each twice."""
    if (
        value is True
        or value is False
        or (type(value) is str and len(value) <= MOST_CHARACTERS and value.isprintable())
    ):
        return
    lines, secret = has(args_type, name, Lines), has(args_type, name, Secret)
    for path, reason in unsound(name, value, lines=lines, secret=secret, passed=(Unknown, BaseModel)):
        yield Problem(path, reason)
