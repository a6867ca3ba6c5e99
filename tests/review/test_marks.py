"""An argument that is added is reviewed by its mark, whatever it is called."""

from typing import Annotated

from pydantic import Field

from mg_provider import review
from mg_provider.resources.model.args import State
from mg_provider.resources.model.lifecycle import CloudArgs
from mg_provider.resources.model.marks import InPlace, Local, Replaces, RollsOut, Secret
from mg_provider.resources.model.meaning import Content, Costs, Exposure, HeldByClients, SafetyNet, Service
from mg_provider.review.reading.kinds import KINDS, Kind
from tests.review.build import L4, preview, step


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
