"""A null inside an argument is refused, by the constructor and by `check`: it could mean public, or one model less."""

import pulumi
import pytest

from tests.support.samples.emptied import emptied, places, written
from tests.support.samples.mocks import run
from tests.support.samples.samples import ALL, label

each_resource = pytest.mark.parametrize("kind", ALL, ids=label)


def nulls(kind):
    """Arguments with one null inside, and its path."""
    for name in kind.settable():
        sample = kind.samples[name]
        for value in (sample.value, sample.other):
            for path in places(value):
                yield kind.arguments(name, emptied(value, path)), name + written(path)


@each_resource
def test_check_refuses_a_null_at_any_depth_by_its_path_and_nothing_else(kind):
    assert list(nulls(kind))
    for arguments, path in nulls(kind):
        failures = kind.provider.check({}, arguments).failures
        assert [(failure.property, failure.reason.partition(":")[0]) for failure in failures] == [
            (path, "is left empty (null), which may mean anything")
        ]


@each_resource
def test_a_constructor_refuses_it_before_anything_is_registered(kind):
    def program():
        for arguments, path in nulls(kind):
            given = {key: value for key, value in arguments.items() if key not in ("owner", "resource")}
            with pytest.raises(pulumi.RunError) as error:
                kind.resource("llama", **given)
            assert str(error.value).startswith(f"{kind.name} llama: {path} is left empty (null)")

    made, _ = run(program)
    assert made.made == []


@each_resource
def test_an_argument_that_is_null_as_a_whole_is_one_that_was_not_given(kind):
    given = kind.arguments(project="my-project", region="us-central1")
    checked = [kind.provider.check({}, news) for news in (given, {**dict.fromkeys(kind.settable()), **given})]
    assert [result.failures for result in checked] == [[], []]
    assert checked[0].inputs == checked[1].inputs
