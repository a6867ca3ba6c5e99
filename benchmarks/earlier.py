"""The figures of a run in a file, and those of an earlier run beside them."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.figure import Figure

Figures = Mapping[str, Sequence[Figure]]

# A measurement keeps about one processor busy; more beside it makes times longer.
_MOST_LOAD_APART = 1


class NotFigures(Exception):
    """The file is not one that ``--json`` has written."""


@dataclass(frozen=True)
class Machine:
    """What figures were measured on.

    Attributes:
        python: Its version.
        processors: How many there are.
        load: The load averages of 1, 5 and 15 minutes in the end.
    """

    python: str
    processors: int
    load: tuple[float, float, float]


@dataclass(frozen=True)
class Measured:
    """The figures of each part, and what they were measured on."""

    machine: Machine
    parts: Figures


def this_machine() -> Machine:
    """What is measured on now."""
    one, five, fifteen = (round(load, 2) for load in os.getloadavg())
    return Machine(platform.python_version(), os.cpu_count() or 1, (one, five, fifteen))


def write(path: Path, measured: Measured) -> None:
    """Write the figures, and what they were measured on."""
    path.write_text(json.dumps(asdict(measured), indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Measured:
    """The figures of such a file.

    Raises:
        NotFigures: It cannot be read, or is another file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        parts = {part: [Figure(**figure) for figure in figures] for part, figures in content["parts"].items()}
        one, five, fifteen = content["machine"]["load"]
        return Measured(Machine(**{**content["machine"], "load": (one, five, fifteen)}), parts)
    except OSError as error:
        raise NotFigures(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotFigures(f"{path} does not hold figures that --json has written") from error


def differences(then: Machine, now: Machine) -> Iterator[str]:
    """What makes times on two machines hard to compare."""
    if then.python != now.python:
        yield f"Python {then.python} then, {now.python} now"
    if then.processors != now.processors:
        yield f"{then.processors} processors then, {now.processors} now"
    if abs(then.load[0] - now.load[0]) > _MOST_LOAD_APART:
        yield f"a load of {then.load[0]:g} then, {now.load[0]:g} now"


@dataclass(frozen=True)
class Change:
    """A figure then and now; one of the two may be missing."""

    name: str
    then: Figure | None
    now: Figure | None

    @property
    def ratio(self) -> float | None:
        """Now over then."""
        if self.then is None or self.now is None or not self.then.value:
            return None
        return self.now.value / self.then.value

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if self.now is None:
            return "not measured now"
        if self.then is None:
            return "new"
        if self.now.worse_than(self.then.value):
            return "WORSE"
        return "better" if self.then.worse_than(self.now.value) else "same"


def changes(then: Figures, now: Figures) -> Iterator[Change]:
    """Each figure of the parts that were measured now."""
    for part, figures in now.items():
        before = {figure.name: figure for figure in then.get(part, ())}
        for figure in figures:
            yield Change(figure.name, before.pop(figure.name, None), figure)
        for name, gone in before.items():
            yield Change(name, gone, None)
