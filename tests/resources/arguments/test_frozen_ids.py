"""Ids follow from arguments, and what exists is found by them: an argument that comes later changes none of them."""

import pytest

from mg_provider.resources.custom_weights_model.ids import content_of, deployment_id
from mg_provider.resources.endpoint.served_model import ServedModel, our_deployment_id
from mg_provider.resources.model.args import has
from mg_provider.resources.model.marks import Replaces
from tests.support.samples.samples import ALL, BATCH_JOB, CUSTOM_WEIGHTS_MODEL, L4, MODEL, label

AN_ID = {
    "CustomWeightsModel": "endpoint_id",
    "DedicatedEndpoint": "endpoint_id",
    "PscForwardingRule": "forwarding_rule_name",
    "BatchJob": "run",
}
OF_THE_LEAST = {
    "CustomWeightsModel": "llama-3eb1f9d7",
    "DedicatedEndpoint": "llama-bac05ec7",
    "PscForwardingRule": "llama-8115b8a4",
    "BatchJob": "llama-8de2420a",
}
OF_ALL = {
    "CustomWeightsModel": "llama-18771893",
    "DedicatedEndpoint": "llama-2c2befdf",
    "PscForwardingRule": "llama-5e962535",
    "BatchJob": "llama-87097859",
}
# Names what exists, goes into the id as it is, or does not go with others.
APART = {
    *("adopt", "endpoint_id", "forwarding_rule_name", "project", "region"),
    *("accept_eula", "dedicated_endpoint_disabled", "dedicated_endpoint_enabled", "network", "endpoint_is_private"),
}
each_resource = pytest.mark.parametrize("kind", ALL, ids=label)


def id_of(kind, **given):
    args, problems = kind.check(kind.arguments(**given))
    assert problems == {}
    return getattr(args, AN_ID[kind.name])


@each_resource
def test_the_id_of_the_least_is_what_it_always_was(kind):
    assert id_of(kind) == OF_THE_LEAST[kind.name]


@each_resource
def test_the_id_of_everything_is_what_it_always_was(kind):
    first = {name for name in kind.settable() if not has(kind.args_type, name, Replaces)} | kind.args_type.always_in_ids
    names = first.intersection(name for name, sample in kind.samples.items() if not sample.needs) - APART
    assert id_of(kind, **{name: kind.samples[name].value for name in names}) == OF_ALL[kind.name]


def test_a_name_that_the_program_chose_is_part_of_what_another_run_is_named_after():
    assert id_of(BATCH_JOB, display_name="night") != id_of(BATCH_JOB)


def test_a_deployment_is_what_it_always_was():
    args, _ = CUSTOM_WEIGHTS_MODEL.check(CUSTOM_WEIGHTS_MODEL.arguments(machine_spec=L4))
    assert content_of(args) == "4a96c76759b764a701d7"
    assert deployment_id(args, args.choices()[0]) == "2381242957"
    named = {"model": MODEL, "machine_spec": L4}
    assert our_deployment_id("chat", "a", ServedModel(**named)) == "7824836150"
    assert our_deployment_id("chat", "a", ServedModel(**named, spot=True, enable_access_logging=True)) == "3183413966"
