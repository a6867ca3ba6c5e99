"""How often a step asks, and what makes an answer bad."""

import pytest

from mg_provider.api.errors import CloudError, ConnectionFailed
from mg_provider.api.prediction import Attempt
from mg_provider.rollout.probe import CERTAINTY, RolloutProbe, problem_of, requests_at
from mg_provider.rollout.traffic import spread

CHAT = RolloutProbe("chat/completions", {"messages": []})
BROKE = CloudError(500, "INTERNAL", "it broke")
SILENT = ConnectionFailed("timed out", method="POST", url="http://x", sent=True)


@pytest.mark.parametrize("percent", [1, 5, 10, 25, 50, 75, 99])
def test_a_step_asks_just_often_enough_to_meet_the_new_deployment(percent):
    missed = 1 - percent / 100
    assert round(1 - missed ** requests_at(percent), 9) >= CERTAINTY
    assert requests_at(percent) == 1 or 1 - missed ** (requests_at(percent) - 1) < CERTAINTY


def test_a_deployment_with_all_of_the_traffic_is_met_by_one_request():
    assert requests_at(100) == 1


def said(text):
    return {"choices": [{"message": {"content": text}}]}


@pytest.mark.parametrize(
    ("probe", "attempt", "says"),
    [
        (CHAT, Attempt(500, 1.0, error=BROKE), "status 500 instead of 200 after 1.0 s (it broke)"),
        (CHAT, Attempt(0, 2.0, error=SILENT), f"no answer after 2.0 s ({SILENT.summary})"),
        (
            RolloutProbe("chat/completions", {}, max_latency=0.5),
            Attempt(200, 0.75, said("Hi")),
            "status 200 after 0.8 s, slower than max_latency 0.5 s",
        ),
        (
            RolloutProbe("chat/completions", {}, expected_text="blue"),
            Attempt(200, 0.1, said("red")),
            "status 200 after 0.1 s, without the expected text 'blue': 'red'",
        ),
        (
            RolloutProbe("predict", {}, expected_text="blue"),
            Attempt(200, 0.1, {"predictions": ["red"], "model": "blue"}),
            "status 200 after 0.1 s, without the expected text 'blue': '[\"red\"]'",
        ),
        (
            RolloutProbe("predict", {}, expected_status=404),
            Attempt(200, 0.1, {}),
            "status 200 instead of 404 after 0.1 s",
        ),
    ],
)
def test_a_bad_answer_is_told_with_status_and_latency(probe, attempt, says):
    assert problem_of(probe, attempt) == says


@pytest.mark.parametrize(
    ("probe", "attempt"),
    [
        (CHAT, Attempt(200, 9.0, said(""))),
        (RolloutProbe("chat/completions", {}, max_latency=1, expected_text="b"), Attempt(200, 1.0, said("abc"))),
        (RolloutProbe("predict", {}, expected_status=404), Attempt(404, 0.1, error=CloudError(404, "NOT_FOUND", "no"))),
        (RolloutProbe("predict", {}, expected_text="grün"), Attempt(200, 0.1, {"predictions": [{"colour": "grün"}]})),
    ],
)
def test_a_good_answer_has_no_problem(probe, attempt):
    assert problem_of(probe, attempt) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": 90}, {"a": 100}),
        ({"a": 30, "b": 30, "c": 30}, {"a": 33, "b": 33, "c": 34}),
        ({"a": 1, "b": 2}, {"a": 33, "b": 67}),
        ({}, {}),
    ],
)
def test_what_is_left_of_the_traffic_adds_up_to_100(before, after):
    assert spread(before) == after
