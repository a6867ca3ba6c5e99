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


PROGRAM_ON_A_KNOWN_SDK = """
from pulumi import _types
from pulumi.runtime import resource

places = {"pulumi.log": pulumi.log.debug, "pulumi.runtime.resource": resource._get_stack_trace}
found = [place == function.__module__ for place, function in places.items()]
assert [*found, not hasattr(_types.resource_types, "cache_info")] == [STOCK] * 3, found
pulumi.log.debug("nobody sees this")
a = Thing("a", size=SIZE, secret=pulumi.Output.secret("s"))
b = Thing("b", note=a.address, tags={"x": a.key}, zone="ZONE", opts=opts(depends_on=[a]))
pulumi.export("address", b.address)
"""


def test_the_sdk_unchanged_does_the_same_as_the_quickened_one(tmp_path: Path, virtualenv: str) -> None:
    worlds = [RehearsalWorld(tmp_path / str(stock), virtualenv, stock_sdk=stock) for stock in (True, False)]
    for world in worlds:
        program = PROGRAM_ON_A_KNOWN_SDK.replace("STOCK", str(world.stock_sdk))
        world.program(program.replace("SIZE", "1").replace("ZONE", "x"))
        world.up()
        world.program(program.replace("SIZE", "2").replace("ZONE", "y"))
        assert world.up().operations() == ["update a", "create-replacement b", "delete-replaced b"]
    for stock, quick in zip(worlds[0].outcomes, worlds[1].outcomes, strict=True):
        assert differences(stock.comparable(), quick.comparable()) == []


@both
@pytest.mark.skipif(PULUMI is None, reason="the pulumi CLI is not on PATH, so there is nothing to compare with")
def test_pulumi_does_the_same(scenario: Scenario, tmp_path: Path, virtualenv: str) -> None:
    expected = played(PulumiWorld(tmp_path / "pulumi", virtualenv), scenario)
    found = played(RehearsalWorld(tmp_path / "rehearsal", virtualenv), scenario)
    for index, (theirs, ours) in enumerate(zip(expected.outcomes, found.outcomes, strict=True)):
        assert differences(theirs.comparable(), ours.comparable()) == [], f"operation {index + 1}: {theirs.errors}"
