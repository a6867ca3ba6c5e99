"""A creation that was cut off while its deployment runs, then a refresh, another program, or somebody else's claim."""

import re

import pytest

from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from tests.resources.conftest import QUICK
from tests.resources.interrupted.test_waiting_is_resumed import ONE, gives_up, waits
from tests.resources.test_whose_it_is import arguments, claims
from tests.support.lives.endpoints import BIGGER, L4, PARENT, Hand, kinds
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.lives.rollouts import UNPROBED
from tests.support.samples.weights import put_weights


def lost(emulator, host, wanted, passed):
    """As after a kill -9 of engine and host during a creation: the cloud goes on, the state has nothing."""
    life = Life(host, CustomWeightsModelProvider)
    gives_up(emulator, life, wanted, passed)
    life.holder.cut, life.unfinished = True, False
    life.id = life.inputs = life.outputs = None
    return life


@pytest.mark.parametrize("kind", ["served", "parked", "dedicated"])
@pytest.mark.parametrize("passed", [0, 3])
def test_a_refresh_keeps_what_is_still_being_made(emulator, host, weights, kind, passed):
    life, wanted = Life(host, CustomWeightsModelProvider), {"gcs_uri": weights, "machine_spec": L4}
    if kind == "parked":
        wanted["parked"] = True
    if kind == "dedicated":
        life, wanted = Life(host, DedicatedEndpointProvider), {}
    gives_up(emulator, life, wanted, passed)
    assert life.refresh() == {}
    waits(emulator, life.destroy)
    emulator.advance(7200)
    assert kinds(emulator) == []


def test_a_refresh_keeps_the_operation_in_the_state(emulator, host, weights):
    life = Life(host, CustomWeightsModelProvider)
    wanted = {"gcs_uri": weights, "machine_spec": L4}
    gives_up(emulator, life, wanted, 300)
    before = life.outputs["operation"]
    assert before
    assert life.refresh() == {}
    assert life.outputs["operation"] == before
    assert life.preview(wanted)[0] == "update"


@pytest.mark.parametrize("passed", [0, 60, 600])
def test_parking_a_lost_creation_leaves_no_machine_running(emulator, host, weights, passed):
    wanted = {"gcs_uri": weights, "machine_spec": L4}
    life = lost(emulator, host, wanted, passed)
    parked = {**wanted, "parked": True}
    waits(emulator, lambda: life.up(parked), ("operations.get", "operations.cancel"))
    assert life.preview(parked) == ("same", [])
    assert emulator.ledger()["gpus_in_use"] == {}
    assert life.refresh() == {}


@pytest.mark.parametrize("passed", [0, 60, 600])
@pytest.mark.parametrize(
    "change",
    [
        {"machine_spec": BIGGER},
        {"spot": True},
        {"service_account": "a@my-project.iam.gserviceaccount.com"},
        {"query_model_id": "chatty"},
    ],
    ids=["machine", "spot", "account", "name"],
)
def test_a_lost_creation_becomes_what_the_program_says_now(emulator, host, weights, passed, change):
    wanted = {"gcs_uri": weights, "machine_spec": L4, "rollout": UNPROBED}
    life = lost(emulator, host, wanted, passed)
    changed = {**wanted, **change}
    waits(emulator, lambda: life.up(changed))
    assert life.preview(changed) == ("same", [])
    assert life.refresh() == {}
    assert kinds(emulator) == ONE
    assert len(emulator.ledger()["machines"]) == 1


ANOTHER_ID = [({}, {"model_id": "x"}), ({"model_id": "x"}, {}), ({"model_id": "x"}, {"model_id": "y"})]


