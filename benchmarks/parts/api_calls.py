"""How many calls a create, a no-op preview and a refresh make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.figure import Figure, Run
from mg_provider.emulator import Emulator
from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from tests.resources.conftest import config
from tests.support.lives.host import Host
from tests.support.lives.life import Life
from tests.support.samples.weights import make_bucket, put_weights

REFRESH_CALLS = 2


def _calls(emulator: Any, seen: int) -> list[str]:
    return [entry["rpc"] for entry in emulator.requests()[seen:]]


def measure(run: Run) -> Iterator[Figure]:
    """How many calls a create, a preview without a change and a refresh make."""
    run.say("create, preview, refresh and destroy of one model")
    with Emulator(speed=1_000_000) as emulator:
        make_bucket(emulator)
        arguments = {"gcs_uri": put_weights(emulator)}
        host = Host(config(emulator))
        try:
            life = Life(host, CustomWeightsModelProvider)
            seen = len(emulator.requests())
            life.up(arguments)
            yield Figure("calls: create of a CustomWeightsModel", len(_calls(emulator, seen)), "calls")
            seen = len(emulator.requests())
            life.preview(arguments)
            yield Figure("calls: preview without a change", len(_calls(emulator, seen)), "calls", 0)
            seen = len(emulator.requests())
            life.refresh()
            yield Figure("calls: refresh", len(_calls(emulator, seen)), "calls", REFRESH_CALLS)
            life.destroy()
        finally:
            host.close()
