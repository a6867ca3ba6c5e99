"""Which deployment on the endpoint each name is: as few new ones as can be, and the same answer each time."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mg_provider.resources.endpoint.served_model import ServedModel, assign, is_our_deployment_id, our_deployment_id
from mg_provider.wire.vertex.deployed_model import DeployedModel
from tests.support.samples.samples import H100, L4

MODEL = "projects/p/locations/us-central1/models/llama"


def served(machine=L4, model=MODEL, **more):
    return ServedModel(model=model, machine_spec=machine, **more)


def on_endpoint(wanted, ids):
    """What the endpoint shows of these deployments, with the project's number in names, as Google answers."""
    return {
        id: DeployedModel(
            id=id,
            model=wanted[name].model.replace("projects/p/", "projects/123/"),
            display_name=name,
            dedicated_resources=wanted[name].resources(),
            service_account=wanted[name].service_account or None,
        )
        for name, id in ids.items()
    }


@given(some.text(min_size=1), some.text(), some.integers(0, 50))
def test_an_id_has_ten_digits_and_proves_that_it_is_ours(endpoint, name, salt):
    id = our_deployment_id(endpoint, name, served(), salt)
    assert len(id) == 10
    assert id.isdigit()
    assert id[0] != "0"
    assert is_our_deployment_id(endpoint, id)


@pytest.mark.parametrize("id", ["4026753529406673472", "1", "1234567890", ""])
def test_what_others_deployed_is_not_taken_for_ours(id):
    assert not is_our_deployment_id("chat", id)


def test_a_name_keeps_its_deployment_and_a_new_machine_is_a_new_one():
    before = {"v1": served()}
    ids = assign("chat", before, {}, {}, {})
    present = on_endpoint(before, ids)
    assert assign("chat", {"v1": served(min_replica_count=3)}, ids, before, present) == ids
    changed = assign("chat", {"v1": served(H100)}, ids, before, present)
    assert changed["v1"] != ids["v1"]


def test_a_renamed_model_keeps_its_deployment():
    before = {"v1": served(), "v2": served(H100)}
    ids = assign("chat", before, {}, {}, {})
    renamed = {"stable": served(), "v2": served(H100)}
    assert assign("chat", renamed, ids, before, on_endpoint(before, ids)) == {"stable": ids["v1"], "v2": ids["v2"]}


def test_two_models_that_swap_names_swap_their_deployments():
    before = {"a": served(), "b": served(H100)}
    ids = assign("chat", before, {}, {}, {})
    swapped = {"a": served(H100), "b": served()}
    assert assign("chat", swapped, ids, before, on_endpoint(before, ids)) == {"a": ids["b"], "b": ids["a"]}


def test_two_names_of_the_same_content_are_two_deployments():
    ids = assign("chat", {"a": served(), "b": served()}, {}, {}, {})
    assert len(set(ids.values())) == 2


def test_a_run_without_memory_finds_what_an_earlier_one_made():
    wanted = {"v1": served(service_account="a@p.iam.gserviceaccount.com"), "v2": served(H100)}
    ids = assign("chat", wanted, {}, {}, {})
    assert assign("chat", wanted, {}, {}, on_endpoint(wanted, ids)) == ids


def test_an_id_that_others_gave_to_something_else_is_not_used():
    wanted = {"v1": served()}
    ids = assign("chat", wanted, {}, {}, {})
    foreign = on_endpoint({"v1": served(H100)}, ids)
    fresh = assign("chat", wanted, {}, {}, foreign)
    assert fresh["v1"] not in foreign
    # The run that follows, with both on the endpoint or only the good one, comes to the same.
    both = foreign | on_endpoint(wanted, fresh)
    assert assign("chat", wanted, {}, {}, both) == fresh
    assert assign("chat", wanted, {}, {}, on_endpoint(wanted, fresh)) == fresh


def test_another_service_account_is_another_deployment_without_memory_too():
    plain = {"v1": served()}
    ids = assign("chat", plain, {}, {}, {})
    wanted = {"v1": served(service_account="a@p.iam.gserviceaccount.com")}
    assert assign("chat", wanted, {}, {}, on_endpoint(plain, ids))["v1"] not in ids.values()


def test_what_an_adopted_endpoint_serves_is_taken_over_by_model_and_machine():
    wanted = {"v1": served(), "v2": served(H100)}
    there = {"4026753529406673472": DeployedModel(id="4026753529406673472", model=f"{MODEL}@1", display_name="by hand")}
    there["4026753529406673472"].dedicated_resources = served(H100).resources()
    ids = assign("chat", wanted, {}, {}, there, tuple(there))
    assert ids["v2"] == "4026753529406673472"
    assert is_our_deployment_id("chat", ids["v1"])


def test_an_adopted_deployment_that_is_gone_gets_an_id_of_ours():
    wanted = {"v1": served()}
    ids = assign("chat", wanted, {"v1": "4026753529406673472"}, wanted, {})
    assert is_our_deployment_id("chat", ids["v1"])
