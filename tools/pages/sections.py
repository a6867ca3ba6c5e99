"""What the page of the stacks says of every section, from its fields and from the arguments of its resource."""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from mg_provider.environment.environment import Environment
from mg_provider.environment.sections import ResourceSection, Section
from tools.code.type_texts import as_prose
from tools.pages.reference import cell

_PAGES = {
    "CustomWeightsModelArgs": "[CustomWeightsModel](custom-weights-model.md)",
    "DedicatedEndpointArgs": "[DedicatedEndpoint](dedicated-endpoint.md)",
    "ServedModel": "[`deployed_models` of DedicatedEndpoint](dedicated-endpoint.md)",
    "PscForwardingRuleArgs": "[PscForwardingRule](psc-forwarding-rule.md)",
    "BatchJobArgs": "[BatchJob](batch-job.md)",
}


def every_key() -> str:
    """The keys of every section, and which arguments of its resource it takes."""
    headings: dict[tuple[str, ...], str] = {}
    parts = []
    for found, paths in every_section().items():
        heading = " and ".join(f"`{path}`" for path in paths)
        parts += [f"### {heading}", *_keys(found)]
        if issubclass(found, ResourceSection):
            same = headings.setdefault(found.takes(), heading)
            parts += [f"The same arguments as {same}."] if same != heading else _arguments(found)
    return "\n\n".join(parts)


def every_section() -> dict[type[BaseModel], list[str]]:
    """The sections of an environment, each with the paths that it has."""
    found: dict[type[BaseModel], list[str]] = {}
    pending: list[tuple[str, type[BaseModel]]] = [("environment", Environment)]
    while pending:
        path, one = pending.pop(0)
        if one in found:
            found[one].append(path)
            continue
        found[one] = [path]
        inside = []
        for key, field in one.model_fields.items():
            name = f".{'REGION' if key == 'overrides' else 'NAME'}" if _is_mapping(field.annotation) else ""
            place = f"{path}.{key}{name}".removeprefix("environment.")
            inside += [(place, kind) for kind in _sections(field.annotation)]
        pending = [*inside, *pending]
    return found


def _keys(found: type[BaseModel]) -> Iterator[str]:
    rows = [
        f"| `{field.alias or key}` | {_kind(field.annotation)} | {cell(_notes(field))} |"
        for key, field in found.model_fields.items()
    ]
    if rows:
        yield "\n".join(["| key | type | what it is |", "|---|---|---|", *rows])


def _arguments(found: type[ResourceSection]) -> Iterator[str]:
    takes = ", ".join(f"`{name}`" for name in found.takes())
    yield f"These arguments of {_PAGES[found.args_type.__name__]}: {takes}."
    if found.not_here:
        reasons = "\n".join(f"* `{name}`: {reason}." for name, reason in found.not_here.items())
        yield f"A stack does not set:\n\n{reasons}"


def _notes(field: FieldInfo) -> str:
    text = field.description or ""
    if field.is_required():
        return f"{text} Required."
    silent = field.default is PydanticUndefined or field.default in (None, "", [], {}) or "Default" in text
    return text if silent else f"{text} Default: `{json.dumps(field.default)}`."


def _kind(annotation: Any) -> str:
    """A type as a reader would say it."""
    if not any(_sections(annotation)):
        return "text by name" if _is_mapping(annotation) else as_prose(annotation)
    if _is_mapping(annotation):
        return "sections by name"
    return "list of str, or section" if _has_list(annotation) else "section"


def _is_mapping(annotation: Any) -> bool:
    return typing.get_origin(annotation) is dict


def _has_list(annotation: Any) -> bool:
    return typing.get_origin(annotation) is list or any(map(_has_list, typing.get_args(annotation)))


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, Section | ResourceSection):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _sections(part)
