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


class NotFigures(Exception):
    """The file is not one that ``--json`` has written."""


def write(path: Path, figures: Figures) -> None:
    """Write the figures of each part, and what they were measured on."""
    machine = {
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
    }
    parts = {part: [asdict(figure) for figure in measured] for part, measured in figures.items()}
    path.write_text(json.dumps({"machine": machine, "parts": parts}, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Figures:
    """The figures of such a file.

    Raises:
        NotFigures: It cannot be read, or is another file.
    """
    try:
        parts = json.loads(path.read_text(encoding="utf-8"))["parts"]
        return {part: [Figure(**figure) for figure in figures] for part, figures in parts.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotFigures(f"{path} does not hold figures that --json has written: {error!r}") from error


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
