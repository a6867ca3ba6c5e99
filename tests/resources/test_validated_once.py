"""A call of the provider validates each argument that it gets once: counted, in this process, through a whole life."""

from collections import Counter

import pytest
from pulumi.dynamic import ConfigureRequest
from pulumi.dynamic.config import Config

from mg_provider.resources.dynamic import host
from mg_provider.resources.model import args as arguments
from tests.resources.conftest import QUICK, config
from tests.support.samples.samples import ALL, DEDICATED_ENDPOINT, label


@pytest.fixture
def validated(monkeypatch):
    """How often each field was validated, by its resource's arguments or outputs."""
    counted = Counter()
    one_field, all_outputs = arguments._validate, arguments.State.decode.__func__

    def count_field(args_type, name, value, *, strict):
        counted[name] += 1
        return one_field(args_type, name, value, strict=strict)

    def count_outputs(state_type, given):
        counted[state_type.__name__] += 1
        return all_outputs(state_type, given)

    monkeypatch.setattr(arguments, "_validate", count_field)
    monkeypatch.setattr(arguments.State, "decode", classmethod(count_outputs))
    return counted


@pytest.fixture
def process(emulator, monkeypatch):
    """The provider's process: this one, on the emulator."""
    emulator.set_speed(QUICK)
    monkeypatch.setattr(host, "_process", host._Process())
    DEDICATED_ENDPOINT.provider.configure(ConfigureRequest(Config(config(emulator), "project")))


def once(validated, call, *properties):
    """What a call returns, which validates each field once, or once in each of these properties that has it."""
    validated.clear()
    answer = call(*properties)
    for name, count in validated.items():
        assert count <= max(1, sum(name in given for given in properties)), name
    assert validated
    return answer


def checked(kind, validated, olds, news):
    """What ``check`` returns, for which what it fills in counts as given."""
    inputs = kind.provider.check(olds, news).inputs
    validated.clear()
    return once(validated, lambda olds, _: kind.provider.check(olds, news), olds, inputs).inputs


@pytest.mark.parametrize("kind", ALL, ids=label)
def test_check_and_diff_validate_each_argument_once(kind, validated, process):
    for name in kind.settable():
        news = kind.arguments(name, kind.samples[name].other)
        olds = checked(kind, validated, {}, news)
        news = checked(kind, validated, olds, news)
        once(validated, lambda olds, news: kind.provider.diff("id", olds, news), olds, news)


def test_each_call_of_a_life_validates_each_argument_once(validated, process):
    provider = DEDICATED_ENDPOINT.provider
    news = provider.check({}, DEDICATED_ENDPOINT.arguments()).inputs
    made = once(validated, provider.create, news)
    found = once(validated, lambda olds: provider.read(made.id, olds), made.outs)
    changed = {**news, "description": "another"}
    once(validated, lambda olds, news: provider.diff(made.id, olds, news), found.outs, changed)
    updated = once(validated, lambda olds, news: provider.update(made.id, olds, news), found.outs, changed)
    assert updated.outs["description"] == "another"
    once(validated, lambda olds: provider.delete(made.id, olds), updated.outs)
