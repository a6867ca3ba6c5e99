"""The Cloud Billing Catalog: a few SKUs of machines that serve, with others that are read wrongly by a quick reader.

Ids and prices of A3 on Vertex AI are Google's of August 2025; the others have public list prices, and ids of the
emulator's own.
"""

from __future__ import annotations

from typing import Any, Final

from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.google.errors import invalid_argument, not_found
from mg_provider.emulator.google.listing import page

Json = dict[str, Any]

_PAGE: Final = 4
"""An answer may have fewer than were asked for, and here it always has."""
_OLD, _NOW = "2025-05-01T07:00:00Z", "2025-08-15T07:00:00Z"
_SPOT = "Preemptible"
_IOWA, _NETHERLANDS = "us-central1", "europe-west4"
_SERVING = "Vertex AI: Online/Batch Prediction"

# SKU id, description, use, region, price.
_Row = tuple[str, str, str, str, float]
_SKUS: Final[dict[str, tuple[_Row, ...]]] = {
    "C7E2-9256-1C43": (
        ("AE9C-DB60-DF46", f"{_SERVING} Nvidia H100 80gb GPU running in Iowa", "OnDemand", _IOWA, 11.2660332),
        ("A002-4323-D900", f"{_SERVING} A3 Predefined Instance Core running in Iowa", "OnDemand", _IOWA, 0.0293227),
        ("2424-9F04-82A8", f"{_SERVING} A3 Predefined Instance Ram running in Iowa", "OnDemand", _IOWA, 0.0025534),
        ("E000-0000-0001", f"{_SERVING} Nvidia H100 80gb GPU management fee on Iowa", "OnDemand", _IOWA, 1.4694826),
        ("E000-0000-0002", f"Spot {_SERVING} Nvidia H100 80gb GPU running in Iowa", _SPOT, _IOWA, 5.1),
        ("E000-0000-0003", "Vertex AI: Training Nvidia H100 80gb GPU running in Iowa", "OnDemand", _IOWA, 11.9),
    ),
    "6F81-5844-456A": (
        ("E000-0000-0011", "Nvidia L4 GPU running in Iowa", "OnDemand", _IOWA, 0.56004),
        ("E000-0000-0012", "G2 Instance Core running in Iowa", "OnDemand", _IOWA, 0.024988),
        ("E000-0000-0013", "G2 Instance Ram running in Iowa", "OnDemand", _IOWA, 0.002927),
        ("E000-0000-0014", "Nvidia L4 GPU attached to Spot Preemptible VMs running in Iowa", _SPOT, _IOWA, 0.224),
        ("E000-0000-0015", "Commitment v1: Nvidia L4 GPU running in Iowa for 1 Year", "Commit1Yr", _IOWA, 0.3528),
        ("E000-0000-0016", "Nvidia H100 80GB GPU running in Iowa", "OnDemand", _IOWA, 9.79655),
        ("E000-0000-0017", "Nvidia L4 GPU running in Netherlands", "OnDemand", _NETHERLANDS, 0.56004),
    ),
}  # fmt: skip


@handles("cloudbilling.services.skus.list")
def list_skus(call: Call) -> Answer:
    """The SKUs of a service, a page at a time."""
    service = call.path["servicesId"]
    if service not in _SKUS:
        raise not_found(f"Service services/{service} not found.")
    if (currency := call.query.get("currencyCode", "USD")) != "USD":
        raise invalid_argument(f"Unsupported currency code: {currency}.", ("currency_code", currency))
    size = min(call.query.get("pageSize") or _PAGE, _PAGE)
    found = [_sku(service, *row) for row in _SKUS[service]]
    return Answer({**page("skus", found, {"pageToken": call.query.get("pageToken", ""), "pageSize": size})})


def _sku(service: str, sku: str, description: str, usage: str, region: str, usd: float) -> Json:
    unit = "GiBy.h" if " Ram " in description else "h"
    return {
        "name": f"services/{service}/skus/{sku}",
        "skuId": sku,
        "description": description,
        "category": {
            "serviceDisplayName": "Vertex AI" if service == "C7E2-9256-1C43" else "Compute Engine",
            "resourceFamily": "Compute",
            "resourceGroup": "GPU" if "GPU" in description else "CPU",
            "usageType": usage,
        },
        "serviceRegions": [region],
        "pricingInfo": [_pricing(_OLD, unit, usd * 2), _pricing(_NOW, unit, usd)],
        "serviceProviderName": "Google",
    }


def _pricing(since: str, unit: str, usd: float) -> Json:
    """In order of time; the last one is in force."""
    whole = int(usd)
    price = {"currencyCode": "USD", "units": str(whole), "nanos": round((usd - whole) * 1e9)}
    return {
        "effectiveTime": since,
        "currencyConversionRate": 1,
        "pricingExpression": {
            "usageUnit": unit,
            "displayQuantity": 1,
            "tieredRates": [{"startUsageAmount": 0, "unitPrice": price}],
        },
    }
