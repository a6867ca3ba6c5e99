"""What a change of an argument does follows from the marks; an unknown value is never a false alarm."""

from typing import get_args

import pytest
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from mg_provider.cloud.seed_file import Seed, SeedServiceAttachment
from mg_provider.environment.environment import Environment
from mg_provider.resources.dynamic.host import outputs
from mg_provider.resources.model.args import has, mark_of, marks
from mg_provider.resources.model.diff import compare
from mg_provider.resources.model.marks import Computed, Derived, InPlace, Local, Mark, Replaces, RollsOut, unique
from mg_provider.resources.model.unknown import UNKNOWN, contains_unknown, plain
from mg_provider.wire.base import Duration
from mg_provider.wire.form import Form
from tests.support.samples.samples import (
    ABSENT,
    ALL,
    BATCH_JOB,
    CUSTOM_WEIGHTS_MODEL,
    DEDICATED_ENDPOINT,
    DUTY,
    EACH_ARGUMENT,
    L4,
    PRIVATE,
    PSC_FORWARDING_RULE,
    label,
    places,
    put,
)

each_resource = pytest.mark.parametrize("kind", ALL, ids=label)
each_argument = pytest.mark.parametrize(("kind", "name"), EACH_ARGUMENT, ids=label)
REPLACING = [(kind, name) for kind, name in EACH_ARGUMENT if isinstance(mark_of(kind.args_type, name), Replaces)]
OPTIONAL = [
    (kind, name)
    for kind, name in EACH_ARGUMENT
    if not kind.args_type.model_fields[name].is_required() and name not in kind.least and not kind.samples[name].needs
]
KNOWN = [(kind, name) for kind, name in EACH_ARGUMENT if not contains_unknown(kind.samples[name].needs)]
PARTS = [(kind, name) for kind, name in EACH_ARGUMENT if list(places(kind.samples[name].value))]
ENDPOINTS = (CUSTOM_WEIGHTS_MODEL, DEDICATED_ENDPOINT)


def planned(kind, arguments, old=None):
    args, problems = kind.check(arguments, old)
    assert not problems
    return args


def changes(kind, before, after):
    """What an ``up`` with other arguments does, the second plan knowing of the first as the engine's check does."""
    old = planned(kind, before)
    return compare(old, planned(kind, after, old))


@each_resource
def test_there_is_a_sample_of_everything_that_a_program_may_set(kind):
    assert set(kind.samples) == set(kind.settable())


@each_resource
def test_every_field_says_exactly_once_what_a_change_does_and_why(kind):
    for name in kind.args_type.model_fields:
        said = [mark for mark in marks(kind.args_type, name) if isinstance(mark, Mark)]
        assert len(said) == 1, name
        assert said[0].reason, name
        assert kind.args_type.model_fields[name].description, name


@each_resource
def test_only_an_output_that_the_plan_may_know_is_among_the_arguments_and_what_the_cloud_says_wins(kind):
    args_type, state_type = kind.args_type, kind.lifecycle.state_type
    shared = set(args_type.model_fields) & set(state_type.model_fields)
    known = {"ip_address", "http_url", "https_url", "base_url"} if kind is PSC_FORWARDING_RULE else set()
    assert shared == known
    for name in shared:
        assert has(args_type, name, Derived), name
        assert has(args_type, name, Computed), name
        assert isinstance(mark_of(args_type, name), Local), name
    planned = args_type.model_construct(_fields_set=shared, **dict.fromkeys(shared, "planned"))
    told = outputs(planned, state_type.model_construct(**dict.fromkeys(shared, "told")))
    assert {told[name] for name in shared} <= {"told"}


@each_argument
def test_both_good_values_of_an_argument_are_accepted(kind, name):
    sample = kind.samples[name]
    assert kind.check(kind.arguments(name, sample.value))[1] == {}
    assert kind.check(kind.arguments(name, sample.other))[1] == {}


@pytest.mark.parametrize(("kind", "name"), KNOWN, ids=label)
def test_the_same_arguments_again_change_nothing(kind, name):
    assert not changes(kind, kind.arguments(name), kind.arguments(name))


@each_argument
def test_another_value_does_what_the_mark_says(kind, name):
    sample = kind.samples[name]
    found = changes(kind, kind.arguments(name, sample.value), kind.arguments(name, sample.other))
    assert name in found.fields
    if isinstance(mark_of(kind.args_type, name), Replaces):
        assert name in found.replaces
    else:
        assert not found.replaces


