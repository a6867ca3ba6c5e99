"""What importing costs, as whole processes, against importing Pulumi's SDK alone in the same run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, Run

ROUNDS = 7
RESOURCES = (
    "import pulumi, mg_provider as m; m.CustomWeightsModel, m.DedicatedEndpoint, m.PscForwardingRule, m.BatchJob"
)


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def measure(run: Run) -> Iterator[Figure]:
    """How long importing takes, over importing Pulumi's SDK alone."""
    python = sys.executable
    commands = {
        "pulumi": [python, "-c", "import pulumi"],
        "package": [python, "-c", "import pulumi, mg_provider"],
        "pydantic": [python, "-c", "import pulumi, pydantic.main, pydantic.types"],
        "resources": [python, "-c", RESOURCES],
        "help": [str(Path(python).parent / "mg"), "--help"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    # They take turns, and the first turn only fills the caches.
    first, last = run.amount((0, ROUNDS), (1, 1))
    for number in range(first, last + 1):
        run.say(f"starting each of {len(commands)} commands, turn {number} of {last}")
        for name, command in commands.items():
            taken = _seconds(command)
            if number:
                seconds[name].append(taken)
    median = {name: statistics.median(values) for name, values in seconds.items()}

    def over(name: str) -> float:
        return round(1000 * (median[name] - median["pulumi"]))

    yield Figure("import: mg_provider over `import pulumi` alone", over("package"), "ms", 150)
    yield Figure("import: with the four resources loaded", over("resources"), "ms")
    yield Figure("import: of which pydantic itself", over("pydantic"), "ms")
    yield Figure("import: `mg --help` / `import pulumi`", round(median["help"] / median["pulumi"], 2), "times", 1.0)
