"""Differences between two sets of properties, in the terms of Pulumi's detailed diffs and property paths."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from mg_provider.rehearsal.state.properties import Properties, Value, equal, revealed

Path = tuple[str | int, ...]
_ELEMENT: Final = re.compile(r'\.?([^.\["]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\[(\*)\]')
_INVERSE: Final = {"add": "delete", "delete": "add", "update": "update"}


@dataclass(frozen=True)
class PropertyDiff:
    """How one property differs: ``add``, ``delete`` or ``update``, with ``-replace`` where that replaces."""

    kind: str
    input_diff: bool = True

    def replacing(self) -> PropertyDiff:
        """The same difference, as one that replaces the resource."""
        return self if self.kind.endswith("-replace") else replace(self, kind=f"{self.kind}-replace")

    def inverted(self) -> PropertyDiff:
        """The difference the other way round."""
        base, dash, suffix = self.kind.partition("-")
        return replace(self, kind=f"{_INVERSE[base]}{dash}{suffix}")


@dataclass(frozen=True)
class Difference:
    """The answer to a diff: whether there are changes, which, and what they do."""

    changes: Literal["none", "some", "unknown"]
    replace_keys: tuple[str, ...] = ()
    changed_keys: tuple[str, ...] = ()
    detailed: dict[str, PropertyDiff] | None = field(default=None)
    delete_before_replace: bool = False

    @property
    def replaces(self) -> bool:
        """Whether the resource has to be replaced."""
        kinds = (entry.kind for entry in (self.detailed or {}).values())
        return bool(self.replace_keys) or any(kind.endswith("-replace") for kind in kinds)

    def inverted(self) -> Difference:
        """What a refresh shows: the way from the state to what was read, not back."""
        detailed = None if self.detailed is None else {path: entry.inverted() for path, entry in self.detailed.items()}
        return replace(self, detailed=detailed)


def difference_of_inputs(answer: Difference, old: Properties, new: Properties) -> Difference:
    """What the engine makes of a provider's "do not know": the difference between old and new inputs."""
    entries: dict[str, PropertyDiff] = {}
    changed = []
    old_plain, new_plain = revealed(old), revealed(new)
    for key in sorted(old_plain.keys() | new_plain.keys()):
        found = dict(_walk((key,), old_plain.get(key), new_plain.get(key)))
        if found:
            changed.append(key)
            entries.update({path_text(path): PropertyDiff(kind) for path, kind in found.items()})
    if not changed:
        return replace(answer, changes="none")
    return replace(answer, changes="some", changed_keys=tuple(changed), detailed=entries)


def _walk(path: Path, old: Value, new: Value) -> Iterator[tuple[Path, str]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _walk((*path, key), old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            if index >= len(old):
                yield (*path, index), "add"
            elif index >= len(new):
                yield (*path, index), "delete"
            else:
                yield from _walk((*path, index), old[index], new[index])
    elif not equal(old, new):
        yield path, "add" if old is None else "delete" if new is None else "update"


def path_text(path: Path) -> str:
    """A path as Pulumi writes it: ``a.b[0]["c.d"]``."""
    text = ""
    for element in path:
        if isinstance(element, int):
            text += f"[{element}]"
        elif re.search(r'[.\["\]]', element) or not element:
            text += '["' + element.replace('"', '\\"') + '"]'
        else:
            text += f".{element}" if text else element
    return text


def parse_path(text: str) -> Path:
    """The elements of a path; ``*`` stands for any."""
    elements: list[str | int] = []
    for match in _ELEMENT.finditer(text):
        name, index, quoted, star = match.groups()
        if index is not None:
            elements.append(int(index))
        elif quoted is not None:
            elements.append(quoted.replace('\\"', '"'))
        else:
            elements.append(star or name)
    return tuple(elements)


def covers(pattern: Path, path: Path) -> bool:
    """Whether a path lies at or below a pattern."""
    return len(pattern) <= len(path) and all(
        wanted in ("*", element) for wanted, element in zip(pattern, path, strict=False)
    )


def with_replace_on_changes(answer: Difference, patterns: list[str], has_init_errors: bool) -> Difference:
    """Make those differences replacements that `replaceOnChanges` names; init errors count as ``#initerror``."""
    if answer.changes != "some" and not has_init_errors:
        return answer
    paths = [parse_path(pattern) for pattern in patterns]

    def named(path: Path) -> bool:
        return any(covers(pattern, path) for pattern in paths)

    detailed = answer.detailed
    if detailed is not None:
        detailed = {text: entry.replacing() if named(parse_path(text)) else entry for text, entry in detailed.items()}
    keys = list(answer.replace_keys)
    keys += [key for key in answer.changed_keys if key not in keys and named((key,))]
    changes = answer.changes
    if has_init_errors and named(("#initerror",)):
        keys.append("#initerror")
        changes = "some"
    return replace(answer, changes=changes, replace_keys=tuple(keys), detailed=detailed)


def ignoring_changes(new: Properties, old: Properties, patterns: list[str]) -> Properties:
    """The new inputs with the old values wherever `ignoreChanges` says so."""
    result = copy.deepcopy(new)
    for pattern in patterns:
        _reset(parse_path(pattern), old, result)
    return result


def _reset(path: Path, old: Value, new: Value) -> None:
    if not path or not isinstance(new, dict | list) or type(old) is not type(new):
        return
    head, rest = path[0], path[1:]
    for key in _keys(head, old, new):
        had, has = _holds(old, key), _holds(new, key)
        if rest:
            if had and has:
                _reset(rest, old[key], new[key])
        elif had and (has or isinstance(new, dict)):
            new[key] = copy.deepcopy(old[key])
        elif has and isinstance(new, dict):
            del new[key]


def _keys(head: str | int, old: Value, new: Value) -> list[Value]:
    if head != "*":
        return [head]
    return list(range(len(new))) if isinstance(new, list) else sorted(old.keys() | new.keys())


def _holds(container: Value, key: Value) -> bool:
    if isinstance(container, list):
        return isinstance(key, int) and key < len(container)
    return key in container
