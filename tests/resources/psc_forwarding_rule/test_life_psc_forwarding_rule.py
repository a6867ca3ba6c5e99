"""A private address's life: reserved, accepted, kept while what it leads to changes, given back."""

import pytest

from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.psc_forwarding_rule import PscForwardingRuleProvider
from tests.resources.conftest import QUICK
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.samples.weights import call, make_bucket, put_weights

L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
REGION = "/compute/v1/projects/my-project/regions/us-central1"


@pytest.fixture
def private(emulator, host):
    """A private model; its service attachment is what rules lead to."""
    make_bucket(emulator)
    life = Life(host, CustomWeightsModelProvider, name="private")
    config = {"enable_private_service_connect": True, "project_allowlist": ["my-project"]}
    arguments = {"gcs_uri": put_weights(emulator), "machine_spec": L4, "private_service_connect_config": config}
    life.up(arguments)
    life.arguments = arguments
    return life


@pytest.fixture
def life(host):
    return Life(host, PscForwardingRuleProvider, name="address")


def arguments(attachment, **more):
    return {"service_attachment": attachment, "network": "vpc", "subnetwork": "clients", **more}


def test_an_address_lives_from_reservation_to_release(emulator, life, private):
    wanted = arguments(private.outputs["service_attachment"], labels={"team": "search"})
    outputs = life.up(wanted)
    assert outputs["psc_connection_status"] == "ACCEPTED"
    assert outputs["psc_connection_id"].isdigit()
    assert outputs["ip_address"] in emulator.addresses()
    assert life.preview(wanted) == ("same", [])
    assert life.refresh() == {}

    changed = {**wanted, "labels": {"team": "ads"}, "allow_psc_global_access": True}
    assert life.preview(changed) == ("update", [])
    assert life.up(changed)["ip_address"] == outputs["ip_address"]
    assert life.refresh() == {}
    life.destroy()
    private.destroy()
    assert emulator.ledger()["empty"]


def test_another_attachment_is_reached_at_the_same_address(emulator, host, life, private):
    address = life.up(arguments(private.outputs["service_attachment"]))["ip_address"]
    second = Life(host, CustomWeightsModelProvider, name="second")
    second.up({**private.arguments, "gcs_uri": put_weights(emulator, "other")})
    wanted = arguments(second.outputs["service_attachment"])
    assert life.preview(wanted) == ("update", [])
    assert life.up(wanted)["ip_address"] == address
    assert life.refresh() == {}
    for one in (life, private, second):
        one.destroy()
    assert emulator.ledger()["empty"]


def test_a_project_that_is_not_allowed_is_told_so_and_the_rule_stays_in_state(emulator, life, private):
    config = {"enable_private_service_connect": True, "project_allowlist": ["other-project"]}
    private.up({**private.arguments, "private_service_connect_config": config})
    wanted = arguments(private.outputs["service_attachment"], timeouts={"create": 1})
    with pytest.raises(HostError, match="project_allowlist") as failure:
        life.up(wanted)
    assert failure.value.kept is not None
    private.up(private.arguments)
    assert life.up(wanted)["psc_connection_status"] == "ACCEPTED"
    life.destroy()
    private.destroy()
    assert emulator.ledger()["empty"]


def test_a_rule_deleted_by_hand_shows_and_comes_back_at_the_same_address(emulator, life, private):
    wanted = arguments(private.outputs["service_attachment"])
    outputs = life.up(wanted)
    call(f"{emulator.url}{REGION}/forwardingRules/{outputs['forwarding_rule_name']}", method="DELETE")
    emulator.advance(60)
    assert life.refresh() == {"service_attachment": ""}
    assert life.up(wanted)["ip_address"] == outputs["ip_address"]
    life.destroy()
    private.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize(
    "rpc", ["compute.addresses.insert", "compute.forwardingRules.insert", "compute.forwardingRules.delete"]
)
def test_a_lost_answer_makes_nothing_twice(emulator, life, private, rpc):
    emulator.fail(rpc=rpc, fault="lose_answer")
    life.up(arguments(private.outputs["service_attachment"]))
    kinds = [entry["kind"] for entry in emulator.ledger()["resources"]]
    assert kinds.count("compute.ForwardingRule") == 1
    assert kinds.count("compute.Address") == 1
    life.destroy()
    assert [fault["met"] for fault in emulator.faults()] == [1]
    private.destroy()
    assert emulator.ledger()["empty"]


def test_an_address_whose_reservation_was_not_seen_to_end_is_kept_in_state(emulator, life, private):
    emulator.set_speed(0.01)
    wanted = arguments(private.outputs["service_attachment"], timeouts={"create": 0.5})
    with pytest.raises(HostError, match="has not ended after") as failure:
        life.up(wanted)
    assert failure.value.kept is not None
    emulator.set_speed(QUICK)
    life.destroy()
    private.destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]
