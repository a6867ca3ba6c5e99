"""An endpoint made elsewhere is taken over by name: told first, ours from `up` on, and then lived with as any other."""

import pytest

from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from tests.resources.conftest import config
from tests.support.lives.endpoints import L4, kinds, masks, told
from tests.support.lives.host import Host, HostError
from tests.support.lives.life import CheckFailed, Life

OTHER_MACHINE = {"machineType": "g2-standard-24", "acceleratorType": "NVIDIA_L4", "acceleratorCount": 2}
KEY = {"kmsKeyName": "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k"}


@pytest.fixture
def life(host):
    return Life(host, DedicatedEndpointProvider, name="chat")


@pytest.fixture
def found(hand):
    """An endpoint made in the console: an id of 19 digits, one model that serves, labels of a cost tool."""
    name = hand.make_endpoint(labels={"cost-centre": "7"}, description="made by hand")
    model = hand.upload()
    id = hand.deploy(name, model, {"0": 100}, enableContainerLogging=True)
    return name, model, id


def wanted(name, model, **more):
    return {"adopt": name, "deployed_models": {"v1": {"model": model, "machine_spec": L4}}, **more}


def test_an_adopted_endpoint_is_told_taken_over_lived_with_and_destroyed(emulator, host, hand, life, found):
    name, model, id = found
    since = len(host.said)
    before = hand.endpoint(name)
    assert life.preview(wanted(name, model, labels={"team": "search"})) == ("create", [])
    expected = (
        f"adopting {name}: what will change:",
        'endpoint_display_name: "by hand" -> "chat"',
        'labels: {"team": "search"} and this stack\'s mg-claim, mg-owner, mg-resource',
        'description: "made by hand" -> none',
        f"v1: takes over deployment {id}",
    )
    lines = told(host, since)
    assert [line for line in expected if line not in lines] == []
    assert hand.endpoint(name) == before, "a preview changed the endpoint"

    since = len(emulator.requests())
    outputs = life.up(wanted(name, model, labels={"team": "search"}))
    assert masks(emulator, since) == [("patch", "displayName,description,labels")]
    assert life.id == outputs["endpoint"] == name
    assert outputs["endpoint_id"] == name.rpartition("/")[2]
    assert outputs["deployed_model_ids"] == {"v1": id}
    assert hand.endpoint(name)["labels"]["cost-centre"] == "7"
    assert life.preview(wanted(name, model, labels={"team": "search"})) == ("same", [])
    assert life.refresh() == {}
    # The argument has done its work: without it nothing changes.
    later = wanted(name, model, labels={"team": "search"})
    del later["adopt"]
    life.up(later)
    assert life.id == name
    assert life.refresh() == {}
    life.destroy()
    assert kinds(emulator) == ["Model"]


def test_what_is_wanted_otherwise_is_deployed_beside_and_what_is_not_wanted_is_unmanaged(
    emulator, host, hand, life, found
):
    name, model, id = found
    arguments = {
        "adopt": name,
        "deployed_models": {"v1": {"model": model, "machine_spec": {**L4, "machine_type": "g2-standard-16"}}},
    }
    since = len(host.said)
    life.preview(arguments)
    lines = told(host, since)
    assert "v1: is deployed beside the others" in lines
    assert f"deployment {id} (llama: " in lines
    assert "stays, unmanaged, without traffic" in lines
    assert f"traffic: unmanaged-{id} 100 % -> v1 100 %" in lines
    outputs = life.up(arguments)
    assert outputs["unmanaged_deployed_models"] == [id]
    assert hand.endpoint(name)["trafficSplit"] == {outputs["deployed_model_ids"]["v1"]: 100}
    assert life.refresh() == {}
    life.up({**arguments, "remove_unmanaged_deployed_models": True})
    life.destroy()
    assert kinds(emulator) == ["Model"]


def test_the_public_name_is_taken_as_the_endpoint_has_it(hand, life):
    name = hand.make_endpoint()
    outputs = life.up({"adopt": name})
    assert outputs["dedicated_endpoint_enabled"] is False
    assert life.preview({"adopt": name}) == ("same", [])
    assert life.preview({"adopt": name, "description": "changed"}) == ("update", [])


@pytest.mark.parametrize(
    ("made_with", "arguments", "property"),
    [
        ({}, {"dedicated_endpoint_enabled": True}, "dedicated_endpoint_enabled"),
        ({"encryptionSpec": KEY}, {}, "encryption_spec"),
        (
            {"privateServiceConnectConfig": {"enablePrivateServiceConnect": True, "projectAllowlist": ["my-project"]}},
            {},
            "private_service_connect_config",
        ),
    ],
    ids=["public", "key", "private"],
)
def test_what_is_fixed_on_the_endpoint_must_be_written_as_it_is(emulator, hand, life, made_with, arguments, property):
    name = hand.make_endpoint(**made_with)
    before = hand.endpoint(name)
    with pytest.raises(CheckFailed, match="write the same, or remove adopt") as failure:
        life.preview({"adopt": name, **arguments})
    assert list(failure.value.failures) == [property]
    assert hand.endpoint(name) == before


