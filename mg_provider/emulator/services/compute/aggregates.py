"""Compute Engine's lists over all regions of a project, which ``gcloud compute … list`` asks for.

Source: "Method: addresses.aggregatedList" of the reference, read 2026-11; of the scopes that have nothing, only
``global`` is listed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from mg_provider.emulator.core.routing import Answer, Call, Handler, handles
from mg_provider.emulator.services.compute.addresses import list_addresses
from mg_provider.emulator.services.compute.calls import compute_state
from mg_provider.emulator.services.compute.forwarding_rules import list_rules
from mg_provider.emulator.services.compute.names import LINK_BASE

Json = dict[str, Any]

_PAGE_ITEMS = 500


@handles("compute.addresses.aggregatedList")
def list_all_addresses(call: Call) -> Answer:
    """The project's addresses, by region."""
    regions = {key[1] for key in compute_state(call.world).addresses if key[0] == call.number}
    return _aggregated(call, "compute#addressAggregatedList", "addresses", list_addresses, regions)


@handles("compute.forwardingRules.aggregatedList")
def list_all_rules(call: Call) -> Answer:
    """The project's forwarding rules, by region."""
    regions = {key[1] for key in compute_state(call.world).rules if key[0] == call.number}
    return _aggregated(call, "compute#forwardingRuleAggregatedList", "forwardingRules", list_rules, regions)


def _aggregated(call: Call, kind: str, collection: str, of_region: Handler, regions: Iterable[str]) -> Answer:
    query = {name: value for name, value in call.query.items() if name not in {"maxResults", "pageToken"}}
    found: list[tuple[str, Json]] = []
    for region in sorted(regions):
        listed = of_region(replace(call, path={**call.path, "region": region}, query=query)).body
        found += [(f"regions/{region}", body) for body in listed.get("items", [])]
    start = int(call.query.get("pageToken", 0) or 0)
    size = int(call.query.get("maxResults", _PAGE_ITEMS))
    path = f"projects/{call.project_id}/aggregated/{collection}"
    items: Json = {"global": {"warning": _nothing("global")}}
    for scope, body in found[start : start + size]:
        items.setdefault(scope, {}).setdefault(collection, []).append(body)
    answer: Json = {"kind": kind, "id": path, "items": items, "selfLink": LINK_BASE + path}
    return Answer({**answer, "nextPageToken": str(start + size)} if start + size < len(found) else answer)


def _nothing(scope: str) -> Json:
    text = f"There are no results for scope '{scope}' on this page."
    return {"code": "NO_RESULTS_ON_PAGE", "message": text, "data": [{"key": "scope", "value": scope}]}
