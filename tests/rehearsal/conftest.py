"""What the tests of the rehearsal engine share: a world of its own each, from which nothing leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.engines import RehearsalWorld
from tests.support.google.canary import canary_proxy, nothing_leaves

__all__ = ["canary_proxy", "nothing_leaves"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, virtualenv: str) -> RehearsalWorld:
    world = RehearsalWorld(tmp_path / "world", virtualenv)
    for key, value in world.environment.items():
        monkeypatch.setenv(key, value)
    return world


@pytest.fixture
def plain_world(tmp_path: Path) -> RehearsalWorld:
    """A world with the real interpreter."""
    return RehearsalWorld(tmp_path / "plain")
