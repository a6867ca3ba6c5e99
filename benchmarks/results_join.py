"""What it takes to match the answers of a batch to their rows, beside a dictionary in memory and beside DuckDB.

All three read the same two files, the answers in another order than the rows, and write the rows with their answers,
each in a process of its own; they are compared in seconds of CPU. The dictionary reads JSON with orjson where it is
installed, and with msgspec otherwise. ``python -m benchmarks.results_join 1000000`` measures that number of rows alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure

ROWS = 1_000_000
FEW = 200_000
MOST_MEGABYTES = 150
_STEP = 7_919  # a prime, so that the answers come scattered
_START = """
import resource, sys, time
from pathlib import Path
asked, answered, joined, folder = map(Path, sys.argv[1:])
began = time.process_time()
"""
_END = """
unit = 1_048_576 if sys.platform == "darwin" else 1024
print(time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
"""
_OURS = """
from mg_provider.inference.batch.join import DiskJoin
from mg_provider.inference.batch.sources import file_blocks
from mg_provider.inference.batch.writers import quick_line
with joined.open("wb") as output:
    for question, answer in DiskJoin(folder).matches(file_blocks(asked), file_blocks(answered)):
        output.write(quick_line(question, answer))
"""
_DICTIONARY = """
try:
    from orjson import dumps, loads
except ImportError:
    from msgspec.json import decode as loads, encode as dumps
answers = {}
with answered.open("rb") as file:
    for line in file:
        row = loads(line)
        answers[row["custom_id"]] = row
with asked.open("rb") as file, joined.open("wb") as output:
    for line in file:
        row = loads(line)
        row["response"] = answers[row["custom_id"]]["response"]
        output.write(dumps(row) + b"\\n")
"""
_DUCKDB = """
import duckdb
engine = duckdb.connect(str(folder / "join.duckdb"), config={"threads": 1})
engine.execute("SET enable_progress_bar = false")
columns = "{custom_id: 'VARCHAR', body: 'JSON', response: 'JSON'}"
read = f"read_json(?, format = 'newline_delimited', columns = {columns})"
engine.execute(
    f"COPY (SELECT asked.custom_id, asked.body, answered.response "
    f"FROM (SELECT *, row_number() OVER () AS place FROM {read}) AS asked LEFT JOIN {read} AS answered "
    f"USING (custom_id) ORDER BY place) TO '{joined}' (FORMAT json)",
    [str(asked), str(answered)],
)
"""


def _question(number: int) -> str:
    content = f"Question {number}: what does this product's description promise to its buyers?"
    return json.dumps({"custom_id": f"row-{number}", "body": {"messages": [{"role": "user", "content": content}]}})


def _answer(number: int) -> str:
    message = {"role": "assistant", "content": f"Answer {number}: that it lasts, and that it may be sent back."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 14, "completion_tokens": 12, "total_tokens": 26}
    response = {"object": "chat.completion", "model": "llama", "choices": [choice], "usage": usage}
    return json.dumps({**json.loads(_question(number)), "id": f"batch-{number}", "response": response})


def _lay_out(rows: int, folder: Path) -> tuple[Path, Path]:
    """The input and, in another order, the output."""
    asked, answered = folder / "input.jsonl", folder / "predictions.jsonl"
    with asked.open("w") as file:
        file.writelines(f"{_question(number)}\n" for number in range(rows))
    with answered.open("w") as file:
        file.writelines(f"{_answer(place * _STEP % rows)}\n" for place in range(rows))
    return asked, answered


def run(program: str, rows: int, folder: Path) -> tuple[float, float]:
    """Seconds of CPU and peak memory in MB of one way."""
    asked, answered, joined = folder / "input.jsonl", folder / "predictions.jsonl", folder / "joined.jsonl"
    with tempfile.TemporaryDirectory(dir=folder) as own:
        command: list[str | Path] = [sys.executable, "-c", _START + program + _END, asked, answered, joined, Path(own)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    _verify(joined, rows)
    seconds, megabytes = map(float, done.stdout.split())
    return seconds, megabytes


def _verify(joined: Path, rows: int) -> None:
    """Every row is there, in the order of the input, with its own answer."""
    count = 0
    with joined.open() as file:
        for number, line in enumerate(file):
            if f'"row-{number}"' not in line or f"Answer {number}:" not in line:
                raise RuntimeError(f"row {number} has another row's answer: {line[:200]}")
            count += 1
    if count != rows:
        raise RuntimeError(f"{count} rows came out of {rows}")


def measure(rows: int = ROWS) -> Iterator[Figure]:
    """Many rows and few: the memory must not follow the number."""
    with tempfile.TemporaryDirectory() as name:
        _lay_out(FEW, Path(name))
        _, few_peak = run(_OURS, FEW, Path(name))
    with tempfile.TemporaryDirectory() as name:
        _lay_out(rows, Path(name))
        seconds, peak = run(_OURS, rows, Path(name))
        dictionary, dictionary_peak = run(_DICTIONARY, rows, Path(name))
        duckdb, duckdb_peak = run(_DUCKDB, rows, Path(name))
    title = f"results join: {rows:,} rows"
    yield Figure(f"{title}, CPU", round(seconds, 1), "s")
    yield Figure(f"{title}, CPU over a dictionary in memory", round(seconds / dictionary, 2), "times", 1.0)
    yield Figure(f"{title}, CPU of DuckDB over a dictionary in memory", round(duckdb / dictionary, 2), "times")
    yield Figure(f"{title}, peak memory", round(peak, 1), "MB", MOST_MEGABYTES)
    yield Figure(f"{title}, peak memory of a dictionary", round(dictionary_peak, 1), "MB")
    yield Figure(f"{title}, peak memory of DuckDB", round(duckdb_peak, 1), "MB")
    yield Figure(f"results join: peak memory of {rows:,} rows over {FEW:,}", round(peak / few_peak, 2), "times", 1.25)


if __name__ == "__main__":
    for figure in measure(*map(int, sys.argv[1:2])):
        sys.stdout.write(f"{figure.name}: {figure.value:g} {figure.unit}{'' if figure.within else ' TOO MUCH'}\n")
