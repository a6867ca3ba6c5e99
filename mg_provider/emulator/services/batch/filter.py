"""The list filter of batch prediction jobs.

Fields and operators are those that ``batchPredictionJobs.list`` documents: ``display_name`` with ``=``, ``!=`` and
``:``, ``state`` with ``=`` and ``!=``, ``create_time`` with all comparisons in RFC 3339, ``labels.key=value`` and
``labels.key:*``; several are joined by AND.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

from mg_provider.emulator.google.errors import invalid_argument

Json = dict[str, Any]

_COMPARISON = re.compile(r'(?P<field>[\w.-]+)\s*(?P<operator>!=|>=|<=|=|:|>|<)\s*"?(?P<value>[^"]*)"?')
_FIELDS = {
    "display_name": "displayName",
    "displayName": "displayName",
    "state": "state",
    "create_time": "createTime",
    "createTime": "createTime",
}
_ORDERED: dict[str, Callable[[str, str], bool]] = {">": gt, ">=": ge, "<": lt, "<=": le}


def matching(text: str, job: Json) -> bool:
    """Whether a job as Vertex AI shows it passes the filter ``text``; an empty one lets all pass.

    Raises:
        ApiError: INVALID_ARGUMENT for a field or form that is not known.
    """
    return all(_holds(part.strip(), job) for part in re.split(r"\s+AND\s+", text) if part.strip())


def _holds(text: str, job: Json) -> bool:
    match = _COMPARISON.fullmatch(text)
    if match is None:
        raise invalid_argument(f"Invalid filter: {text}", ("filter", text))
    field, operator, asked = match["field"], match["operator"], match["value"]
    actual: str | None
    if field.startswith("labels."):
        actual = job.get("labels", {}).get(field.removeprefix("labels."))
        if operator == ":" and asked == "*":
            return actual is not None
    elif field in _FIELDS:
        actual = job[_FIELDS[field]]
    else:
        raise invalid_argument(f"Invalid filter: unknown field {field}", ("filter", text))
    if operator in _ORDERED and actual is not None and field in {"create_time", "createTime"}:
        return _ORDERED[operator](actual, asked)
    if operator == ":":
        return actual is not None and asked.lower() in actual.lower()
    if operator in {"=", "!="}:
        return (actual == asked) == (operator == "=")
    raise invalid_argument(f"Invalid filter: {field} does not take {operator}", ("filter", text))
