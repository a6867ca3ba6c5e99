"""``extends: base.yaml`` in an environment: what several stacks share stands in one file, and each says what differs.

Sections merge key by key, as deep as they go. An argument of a model, endpoint or batch job is taken whole from the
file that is nearest to the stack, as is any list. ``without`` takes away what the base file says.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mg_provider.yaml_file import NotReadable, read_yaml

EXTENDS: Final = "extends"
WITHOUT: Final = "without"
ENTRIES: Final = ("models", "endpoints", "batch_jobs")
SECTIONS_BY_NAME: Final = ("overrides", "deployed_models", "consumers")
"""The keys in an entry under which there are sections by name."""

SECTIONS: Final = ("private", "addresses", *SECTIONS_BY_NAME)
"""The keys in an entry that hold no argument of a resource."""


class BaseFileProblem(Exception):
    """A base file cannot be used.

    Attributes:
        path: The key that is wrong.
        text: What to do about it.
        file: The file that has the key; empty where that is the stack's own.
    """

    def __init__(self, path: str, text: str, file: str = "") -> None:
        super().__init__(f"{path}: {text}")
        self.path, self.text, self.file = path, text, file


@dataclass(frozen=True)
class Layered:
    """An environment, put together from a stack's own file and those that it extends.

    Attributes:
        value: The environment.
        files: The path of each value to the file that says it, from the folder of the stack's file; empty for that
            one itself.
    """

    value: Any
    files: Mapping[str, str] = field(default_factory=dict)

    def file_of(self, path: str) -> str:
        """The base file that says all that is at a path; empty where the stack's own file says some of it."""
        inside = {
            file for leaf, file in self.files.items() if leaf == path or leaf.startswith((f"{path}.", f"{path}["))
        }
        return inside.pop() if len(inside) == 1 else ""


def layered(value: Any, folder: Path | None) -> Layered:
    """An environment with what it extends.

    Args:
        value: What the stack's own file says.
        folder: The folder of that file; None where there is none.

    Raises:
        BaseFileProblem: a base file cannot be read, extends itself, or lacks what is taken away.
    """
    return _layered(value, "", folder, ())


def _layered(value: Any, file: str, folder: Path | None, seen: tuple[Path, ...]) -> Layered:
    if not isinstance(value, Mapping):
        return Layered(value)
    own = {key: entry for key, entry in value.items() if key not in (EXTENDS, WITHOUT)}
    files = dict.fromkeys(_leaves(own), file)
    if EXTENDS not in value:
        if WITHOUT in value:
            raise BaseFileProblem(WITHOUT, f"takes away what {EXTENDS} brings, and there is none: remove it", file)
        return Layered(own, files)
    base = _base(value[EXTENDS], file, folder, seen)
    kept = _without(base.value, value.get(WITHOUT, []), file)
    merged = _merged(kept, own, ())
    return Layered(merged, {leaf: files.get(leaf, base.files.get(leaf, file)) for leaf in _leaves(merged)})


def _base(name: Any, file: str, folder: Path | None, seen: tuple[Path, ...]) -> Layered:
    if not isinstance(name, str) or not name:
        raise BaseFileProblem(EXTENDS, "should be the name of a file, such as base.yaml", file)
    if folder is None:
        raise BaseFileProblem(EXTENDS, "works in a stack's file only", file)
    path = (folder / file).parent / name if file else folder / name
    place = path.resolve()
    if place in seen:
        raise BaseFileProblem(EXTENDS, f"{name} extends itself: remove one of the lines", file)
    try:
        content = read_yaml(path)
    except NotReadable as error:
        raise BaseFileProblem(EXTENDS, f"{name} {error.problem}: {error.hint}", file) from error
    return _layered(content, os.path.relpath(path, folder), folder, (*seen, place))


def _without(base: Any, paths: Any, file: str) -> Any:
    """The base without what is taken away."""
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise BaseFileProblem(WITHOUT, "should be a list of keys, such as [models.llama.private]", file)
    for path in paths:
        base = _removed(base, path.split("."), path, file)
    return base


def _removed(value: Any, keys: list[str], path: str, file: str) -> Any:
    if not isinstance(value, Mapping) or keys[0] not in value:
        raise BaseFileProblem(WITHOUT, f"{path} is not in the file that this one extends: remove it", file)
    if len(keys) == 1:
        return {key: entry for key, entry in value.items() if key != keys[0]}
    return {**value, keys[0]: _removed(value[keys[0]], keys[1:], path, file)}


def _merged(base: Any, own: Any, path: tuple[str, ...]) -> Any:
    if not (isinstance(base, Mapping) and isinstance(own, Mapping) and _is_section(path)):
        return own
    both = {key: _merged(base[key], own[key], (*path, key)) for key in own if key in base}
    return {**base, **own, **both}


def _is_section(path: tuple[str, ...]) -> bool:
    """Whether a mapping is not an argument of a resource; those are taken whole."""
    if len(path) < 3 or path[0] not in ENTRIES:
        return True
    return path[-1] in SECTIONS or (len(path) > 3 and path[-2] in SECTIONS_BY_NAME)


def _leaves(value: Any, path: str = "") -> Iterator[str]:
    """The path of each value that holds no others."""
    if isinstance(value, Mapping) and value:
        for key, entry in value.items():
            yield from _leaves(entry, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for index, entry in enumerate(value):
            yield from _leaves(entry, f"{path}[{index}]")
    else:
        yield path
