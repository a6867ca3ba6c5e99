"""An interrupted rehearsal loses nothing: what was being created is in the state until a run has taken it up."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from mg_provider.command_line.exits import FAILED, FINE
from tests.conformance.engines import RehearsalWorld
from tests.rehearsal.apart import await_call, killed_at, run_apart, stopped_twice_at


def pending(world: RehearsalWorld) -> list[str]:
    """The names of what the state says to be under way."""
    state: dict[str, Any] = json.loads(world.state_file.read_text(encoding="utf-8"))["deployment"]
    return [entry["resource"]["urn"].rsplit("::", 1)[-1] for entry in state.get("pending_operations", [])]


def test_a_killed_engine_leaves_a_valid_state_and_no_processes(plain_world: RehearsalWorld) -> None:
    world = plain_world
    world.program("Thing('a')\nThing('b', opts=opts(depends_on=[Thing('c')]))\n")
    world.fail(create__b="hang")
    killed_at(world, "create b")
    assert pending(world) == ["b"]
    world.fail()
    outcome = world.up()
    assert outcome.operations() == ["create b"]
    assert world.count() == 3
    assert pending(world) == []


def test_ctrl_c_waits_for_what_runs_and_starts_nothing_new(world: RehearsalWorld) -> None:
    world.program("a = Thing('a')\nThing('b', note=a.address)\n")
    world.fail(create__a="wait")
    with run_apart(world) as process:
        await_call(world, "create a", process)
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        line = process.stdout.readline()
        while line and "stopping" not in line:
            line = process.stdout.readline()
        (world.cloud / "go").touch()
        process.stdout.read()
        assert process.wait(20) == -signal.SIGINT
    assert world.journal() == ["create a"]
    world.fail()
    assert world.up().operations() == ["create b"]


@pytest.mark.parametrize("end", [killed_at, stopped_twice_at])
def test_an_interrupted_creation_stays_in_the_state_and_a_destroy_deletes_nothing_until_it_is_taken_up(
    world: RehearsalWorld, end: Any
) -> None:
    world.program("Thing('a', opts=opts(depends_on=[Thing('b')]))\n")
    world.fail(create__a="hang")
    end(world, "create a")
    assert pending(world) == ["a"]
    world.fail(create__a="error")
    assert not world.do("up").ok
    world.do("refresh")
    for _ in range(2):
        outcome = world.do("destroy")
        assert not outcome.ok
        assert "nothing was deleted\ndo: run `mg rehearse up`, which takes it up, then this again" in outcome.errors[0]
        assert outcome.operations() == []
        assert pending(world) == ["a"]
    world.fail()
    world.up()
    assert pending(world) == []
    assert world.do("destroy").ok
    assert world.count() == 0


def test_what_an_interrupted_creation_did_not_make_can_be_forgotten(world: RehearsalWorld) -> None:
    world.program("Thing('a', opts=opts(depends_on=[Thing('b')]))\n")
    world.fail(create__a="hang")
    killed_at(world, "create a")
    code, told = world.rehearse("destroy", targets=("b",))
    assert (code, pending(world)) == (FINE, ["a"]), "a is not a target, and stays known"
    assert world.rehearse("destroy")[0] == FAILED
    code, told = world.rehearse("destroy", clear_pending_creates=True)
    assert (code, pending(world)) == (FINE, []), told


def test_a_second_ctrl_c_ends_at_once(world: RehearsalWorld) -> None:
    world.program("Thing('a')\n")
    world.fail(create__a="hang")
    assert "provider process ended" in stopped_twice_at(world, "create a")
    assert "a" not in json.dumps(list(world.things()))
