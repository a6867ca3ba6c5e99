"""An argument that is added is reviewed by its mark, whatever it is called."""

from typing import Annotated

import pytest
from pydantic import Field

from mg_provider import review
from mg_provider.resources.model.args import State
from mg_provider.resources.model.lifecycle import CloudArgs
from mg_provider.resources.model.marks import InPlace, Local, Replaces, RollsOut, Secret
from mg_provider.resources.model.meaning import Content, Costs, Exposure, HeldByClients, SafetyNet, Service
from mg_provider.review.reading.kinds import KINDS, Kind
from tests.review.build import L4, UNKNOWN, endpoint, model, preview, step, update


class NewArgs(CloudArgs):
    """Arguments that no version has had."""

    door: Annotated[str, InPlace("doors.patch"), Exposure("who may come in")] = ""
    keeper: Annotated[bool, Local("read"), SafetyNet("the keeper", on=bool)] = True
    brain: Annotated[str, RollsOut("another brain"), Content("brain")] = ""
    pace: Annotated[int, InPlace("paces.patch"), Service("how fast it answers")] = 1
    place: Annotated[str, Replaces("a place is fixed")] = ""
    call: Annotated[str, InPlace("calls.patch"), HeldByClients("call sign")] = ""
    engine: Annotated[dict[str, object], RollsOut("another engine"), Costs("machine")] = Field(default={})
    crew: Annotated[int, InPlace("crews.patch"), Costs("fewest")] = 1
    word: Annotated[str, Secret(), Local("read")] = ""


TYPE = "pulumi-python:dynamic/mg:New"
OLD = {"region": "us-central1", "door": "a", "call": "one", "engine": L4, "place": "here"}


def changed(op="update", **arguments):
    kinds = {**KINDS, TYPE: Kind("New", NewArgs, State)}
    return review.of(preview(step(op, TYPE, "thing", OLD, {**OLD, **arguments})), kinds=kinds)


def test_each_mark_says_what_a_change_means():
    told = {
        "door": ({"door": "b"}, "look: thing: who may come in: a → b"),
        "keeper": ({"keeper": False}, "look: thing: a safety net goes OFF: the keeper (keeper)"),
        "brain": ({"brain": "b"}, "look: thing: another brain answers: none → b"),
        "pace": ({"pace": 2}, "look: thing: how fast it answers: 1 → 2"),
        "call": ({"call": "two"}, "stop: thing: call sign changes, so that requests with the old one fail"),
        "crew": ({"crew": 2}, "look: thing: costs $840 → $1,680 a month; GPUs 1 → 2"),
        "word": ({"word": "hush"}, "safe: thing: word changes"),
    }
    for arguments, headline in told.values():
        assert changed(**arguments).headline == headline


def test_what_replaces_is_named_as_the_cause():
    headline = changed("replace", place="there").headline
    assert (
        headline == "stop: thing: replaced, because place here → there: the old one is deleted, and its address is lost"
    )


WEAKER = {
    "expected_status": ({"probe": {"expected_status": 500}}, "unprobed"),
    "max_latency": ({"probe": {"max_latency": 60.0}}, "safety-net"),
    "expected_text": ({"probe": {"expected_text": ""}}, "safety-net"),
    "requests": ({"probe": {"requests": 1}}, "safety-net"),
    "recreate": ({"strategy": "recreate"}, "downtime"),
    "rolling": ({"strategy": "rolling"}, "safety-net"),
    "steps": ({"steps": [100]}, "safety-net"),
    "missing": ({"max_unavailable_replicas": 3}, "capacity"),
    "all missing": ({"max_unavailable_percentage": 100}, "downtime"),
}
STRICT = {"steps": [5, 100], "probe": {"max_latency": 2.0, "expected_text": "Paris", "requests": 20}}


@pytest.mark.parametrize("case", WEAKER)
def test_a_rollout_that_lets_more_through_fails_the_gate_of_the_part_that_is_weaker(case):
    part, gate = WEAKER[case]
    probe = {**STRICT["probe"], **part.get("probe", {})}
    weak = {**STRICT, **part, "probe": probe}
    old, other = model(), endpoint()
    for kind, before in (("CustomWeightsModel", old), ("DedicatedEndpoint", other)):
        found = update(kind, {**before, "rollout": STRICT}, {**before, "rollout": weak})
        assert found.verdict == "look"
        assert {gate, "safety-net"} <= {name for reason in found.reasons for name in (reason.gate, *reason.also)}
        assert found.service.effect == "none"
        back = update(kind, {**before, "rollout": weak}, {**before, "rollout": STRICT})
        assert back.verdict == "safe", back.headline


def test_a_strict_rollout_that_is_removed_is_weaker():
    assert update("CustomWeightsModel", model(rollout=STRICT), model()).verdict == "look"


def test_a_rolling_rollout_that_may_take_down_every_replica_leaves_nothing_that_serves():
    rollout = {"strategy": "rolling", "max_unavailable_percentage": 100}
    found = update("CustomWeightsModel", model(rollout=rollout), model(rollout=rollout, gcs_uri="gs://weights/v2"))
    assert found.service.effect == "NOTHING SERVES"


@pytest.mark.parametrize("odd", ["many", [], {}, {"a": 1}, True, 7, [None], "[secret]", UNKNOWN])
def test_a_rollout_with_odd_values_is_reviewed_all_the_same(odd):
    for rollout in (odd, {"probe": odd}, *({field: odd} for field in STRICT), {"probe": {"requests": odd}}):
        for old, new in ((STRICT, rollout), (rollout, STRICT)):
            assert update("CustomWeightsModel", model(rollout=old), model(rollout=new)).headline
