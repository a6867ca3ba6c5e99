"""One measured figure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A count, a size or a ratio, and the most that it should be."""

    name: str
    value: float
    unit: str
    bound: float | None = None

    @property
    def within(self) -> bool:
        """Whether it is at most its bound."""
        return self.bound is None or self.value <= self.bound

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "within": self.within}
