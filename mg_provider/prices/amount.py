"""Sums of money of which a part may be unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HOURS_A_MONTH: Final = 730
"""A month of 365 / 12 days."""


def money(usd: float) -> str:
    """Dollars as people write them: whole ones from 100 on."""
    sign, size = "-" if round(usd, 2) < 0 else "", abs(usd)
    return f"{sign}${size:,.0f}" if round(size, 2) >= 100 else f"{sign}${size:,.2f}"


@dataclass(frozen=True)
class Amount:
    """Dollars an hour; None where nothing of it is known. ``at_least``: a part of it is unknown and not in it."""

    usd: float | None = 0.0
    at_least: bool = False

    def __add__(self, other: Amount) -> Amount:
        known = [part.usd for part in (self, other) if part.usd is not None]
        partly = self.usd is None or other.usd is None or self.at_least or other.at_least
        if not known:
            return Amount(None)
        return Amount(sum(known), partly)

    def times(self, count: float) -> Amount:
        """So many of it; none of something unknown costs nothing."""
        if not count:
            return Amount()
        return Amount(None if self.usd is None else self.usd * count, self.at_least)

    @property
    def known(self) -> bool:
        """Whether it is the whole sum."""
        return self.usd is not None and not self.at_least

    def text(self, hours: float = 1) -> str:
        """In words, for so many hours."""
        if self.usd is None or (self.at_least and not self.usd):
            return "unknown"
        return f"{'≥ ' if self.at_least else ''}{money(self.usd * hours)}"


@dataclass
class Total:
    """A sum that is being added up."""

    amount: Amount = Amount()

    def add(self, amount: Amount) -> None:
        """Add to it."""
        self.amount = self.amount + amount
