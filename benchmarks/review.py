"""How long the review of a preview of 1,000 resources takes, and in how much memory, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure
from mg_provider import review
from mg_provider.review.formats.page import page
from tests.review.build import A100, endpoint, model, preview, step

RESOURCES = 1000
MOST_SECONDS = 1.0
MOST_MEGABYTES = 200
MOST_PAGE_MEGABYTES = 2.0
_SCRIPT = """
import resource, sys, time
from pathlib import Path
from mg_provider import review
from mg_provider.review.formats.text import text
began = time.process_time()
text(review.of(Path(sys.argv[1]).read_text(encoding="utf-8")))
per_megabyte = 1_048_576 if sys.platform == "darwin" else 1024
print(time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / per_megabyte)
"""


def fleet(resources: int) -> str:
    """A preview in which every resource changes its machines or its weights."""
    regions = ("us-central1", "europe-west4")
    steps = []
    for number in range(resources):
        name, region = f"llama-{number}", regions[number % 2]
        if number % 4:
            new = model(name, region, machine_spec=A100, gcs_uri=f"gs://weights/{number}")
            steps.append(step("update", "CustomWeightsModel", name, model(name, region), new))
        else:
            new = endpoint(name, region, traffic_split={"stable": 50, "canary": 50})
            steps.append(step("update", "DedicatedEndpoint", name, endpoint(name, region), new))
    return preview(*steps)


def measure() -> Iterator[Figure]:
    """Seconds of a core once everything is imported, and the most memory of the process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "preview.json"
        path.write_text(fleet(RESOURCES), encoding="utf-8")
        command = [sys.executable, "-c", _SCRIPT, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, done.stdout.split())
    found = review.of(fleet(RESOURCES))
    began = time.process_time()
    written = page(found)
    drawn = time.process_time() - began
    yield Figure(f"review: {RESOURCES} resources", round(seconds, 2), "s", MOST_SECONDS)
    yield Figure(f"review: memory of {RESOURCES} resources", round(megabytes), "MB", MOST_MEGABYTES)
    yield Figure(f"review: the page of {RESOURCES} resources", round(drawn, 2), "s", MOST_SECONDS)
    size = round(len(written.encode()) / 1_000_000, 2)
    yield Figure(f"review: size of the page of {RESOURCES} resources", size, "MB", MOST_PAGE_MEGABYTES)
