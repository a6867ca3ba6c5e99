"""How long the check of batch input takes beside a mere ``json.loads`` of each line, for what people really write."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, Run
from benchmarks.parts.batch_check import CHECK_OF_ANY, IMPORTS, LOADS
from benchmarks.process import measured

MEGABYTES = 40
ROUNDS = 3
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


def _compare(kind: str, size: int, rounds: int) -> float:
    """Seconds of the check over those of ``json.loads``: the least of each, as another process only ever adds to it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.jsonl"
        rows = written = 0
        with path.open("w") as file:
            while written < size:
                written += file.write(json.dumps(KINDS[kind](rows)) + "\n")
                rows += 1
        turns = [
            (measured(CHECK_OF_ANY, path, str(rows), first=IMPORTS)[0], measured(LOADS, path, first=IMPORTS)[0])
            for _ in range(rounds)
        ]
    checks, loads = zip(*turns, strict=True)
    return float(min(checks) / min(loads))


def measure(run: Run) -> Iterator[Figure]:
    """How long the check of each kind of batch input takes, over a mere json.loads of each line."""
    for kind in run.amount(list(KINDS), list(KINDS)[-1:]):
        megabytes, rounds = run.amount((MEGABYTES, ROUNDS), (0.01, 1))
        run.say(f"checking {megabytes:g} MB: {kind}")
        ratio = round(_compare(kind, int(megabytes * 1e6), rounds), 3)
        yield Figure(f"batch check: {kind}, time over json.loads of each line", ratio, "times", MOST_TIMES)