def test_an_endpoint_with_the_label_of_another_stack_is_refused(host, hand, life):
    theirs = Life(host, DedicatedEndpointProvider, owner="acme/project/other")
    theirs.up({})
    before = hand.endpoint(theirs.id)
    with pytest.raises(CheckFailed, match="another stack or resource has it"):
        life.preview({"adopt": theirs.id})
    assert hand.endpoint(theirs.id) == before


def test_an_endpoint_that_is_not_there_is_refused(life):
    with pytest.raises(CheckFailed, match="there is no endpoint"):
        life.preview({"adopt": "projects/my-project/locations/us-central1/endpoints/4026753529406673472"})


def test_a_project_number_is_held_against_the_endpoint_s(hand, life):
    name = hand.make_endpoint()
    number = hand.endpoint(name)["name"].split("/")[1]
    assert life.preview({"adopt": name.replace("my-project", number)}) == ("create", [])
    with pytest.raises(CheckFailed, match="names project 123"):
        life.preview({"adopt": name.replace("my-project", "123")})


def test_a_preview_that_cannot_reach_the_cloud_says_so_and_goes_on(emulator, host, life, found):
    name, model, _ = found
    emulator.fail(rpc="endpoints.get", fault="status", status=403, times=1)
    since = len(host.said)
    assert life.preview(wanted(name, model)) == ("create", [])
    says = "could not check what would change on it"
    assert says in told(host, since)


def test_without_adopt_an_endpoint_made_by_hand_is_never_touched(hand, life):
    name = f"{hand.make_endpoint().rpartition('/')[0]}/by-hand"
    hand._call(f"{name.rpartition('/')[0]}?endpointId=by-hand", {"displayName": "by hand"})
    before = hand.endpoint(name)
    with pytest.raises(HostError, match="ownership label"):
        life.up({"endpoint_id": "by-hand"})
    assert hand.endpoint(name) == before


CALLS = [
    "endpoints.get",
    "endpoints.patch",
    "endpoints.operations.list",
    "endpoints.deployModel",
    "endpoints.undeployModel",
]
FAULTS = [
    {"fault": "lose_answer"},
    {"fault": "status", "status": 409, "code": "ABORTED"},
    {"fault": "status", "status": 403},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.get("status", fault["fault"])))
@pytest.mark.parametrize("call", CALLS)
def test_an_interrupted_adoption_converges(emulator, hand, life, found, call, fault):
    name, model, id = found
    arguments = wanted(name, model, remove_unmanaged_deployed_models=True)
    arguments["deployed_models"]["v2"] = {"model": model, "machine_spec": L4}
    arguments["traffic_split"] = {"v1": 50, "v2": 50}
    hand.deploy(name, model, machine=OTHER_MACHINE)
    # Of the readings, not the one of the check, which only tells.
    emulator.fail(rpc=f"aiplatform.projects.locations.{call}", after=2 if call == "endpoints.get" else 0, **fault)
    for _ in range(2):
        try:
            life.up(arguments)
        except HostError:
            continue
    assert [fault["met"] for fault in emulator.faults()] == [1]
    outputs = life.up(arguments)
    assert outputs["deployed_model_ids"]["v1"] == id
    assert len(hand.endpoint(name)["deployedModels"]) == 2
    assert life.refresh() == {}
    life.destroy()
    assert kinds(emulator) == ["Model"]


def test_an_adoption_that_may_not_write_leaves_the_endpoint_and_the_state_as_they_were(emulator, hand, life, found):
    name, model, _ = found
    before = hand.endpoint(name)
    emulator.fail(rpc="endpoints.patch", fault="status", status=403)
    with pytest.raises(HostError) as failure:
        life.up(wanted(name, model))
    assert failure.value.kept is None
    assert hand.endpoint(name) == before


def test_a_process_without_memory_goes_on_with_an_adoption(emulator, host, hand, life, found):
    """As after a kill: the labels are moved already, and the state knows nothing."""
    name, model, id = found
    life.up(wanted(name, model))
    second = Host(config(emulator))
    try:
        again = Life(second, DedicatedEndpointProvider, name="chat", after=life)
        again.id = again.inputs = again.outputs = None
        assert again.up(wanted(name, model))["deployed_model_ids"] == {"v1": id}
        assert again.refresh() == {}
        again.destroy()
    finally:
        second.close()
    assert kinds(emulator) == ["Model"]


def test_an_adopted_endpoint_that_was_deleted_cannot_be_made_again_and_that_is_said(hand, life):
    name = hand.make_endpoint()
    life.up({"adopt": name})
    hand.delete(name)
    with pytest.raises(HostError, match="no id of more than nine digits") as failure:
        life.up({"adopt": name, "description": "new"})
    assert "remove adopt" in failure.value.text
    assert life.refresh() is None
    assert life.up({"description": "new"})["endpoint"] != name