@pytest.mark.parametrize(("kind", "name"), REPLACING, ids=label)
def test_a_replacement_has_ids_of_its_own(kind, name):
    sample, lifecycle = kind.samples[name], kind.lifecycle()
    old = planned(kind, kind.arguments(name, sample.value))
    new = planned(kind, kind.arguments(name, sample.other), old)
    assert not lifecycle.delete_first(old, new)
    for id in unique(kind.args_type) or ("run",):
        assert getattr(old, id) != getattr(new, id), id


@pytest.mark.parametrize(("kind", "name"), OPTIONAL, ids=label)
def test_what_was_chosen_stays_when_the_argument_is_left_out(kind, name):
    found = changes(kind, kind.arguments(name), kind.arguments(name, ABSENT))
    follows = {name for name in kind.args_type.model_fields if has(kind.args_type, name, Computed, Derived)}
    rolled = {"model", "model_id"} if isinstance(mark_of(kind.args_type, name), RollsOut) else set()
    told = {"deployment_plan"} if kind in ENDPOINTS else set()
    assert found.fields <= {name} | (follows if found.replaces else rolled) | told
    if has(kind.args_type, name, Computed):
        assert not found.replaces


@each_argument
def test_an_argument_that_is_not_known_yet_is_no_mistake_and_no_replacement(kind, name):
    assert kind.check(kind.arguments(name, UNKNOWN))[1] == {}
    old = planned(kind, kind.arguments(name))
    new, problems = kind.check(kind.arguments(name, UNKNOWN), old)
    assert problems == {}
    found = compare(old, new)
    assert name in found.unknown
    assert not found.replaces


@pytest.mark.parametrize(("kind", "name"), PARTS, ids=label)
def test_a_part_of_an_argument_that_is_not_known_yet_is_no_mistake_and_no_replacement(kind, name):
    sample = kind.samples[name]
    old = planned(kind, kind.arguments(name))
    for value in (sample.value, sample.other):
        for path in places(value):
            partial = put(value, path, UNKNOWN)
            new, problems = kind.check(kind.arguments(name, partial), old)
            assert problems == {}, path
            assert not compare(old, new).replaces, path
            assert name in compare(old, new).unknown, path


def kinds(value):
    """The types of a value and of all that is in it, by place; of what is not known there is none."""
    if isinstance(value, BaseModel):
        inside = {name: getattr(value, name) for name in value.model_fields_set}
    else:
        inside = value if isinstance(value, dict) else dict(enumerate(value)) if isinstance(value, list) else {}
    held = {(name, *path): kind for name, entry in inside.items() for path, kind in kinds(entry).items()}
    return held if value is UNKNOWN else {(): type(value)} | held


@pytest.mark.parametrize(("kind", "name"), PARTS, ids=label)
def test_an_object_of_which_a_part_is_not_known_yet_is_a_model_with_an_unknown_leaf(kind, name):
    def decoded(value):
        return getattr(kind.args_type.decode(kind.arguments(name, value))[0], name)

    for value in (kind.samples[name].value, kind.samples[name].other):
        whole = decoded(value)
        for path in places(value):
            partial = decoded(put(value, path, UNKNOWN))
            assert plain(partial) == put(plain(whole), path, UNKNOWN), path
            assert kinds(partial).items() <= kinds(whole).items(), path


def test_a_name_of_googles_spelling_is_read_where_another_part_is_not_known_yet():
    given = {"enablePrivateServiceConnect": True, "projectAllowlist": UNKNOWN}
    config = planned(CUSTOM_WEIGHTS_MODEL, CUSTOM_WEIGHTS_MODEL.arguments("private_service_connect_config", given))
    config = config.private_service_connect_config
    assert plain(config) == {"enable_private_service_connect": True, "project_allowlist": UNKNOWN}


@each_resource
def test_nothing_at_all_may_be_known_yet(kind):
    everything = dict.fromkeys(kind.settable(), UNKNOWN)
    args, problems = kind.check(kind.arguments() | everything)
    assert problems == {}
    old = planned(kind, kind.arguments())
    assert not compare(old, args).replaces
    assert all(contains_unknown(getattr(args, id)) for id in unique(kind.args_type))


@each_resource
def test_ids_are_known_in_a_preview_of_known_arguments(kind):
    args = planned(kind, kind.arguments())
    assert not any(contains_unknown(value) for value in args.encode().values())
    assert all(getattr(args, id) for id in unique(kind.args_type))