@pytest.mark.parametrize("fields", ["dropped", "kept"])
@pytest.mark.parametrize("passed", [0, 60, 600, 7200])
@pytest.mark.parametrize(("first", "then"), ANOTHER_ID, ids=["none-x", "x-none", "x-y"])
def test_a_lost_creation_is_taken_over_by_a_program_with_another_model_id(
    emulator, host, weights, first, then, passed, fields
):
    emulator.behave(fields_of_no_client=fields)
    wanted = {"gcs_uri": weights, "machine_spec": L4, "rollout": UNPROBED}
    life = lost(emulator, host, {**wanted, **first}, passed)
    after = {**wanted, **then}
    if first and fields == "dropped":
        says_whose_it_is(emulator, life, after)
    waits(emulator, lambda: life.up(after), ("operations.get", "endpoints.get"))
    assert life.preview(after) == ("same", [])
    assert life.refresh() == {}
    assert kinds(emulator) == ONE
    assert len(emulator.ledger()["machines"]) == 1
    life.destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_an_endpoint_that_a_lost_creation_is_still_making_is_waited_for(emulator, host, weights):
    """Its operation names the Model of the other program, and Google answers that the endpoint's id is taken."""
    emulator.behave(fields_of_no_client="kept")
    wanted = {"gcs_uri": weights, "machine_spec": L4, "rollout": UNPROBED}
    life = lost(emulator, host, {**wanted, "model_id": "x"}, 0)
    waits(emulator, lambda: life.up(wanted), "locations.deploy")
    assert life.preview(wanted) == ("same", [])
    assert kinds(emulator) == ONE


def says_whose_it_is(emulator, life, wanted):
    """Neither a label nor the Model's id says that the endpoint is ours: the user does, as the error says."""
    emulator.advance(7200)
    with pytest.raises(HostError, match="does not carry this stack's ownership label") as failure:
        life.up(wanted)
    assert kinds(emulator) == ONE
    assert "models/x" in failure.value.text
    labels = re.search(r"--update-labels=(\S+)\)", failure.value.text)[1]
    endpoint = re.search(r"gcloud ai endpoints update (\S+) ", failure.value.text)[1]
    put = dict(label.split("=") for label in labels.split(","))
    Hand(emulator).patch(f"{PARENT}/endpoints/{endpoint}", "labels", labels=put)


@pytest.mark.parametrize("passed", [0, 5, 60])
def test_of_two_uploads_of_one_model_the_loser_leaves_nothing(emulator, host, weights, passed):
    lives = [Life(host, CustomWeightsModelProvider, owner=f"acme/project/{name}") for name in ("stack", "other")]
    wanted = arguments(weights, model_id="shared", query_model_id="chatty")
    claims(emulator, *lives, (wanted, wanted), passed=passed, ends=("models.upload",), speed=30)
    emulator.advance(7200)
    assert sum(life.id is not None for life in lives) == 1
    assert kinds(emulator) == ONE
    next(life for life in lives if life.id is not None).destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


@pytest.mark.parametrize("more", [{"parked": True}, {"query_model_id": "chatty"}], ids=str)
def test_refused_because_of_the_model_leaves_no_endpoint(emulator, host, weights, more):
    Life(host, CustomWeightsModelProvider, owner="acme/project/other").up(arguments(weights, model_id="shared"))
    mine = Life(host, CustomWeightsModelProvider)
    with pytest.raises(HostError, match="shared"):
        mine.up(arguments(weights, model_id="shared", **more))
    assert mine.id is None
    assert kinds(emulator) == ONE


def test_a_named_model_of_another_resource_of_the_stack_is_said_to_be_that(emulator, host, weights):
    Life(host, CustomWeightsModelProvider).up(arguments(weights, model_id="named"))
    with pytest.raises(HostError, match="another resource of this stack"):
        Life(host, CustomWeightsModelProvider, name="other").up(arguments(weights, model_id="named", parked=True))


def test_a_held_rollout_whose_old_deployment_was_undeployed_by_hand_leaves_no_model(emulator, host, weights):
    life, hand, other = Life(host, CustomWeightsModelProvider), Hand(emulator), put_weights(emulator, "other")
    first = life.up(arguments(weights))["deployed_model_id"]
    held = life.up({**arguments(other), "rollout": {"hold": 10, **UNPROBED}})
    hand.undeploy(life.id, first, {held["deployed_model_id"]: 100})
    life.refresh()
    emulator.set_speed(QUICK)
    life.up(arguments(other))
    assert kinds(emulator) == ONE
