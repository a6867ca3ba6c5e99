"""How long the review of a preview of 1,000 resources takes, and in how much memory, each in a process of its own."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, Run
from benchmarks.process import measured
from mg_provider import review
from mg_provider.review.formats.page import page
from tests.review.build import A100, endpoint, model, preview, step

RESOURCES = 1000
MOST_SECONDS = 1.0
MOST_MEGABYTES = 200
MOST_PAGE_MEGABYTES = 2.0
_IMPORTS = """
import sys
from pathlib import Path
from mg_provider import review
from mg_provider.review.formats.text import text
"""
_REVIEW = 'text(review.of(Path(sys.argv[1]).read_text(encoding="utf-8")))'


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


def measure(run: Run) -> Iterator[Figure]:
    """How long the review of a preview of 1,000 resources takes, and in how much memory."""
    resources = run.amount(RESOURCES, 4)
    run.say(f"reviewing a preview of {resources} resources")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "preview.json"
        path.write_text(fleet(resources), encoding="utf-8")
        seconds, megabytes = measured(_REVIEW, path, first=_IMPORTS)
    found = review.of(fleet(resources))
    began = time.process_time()
    written = page(found)
    drawn = time.process_time() - began
    yield Figure(f"review: {resources} resources", round(seconds, 2), "s", MOST_SECONDS)
    yield Figure(f"review: memory of {resources} resources", round(megabytes), "MB", MOST_MEGABYTES)
    yield Figure(f"review: the page of {resources} resources", round(drawn, 2), "s", MOST_SECONDS)
    size = round(len(written.encode()) / 1_000_000, 2)
    yield Figure(f"review: size of the page of {resources} resources", size, "MB", MOST_PAGE_MEGABYTES)
