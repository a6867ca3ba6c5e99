"""What a machine costs an hour when it serves or predicts, from a dated table of which each row has its source."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mg_provider.command_line.errors import Refusal, unread
from mg_provider.command_line.wrong_values import placed
from mg_provider.data import table

Usage = Literal["on demand", "spot", "flex start"]
ANYWHERE: Final = "*"
NO_PRICE: Final = 700.0
"""What some public catalogues write where there is no price."""
NOT_IN: Final = (
    "committed use discounts and negotiated prices",
    "reservations",
    "Spot prices, as no list has them for serving, and flex start but for a3-highgpu-1g",
    "local SSDs, storage, network and logging",
    "calls of models that Google serves itself",
    "taxes",
)
"""What no sum has in it."""


_MAKE: Final = "make it with `mg prices --refresh`, and change its numbers"


class PricesError(Refusal):
    """A file of prices that cannot be used."""


class Row(BaseModel):
    """One price."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    part: Literal["machine", "accelerator", "core", "memory"] = Field(
        description="A whole machine, or what one is made of."
    )
    name: str = Field(description="Machine type, accelerator type, or for core and memory the series, such as A3.")
    region: str = Field(description="Region, or * for all.")
    usage: Usage = Field(default="on demand", description="Kind of price.")
    unit: str = Field(default="h", description="h, or for memory GiB.h.")
    usd: float = Field(ge=0, allow_inf_nan=False, description="Dollars for a unit.")
    sku: str = Field(default="", description="Id in Google's Cloud Billing Catalog.")
    service: str = Field(default="", description="Google's name of the service.")
    description: str = Field(default="", description="What it is a price of.")
    as_of: str = Field(default="", description="Date.")
    source: str = Field(default="", description="Where it is from.")
    derived: bool = Field(default=False, description="Computed from other prices, and seen in no price list.")


class PriceFile(BaseModel):
    """A file of prices."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    as_of: str = Field(default="", description="Date of the newest row.")
    currency: Literal["USD"] = "USD"
    source: str = Field(default="", description="Where the rows are from.")
    rows: list[Row]


@dataclass(frozen=True)
class Price:
    """Dollars an hour of one machine with everything in it, and what that rests on."""

    usd: float
    as_of: str
    source: str
    derived: bool

    @property
    def basis(self) -> str:
        """Its date, and whether it is computed from other prices."""
        return f"{self.as_of or 'undated'}{', derived' if self.derived else ''}"


class Prices:
    """A table of prices; of two rows for the same thing the first one counts.

    Args:
        rows: The prices.
        as_of: Date of the table.
        source: Where it is from.
        own: Rows that win over the others, even where they are of parts and the others of whole machines.
    """

    def __init__(self, rows: Iterable[Row], as_of: str, source: str, own: Iterable[Row] = ()) -> None:
        self.as_of = as_of
        self.source = source
        mine = list(own)
        self._own = Prices(mine, as_of, source) if mine else None
        rows = [*mine, *rows]
        self._rows: dict[tuple[str, str, str, str], Row] = {}
        for row in rows:
            if row.usd != NO_PRICE:
                self._rows.setdefault((row.part, row.name, row.region, row.usage), row)
        self._found: dict[tuple[str, str, Usage, str, int], Price | None] = {}

    @property
    def rows(self) -> list[Row]:
        """The rows that count."""
        return list(self._rows.values())

    def hour(
        self,
        machine_type: str,
        region: str,
        usage: Usage = "on demand",
        accelerator: str = "",
        count: int = 0,
        nodes: int = 1,
    ) -> Price | None:
        """What a machine costs an hour, or several that serve one replica; None where the table does not say.

        Args:
            machine_type: Such as g2-standard-12.
            region: Where it runs.
            usage: On demand, Spot or flex start.
            accelerator: Accelerator type, for machines that come without any.
            count: How many of them, on each node.
            nodes: Machines that serve one replica together.
        """
        key = (machine_type, region, usage, accelerator, count)
        if key not in self._found:
            own = self._own.hour(*key) if self._own else None
            self._found[key] = own or self._machine(machine_type, region, usage) or self._parts(*key)
        found = self._found[key]
        return replace(found, usd=found.usd * nodes) if found is not None and nodes > 1 else found

    def _machine(self, machine_type: str, region: str, usage: Usage) -> Price | None:
        row = self._row("machine", machine_type, region, usage)
        return Price(row.usd, row.as_of, row.source, row.derived) if row else None

    def _parts(self, machine_type: str, region: str, usage: Usage, accelerator: str, count: int) -> Price | None:
        shape = _shapes().get(machine_type)
        if shape is None:
            return None
        parts = [("core", shape.series, shape.cores), ("memory", shape.series, shape.gigabytes)]
        kind, number = (shape.accelerator, shape.count) if shape.count else (accelerator, count)
        parts += [("accelerator", kind, number)] if number else []
        rows = [(self._row(part, name, region, usage), size) for part, name, size in parts]
        found = [(row, size) for row, size in rows if row is not None]
        if len(found) < len(rows):
            return None
        first = found[0][0]
        derived = any(row.derived for row, _ in found)
        return Price(sum(row.usd * size for row, size in found), first.as_of, first.source, derived)

    def _row(self, part: str, name: str, region: str, usage: Usage) -> Row | None:
        return self._rows.get((part, name, region, usage)) or self._rows.get((part, name, ANYWHERE, usage))


@dataclass(frozen=True)
class _Shape:
    series: str
    cores: float
    gigabytes: float
    accelerator: str
    count: int


@cache
def _shapes() -> dict[str, _Shape]:
    """What machine types are made of, as far as the table of machine types says."""
    rows = [row for row in table("machine_types")["fixed"] if row["vcpus"] and row["memoryGb"]]
    return {
        row["machineType"]: _Shape(row["series"], row["vcpus"], row["memoryGb"], row["acceleratorType"], row["gpus"])
        for row in rows
    }


@cache
def standard_prices() -> Prices:
    """The prices that come with this version."""
    file = _read(resources.files(__package__).joinpath("table.json").read_text(encoding="utf-8"), "table.json")
    return Prices(file.rows, file.as_of, file.source)


def read_prices(path: Path) -> Prices:
    """The prices of a file, and for what it lacks the standard ones.

    Raises:
        PricesError: The file cannot be read, or is not a table of prices.
    """
    try:
        file = _read(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise PricesError(
            f"{path} cannot be read: {unread(error)}", hint="check its name, and that it is UTF-8 text"
        ) from error
    standard = standard_prices()
    source = f"{path.name}, then {standard.source}"
    return Prices(standard.rows, file.as_of or "undated", source, own=file.rows)


def _read(text: str, name: str) -> PriceFile:
    try:
        return PriceFile.model_validate(json.loads(text))
    except (json.JSONDecodeError, RecursionError) as error:
        raise PricesError(f"{name} is not JSON", hint=_MAKE) from error
    except ValidationError as error:
        raise PricesError(f"{name} is not a table of prices: {placed(error.errors()[0])}", hint=_MAKE) from error
