"""Whether time and calls for each model grow with their number: stacks of 10, 100 and 250 models in one region.

The stacks are measured one after the other in one run, each on an emulator of its own, so that a busy machine slows all
of them down. A deployment takes a second here: what is measured is the provider's own work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import requests

from benchmarks.figure import Figure, Run
from benchmarks.parts.fleet import WIDENED, RehearsalCommand, ignore, seconds, stack
from mg_provider.demo.engines import RehearsalEngine

SIZES = (10, 100, 250)
DEPLOYMENT_SECONDS = 1.0
# 2.5 times as many models may take so much longer; the rest is for a machine that does other things as well.
TIME_BOUND = 3.0
# Calls that are made once a process, and not once a model, weigh less the more models there are.
CALLS_BOUND = 1.0


@dataclass(frozen=True)
class _Cost:
    """What one ``up`` took."""

    models: int
    seconds: float
    calls: int

    @property
    def calls_each(self) -> float:
        """Calls for one model, without the polls of what runs, which follow the time."""
        return self.calls / self.models


def measure(run: Run) -> Iterator[Figure]:
    """How time and calls grow over stacks of 10, 100 and 250 models."""
    costs = []
    for models in run.amount(SIZES, (1, 2, 3)):
        run.say(f"up of {models} models")
        costs.append(cost := _cost(run, models))
        yield Figure(f"growth: up of {models} models", round(cost.seconds, 1), "s")
        yield Figure(f"growth: calls for each of {models} models, polls left out", round(cost.calls_each, 2), "calls")
    small, middle, large = costs
    time, calls = large.seconds / middle.seconds, large.calls_each / small.calls_each
    yield Figure(f"growth: up of {large.models} models / {middle.models}", round(time, 2), "times", TIME_BOUND)
    name = f"growth: calls for each of {large.models} models / {small.models}"
    yield Figure(name, round(calls, 3), "times", CALLS_BOUND)


def _cost(run: Run, models: int) -> _Cost:
    kind = run.amount(RehearsalCommand, RehearsalEngine)
    with stack(kind, WIDENED, 1, models, run.amount(DEPLOYMENT_SECONDS, 0.01)) as (engine, url):
        taken = seconds(lambda: engine.up(ignore))
        return _Cost(models, taken, sum(_counts(entry) for entry in _requests(url)))


def _counts(entry: dict[str, Any]) -> bool:
    return not str(entry["rpc"]).endswith("operations.get")


def _requests(url: str) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", requests.get(f"{url}/_mg/requests", timeout=60).json()["requests"])
