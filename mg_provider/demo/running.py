"""What runs now and what has been done, read from the lines that either engine prints as it goes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Final

from rich.text import Text

KINDS: Final = ("CustomWeightsModel", "DedicatedEndpoint", "PscForwardingRule", "BatchJob")
"""The resources that the story is about."""

# "mg CustomWeightsModel llama: deploying: PREPARING_MODEL (0m02s)", from the provider.
_STAGE = re.compile(r"^\s*mg (?P<what>\w+ [^\s:]+): (?P<stage>.*?)(?: \(\d+m\d+s\))?$")
# "+ CustomWeightsModel llama: created (3 s)", from the rehearsal engine; pulumi leaves the colon out.
_CHANGE = re.compile(r"^\s*[-+~<>]+\s+(?P<what>\w+ [^\s:]+):? (?P<verb>\w+)(?P<rest>.*)$")
_DONE: Final = ("created", "updated", "deleted")


class Running:
    """The resources that an engine is busy with, each with its stage and its age, and how many are done.

    Args:
        monotonic: Seconds that only ever grow.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._stages: dict[str, tuple[str, float]] = {}
        self.done: Counter[str] = Counter()

    def take(self, line: str) -> bool:
        """Read a line. True if it only reports a stage, which :meth:`rows` has from now on."""
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
            if change["verb"] in _DONE and change["what"].split()[0] in KINDS:
                self.done[change["verb"]] += 1
        return False

    def clear(self) -> None:
        """Nothing runs any more."""
        self._stages.clear()

    def summary(self) -> str:
        """What has been done: "7 resources created"."""
        counts = [(count, verb) for verb, count in self.done.items()]
        return ", ".join(f"{count} resource{'' if count == 1 else 's'} {verb}" for count, verb in counts)

    def _set(self, what: str, stage: str) -> None:
        _, began = self._stages.get(what, ("", self._monotonic()))
        self._stages[what] = (stage, began)

    def rows(self) -> list[tuple[str, str, str]]:
        """Resource, stage and age, the oldest first."""
        now = self._monotonic()
        return [(what, stage, f"{now - began:.0f} s") for what, (stage, began) in [*self._stages.items()]]

    def __rich__(self) -> Text:
        """A line for each row, for a display that asks again several times a second.

        The name and the age come first: where a line is too long, the end of the stage is what is left out.
        """
        lines = [f"   │ {age:>5}  {what.split()[-1]}: {stage}" for what, stage, age in self.rows()]
        return Text("\n".join(lines), style="dim", no_wrap=True, overflow="ellipsis")
