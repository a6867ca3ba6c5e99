"""A preview's digest in words: which resource, which property, from what to what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mg_provider.data.engine_values import UNKNOWN_TEXT

_PLACE = re.compile(r"[^.\[\]\"]+")
_SHORT_PATH = 3
_PLAN = frozenset({"deployment_plan"})
_HIDDEN = frozenset({"endpoint", "model", "endpoint_id", "model_id", "run", "__provider"})


def steps(digest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The steps of a digest that change something in the cloud."""
    own = ("::pulumi:pulumi:", "::pulumi:providers:")
    return [step for step in digest["steps"] if step["op"] != "same" and not any(kind in step["urn"] for kind in own)]


def replaced(digest: Mapping[str, Any]) -> list[str]:
    """Names of the resources that would be replaced."""
    return [_name(step) for step in steps(digest) if "replace" in step["op"]]


def kinds(digest: Mapping[str, Any]) -> set[str]:
    """Kinds of the resources that would change."""
    return {_kind(step) for step in steps(digest)}


def lines(digest: Mapping[str, Any]) -> Iterator[str]:
    """A line for each resource that would change, and one for each property of it."""
    for step in steps(digest):
        reasons = step.get("replaceReasons") or []
        why = f" because of {', '.join(name for name in reasons if name not in _HIDDEN)}" if reasons else ""
        yield f"{step['op']} {_kind(step)} {_name(step)}{why}"
        for path in sorted(step.get("detailedDiff") or {}):
            if path.split(".")[0] not in _HIDDEN:
                yield f"    {path}: {_value(step, 'oldState', path)} → {_value(step, 'newState', path)}"


def in_short(digest: Mapping[str, Any]) -> Iterator[str]:
    """A line for each set of changes, with the resources that have it; the plan that follows from them is left out."""
    same: dict[str, list[str]] = {}
    for step in sorted(steps(digest), key=_name):
        paths = [path for path in sorted(step.get("detailedDiff") or {}) if path.split(".")[0] not in _HIDDEN | _PLAN]
        differences = [
            f"{path} {short(_value(step, 'oldState', path))} → {short(_value(step, 'newState', path))}"
            for path in paths
        ]
        same.setdefault("; ".join(differences) or str(step["op"]), []).append(_name(step))
    yield from (f"{', '.join(names)}: {text}" for text, names in same.items())


def short(value: str) -> str:
    """A long path by its end."""
    return f"…/{'/'.join(value.split('/')[-2:])}" if value.count("/") > _SHORT_PATH else value


def _name(step: Mapping[str, Any]) -> str:
    return str(step["urn"]).rsplit("::", 1)[-1]


def _kind(step: Mapping[str, Any]) -> str:
    return str(step["urn"]).split("::")[-2].rsplit(":", 1)[-1]


def _value(step: Mapping[str, Any], state: str, path: str) -> str:
    value: Any = (step.get(state) or {}).get("inputs")
    for part in _PLACE.findall(path):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, Sequence) and not isinstance(value, str) and part.isdigit():
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = None
    if value is None:
        return "not set"
    if value == UNKNOWN_TEXT:
        return "known after up"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    unit = " %" if path.startswith("traffic_split") else ""
    return f"{value:g}{unit}" if number else str(value)
