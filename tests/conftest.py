"""The emulator, one server a session and a clean state a test."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from mg_provider.emulator import Emulator
from tests.support.google import google_protos
from tests.support.google.empty_messages import empty_messages
from tests.support.lives.invariants import watch
from tests.support.running import forks, real_clients
from tests.support.running.dealing import dealt

# The tests start many processes. Without bytecode on disk each would compile all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """All workers fork from one server."""
    node.workerinput["forks"] = str(forks.shared())


def pytest_configure(config: pytest.Config) -> None:
    if given := getattr(config, "workerinput", {}).get("forks"):
        forks.use(given)


def pytest_unconfigure() -> None:
    """The server that forks, where this process has started it, ends with the tests."""
    forks.end()


@pytest.fixture(scope="session")
def virtualenv() -> str:
    """An environment whose interpreter starts quickly."""
    return str(forks.shared())


@pytest.fixture(scope="session")
def clients_python() -> str:
    """The interpreter of the environment that holds the clients of Google and OpenAI."""
    try:
        return real_clients.python(seconds=100)
    except real_clients.NotMade as reason:
        pytest.fail(str(reason), pytrace=False)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Five for two processors: a life waits for answers half of the time."""
    return 5 * (os.cpu_count() or 1) // 2


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several workers run the tests, the longest are dealt out first."""
    if workers := getattr(config, "workerinput", {}).get("workercount"):
        items[:] = dealt(items, workers)


def pytest_collection() -> None:
    """All tests and modules stay until the end, so no search for garbage needs to look through them."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What the tests make is searched, whenever there is enough of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()


@pytest.fixture(scope="session")
def emulator_server() -> Iterator[Emulator]:
    with Emulator(port=0, speed=6000.0) as emulator:
        watch(emulator)
        yield emulator


@pytest.fixture
def emulator(emulator_server: Emulator) -> Iterator[Emulator]:
    emulator_server.reset()
    watch(emulator_server).reset()
    yield emulator_server
    answered = emulator_server.requests()
    wrong = [request["emulator_error"] for request in answered if "emulator_error" in request]
    wrong += google_protos.wrong_answers(answered)
    empty = empty_messages(answered)
    emulator_server.reset()
    assert not wrong, f"the emulator answered what Google's documents do not know: {wrong}"
    assert not empty, f"these were sent with messages that say nothing: {empty}"
