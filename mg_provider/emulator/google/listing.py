"""Filters and pages of Vertex AI's list methods."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from mg_provider.emulator.google.errors import invalid_argument
from mg_provider.emulator.google.validation import mask_paths

Json = dict[str, Any]

_TERM = re.compile(r'(?P<field>[\w.-]+)\s*(?P<operator>!=|>=|<=|=|:|>|<)\s*"?(?P<value>[^"]*)"?')
_COMPARE: dict[str, Callable[[str, str], bool]] = {"=": eq, "!=": ne, ">": gt, ">=": ge, "<": lt, "<=": le}
_EVERY_FIELD = ("=", "!=")
_DEFAULT_PAGE = 100


def passes(
    text: str, resource: Json, fields: Mapping[str, str], further: Mapping[str, tuple[str, ...]] | None = None
) -> bool:
    """Whether ``resource`` passes the filter.

    Args:
        text: terms joined by AND: ``labels.key=value``, ``labels.key:*``, or a field of ``fields``.
        resource: as the API shows it.
        fields: filter name to the value that this resource has for it.
        further: filter name to the operators that it takes beside ``=`` and ``!=``: ``:`` for a part of the value, in
            any case of letters, and comparisons.

    Raises:
        ApiError: INVALID_ARGUMENT for a term that is not documented.
    """
    terms = (term.strip() for term in re.split(r"\s+AND\s+", text))
    return all(_holds(term, resource, fields, further or {}) for term in terms if term)


def _holds(term: str, resource: Json, fields: Mapping[str, str], further: Mapping[str, tuple[str, ...]]) -> bool:
    match = _TERM.fullmatch(term)
    if match is None:
        raise invalid_argument(f"Invalid filter: {term}", ("filter", term))
    field, operator, value = match["field"], match["operator"], match["value"].strip()
    label = field.removeprefix("labels.") if field.startswith("labels.") else None
    if label is None and field not in fields:
        raise invalid_argument(f"Invalid filter: unknown field {field}", ("filter", term))
    allowed = (":",) if label is not None else further.get(field, ())
    if operator not in (*_EVERY_FIELD, *allowed):
        raise invalid_argument(f"Invalid filter: {field} does not take {operator}", ("filter", term))
    actual = resource.get("labels", {}).get(label) if label is not None else fields[field]
    if operator == ":":
        return actual is not None and (value == "*" or value.lower() in actual.lower())
    return _COMPARE[operator](actual, value)


def page(key: str, resources: list[Json], query: Json) -> Json:
    """One page of a list answer, with ``nextPageToken`` unless it is the last, and only what ``readMask`` asks for."""
    size = query.get("pageSize") or _DEFAULT_PAGE
    start = _position(query.get("pageToken", ""))
    shown = [masked(resource, query.get("readMask", "")) for resource in resources[start : start + size]]
    answer: Json = {key: shown} if shown else {}
    if start + size < len(resources):
        answer["nextPageToken"] = base64.urlsafe_b64encode(str(start + size).encode()).decode()
    return answer


def masked(resource: Json, mask: str) -> Json:
    """The top-level fields that a read mask names; everything if it is empty or ``*``."""
    wanted = {path.partition(".")[0] for path in mask_paths(mask)}
    return resource if not wanted or "*" in wanted else {key: resource[key] for key in resource if key in wanted}


def _position(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token)) if token else 0
    except (ValueError, binascii.Error) as error:
        raise invalid_argument("Invalid page token.", ("page_token", token)) from error
