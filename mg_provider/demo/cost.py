"""What the machines of the demo would cost if they were Google's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from mg_provider.prices import Amount, standard_prices

NIGHT: Final = 12
"""Hours from evening to morning."""


def gpus(machines: Iterable[Mapping[str, Any]]) -> int:
    """How many GPUs they have."""
    return sum(int(machine["accelerator_count"] or 0) * _count(machine) for machine in machines)


def hourly(machines: Iterable[Mapping[str, Any]]) -> Amount:
    """Dollars an hour of the machines in the emulator's ledger."""
    total = Amount()
    for machine in machines:
        found = re.search(r"/locations/([^/]+)/", machine["holder"])
        price = standard_prices().hour(
            machine["machine_type"],
            found[1] if found else "",
            "on demand",
            machine["accelerator_type"],
            machine["accelerator_count"],
        )
        total = total + Amount(price.usd if price else None).times(_count(machine))
    return total


def _count(machine: Mapping[str, Any]) -> int:
    """How many of the machine there are."""
    return int(machine["replicas"]) * int(machine["nodes"])
