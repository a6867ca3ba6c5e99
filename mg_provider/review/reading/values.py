"""Values as a preview writes them: unknown, hidden, long, odd; and how a reader sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mg_provider.api.texts import cut
from mg_provider.data.engine_values import SIGNATURE_KEY, UNKNOWN_TEXTS
from mg_provider.resources.model.unknown import ALWAYS_KNOWN, UNKNOWN, Unknown, contains_unknown

HIDDEN: Final = "[secret]"
_SECRET_NAME: Final = re.compile(r"(?i)((api|access|private)[_-]?key|token|secret|passw|credential)")
_ENVIRONMENT: Final = re.compile(r"\benv\[")
_MOST: Final = 120
_LARGEST: Final = 2**53
"""The engine's numbers have this many whole ones."""


def _keeps_to_itself(path: str) -> bool:
    """Whether a value at this path may be a secret, although nobody said so."""
    return bool(_SECRET_NAME.search(path) or _ENVIRONMENT.search(path))


def decode(value: Any) -> Any:
    """A value of the preview with whole numbers, and unknowns as such; a number that is larger than any is a text."""
    if isinstance(value, str):
        return UNKNOWN if value in UNKNOWN_TEXTS else value
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST:
        return int(value)
    if isinstance(value, int) and abs(value) >= _LARGEST:
        return cut(str(value))
    if isinstance(value, dict):
        if SIGNATURE_KEY in value:
            return HIDDEN
        return {key: decode(entry) for key, entry in value.items()}
    return [decode(entry) for entry in value] if isinstance(value, list) else value


def name(text: Any) -> str:
    """A name on one line, cut where it is long, control characters escaped."""
    return cut(text if isinstance(text, str) else str(text))


def show(value: Any) -> str:
    """A value in a few words; never a hidden one."""
    if isinstance(value, Unknown):
        return "known after up"
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return cut(value, _MOST) if len(value) <= _MOST else f"{cut(value[: _MOST - 1], _MOST - 1)}…"
    if isinstance(value, Mapping):
        return cut(", ".join(_leaf(path, leaf) for path, leaf in leaves(value)), _MOST)
    if isinstance(value, list):
        return cut(", ".join(_masked(value)), _MOST)
    return cut(str(value), _MOST)


def _leaf(path: str, value: Any) -> str:
    return f"{name(path)} …" if _keeps_to_itself(path) else f"{name(path)} {show(value)}"


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The values within a value, each with its path; lists of plain values are one."""
    if type(value) in ALWAYS_KNOWN:
        yield path, value
    elif isinstance(value, Mapping) and value:
        for key in sorted(value, key=str):
            yield from leaves(value[key], f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(entry, Mapping) for entry in value):
        for index, entry in enumerate(value):
            yield from leaves(entry, f"{path}[{_label(entry, index)}]")
    else:
        yield path, value


def _label(entry: Any, index: int) -> str:
    """How an entry of a list is called: by its name, where it has one."""
    called = entry.get("name") if isinstance(entry, Mapping) else None
    return called if isinstance(called, str) and called else str(index)


def differing(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """What differs between two values: the path of each leaf or list, what it was, and what it is.

    Args:
        old: Before.
        new: After.
        path: What the values are called.
    """
    nothing: tuple[Any, ...] = (None, [], {}, "")
    before = {} if old in nothing else dict(leaves(old, path))
    after = {} if new in nothing else dict(leaves(new, path))
    for found in sorted({*before, *after}):
        was, now = before.get(found), after.get(found)
        if was != now:
            yield found, was, now


def difference(old: Any, new: Any, path: str = "") -> list[str]:
    """The same, a short text each: what lists gain and lose, and what leaves were and are."""
    texts: list[str] = []
    for found, was, now in differing(old, new, path):
        lists = isinstance(was, list) or isinstance(now, list)
        texts += _of_lists(found, was, now) if lists else _of_leaves(found, was, now)
    return texts


def sides(path: str, old: Any, new: Any, most: int) -> tuple[str, str]:
    """What stands before and after at a path, in full; empty where there is nothing, and never a hidden value."""
    if _keeps_to_itself(path) or HIDDEN in (old, new):
        return ("hidden" if old is not None else "", "hidden, another value" if new is not None else "")
    if not (isinstance(old, list) or isinstance(new, list)):
        return _side(old, most), _side(new, most)
    gained, lost = _gained(old, new), _gained(new, old)
    if not gained and not lost:
        gained, lost = _masked(entries(new)), _masked(entries(old))
    return cut(", ".join(lost), most), cut(", ".join(gained), most)


def _gained(old: Any, new: Any) -> list[str]:
    """What a list has that another has not, as a reader sees it."""
    had, has = entries(old), entries(new)
    return [shown for entry, shown in zip(has, _masked(has), strict=True) if entry not in had]


def _side(value: Any, most: int) -> str:
    if isinstance(value, str) and value:
        return cut(value, most)
    return "" if value is None else show(value)


def _of_lists(path: str, old: Any, new: Any) -> list[str]:
    label = f"{name(path)} " if path else ""
    texts = [f"{label}+ {entry}" for entry in _gained(old, new)] + [f"{label}- {entry}" for entry in _gained(new, old)]
    return texts or [f"{label}in another order"]


def entries(value: Any) -> list[Any]:
    """A list, also where there is none."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _of_leaves(path: str, old: Any, new: Any) -> list[str]:
    if path and _keeps_to_itself(path):
        return [f"{name(path)} changes"]
    label = f"{name(path)} " if path else ""
    return [f"{label}{show(old)} → {show(new)}"]


def hides(value: Any) -> bool:
    """Whether a part of a value is hidden."""
    if type(value) in ALWAYS_KNOWN:
        return bool(value == HIDDEN)
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return any(map(hides, inner))


def is_unknown(value: Any) -> bool:
    """Whether a part of a value is known only after up."""
    return contains_unknown(value)


def is_unseen(value: Any) -> bool:
    """Whether nobody can say here what a value is: it is hidden, or known only after up."""
    return value == HIDDEN or is_unknown(value)


def arguments(values: Any) -> str:
    """Command line arguments, those of a secret's name without their values."""
    return cut(" ".join(_masked(entries(values))), 200)


def _masked(given: list[Any]) -> list[str]:
    """Entries of a list as a reader sees them; what follows a flag of a secret's name stays hidden."""
    parts: list[str] = []
    awaited = False
    for entry in given:
        shown = show(entry)
        flag, equals, _ = shown.partition("=")
        secret = bool(_SECRET_NAME.search(flag))
        parts.append("…" if awaited and not shown.startswith("-") else f"{flag}=…" if equals and secret else shown)
        awaited = secret and not equals and shown.startswith("-")
    return parts
