"""Cloud Logging: ``entries.list``, for the filters that find a container's lines."""

from __future__ import annotations

import re

from mg_provider.emulator.core.clock import seconds_of
from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.google.errors import invalid_argument
from mg_provider.emulator.google.listing import page
from mg_provider.emulator.services.container_log import Json, LogState

_TERM = re.compile(r'(?P<field>[\w.]+)\s*(?P<operator>>=|<=|>|<|=)\s*"(?P<value>[^"]*)"')
_ORDERS = {"": False, "timestamp asc": False, "timestamp desc": True}
_DEFAULT_PAGE = 50


@handles("logging.entries.list")
def list_entries(call: Call) -> Answer:
    """Entries of the projects asked for that pass the filter."""
    body = call.body
    names = body.get("resourceNames", [])
    if not names or not all(re.fullmatch(r"projects/[^/]+", name) for name in names):
        text = "resource_names must have at least one project."
        raise invalid_argument(text, ("resource_names", text))
    order = body.get("orderBy", "")
    if order not in _ORDERS:
        raise invalid_argument(f"Invalid order_by {order!r}.", ("order_by", order))
    numbers = {call.world.project_number(name.removeprefix("projects/")) for name in names}
    found = [
        entry
        for entry in call.world.part(LogState).entries
        if entry["resource"]["labels"]["resource_container"] in numbers and _passes(body.get("filter", ""), entry)
    ]
    found.sort(key=lambda entry: str(entry["timestamp"]), reverse=_ORDERS[order])
    return Answer(page("entries", found, {"pageSize": _DEFAULT_PAGE, **body}))


def _passes(text: str, entry: Json) -> bool:
    return all(_holds(term.strip(), entry) for term in re.split(r"\s+AND\s+|\n", text) if term.strip())


def _holds(term: str, entry: Json) -> bool:
    match = _TERM.fullmatch(term)
    if match is None:
        raise invalid_argument(f"Unparseable filter: {term}", ("filter", term))
    field, operator, value = match["field"], match["operator"], match["value"]
    if field == "timestamp":
        have, bound = seconds_of(entry["timestamp"]), seconds_of(value)
        return {">=": have >= bound, "<=": have <= bound, ">": have > bound, "<": have < bound}.get(
            operator, have == bound
        )
    actual: object = entry
    for part in field.split("."):
        actual = actual.get(part) if isinstance(actual, dict) else None
    return operator == "=" and actual == value
