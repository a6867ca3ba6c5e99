"""Rows of a price file from SKUs of Google's Cloud Billing Catalog.

A description is matched from its beginning and as a whole, as others contain it: those of Spot, of commitments and of
management fees. Only parts whose machines are known are taken: cores and memory of A3 are those of a3-highgpu, as the
other A3 machines have SKUs of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from mg_provider.data import table
from mg_provider.prices.prices import Row

VERTEX: Final = "C7E2-9256-1C43"
"""Service id of Vertex AI."""
COMPUTE: Final = "6F81-5844-456A"
"""Service id of Compute Engine."""
FEE: Final = 1.15
"""A price for serving, of Compute Engine's price. Measured on A3; for other machines an inference."""

Part = Literal["accelerator", "core", "memory"]
_SERVING: Final = r"(?:Vertex AI: )?Online/Batch Prediction "
_WHERE: Final = r" running in .+"
_GPU: Final = re.compile(rf"(?P<serving>{_SERVING})?Nvidia (?:Tesla )?(?P<gpu>.+?) GPU{_WHERE}", re.IGNORECASE)
_INSTANCE: Final = re.compile(
    rf"(?P<serving>{_SERVING})?(?P<series>A2|A3|G2) (?:Predefined )?Instance (?P<part>Core|Ram){_WHERE}", re.IGNORECASE
)
_MACHINES: Final = ("a2-highgpu-", "a2-megagpu-", "a2-ultragpu-", "a3-highgpu-", "g2-standard-")
_GPUS: Final = {
    "L4": "NVIDIA_L4",
    "A100": "NVIDIA_TESLA_A100",
    "A100 80GB": "NVIDIA_A100_80GB",
    "H100 80GB": "NVIDIA_H100_80GB",
}
_PARTS: Final[dict[str, Part]] = {"CORE": "core", "RAM": "memory"}
_UNITS: Final[dict[Part, tuple[str, ...]]] = {"accelerator": ("h",), "core": ("h",), "memory": ("GiBy.h", "GBy.h")}


@dataclass(frozen=True)
class CatalogueSku:
    """An SKU with what it costs now.

    Attributes:
        service: Id of the service.
        sku: Id of the SKU.
        description: In Google's words.
        usage_type: Such as OnDemand or Preemptible.
        regions: Where it is offered.
        unit: What the price is for.
        usd: Dollars for a unit; None without a price.
        as_of: Date of the price.
    """

    service: str
    sku: str
    description: str
    usage_type: str
    regions: tuple[str, ...]
    unit: str
    usd: float | None
    as_of: str


def rows_of(skus: Iterable[CatalogueSku]) -> list[Row]:
    """The prices for serving: Vertex AI's own, else Compute Engine's with the fee, which are marked as derived."""
    found: dict[tuple[str, str, str], Row] = {}
    for sku in skus:
        part = _part(sku)
        if part is None or sku.usd is None:
            continue
        for region in set(sku.regions) & _regions():
            key = (part[0], part[1], region)
            row = _row(sku, *part, region)
            if key not in found or (found[key].derived and not row.derived):
                found[key] = row
    return [found[key] for key in sorted(found)]


def is_in_catalogue(machine_type: str, usage: str) -> bool:
    """Whether :func:`rows_of` finds prices for a machine type, in a region where Google offers it."""
    return usage == "on demand" and machine_type.startswith(_MACHINES)


def _part(sku: CatalogueSku) -> tuple[Part, str] | None:
    """What it is a price of, if that is a part of a machine that serves."""
    if sku.usage_type != "OnDemand":
        return None
    part: tuple[Part, str] | None = None
    if match := _GPU.fullmatch(sku.description):
        gpu = _GPUS.get(match["gpu"].upper())
        part = ("accelerator", gpu) if gpu else None
    elif match := _INSTANCE.fullmatch(sku.description):
        part = (_PARTS[match["part"].upper()], match["series"].upper())
    serves = bool(match and match["serving"])
    if part is None or serves != (sku.service == VERTEX) or sku.unit not in _UNITS[part[0]]:
        return None
    return part


def _row(sku: CatalogueSku, part: Part, name: str, region: str) -> Row:
    derived = sku.service != VERTEX
    source = f"Cloud Billing Catalog, services/{sku.service}"
    return Row(
        part=part,
        name=name,
        region=region,
        unit="GiB.h" if part == "memory" else "h",
        usd=round((sku.usd or 0) * (FEE if derived else 1), 9),
        sku=sku.sku,
        service="Compute Engine" if derived else "Vertex AI",
        description=sku.description,
        as_of=sku.as_of,
        source=f"{source}, times {FEE}: the fee that is measured on A3" if derived else source,
        derived=derived,
    )


def _regions() -> set[str]:
    return set(table("regions")["regions"])
