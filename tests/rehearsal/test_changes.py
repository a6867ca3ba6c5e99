"""What a rehearsal says about each property that changes."""

import io
import json

import pytest
from rich.console import Console

from mg_provider.clock import SystemClock
from mg_provider.rehearsal.show.changes import change_lines
from mg_provider.rehearsal.show.display import Display
from mg_provider.rehearsal.state.differences import Difference, difference_of_inputs
from mg_provider.rehearsal.state.file import ResourceState
from mg_provider.rehearsal.state.properties import UNKNOWN, Secret
from mg_provider.rehearsal.state.steps import Step, Summary

TYPE = "pulumi-python:dynamic/mg:DedicatedEndpoint"
URN = f"urn:pulumi:dev::shop::{TYPE}::chat"
PLAN = ", ".join(f"{share} % for 10 minutes, probed with 44 requests" for share in (10, 25, 50))


def said(old, new):
    """The lines for an update from one set of inputs to another."""
    states = [ResourceState(URN, True, TYPE, inputs=inputs) for inputs in (old, new)]
    found = difference_of_inputs(Difference("unknown"), old, new)
    return list(change_lines(Step.of("update", *states, found), "  "))


def test_a_creation_shows_what_the_provider_says_of_it():
    inputs = {"a": 1, "deployment_plan": "deploys on 1 to 8 x g2-standard-12, 1 to 8 NVIDIA_L4; private"}
    step = Step("create", None, ResourceState(URN, True, TYPE, inputs=inputs))
    lines = list(change_lines(step, "  "))
    assert lines[0] == "  + deployment_plan:"
    assert " ".join(line.strip() for line in lines[1:]) == json.dumps(inputs["deployment_plan"])
    assert all(len(line) <= 80 for line in lines)


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ({"a": 1}, {"a": 2.5}, ["  ~ a: 1 => 2.5"]),
        ({"a": {"b": {"c": "x"}}}, {"a": {"b": {"c": "y"}}}, ['  ~ a.b.c: "x" => "y"']),
        ({"a": ["x", "y"]}, {"a": ["x", "z"]}, ['  ~ a[1]: "y" => "z"']),
        ({"a": ["x", "y"]}, {"a": ["x"]}, ['  - a[1]: "y"']),
        ({"a": [{"n": 1}]}, {"a": [{"n": 1}, {"n": 2, "m": [True]}]}, ["  + a[1]: {n: 2, m: [true]}"]),
        ({"a": {"b.c": 1}}, {"a": {}}, ['  - a["b.c"]: 1']),
        ({}, {"a": {"b": [None, {}]}}, ["  + a: {b: [[none], {}]}"]),
        ({"a": ["x"]}, {"a": UNKNOWN}, ['  ~ a: ["x"] => [unknown]']),
        ({"a": {"b": 1}}, {"a": {"b": [UNKNOWN]}}, ["  ~ a.b: 1 => [[unknown]]"]),
        ({"a": 1, "__provider": "x"}, {"a": 1, "__provider": "y"}, []),
    ],
)
def test_each_change_has_its_whole_path_and_its_value_before_and_after(old, new, lines):
    assert said(old, new) == lines


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ({"a": Secret("s1")}, {"a": Secret("s2")}, ["  ~ a: [secret] => [secret]"]),
        ({"a": Secret({"k": "s1"})}, {"a": Secret({"k": "s2"})}, ["  ~ a.k: [secret] => [secret]"]),
        ({"a": Secret(["s1"])}, {"a": Secret(["s1", "s2"])}, ["  + a[1]: [secret]"]),
        ({"a": "open"}, {"a": Secret("s2")}, ['  ~ a: "open" => [secret]']),
        ({}, {"a": {"b": [Secret("s2"), "open"]}}, ['  + a: {b: [[secret], "open"]}']),
    ],
)
def test_secrets_are_never_shown(old, new, lines):
    assert said(old, new) == lines


def test_what_is_too_long_for_a_line_stands_below_its_name_in_80_columns():
    lines = said({"model": {"plan": "deploys on 1 NVIDIA_L4"}}, {"model": {"plan": PLAN}})
    assert lines == [
        "  ~ model.plan:",
        '       "deploys on 1 NVIDIA_L4"',
        '    => "10 % for 10 minutes, probed with 44 requests, 25 % for 10 minutes,',
        '       probed with 44 requests, 50 % for 10 minutes, probed with 44 requests"',
    ]
    assert all(len(line) <= 80 for line in lines)


def test_a_very_long_value_is_cut_and_its_length_told():
    (label, *value) = said({}, {"a": "x" * 5000})
    assert label == "  + a:"
    assert value == [f'       "{"x" * 299}...', "       (5002 characters)"]


def test_each_entry_of_an_output_has_a_line_of_its_own():
    outputs = {
        "endpoints": {"us-central1": "e/7", "europe-west4": Secret("e/8")},
        "calls": [{"rows": 2, "done": True}, "x", []],
        "answered": 2,
    }
    written = io.StringIO()
    display = Display(Console(file=written, width=80), SystemClock())
    display.summary(Summary(True, {"create": 1}, 0.2, False, outputs, False, False))
    assert written.getvalue().splitlines()[1:] == [
        "outputs:",
        "  answered: 2",
        "  calls:",
        "    -",
        "      rows: 2",
        "      done: true",
        "    - x",
        "    - []",
        "  endpoints:",
        "    us-central1: e/7",
        "    europe-west4: [secret]",
    ]
