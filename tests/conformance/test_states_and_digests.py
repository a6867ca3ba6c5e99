"""Pulumi takes a rehearsal's state over, and both digest a preview in the same words."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.engines import PULUMI, PulumiWorld, RehearsalWorld, differences, normal


@pytest.mark.skipif(PULUMI is None, reason="the pulumi CLI is not on PATH, so it cannot take the state over")
def test_pulumi_takes_the_state_over(tmp_path: Path) -> None:
    ours, theirs = RehearsalWorld(tmp_path / "ours"), PulumiWorld(tmp_path / "theirs")
    for world in (ours, theirs):
        world.environment["TOY_CLOUD"] = str(ours.cloud)
        world.program("a = Thing('a', token=pulumi.Output.secret('hunter2'))\nThing('b', note=a.key)\n")
    ours.up()
    shutil.copy(ours.state_file, theirs.folder / "state.json")
    theirs.call("stack", "import", "--file", "state.json")
    assert "hunter2" not in "".join(path.read_text() for path in (theirs.folder / "backend").rglob("*.json"))
    assert theirs.up().operations() == []


@pytest.mark.skipif(PULUMI is None, reason="the pulumi CLI is not on PATH, so there is no digest to compare with")
def test_the_preview_digest_says_what_pulumis_says(tmp_path: Path, virtualenv: str) -> None:
    digests = []
    for world in (RehearsalWorld(tmp_path / "ours", virtualenv), PulumiWorld(tmp_path / "theirs", virtualenv)):
        world.program(
            "Thing('a', size=1, zone='x', token=pulumi.Output.secret('s'))\nThing('d')\nThing('u', size=1)\n"
            "Thing('s', size=1)\n"
        )
        world.up()
        world.program(
            "a = Thing('a', size=2, zone='y', token=pulumi.Output.secret('t'))\nThing('b', note=a.key)\n"
            "Thing('u', size=2)\nThing('s', size=1)\n"
        )
        digests.append([steps_of_digest(world.digest(show_sames=shown)) for shown in (False, True)])
    assert differences(digests[1][0], digests[0][0]) == []
    assert differences(digests[1][1], digests[0][1]) == []


def steps_of_digest(digest: dict[str, Any]) -> dict[str, Any]:
    """The steps by name, without ids, times and the places in the program that only the real engine notes."""
    noise = ("created", "modified", "sourcePosition", "stackTrace", "id", "provider", "customTimeouts")
    steps = {"changeSummary": digest["changeSummary"]}
    for step in normal(digest["steps"]):
        step.pop("provider", None)
        for key in ("oldState", "newState"):
            state = {name: value for name, value in step.get(key, {}).items() if name not in noise}
            step[key] = {name: value for name, value in state.items() if value}
        steps[step["urn"]] = step
    return steps
