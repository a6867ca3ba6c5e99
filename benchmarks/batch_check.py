"""How long the check of batch input takes beside a mere ``json.loads`` of each line, and in how much memory.

Both run one after the other over the same file, each in a process of its own, and are measured in seconds of one core.
The rows are as in the guide of batch prediction, ``{"body": {"messages": [...], "max_tokens": 1000}}``, with prompts of
5 to 60 words. ``python -m benchmarks.batch_check 100`` takes a file of 100 MB instead of 1 GB.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure

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
_BLOCK_ROWS = 20_000
_END = """
import resource, time
print(time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / PER_MEGABYTE)
"""
_START = """
import json, sys, time
from mg_provider.api.clients import Clients
from mg_provider.api.http.settings import Settings
from mg_provider.clock import SystemClock
from mg_provider.preflight.batch.check import check_input
clients = Clients.from_settings(Settings(), SystemClock())
PER_MEGABYTE = 1_048_576 if sys.platform == "darwin" else 1024
began = time.process_time()
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
    """Write rows to this size in bytes; answers their number. The same each time."""
    chance = random.Random(1)  # noqa: S311 - fills a file, guards nothing
    rows = written = 0
    with path.open("w") as file:
        while written < size:
            block = [_row(chance, rows + number, words, named) for number in range(_BLOCK_ROWS)]
            written += file.write("".join(block))
            rows += len(block)
    return rows


def _row(chance: random.Random, number: int, words: tuple[int, int], named: bool) -> str:
    content = " ".join(chance.choices(_WORDS, k=chance.randint(*words)))
    body = {"messages": [{"role": "user", "content": content}], "max_tokens": 1000}
    return json.dumps({"custom_id": f"row-{number}", "body": body} if named else {"body": body}) + "\n"


def run(program: str, path: Path, rows: int) -> tuple[float, float]:
    """Seconds of one core, and peak memory in MB, of a process that does only this."""
    command = [sys.executable, "-c", _START + program + _END, str(path), str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, done.stdout.split())
    return seconds, megabytes


def compare(megabytes: int, words: tuple[int, int] = (5, 60), *, named: bool = False) -> tuple[float, float, float]:
    """Seconds of the check, its peak memory in MB, and seconds of ``json.loads``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.jsonl"
        rows = _lay_out(path, megabytes * 1_000_000, words, named=named)
        loads, _ = run(LOADS, path, rows)
        seconds, peak = run(_CHECK, path, rows)
        return seconds, peak, loads


def measure(megabytes: int = MEGABYTES) -> Iterator[Figure]:
    """The guide's rows; smaller files of rows with a custom_id, which are also compared with each other, and long."""
    seconds, peak, loads = compare(megabytes)
    name = f"batch check: {megabytes:,} MB of JSON lines"
    yield Figure(f"{name}, time", round(seconds, 2), "s")
    yield Figure(f"{name}, time over json.loads of each line", round(seconds / loads, 3), "times", MOST_TIMES)
    yield Figure(f"{name}, peak memory", round(peak, 1), "MB", MOST_MEGABYTES)
    part = max(1, megabytes // 5)
    seconds, peak, loads = compare(part, named=True)
    yield Figure(f"batch check: {part:,} MB with custom_id, over json.loads", round(seconds / loads, 3), "times")
    yield Figure(f"batch check: {part:,} MB with custom_id, peak memory", round(peak, 1), "MB", MOST_MEGABYTES)
    seconds, _, loads = compare(part, (200, 1200))
    yield Figure(f"batch check: {part:,} MB of long prompts, over json.loads", round(seconds / loads, 3), "times")


if __name__ == "__main__":
    for figure in measure(*map(int, sys.argv[1:2])):
        sys.stdout.write(f"{figure.name}: {figure.value:g} {figure.unit}{'' if figure.within else ' TOO MUCH'}\n")
