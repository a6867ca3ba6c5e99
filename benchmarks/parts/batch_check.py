"""How long the check of batch input takes beside a mere ``json.loads`` of each line, and in how much memory.

Both run one after the other over the same file, each in a process of its own, and are measured in seconds of one core.
The rows are as in the guide of batch prediction, ``{"body": {"messages": [...], "max_tokens": 1000}}``, with prompts of
5 to 60 words.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, Run
from benchmarks.process import measured

MEGABYTES = 1000
MOST_MEGABYTES = 150
MOST_TIMES = 0.25
_WORDS = [
    "a",
    "the",
    "product",
    "description",
    "promise",
    "to",
    "its",
    "buyers",
    "when",
    "it",
    "may",
    "be",
    "sent",
    "back",
]
_TEXTS = 20_000
IMPORTS = """
import json, sys
from mg_provider.api.clients import Clients
from mg_provider.api.http.settings import Settings
from mg_provider.clock import SystemClock
from mg_provider.preflight.batch.check import check_input
clients = Clients.from_settings(Settings(), SystemClock())
"""
_CHECK = """
report = check_input([sys.argv[1]], clients)
assert not report.errors and report.rows == int(sys.argv[2]), report
"""
CHECK_OF_ANY = """
report = check_input([sys.argv[1]], clients)
assert report.rows == int(sys.argv[2]), report
"""
LOADS = """
with open(sys.argv[1], "rb") as file:
    for line in file:
        json.loads(line)
"""


def _lay_out(path: Path, size: int, words: tuple[int, int], *, named: bool) -> int:
    """Write rows to this size in bytes; answers their number. The same each time, and no two rows alike."""
    chance = random.Random(1)  # noqa: S311 - fills a file, guards nothing
    texts = [" ".join(chance.choices(_WORDS, k=chance.randint(*words))) for _ in range(min(_TEXTS, size // 100))]
    rows = written = 0
    with path.open("w") as file:
        while written < size:
            block = [_row(rows + number, text, named) for number, text in enumerate(texts)]
            written += file.write("".join(block))
            rows += len(block)
    return rows


def _row(number: int, text: str, named: bool) -> str:
    name = f'"custom_id": "row-{number}", ' if named else ""
    return f'{{{name}"body": {{"messages": [{{"role": "user", "content": "{number} {text}"}}], "max_tokens": 1000}}}}\n'


def _compare(run: Run, megabytes: float, words: tuple[int, int], *, named: bool) -> tuple[float, float, float]:
    """Seconds of the check, the less of two, its peak memory in MB, and seconds of ``json.loads``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.jsonl"
        run.say(f"writing {megabytes:,g} MB of prompts with {words[0]} to {words[1]} words")
        rows = _lay_out(path, int(megabytes * 1_000_000), words, named=named)
        run.say(f"checking {rows:,} rows")
        first, peak = measured(_CHECK, path, str(rows), first=IMPORTS)
        run.say(f"json.loads of {rows:,} rows")
        loads, _ = measured(LOADS, path, first=IMPORTS)
        run.say(f"checking {rows:,} rows again")
        again, _ = measured(_CHECK, path, str(rows), first=IMPORTS)
        return min(first, again), peak, loads


def measure(run: Run) -> Iterator[Figure]:
    """How long the check of a large batch input takes, over a mere json.loads of each line, and in how much memory."""
    megabytes = run.amount(MEGABYTES, 0.1)
    seconds, peak, loads = _compare(run, megabytes, (5, 60), named=False)
    name = f"batch check: {megabytes:,g} MB of JSON lines"
    yield Figure(f"{name}, time", round(seconds, 2), "s")
    yield Figure(f"{name}, time over json.loads of each line", round(seconds / loads, 3), "times", MOST_TIMES)
    yield Figure(f"{name}, peak memory", round(peak, 1), "MB", MOST_MEGABYTES)
    if run.tiny:
        return
    part = megabytes / 5
    seconds, peak, loads = _compare(run, part, (5, 60), named=True)
    yield Figure(f"batch check: {part:,g} MB with custom_id, over json.loads", round(seconds / loads, 3), "times")
    yield Figure(f"batch check: {part:,g} MB with custom_id, peak memory", round(peak, 1), "MB", MOST_MEGABYTES)
    seconds, _, loads = _compare(run, part, (200, 1200), named=False)
    yield Figure(f"batch check: {part:,g} MB of long prompts, over json.loads", round(seconds / loads, 3), "times")
