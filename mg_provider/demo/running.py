"""What runs now, read from the lines that either engine prints as it goes."""

from __future__ import annotations

import re
from collections.abc import Callable

from rich.text import Text

# "mg CustomWeightsModel llama: deploying: PREPARING_MODEL (0m02s)", from the provider.
_STAGE = re.compile(r"^\s*mg (?P<what>\w+ [^\s:]+): (?P<stage>.*?)(?: \(\d+m\d+s\))?$")
# "+ CustomWeightsModel llama: created (3 s)", from the rehearsal engine; pulumi leaves the colon out.
_CHANGE = re.compile(r"^\s*[-+~<>]+\s+(?P<what>\w+ [^\s:]+):? (?P<verb>\w+)(?P<rest>.*)$")


class Running:
    """The resources that an engine is busy with, each with its stage and its age.

    Args:
        monotonic: Seconds that only ever grow.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._stages: dict[str, tuple[str, float]] = {}

    def take(self, line: str) -> bool:
        """Read a line. True if it only tells of a stage, which :meth:`rows` has from now on."""
        stage = _STAGE.match(line)
        if stage and not stage["stage"].startswith("note:"):
            self._set(stage["what"], stage["stage"])
            return True
        change = _CHANGE.match(line)
        if change and change["verb"].endswith("ing"):
            self._set(change["what"], change["verb"])
            return True
        if change:
            self._stages.pop(change["what"], None)
        return False

    def clear(self) -> None:
        """Nothing runs any more."""
        self._stages.clear()

    def _set(self, what: str, stage: str) -> None:
        _, began = self._stages.get(what, ("", self._monotonic()))
        self._stages[what] = (stage, began)

    def rows(self) -> list[tuple[str, str, str]]:
        """Resource, stage and age, the oldest first."""
        now = self._monotonic()
        return [(what, stage, f"{now - began:.0f} s") for what, (stage, began) in [*self._stages.items()]]

    def __rich__(self) -> Text:
        """A line for each row, for a display that asks again several times a second."""
        lines = [f"   │  {what}: {stage} ({age})" for what, stage, age in self.rows()]
        return Text("\n".join(lines), style="dim", no_wrap=True, overflow="ellipsis")
