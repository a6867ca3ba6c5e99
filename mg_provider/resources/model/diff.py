"""What differs between two sets of arguments, by their marks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mg_provider.resources.model.args import Args, has, mark_of, marks
from mg_provider.resources.model.marks import Computed, FilledIn, InPlace, Replaces, SetLike
from mg_provider.resources.model.unknown import ALWAYS_KNOWN, contains_unknown, plain


@dataclass(frozen=True)
class Changes:
    """Which arguments differ between what exists and what is asked for."""

    fields: frozenset[str] = frozenset()
    replaces: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.fields or self.unknown)

    def touches(self, *names: str) -> bool:
        """Whether one of these fields changed."""
        return any(name in self.fields for name in names)


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
        if type(after) in ALWAYS_KNOWN and before == after:
            continue
        if contains_unknown(after):
            unknown.add(name)
        elif (has(args_type, name, Computed) and name not in new.model_fields_set) or (
            not before and has(args_type, name, FilledIn)
        ):
            continue
        elif differ(args_type, name, before, after):
            changed.add(name)
    replaces = frozenset(name for name in changed if _replaces(args_type, name, old, new))
    return Changes(frozenset(changed), replaces, frozenset(unknown))


def differ(args_type: type[Args], name: str, before: Any, after: Any) -> bool:
    """Whether the values mean different things; texts and numbers do whenever they differ."""
    if before == after:
        return False
    plainly = type(before) in ALWAYS_KNOWN and type(after) in ALWAYS_KNOWN
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