@each_resource
def test_an_argument_set_to_its_own_default_is_no_change(kind):
    least = planned(kind, kind.arguments())
    defaults = {
        name: field.get_default(call_default_factory=True)
        for name, field in kind.args_type.model_fields.items()
        if name in kind.settable() and not field.is_required() and name not in kind.least
    }
    told = {name: value for name, value in defaults.items() if value not in ("", None)}
    assert told
    assert not compare(least, planned(kind, kind.arguments(**told), least))
    assert not compare(planned(kind, kind.arguments(**told)), planned(kind, kind.arguments()))


def test_saying_that_an_endpoint_is_public_as_it_is_anyway_is_no_change():
    kind = DEDICATED_ENDPOINT
    said = kind.arguments(dedicated_endpoint_enabled=True)
    assert not changes(kind, kind.arguments(), said)
    assert not changes(kind, said, kind.arguments())
    assert planned(kind, said).endpoint_id == planned(kind, kind.arguments()).endpoint_id
    private = kind.arguments("private_service_connect_config")
    assert not changes(kind, private, {**private, "dedicated_endpoint_enabled": False})
    model = CUSTOM_WEIGHTS_MODEL
    assert not changes(model, model.arguments(), model.arguments(dedicated_endpoint_disabled=False))


@pytest.mark.parametrize("kind", ENDPOINTS, ids=label)
def test_going_private_and_back_is_another_endpoint_with_another_id(kind):
    public, private = kind.arguments(), kind.arguments("private_service_connect_config")
    for before, after in ((public, private), (private, public)):
        assert "private_service_connect_config" in changes(kind, before, after).replaces
    old = planned(kind, public)
    new = planned(kind, private, old)
    assert new.endpoint_id != old.endpoint_id
    assert not kind.lifecycle().delete_first(old, new)


@pytest.mark.parametrize("kind", ENDPOINTS, ids=label)
def test_the_allowlist_changes_in_place_and_its_order_means_nothing(kind):
    name = "private_service_connect_config"
    before = kind.arguments(name)
    more = kind.arguments(name, {**PRIVATE, "project_allowlist": ["my-project", "third-project"]})
    found = changes(kind, before, more)
    assert found.fields == {name}
    assert not found.replaces
    turned = kind.arguments(name, {**PRIVATE, "project_allowlist": ["other-project", "my-project", "my-project"]})
    assert not changes(kind, before, turned)


@pytest.mark.parametrize("kind", ENDPOINTS, ids=label)
def test_a_secured_or_automated_private_connection_is_another_endpoint(kind):
    name = "private_service_connect_config"
    network = {"project_id": "my-project", "network": "projects/my-project/global/networks/vpc"}
    for more in ({"enable_secure_private_service_connect": True}, {"psc_automation_configs": [network]}):
        assert changes(kind, kind.arguments(name), kind.arguments(name, {**PRIVATE, **more})).replaces >= {name}


@pytest.mark.parametrize("kind", ENDPOINTS, ids=label)
def test_whether_an_endpoint_is_private_decides_its_id_and_its_allowlist_does_not(kind):
    name = "private_service_connect_config"
    known = planned(kind, kind.arguments(name))
    listed = planned(kind, kind.arguments(name, {**PRIVATE, "project_allowlist": UNKNOWN}))
    assert listed.endpoint_id == known.endpoint_id
    flag = {**PRIVATE, "enable_private_service_connect": UNKNOWN}
    assert planned(kind, kind.arguments(name, flag)).endpoint_id is UNKNOWN


def test_the_order_of_metrics_means_nothing():
    kind, other = CUSTOM_WEIGHTS_MODEL, {**DUTY, "metric_name": "prometheus.googleapis.com/vertex_vllm_num_requests"}
    before = kind.arguments(autoscaling_metric_specs=[DUTY, other])
    assert not changes(kind, before, kind.arguments(autoscaling_metric_specs=[other, DUTY]))
    assert changes(kind, before, kind.arguments(autoscaling_metric_specs=[other])).fields == {
        "autoscaling_metric_specs"
    }


@pytest.mark.parametrize(
    ("kind", "name", "value", "same"),
    [
        (CUSTOM_WEIGHTS_MODEL, "min_replica_count", 2, 2.0),
        (CUSTOM_WEIGHTS_MODEL, "machine_spec", L4, {**L4, "accelerator_count": 1.0}),
        (CUSTOM_WEIGHTS_MODEL, "machine_spec", L4, {to_camel(name): value for name, value in L4.items()}),
        (DEDICATED_ENDPOINT, "traffic_split", {"a": 100, "b": 0}, {"a": 100.0, "b": 0.0}),
        (BATCH_JOB, "starting_replica_count", 1, 1.0),
    ],
    ids=label,
)
def test_a_value_means_the_same_however_it_is_written(kind, name, value, same):
    assert not changes(kind, kind.arguments(name, value), kind.arguments(name, same))


