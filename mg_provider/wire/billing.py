"""SKUs of the Cloud Billing Catalog, as far as prices of machines need them."""

from __future__ import annotations

from pydantic import Field

from mg_provider.wire.base import Int64, Page, WireModel


class Money(WireModel):
    """An amount: whole units, and billionths of one."""

    currency_code: str | None = None
    units: Int64 | None = None
    nanos: int | None = None


class TierRate(WireModel):
    """The price beyond an amount of use."""

    start_usage_amount: float | None = None
    unit_price: Money = Field(default_factory=Money)


class PricingExpression(WireModel):
    """The prices of one unit, by how much is used."""

    usage_unit: str | None = None
    tiered_rates: list[TierRate] = Field(default_factory=list)


class PricingInfo(WireModel):
    """The prices from one time on."""

    effective_time: str | None = None
    pricing_expression: PricingExpression = Field(default_factory=PricingExpression)


class Category(WireModel):
    """What kind of use it is a price of."""

    resource_family: str | None = None
    resource_group: str | None = None
    usage_type: str | None = None


class Sku(WireModel):
    """One thing that has a price."""

    sku_id: str = ""
    description: str = ""
    category: Category = Field(default_factory=Category)
    service_regions: list[str] = Field(default_factory=list)
    pricing_info: list[PricingInfo] = Field(default_factory=list)


class ListSkusResponse(Page):
    """A page of SKUs."""

    skus: list[Sku] = Field(default_factory=list)
