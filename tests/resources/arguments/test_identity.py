"""Ids and ownership labels: what they are made of, when they stay, and when they must not."""

import string
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from mg_provider.resources.model.diff import compare
from mg_provider.resources.model.identity import (
    COMPUTE_NAME,
    ENDPOINT_ID,
    MODEL_ID,
    OWN_LABELS,
    derived_id,
    has_mark,
    is_ours,
    marked_request_id,
    ownership_labels,
    user_labels,
)
from mg_provider.resources.model.marks import unique
from tests.support.samples.samples import ALL, BATCH_JOB, label

each_resource = pytest.mark.parametrize("kind", ALL, ids=label)
NAMES = some.text(max_size=120)
LABEL_CHARACTERS = set(string.ascii_lowercase + string.digits + "-_")
RULES = {"endpoint_id": ENDPOINT_ID, "model_id": MODEL_ID, "forwarding_rule_name": COMPUTE_NAME}


def ids(kind, old=None, **more):
    """The ids that a plan gives, with the plan itself."""
    args, problems = kind.check(kind.arguments(**more), old)
    assert problems == {}
    return args, [getattr(args, name) for name in unique(kind.args_type) or ("run",)]


@given(NAMES, NAMES, some.lists(NAMES, max_size=3))
def test_an_id_keeps_all_three_rules_whatever_stack_and_resource_are_called(owner, resource, seeds):
    id = derived_id(owner, resource, *seeds)
    assert id == derived_id(owner, resource, *seeds)
    for rule in (ENDPOINT_ID, MODEL_ID, COMPUTE_NAME):
        assert rule.fullmatch(id), id


@given(NAMES, NAMES)
def test_ownership_labels_are_labels_that_google_takes(owner, resource):
    labels = ownership_labels(owner, resource)
    assert set(labels) < OWN_LABELS
    for value in labels.values():
        assert len(value) <= 63
        assert set(value) <= LABEL_CHARACTERS


@settings(max_examples=25, deadline=None)
@given(some.text(min_size=1, max_size=80).filter(str.isprintable))
@pytest.mark.parametrize("kind", ALL, ids=label)
def test_every_planned_id_keeps_the_rule_of_its_argument(kind, resource):
    args, found = ids(kind, resource=resource)
    for name, id in zip(unique(kind.args_type), found, strict=False):
        assert RULES[name].fullmatch(id)
    assert all(len(id) <= 63 for id in found)
    assert args.encode() == ids(kind, resource=resource)[0].encode()


@each_resource
def test_two_stacks_or_resources_never_share_an_id(kind):
    made = [
        ids(kind, owner=owner, resource=resource)[1]
        for owner in ("o/p/dev", "o/p/prod", "o/q/dev", "n/p/dev")
        for resource in ("llama", "Llama", "llama-2", "llama_2", "lla-ma")
    ]
    for same_kind in zip(*made, strict=True):
        assert len(set(same_kind)) == len(made)


def test_the_border_between_stack_and_resource_is_part_of_the_id():
    assert derived_id("a\nb", "c") != derived_id("a", "b\nc")
    assert derived_id("a", "b", "c", "d") != derived_id("a", "b", "d", "c")


@each_resource
@pytest.mark.parametrize(
    "renamed", [{"owner": "acme/project/other"}, {"resource": "renamed"}, {"owner": "a/b/c", "resource": "d"}]
)
def test_what_exists_keeps_its_ids_when_stack_or_resource_are_renamed(kind, renamed):
    old, before = ids(kind)
    new, after = ids(kind, old, **renamed)
    assert after == before
    assert not compare(old, new).replaces
    assert ids(kind, **renamed)[1] != before


@each_resource
def test_a_resource_of_another_region_or_project_has_ids_of_its_own(kind):
    more = {"service_attachment": "projects/t/regions/us-east4/serviceAttachments/s"} if "network" in kind.least else {}
    old, before = ids(kind)
    _, elsewhere = ids(kind, old, region="us-east4", **more)
    _, others = ids(kind, old, project="other-project")
    for first, second, third in zip(before, elsewhere, others, strict=True):
        assert len({first, second, third}) == 3


def test_labels_say_whose_it_is_and_only_all_of_them_do():
    labels = {**ownership_labels("o/p/dev", "llama"), "team": "search"}
    assert is_ours(labels, "o/p/dev", "llama")
    assert not is_ours(labels, "o/p/prod", "llama")
    assert not is_ours(labels, "o/p/dev", "other")
    assert not is_ours({"mg-owner": labels["mg-owner"]}, "o/p/dev", "llama")
    assert not is_ours({}, "o/p/dev", "llama")
    assert not is_ours(None, "o/p/dev", "llama")
    assert user_labels({**labels, "mg-claim": "x"}) == {"team": "search"}
    assert user_labels(None) == {}


def test_two_places_in_a_program_never_share_labels_or_ids():
    own = "pulumi-python:dynamic/mg:CustomWeightsModel"
    paths = ["", f"{own}::llama", f"a:b:C${own}::llama", f"a:b:D${own}::llama", f"{own[:-5]}Other::llama"]
    labels = [ownership_labels("o/p/dev", "llama", path) for path in paths]
    for path, own_labels in zip(paths, labels, strict=True):
        assert [is_ours(each, "o/p/dev", "llama", path) for each in labels] == [each is own_labels for each in labels]
    for kind in ALL:
        made = [ids(kind, program_path=path)[1][0] for path in paths[1:4]]
        assert len(set(made)) == 3, kind.name


@each_resource
def test_a_resource_that_moves_in_the_program_keeps_its_ids_and_changes_its_labels(kind):
    old, before = ids(kind, program_path="a::llama")
    new, after = ids(kind, old, program_path="p$a::llama")
    assert after == before
    assert compare(old, new).fields == {"program_path"}
    assert not compare(old, new).replaces


def test_a_stack_s_name_is_not_told_by_its_label():
    assert "secret" not in str(ownership_labels("secret/project/stack", "llama"))


def test_a_batch_job_runs_again_for_other_input_and_not_for_other_labels():
    old, before = ids(BATCH_JOB)
    assert ids(BATCH_JOB, old, labels={"team": "ads"}, wait=False)[1] == before
    assert ids(BATCH_JOB, old, triggers={"generation": "2"})[1] != before


def test_a_request_id_says_whose_call_it_is_and_differs_from_call_to_call():
    ours, others = ownership_labels("acme/p/s", "llama"), ownership_labels("acme/p/other", "llama")
    ids = [marked_request_id(str(uuid.uuid4()), ours) for _ in range(3)]
    assert len(set(ids)) == 3
    assert {uuid.UUID(each).version for each in ids} == {4}
    assert {uuid.UUID(each).variant for each in ids} == {uuid.RFC_4122}
    assert all(has_mark(each, ours) and not has_mark(each, others) for each in ids)
    assert not has_mark(None, ours)
    assert not has_mark(str(uuid.uuid4()), ours)