@pytest.mark.parametrize(
    ("kind", "ids", "name"),
    [
        (CUSTOM_WEIGHTS_MODEL, {"endpoint_id": "search"}, "dedicated_endpoint_disabled"),
        (CUSTOM_WEIGHTS_MODEL, {"model_id": "llama"}, "dedicated_endpoint_disabled"),
        (DEDICATED_ENDPOINT, {"endpoint_id": "search"}, "encryption_spec"),
        (PSC_FORWARDING_RULE, {"forwarding_rule_name": "to-llama"}, "subnetwork"),
    ],
    ids=label,
)
def test_with_an_id_of_ones_own_the_old_resource_goes_before_the_new_one_comes(kind, ids, name):
    sample = kind.samples[name]
    old = planned(kind, kind.arguments(name, sample.value, **ids))
    new = planned(kind, kind.arguments(name, sample.other, **ids), old)
    assert name in compare(old, new).replaces
    assert kind.lifecycle().delete_first(old, new)
    elsewhere = planned(kind, kind.arguments(name, sample.value, **ids, project="other-project"), old)
    assert not kind.lifecycle().delete_first(old, elsewhere)


def test_every_kind_of_mark_is_in_use():
    kinds = {type(mark_of(kind.args_type, name)) for kind in ALL for name in kind.args_type.model_fields}
    assert kinds == {Replaces, RollsOut, InPlace, Local}


def test_a_wrong_argument_hides_no_rule_about_others_and_one_about_itself():
    wrong = {"endpoint_id": "Not an id", "max_replica_cout": 4, "min_replica_count": 2}
    _, problems = CUSTOM_WEIGHTS_MODEL.check(
        {"project": "my-project", "region": "us-central1", "gcs_uri": "gs://bucket/a", "accept_eula": True, **wrong}
        | {"hugging_face_model_id": "google/gemma-3"}
    )
    # That there are at most as many replicas as at least is not said: the misspelt argument may say so.
    assert set(problems) == {"endpoint_id", "max_replica_cout", "gcs_uri"}


def test_names_in_the_traffic_are_checked_while_a_model_is_still_to_be_made():
    served = {"a": {"model": UNKNOWN}, "b": {"model": UNKNOWN}}
    given = {"project": "my-project", "region": "us-central1", "deployed_models": served}
    _, problems = DEDICATED_ENDPOINT.args_type.decode({**given, "traffic_split": {"a": 50, "c": 50}})
    assert [(each.property, each.reason) for each in problems] == [
        ("traffic_split", "names c, but deployed_models has a, b: use those")
    ]
    assert DEDICATED_ENDPOINT.args_type.decode({**given, "traffic_split": UNKNOWN})[1] == []


def test_a_pattern_says_what_to_write():
    """A text is held to a pattern by ``Form`` alone, which has what to write."""
    types = [Duration, SeedServiceAttachment, Seed, Environment, *(kind.args_type for kind in ALL)]
    forms, seen = [], set()
    while types:
        each = types.pop()
        if isinstance(each, type) and issubclass(each, BaseModel):
            if each not in seen:
                seen.add(each)
                fields = each.model_fields.values()
                types += [part for field in fields for part in (field.annotation, *field.metadata)]
        else:
            forms += [each] if isinstance(each, Form) else []
            types += [*get_args(each), *getattr(each, "__metadata__", ())]
            assert isinstance(each, Form) or not getattr(each, "pattern", None), each
    assert len(set(forms)) > 8
    assert all(len(form.write) > 10 for form in forms)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (CUSTOM_WEIGHTS_MODEL, "project", "My_Project"),
        (CUSTOM_WEIGHTS_MODEL, "service_account", "foo@bar"),
        (BATCH_JOB, "service_account", "foo@bar"),
        (PSC_FORWARDING_RULE, "forwarding_rule_name", "UPPER"),
    ],
)
def test_a_text_that_does_not_fit_is_answered_with_the_form(kind, name, value):
    (reason,) = kind.check({**kind.arguments("labels"), name: value})[1].values()
    assert reason.startswith(f"{value!r} does not fit: write ")
    assert kind.args_type.model_fields[name].description not in reason
