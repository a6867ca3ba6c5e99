"""What it takes to match the answers of a batch to their rows, beside a dictionary in memory and beside DuckDB.

All three read the same two files, the answers in another order than the rows, and write the rows with their answers,
each in a process of its own; they are compared in seconds of CPU. The dictionary reads JSON with orjson where it is
installed, and with msgspec otherwise.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, Run
from benchmarks.process import measured

ROWS = 1_000_000
FEW = 200_000
MOST_MEGABYTES = 150
_STEP = 7_919  # a prime, so that the answers come scattered
_IMPORTS = """
import sys
from pathlib import Path
asked, answered, joined, folder = map(Path, sys.argv[1:])
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
    return f'{{"custom_id": "row-{number}", "body": {{"messages": [{{"role": "user", "content": "{content}"}}]}}}}'


def _answer(number: int) -> str:
    content = f"Answer {number}: that it lasts, and that it may be sent back."
    choice = f'{{"index": 0, "message": {{"role": "assistant", "content": "{content}"}}, "finish_reason": "stop"}}'
    usage = '{"prompt_tokens": 14, "completion_tokens": 12, "total_tokens": 26}'
    response = f'{{"object": "chat.completion", "model": "llama", "choices": [{choice}], "usage": {usage}}}'
    return f'{_question(number)[:-1]}, "id": "batch-{number}", "response": {response}}}'


def _lay_out(rows: int, folder: Path) -> tuple[Path, Path]:
    """The input and, in another order, the output."""
    asked, answered = folder / "input.jsonl", folder / "predictions.jsonl"
    with asked.open("w") as file:
        file.writelines(f"{_question(number)}\n" for number in range(rows))
    with answered.open("w") as file:
        file.writelines(f"{_answer(place * _STEP % rows)}\n" for place in range(rows))
    return asked, answered


def _process(program: str, rows: int, folder: Path) -> tuple[float, float]:
    """Seconds of CPU and peak memory in MB of one way."""
    asked, answered, joined = folder / "input.jsonl", folder / "predictions.jsonl", folder / "joined.jsonl"
    with tempfile.TemporaryDirectory(dir=folder) as own:
        found = measured(program, asked, answered, joined, own, first=_IMPORTS)
    _verify(joined, rows)
    return found


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


def measure(run: Run) -> Iterator[Figure]:
    """What matching a million answers to their rows takes, beside a dictionary and DuckDB, and whether memory grows."""
    few, rows = run.amount((FEW, ROWS), (10, 20))
    with tempfile.TemporaryDirectory() as name:
        run.say(f"writing and joining {few:,} rows")
        _lay_out(few, Path(name))
        _, few_peak = _process(_OURS, few, Path(name))
    with tempfile.TemporaryDirectory() as name:
        run.say(f"writing {rows:,} rows and their answers")
        _lay_out(rows, Path(name))
        run.say(f"joining {rows:,} rows")
        seconds, peak = _process(_OURS, rows, Path(name))
        run.say("the same with a dictionary in memory")
        dictionary, dictionary_peak = _process(_DICTIONARY, rows, Path(name))
        run.say("the same with DuckDB")
        duckdb, duckdb_peak = _process(_DUCKDB, rows, Path(name))
    title = f"results join: {rows:,} rows"
    yield Figure(f"{title}, CPU", round(seconds, 1), "s")
    yield Figure(f"{title}, CPU over a dictionary in memory", round(seconds / dictionary, 2), "times", 1.0)
    yield Figure(f"{title}, CPU of DuckDB over a dictionary in memory", round(duckdb / dictionary, 2), "times")
    yield Figure(f"{title}, peak memory", round(peak, 1), "MB", MOST_MEGABYTES)
    yield Figure(f"{title}, peak memory of a dictionary", round(dictionary_peak, 1), "MB")
    yield Figure(f"{title}, peak memory of DuckDB", round(duckdb_peak, 1), "MB")
    yield Figure(f"results join: peak memory of {rows:,} rows over {few:,}", round(peak / few_peak, 2), "times", 1.25)
