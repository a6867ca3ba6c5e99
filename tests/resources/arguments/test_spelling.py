"""A misspelt argument or config key is answered with the right one, and nothing is registered."""

import json

import pulumi
import pytest
from pulumi.runtime import config as sdk

from mg_provider import CustomWeightsModel, PscForwardingRule
from mg_provider.components import PrivateModelEndpoint, RegionalFleet
from mg_provider.resources.dynamic.spelling import refuse_misspelt_config
from mg_provider.spelling import nearest
from tests.support.samples.samples import ALL, label


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (CustomWeightsModel, {"gcs_url": "gs://a/b"}, "gcs_url is not an argument\ndo: did you mean gcs_uri?"),
        (PscForwardingRule, {"endpont": "x"}, "endpont is not an argument\ndo: did you mean endpoint?"),
        (PrivateModelEndpoint, {"netwrok": "x"}, "netwrok is not an argument\ndo: did you mean network?"),
        (RegionalFleet, {"region": ["x"]}, "region is not an argument\ndo: did you mean regions?"),
        (CustomWeightsModel, {"zzz": 1}, "zzz is not an argument\ndo: use one of "),
    ],
)
def test_a_misspelt_argument_is_answered_with_the_right_one(kind, given, said):
    with pytest.raises(pulumi.RunError) as refused:
        kind("llama", **given)
    assert str(refused.value).startswith(f"{kind.__name__} llama: {said}")


@pytest.mark.parametrize(
    ("key", "right"),
    [("mg:regoin", "mg:region"), ("mg:hostThread", "mg:hostThreads"), ("mg:vertexCustomEndpoint", "mg:vertexAiCustom")],
)
def test_a_misspelt_config_key_is_answered_with_the_right_one(monkeypatch, key, right):
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({key: "x"}))
    with pytest.raises(pulumi.RunError, match=f"config key {key} does not exist\ndo: did you mean {right}"):
        refuse_misspelt_config()


def test_keys_of_others_and_of_a_project_named_mg_are_left_alone(monkeypatch):
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"gcp:regoin": "x", "mg:region": "x", "mg:flavour": "x"}))
    refuse_misspelt_config()
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"mg:regoin": "x"}))
    monkeypatch.setattr(pulumi, "get_project", lambda: "mg")
    refuse_misspelt_config()


def test_keys_that_a_program_of_the_automation_api_has_are_read_too(monkeypatch):
    monkeypatch.delenv("PULUMI_CONFIG", raising=False)
    token = sdk.CONFIG.set({"mg:projct": "x"})
    try:
        with pytest.raises(pulumi.RunError, match="did you mean mg:project"):
            refuse_misspelt_config()
    finally:
        sdk.CONFIG.reset(token)


@pytest.mark.parametrize("kind", ALL, ids=label)
def test_a_slip_of_the_keyboard_is_answered_and_another_word_is_not(kind):
    known = [*kind.args_type.model_fields]
    # Two names that differ in a letter or two cannot be told apart.
    for name in (name for name in known if not nearest(name, set(known) - {name}, 0.9)):
        half = len(name) // 2
        swapped = name[: half - 1] + name[half] + name[half - 1] + name[half + 1 :]
        assert nearest(name[:half] + name[half + 1 :], known) == name
        assert nearest(swapped, known) == name
    assert nearest("encryption_spec", set(known) - {"encryption_spec"}) is None
    assert nearest("toi", ["toy"]) == "toy"
