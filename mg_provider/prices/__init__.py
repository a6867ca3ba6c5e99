"""Dated prices, each with its source, and what a machine costs an hour. An unknown price is None, never 0."""

from mg_provider.prices.amount import HOURS_A_MONTH, Amount, Total, money
from mg_provider.prices.prices import (
    NOT_IN,
    Price,
    PriceFile,
    Prices,
    PricesError,
    Row,
    Usage,
    read_prices,
    standard_prices,
)
from mg_provider.prices.skus import is_in_catalogue

__all__ = [
    "HOURS_A_MONTH",
    "NOT_IN",
    "Amount",
    "Price",
    "PriceFile",
    "Prices",
    "PricesError",
    "Row",
    "Total",
    "Usage",
    "is_in_catalogue",
    "money",
    "read_prices",
    "standard_prices",
]
