"""YAML files that a user wrote, as plain data: texts, finite numbers, truth values, lists, and mappings of texts."""

from __future__ import annotations

import math
from collections.abc import Hashable
from pathlib import Path
from typing import Any, Final, cast

import yaml

from mg_provider.command_line.errors import Refusal

_MOST_BYTES: Final = 1_000_000
_MOST_VALUES: Final = 100_000
_DEEPEST: Final = 100
_QUOTE: Final = "put it in quotes"
# Ten times as fast; PyYAML may have been built without it.
_Parser: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class NotReadable(Refusal):
    """A file that cannot be used.

    Attributes:
        problem: What is wrong with it; the sentence that it ends begins with the file's name.
    """

    def __init__(self, path: Path, problem: str, *, hint: str) -> None:
        super().__init__(f"{path} {problem}", hint=hint)
        self.problem = problem


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping that a file holds; an empty file is an empty one.

    Raises:
        NotReadable: it is not such a file, or says something twice, endlessly, or that is not plain data.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NotReadable(
            path, f"cannot be read: {error.strerror}", hint="check its name, and who may read it"
        ) from error
    if len(content) > _MOST_BYTES:
        raise NotReadable(path, f"has more than {_MOST_BYTES:,} bytes", hint="make it shorter, or give another file")
    try:
        text = content.decode("utf-8-sig")
        _refuse_deep(text)
        document = yaml.load(text, _Loader)  # noqa: S506 - a safe loader, made stricter
        _check(document, "", [_MOST_VALUES], 0)
    except UnicodeDecodeError as error:
        raise NotReadable(path, f"is not UTF-8 text (byte {error.start + 1})", hint="save it as UTF-8") from error
    except yaml.YAMLError as error:
        problem, line = _problem(error)
        raise NotReadable(path, f"is not YAML: {problem}", hint=f"correct it {line}".rstrip()) from error
    except _NotPlain as error:
        problem, hint = error.args
        raise NotReadable(path, problem, hint=hint) from error
    except ValueError as error:
        raise NotReadable(path, "has a value that is not text, a number or a truth value", hint=_QUOTE) from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise NotReadable(path, "does not hold a mapping", hint="write lines of the form `key: value`")
    return document


class _NotPlain(ValueError):
    """A value that is not plain data: what is wrong, and what to do."""


class _Loader(_Parser):  # type: ignore[misc]
    """Keeps dates as the texts that they are, and refuses a key that appears twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, "it merges mappings with <<, so write their values out", key.start_mark
                )
            if isinstance(key.value, str) and key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} appears twice", key.start_mark)
            if isinstance(key.value, str):
                seen.add(key.value)
        return cast("dict[Hashable, Any]", super().construct_mapping(node, deep))


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _refuse_deep(text: str) -> None:
    """Refuse what would need more of the stack than there is, before anything is made of it.

    Raises:
        _NotPlain: with what is wrong, and what to do.
    """
    depth = 0
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST + 1:
            raise _NotPlain("is nested too deeply", f"use at most {_DEEPEST} levels")


def _check(value: Any, place: str, left: list[int], depth: int) -> None:
    """Refuse what is not plain data, and what aliases make endless.

    Raises:
        _NotPlain: with what is wrong, and what to do.
    """
    left[0] -= 1
    if left[0] < 0 or depth > _DEEPEST:
        raise _NotPlain(
            "has too many values, or is nested too deeply", "see whether its aliases (*name) repeat themselves"
        )
    if isinstance(value, dict):
        for key, element in value.items():
            if not isinstance(key, str):
                raise _NotPlain(f"has the key {key!r} in {place or 'its mapping'}, which is not text", _QUOTE)
            _check(element, f"{place}.{key}".lstrip("."), left, depth + 1)
    elif isinstance(value, list):
        for element in value:
            _check(element, place, left, depth + 1)
    elif isinstance(value, int):
        if value.bit_length() > 64:
            raise _NotPlain(f"has a number in {place} that is too long", _QUOTE)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise _NotPlain(f"has {value} in {place}, which is not a finite number", _QUOTE)
    elif value is not None and not isinstance(value, str):
        raise _NotPlain(f"has a {type(value).__name__} in {place}", "write text, numbers, lists and mappings")


def _problem(error: yaml.YAMLError) -> tuple[str, str]:
    """What is wrong without the lines around it, and where."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return (f"{problem} (line {mark.line + 1})", f"in line {mark.line + 1}") if mark else (problem, "")
