"""`mg prices`: what the prices are, and a file of Google's own of today."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from mg_provider.api.clients import Clients
from mg_provider.api.errors import MgError, UserError, end_with
from mg_provider.api.http.settings import Settings
from mg_provider.clock import SystemClock
from mg_provider.command_line.errors import Refusal
from mg_provider.command_line.exits import FINE
from mg_provider.prices import PriceFile, Prices, Row, read_prices, standard_prices
from mg_provider.prices.skus import COMPUTE, VERTEX, CatalogueSku, rows_of
from mg_provider.wire.billing import Sku

SOURCE: Final = "Google's Cloud Billing Catalog"
Write = Callable[[str], object]


def show(file: Path | None = None, *, write: Write | None = None, complain: Write | None = None) -> int:
    """Print the rows that count.

    Args:
        file: A file of prices of one's own; its rows win.
        write: Takes the table; by default it is printed.
        complain: Takes what is said about it; by default it goes to stderr.

    Returns:
        0, or 2 if the file is not one of prices.
    """
    write, complain = write or sys.stdout.write, complain or sys.stderr.write
    try:
        prices = read_prices(file) if file else standard_prices()
    except Refusal as problem:
        complain(f"error: {problem}\n")
        return problem.exit_code
    for line in _lines(prices):
        write(f"{line}\n")
    complain(f"{prices.source}, {prices.as_of}; dollars for serving, Compute Engine's part and Vertex AI's fee\n")
    return FINE


def _lines(prices: Prices) -> Iterator[str]:
    rows = sorted(prices.rows, key=lambda row: (row.part != "machine", row.name, row.region, row.usage))
    width = max(len(row.name) for row in rows)
    for row in rows:
        what = "" if row.part == "machine" else f" {row.part}"
        usage = "" if row.usage == "on demand" else f" {row.usage}"
        derived = ", derived" if row.derived else ""
        dated = row.as_of or "undated"
        yield f"{row.name:<{width}}  {row.region:<16} ${row.usd:.4f} a {row.unit}{what}{usage} ({dated}{derived})"


def refresh(
    output: Path, config: Mapping[str, str], *, write: Write | None = None, complain: Write | None = None
) -> int:
    """Read Google's catalogue, and write a file of prices.

    Args:
        output: The file.
        config: Settings by full config key.
        write: Takes what was done; by default it is printed.
        complain: Takes what went wrong; by default it goes to stderr.

    Returns:
        0 if the file is written, 1 if Google did not answer with prices, 2 if a setting is wrong.
    """
    write, complain = write or sys.stdout.write, complain or sys.stderr.write
    try:
        clients = Clients.from_settings(Settings.from_config(dict(config).get, os.environ), SystemClock())
        rows = _rows(clients)
        if not rows:
            raise MgError(
                "the catalogue has no prices of serving machines",
                hint="use the prices that come along: `mg prices` shows them",
            )
    except MgError as problem:
        if output.exists() and not isinstance(problem, UserError):
            problem.exists.append(f"{output}, unchanged")
        return end_with(problem, complain)
    file = PriceFile(as_of=max(row.as_of for row in rows), source=SOURCE, rows=rows)
    try:
        output.write_text(file.model_dump_json(indent=1, exclude_defaults=True) + "\n", encoding="utf-8")
    except OSError as problem:
        return end_with(
            UserError(f"{output} cannot be written: {problem.strerror}", hint="name another with --output"), complain
        )
    derived = sum(row.derived for row in rows)
    write(f"{output}: {len(rows)} prices of {file.as_of}, {derived} of them derived from Compute Engine's\n")
    write(f"do: give it to `mg review --prices {output}`, or name it in review.toml\n")
    return FINE


def _rows(clients: Clients) -> list[Row]:
    try:
        return rows_of(_plain(service, sku) for service in (VERTEX, COMPUTE) for sku in clients.billing.skus(service))
    finally:
        clients.close()


def _plain(service: str, sku: Sku) -> CatalogueSku:
    """An SKU with its newest price, beyond what is free of charge."""
    newest = sku.pricing_info[-1] if sku.pricing_info else None
    rates = newest.pricing_expression.tiered_rates if newest else []
    price = rates[-1].unit_price if rates else None
    return CatalogueSku(
        service=service,
        sku=sku.sku_id,
        description=sku.description,
        usage_type=sku.category.usage_type or "",
        regions=tuple(sku.service_regions),
        unit=(newest.pricing_expression.usage_unit or "") if newest else "",
        usd=(price.units or 0) + (price.nanos or 0) / 1e9 if price else None,
        as_of=(newest.effective_time or "")[:10] if newest else "",
    )
