"""How much quicker the check of batch input is than a mere ``json.loads`` of each line, for what people really write.

``python -m benchmarks.batch_kinds 40`` takes files of 40 MB.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.batch_check import CHECK_OF_ANY, LOADS, run
from benchmarks.figure import Figure

MEGABYTES = 40
MOST_TIMES = 0.5
_TEXT = "say something nice about this product to its buyers"

Row = dict[str, Any]


def _row(number: int, **more: Any) -> Row:
    return {"custom_id": f"r{number}", "body": {"messages": [{"role": "user", "content": _TEXT}], **more}}


def _mixed(number: int) -> Row:
    return _row(number, max_tokens=100) if number % 2 else {"custom_id": f"r{number}", "body": {"prompt": _TEXT * 2}}


KINDS: dict[str, Callable[[int], Row]] = {
    "max_tokens of null": lambda number: _row(number, max_tokens=None),
    "ids that are numbers": lambda number: {**_row(number, max_tokens=100), "custom_id": number},
    "stream of false": lambda number: _row(number, stream=False),
    "max_tokens of 1000.0": lambda number: _row(number, max_tokens=1000.0),
    "one wrong row in 1,000": lambda number: _row(number, max_tokens=0 if number % 1000 == 777 else 100),
    "prompts and chats mixed": _mixed,
}


def compare(kind: str, megabytes: int) -> float:
    """Seconds of the check over those of ``json.loads``, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.jsonl"
        rows = size = 0
        with path.open("w") as file:
            while size < megabytes * 1_000_000:
                size += file.write(json.dumps(KINDS[kind](rows)) + "\n")
                rows += 1
        loads, _ = run(LOADS, path, rows)
        seconds, _ = run(CHECK_OF_ANY, path, rows)
        return seconds / loads


def measure(megabytes: int = MEGABYTES) -> Iterator[Figure]:
    """Each kind."""
    for kind in KINDS:
        ratio = round(compare(kind, megabytes), 3)
        yield Figure(f"batch check: {kind}, time over json.loads of each line", ratio, "times", MOST_TIMES)


if __name__ == "__main__":
    for figure in measure(*map(int, sys.argv[1:2])):
        sys.stdout.write(f"{figure.name}: {figure.value:g} {figure.unit}{'' if figure.within else ' TOO MUCH'}\n")
