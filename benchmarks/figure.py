"""One measured figure, and what a part is given to measure with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

# By how much a figure may differ from one run to the next on a machine that does other things as well, by its unit:
# what is counted is the same each time.
NOISE: Final = {"s": 0.3, "ms": 0.3, "times": 0.2, "MB": 0.1}

T = TypeVar("T")


@dataclass(frozen=True)
class Figure:
    """A count, a size or a ratio, and the most that it should be; less is better."""

    name: str
    value: float
    unit: str
    bound: float | None = None

    @property
    def within(self) -> bool:
        """Whether it is at most its bound."""
        return self.bound is None or self.value <= self.bound

    def worse_than(self, earlier: float) -> bool:
        """Whether it is more than this earlier value by more than its noise."""
        return self.value > earlier * (1 + NOISE.get(self.unit, 0))

    def __str__(self) -> str:
        bound = "" if self.bound is None else f" of at most {self.bound:g}"
        return f"{self.name}: {self.value:g}{bound} {self.unit}{'' if self.within else ' TOO MUCH'}"


@dataclass(frozen=True)
class Run:
    """What a part is given.

    Args:
        say: Tells the person who watches what is measured now.
        everything: The slow layouts as well.
        tiny: Whether the parts work is of interest, and not what they measure.
    """

    say: Callable[[str], None]
    everything: bool = False
    tiny: bool = False

    def amount(self, usual: T, tiny: T) -> T:
        """How much to measure."""
        return tiny if self.tiny else usual


Measure = Callable[[Run], Iterator[Figure]]
