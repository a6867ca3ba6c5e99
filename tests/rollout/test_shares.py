"""What each deployment has of the traffic at each step, where old and new together have a share of it."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from mg_provider.rollout.traffic import blend, spread


def test_a_share_moves_in_steps_of_itself_and_the_others_keep_theirs():
    before, after = {"old": 30, "other": 70}, {"new": 30, "other": 70}
    assert blend(before, after, "new", 10) == {"new": 3, "old": 27, "other": 70}
    assert blend(before, after, "new", 50) == {"new": 15, "old": 15, "other": 70}
    assert blend(before, after, "new", 100) == {"new": 30, "other": 70}


def test_the_new_one_has_at_least_one_percent_so_that_a_probe_can_meet_it():
    before, after = {"old": 5, "other": 95}, {"new": 5, "other": 95}
    assert blend(before, after, "new", 10) == {"new": 1, "old": 4, "other": 95}


def test_a_share_of_nothing_moves_nothing():
    before, after = {"old": 0, "other": 100}, {"other": 100}
    assert blend(before, after, "new", 50) == {"other": 100}


def test_one_that_comes_beside_takes_from_all_the_others():
    before, after = {"a": 60, "b": 40}, {"a": 30, "b": 20, "new": 50}
    assert blend(before, after, "new", 10) == {"a": 57, "b": 38, "new": 5}
    assert blend(before, after, "new", 100) == after


@some.composite
def _splits(draw):
    """Two splits that add up to 100: what the pair and the others have."""
    cuts = draw(some.lists(some.integers(0, 100), max_size=4))
    bounds = [0, *sorted(cuts), 100]
    parts = [high - low for low, high in pairwise(bounds)]
    others = {f"other-{index}": percent for index, percent in enumerate(parts[1:])}
    return {"old": parts[0], **others}, {"new": parts[0], **others}


@given(_splits(), some.integers(1, 100))
def test_each_step_adds_up_to_100_and_leaves_the_others_alone(splits, step):
    before, after = splits
    split = blend(before, after, "new", step)
    assert sum(split.values()) == 100
    for id in before.keys() - {"old"}:
        assert split.get(id, 0) == before[id]
    assert (split.get("new", 0) > 0) == (before["old"] > 0)


@given(
    some.dictionaries(some.sampled_from("abcd"), some.integers(1, 100), min_size=1),
    some.integers(0, 100),
    some.integers(1, 100),
)
def test_one_that_comes_beside_never_breaks_the_sum(others, share, step):
    before = spread(others)
    after = {**spread(others, 100 - share), "new": share}
    split = blend(before, after, "new", step)
    assert sum(split.values()) == 100
    assert all(percent > 0 for percent in split.values())
