"""How much memory it takes to match the answers of a batch to their rows: the same for many as for few.

``python -m benchmarks.results_join 1000000`` measures that number of rows alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure
from mg_provider.emulator import Emulator

ROWS = 1_000_000
FEW = 200_000
FILES = 10
MOST_MEGABYTES = 150
BUCKET = "results"
_STEP = 7_919  # a prime, so that the answers come scattered
_RUN = """
import resource, sys
from pathlib import Path
from mg_provider.inference.batch_results_command import run
with open(sys.argv[3], "wb") as output:
    code = run(sys.argv[1], join=sys.argv[2], config={"mg:storageCustomEndpoint": sys.argv[4]}, output=output)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1_048_576 if sys.platform == "darwin" else 1024))
sys.exit(code)
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


def _lay_out(rows: int, folder: Path, emulator: Emulator) -> Path:
    """The input as a file, the output in the emulated bucket, in another order; answers the input."""
    import requests

    requests.post(f"{emulator.url}/storage/v1/b?project=p", json={"name": BUCKET}, timeout=60).raise_for_status()
    source = folder / "input.jsonl"
    with source.open("w") as file:
        file.writelines(f"{_question(number)}\n" for number in range(rows))
    size = -(-rows // FILES)
    for part in range(FILES):
        spool = folder / "part.jsonl"
        places = range(part * size, min((part + 1) * size, rows))
        with spool.open("w") as file:
            file.writelines(f"{_answer(place * _STEP % rows)}\n" for place in places)
        query = {"uploadType": "media", "name": f"prediction-llama/predictions_{part + 1:04d}.jsonl"}
        url = f"{emulator.url}/upload/storage/v1/b/{BUCKET}/o"
        with spool.open("rb") as file:
            requests.post(url, params=query, data=file, timeout=600).raise_for_status()
    return source


def join(rows: int) -> tuple[float, float]:
    """Seconds, and the command's peak memory in MB. It runs in a process of its own."""
    with tempfile.TemporaryDirectory() as name, Emulator() as emulator:
        folder = Path(name)
        source, joined = _lay_out(rows, folder, emulator), folder / "joined.jsonl"
        uri = f"gs://{BUCKET}/prediction-llama"
        command: list[str | Path] = [sys.executable, "-c", _RUN, uri, source, joined, emulator.url]
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds = time.perf_counter() - began
        _verify(joined, rows)
        return seconds, float(done.stdout)


def _verify(joined: Path, rows: int) -> None:
    """Every row is there, in the order of the input, with its own answer."""
    count = 0
    with joined.open() as file:
        for number, line in enumerate(file):
            if f'"custom_id":"row-{number}"' not in line or f"Answer {number}:" not in line:
                raise RuntimeError(f"row {number} has another row's answer: {line[:200]}")
            count += 1
    if count != rows:
        raise RuntimeError(f"{count} rows came out of {rows}")


def measure(rows: int = ROWS) -> Iterator[Figure]:
    """Many rows and few: the memory must not follow the number."""
    few_seconds, few_peak = join(FEW)
    seconds, peak = join(rows)
    yield Figure(f"results join: {rows:,} rows, time", round(seconds, 1), "s")
    yield Figure(f"results join: {rows:,} rows, peak memory", round(peak, 1), "MB", MOST_MEGABYTES)
    yield Figure(f"results join: {FEW:,} rows, time", round(few_seconds, 1), "s")
    yield Figure(f"results join: peak memory of {rows:,} rows over {FEW:,}", round(peak / few_peak, 2), "times", 1.25)


if __name__ == "__main__":
    for figure in measure(*map(int, sys.argv[1:2])):
        sys.stdout.write(f"{figure.name}: {figure.value:g} {figure.unit}{'' if figure.within else ' TOO MUCH'}\n")
