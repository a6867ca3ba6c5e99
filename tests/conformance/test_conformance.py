"""Every scenario on the rehearsal engine, and on `pulumi` where it is on PATH; both must do the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance import lives, options
from tests.conformance.engines import PULUMI, PulumiWorld, RehearsalWorld, World, differences
from tests.conformance.registry import SCENARIOS

Scenario = Callable[[World], None]
CHOSEN = [scenario for module in (lives, options) for scenario in SCENARIOS if scenario.__module__ == module.__name__]
both = pytest.mark.parametrize("scenario", CHOSEN, ids=lambda scenario: scenario.__name__)


def played(world: World, scenario: Scenario) -> World:
    scenario(world)
    assert world.outcomes, "the scenario did nothing"
    return world


def test_no_scenario_is_left_out() -> None:
    assert len(CHOSEN) == len(SCENARIOS) >= 40


@both
def test_the_rehearsal_engine_plays_the_scenario(scenario: Scenario, tmp_path: Path, virtualenv: str) -> None:
    world = played(RehearsalWorld(tmp_path / "rehearsal", virtualenv), scenario)
    assert not list(tmp_path.glob("**/*.draft")), "a state file was left half written"
    assert all(outcome.ok or outcome.errors for outcome in world.outcomes), "a failure without a word"


@both
@pytest.mark.skipif(PULUMI is None, reason="the pulumi CLI is not on PATH, so there is nothing to compare with")
def test_pulumi_does_the_same(scenario: Scenario, tmp_path: Path, virtualenv: str) -> None:
    expected = played(PulumiWorld(tmp_path / "pulumi", virtualenv), scenario)
    found = played(RehearsalWorld(tmp_path / "rehearsal", virtualenv), scenario)
    for index, (theirs, ours) in enumerate(zip(expected.outcomes, found.outcomes, strict=True)):
        assert differences(theirs.comparable(), ours.comparable()) == [], f"operation {index + 1}: {theirs.errors}"
