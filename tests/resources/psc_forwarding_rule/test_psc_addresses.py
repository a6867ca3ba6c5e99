"""The address behind a rule: reserved or taken, and every mistake about it told before anything is made."""

import ipaddress
import re

import pytest

from mg_provider.emulator.services.service_attachments import service_attachments
from mg_provider.resources.psc_forwarding_rule import PscForwardingRuleProvider
from tests.support.lives.host import HostError, unknown
from tests.support.lives.life import CheckFailed, Life
from tests.support.samples.weights import call

PROJECT = "projects/my-project"
REGION = f"{PROJECT}/regions/us-central1"
ATTACHMENT = "projects/tenant-tp/regions/us-central1/serviceAttachments/gkedpm-1"
SHARED = {
    "network": "projects/host-project/global/networks/shared",
    "subnetwork": "projects/host-project/regions/us-central1/subnetworks/clients",
}


def attach(emulator, *allowed, path=ATTACHMENT):
    world = emulator.world
    with world.lock:
        numbers = [world.project_number(project) for project in allowed or ("my-project",)]
        service_attachments(world).put(path, "projects/1/locations/us-central1/endpoints/2", numbers)


@pytest.fixture
def cloud(emulator, host):
    """Only the networks that are made here exist."""
    emulator.behave(strict_networks=True)
    attach(emulator)
    make_subnetwork(emulator, "my-project", "clients", "vpc")
    make_subnetwork(emulator, "my-project", "elsewhere", "other-vpc")
    return emulator


def make_subnetwork(emulator, project, name, network, region="us-central1"):
    body = {"project": project, "region": region, "name": name, "network": network}
    return ipaddress.ip_network(call(f"{emulator.url}/_mg/compute/subnetworks", body)["ip_range"])


def subnetwork_range(emulator, name="clients", project="my-project"):
    path = f"/compute/v1/projects/{project}/regions/us-central1/subnetworks/{name}"
    return ipaddress.ip_network(call(emulator.url + path, method="GET")["ipCidrRange"])


def reserve(emulator, name, **more):
    body = {"name": name, "addressType": "INTERNAL", "purpose": "GCE_ENDPOINT", "subnetwork": "clients", **more}
    call(f"{emulator.url}/compute/v1/{REGION}/addresses", body)
    emulator.advance(60)
    return call(f"{emulator.url}/compute/v1/{REGION}/addresses/{name}", method="GET")


def connect(emulator, name, address):
    body = {"name": name, "network": f"{PROJECT}/global/networks/vpc", "IPAddress": address, "target": ATTACHMENT}
    call(f"{emulator.url}/compute/v1/{REGION}/forwardingRules", body)
    emulator.advance(60)


def remove(emulator, *places):
    for place in places:
        call(f"{emulator.url}/compute/v1/{REGION}/{place}", method="DELETE")
        emulator.advance(60)


@pytest.fixture
def life(host):
    return Life(host, PscForwardingRuleProvider, name="address")


def arguments(**more):
    return {"service_attachment": ATTACHMENT, "network": "vpc", "subnetwork": "clients", **more}


def refused(emulator, life, wanted, text):
    """The run fails in these words, and nothing was made or is kept."""
    before = emulator.ledger()["counts"]
    with pytest.raises(HostError, match=text) as failure:
        life.up(wanted)
    assert failure.value.kept is None
    assert emulator.ledger()["counts"] == before
    assert life.id is None
    return failure.value.text


def end(emulator, life):
    life.destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_an_ip_of_the_programs_choice_is_reserved_and_given_back(cloud, life):
    ip = str(subnetwork_range(cloud)[40])
    outputs = life.up(arguments(address=ip))
    assert outputs["ip_address"] == ip
    assert life.refresh() == {}
    assert life.preview(arguments(address=ip)) == ("same", [])
    # Left out of the program, the address stays all the same.
    assert life.preview(arguments()) == ("same", [])
    end(cloud, life)


ENDPOINT = "projects/my-project/locations/us-central1/endpoints/llama"
FROM_IP = ("ip_address", "http_url", "https_url", "base_url")


def test_an_ip_of_the_programs_choice_is_known_in_the_preview_with_what_follows_from_it(life):
    planned = life.check({**SHARED, "endpoint": ENDPOINT, "address": "10.1.2.3"})
    urls = ["10.1.2.3", "http://10.1.2.3", "https://10.1.2.3", f"http://10.1.2.3/v1beta1/{ENDPOINT}"]
    assert [planned[name] for name in FROM_IP] == urls
    later = life.check({**SHARED, "endpoint": unknown(), "address": "10.1.2.3"})
    assert [later.get(name) for name in FROM_IP] == [*urls[:3], None]


@pytest.mark.parametrize("address", [None, "kept-address"])
def test_an_ip_that_only_the_cloud_knows_is_left_open_until_a_refresh_has_seen_it(cloud, life, address):
    reserve(cloud, "kept-address")
    wanted = arguments(**({"address": address} if address else {}))
    outputs = life.up(wanted)
    assert "ip_address" not in life.inputs
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])
    # So the preview of a change keeps it known to what depends on it.
    changed = arguments(**({"address": address} if address else {}), labels={"team": "search"})
    assert life.check(changed)["ip_address"] == outputs["ip_address"]
    # In another subnetwork it will be another one.
    assert "ip_address" not in life.check({**changed, "subnetwork": "elsewhere", "network": "other-vpc"})
    life.destroy()
    remove(cloud, "addresses/kept-address")
    assert cloud.ledger()["empty"]


@pytest.mark.parametrize("form", ["name", "path", "url"])
def test_a_reserved_address_is_taken_by_name_and_never_deleted(cloud, life, form):
    reserved = reserve(cloud, "kept-address", labels={"team": "network"})
    path = f"{REGION}/addresses/kept-address"
    outputs = life.up(arguments(address={"name": "kept-address", "path": path, "url": reserved["selfLink"]}[form]))
    assert outputs["ip_address"] == reserved["address"]
    assert outputs["reserved_address"] == path
    assert life.refresh() == {}
    life.up(arguments(address=life.inputs["address"], labels={"team": "search"}))
    life.destroy()
    left = call(f"{cloud.url}/compute/v1/{path}", method="GET")
    assert (left["status"], left["labels"]) == ("RESERVED", {"team": "network"})
    remove(cloud, "addresses/kept-address")
    assert cloud.ledger()["empty"]


def test_an_ip_that_somebody_reserved_and_does_not_use_is_taken_and_left_behind(cloud, life):
    reserved = reserve(cloud, "kept-address")
    outputs = life.up(arguments(address=reserved["address"]))
    assert outputs["reserved_address"] == f"{REGION}/addresses/kept-address"
    assert life.refresh() == {}
    life.destroy()
    remove(cloud, "addresses/kept-address")
    assert cloud.ledger()["empty"]


@pytest.mark.parametrize("by", ["name", "ip"])
def test_an_address_in_use_is_refused_with_its_user(cloud, life, by):
    reserved = reserve(cloud, "taken")
    connect(cloud, "somebodys-rule", reserved["address"])
    wanted = arguments(address="taken" if by == "name" else reserved["address"])
    text = refused(cloud, life, wanted, "in use by projects/my-project/regions/us-central1/forwardingRules/somebodys-")
    assert "leave it out for a free one" in text


def test_a_program_may_come_to_name_the_ip_that_the_resource_has(cloud, life):
    outputs = life.up(arguments())
    named = arguments(address=outputs["ip_address"])
    assert life.preview(named) == ("update", [])
    life.up(named)
    assert life.preview(named) == ("same", [])
    assert life.refresh() == {}
    labelled = life.up({**named, "labels": {"team": "search"}})
    assert labelled["forwarding_rule_name"] == outputs["forwarding_rule_name"]
    assert labelled["address"] == labelled["ip_address"] == outputs["ip_address"]
    assert life.preview(arguments(labels={"team": "search"})) == ("same", [])
    end(cloud, life)


def test_another_ip_than_the_one_that_the_resource_has_needs_another_name_so_that_the_old_goes_last(cloud, life):
    ip, other = life.up(arguments())["ip_address"], str(subnetwork_range(cloud)[40])
    with pytest.raises(HostError, match=f"is {other}, and the resource has {ip}, which clients may have"):
        life.preview(arguments(address=other))
    moves = arguments(address=other, forwarding_rule_name="moved")
    operation, because = life.preview(moves)
    assert (operation, "forwarding_rule_name" in because) == ("replace", True)
    assert life.up(moves)["ip_address"] == other
    end(cloud, life)


def test_an_ip_that_another_project_of_the_network_has_is_told_so(cloud, life):
    cloud.fail(
        rpc="compute.addresses.insert",
        fault="status",
        status=400,
        message="Invalid value for field 'resource.address'. Specified IP address is in-use and would conflict.",
    )
    ip = str(subnetwork_range(cloud)[40])
    refused(cloud, life, arguments(address=ip), "something in a project of network projects/my-project/global/netw")


def test_an_address_by_a_name_that_nobody_reserved_is_refused(cloud, life):
    refused(cloud, life, arguments(address="nobodys"), "addresses/nobodys does not exist")


def test_an_address_of_another_subnetwork_is_refused_by_name_and_by_ip(cloud, life):
    reserved = reserve(cloud, "far", subnetwork="elsewhere")
    refused(cloud, life, arguments(address="far"), "subnetworks/elsewhere, not in .*subnetworks/clients")
    refused(cloud, life, arguments(address=reserved["address"]), "is outside .*subnetworks/clients, which is 127")


@pytest.mark.parametrize("offset", [0, 1, -2, -1])
def test_the_four_addresses_that_google_keeps_are_refused(cloud, life, offset):
    ip = str(subnetwork_range(cloud)[offset])
    refused(cloud, life, arguments(address=ip), "one of the four addresses")


def test_a_subnetwork_that_does_not_exist_or_is_in_another_network_is_refused(cloud, life):
    refused(cloud, life, arguments(subnetwork="nowhere"), "subnetworks/nowhere does not exist")
    refused(cloud, life, arguments(subnetwork="elsewhere"), "is in network .*/other-vpc, not in .*/vpc")
    refused(cloud, life, arguments(network="nowhere"), "is in network .*/vpc, not in .*/nowhere")


def test_a_service_attachment_that_does_not_exist_leaves_the_address_in_state_and_says_why(cloud, life):
    with pytest.raises(HostError, match="service attachment does not exist") as failure:
        life.up(arguments(service_attachment=ATTACHMENT + "2"))
    assert "pass its present service_attachment" in failure.value.text
    assert failure.value.kept is not None
    ip = life.outputs["ip_address"]
    assert life.up(arguments())["ip_address"] == ip
    end(cloud, life)


def test_a_name_that_somebody_elses_rule_or_address_has_is_refused(cloud, life, host):
    other = Life(host, PscForwardingRuleProvider, name="other", owner="acme/project/other-stack")
    other.up(arguments(forwarding_rule_name="to-llama"))
    refused(cloud, life, arguments(forwarding_rule_name="to-llama"), "does not carry this stack's ownership label")
    end(cloud, other)
    reserve(cloud, "to-llama")
    refused(cloud, life, arguments(forwarding_rule_name="to-llama"), "address .*to-llama exists and does not carry")
    remove(cloud, "addresses/to-llama")


def test_a_subnetwork_that_may_be_used_but_not_looked_at_is_used(cloud, life):
    cloud.fail(rpc="compute.subnetworks.get", fault="status", status=403)
    assert life.up(arguments())["psc_connection_status"] == "ACCEPTED"
    end(cloud, life)


def test_with_a_shared_vpc_rule_and_address_are_in_the_service_project(cloud, life):
    make_subnetwork(cloud, "host-project", "clients", "shared")
    outputs = life.up(arguments(**SHARED))
    assert outputs["forwarding_rule"].startswith("projects/my-project/")
    assert outputs["reserved_address"].startswith("projects/my-project/")
    assert ipaddress.ip_address(outputs["ip_address"]) in subnetwork_range(cloud, project="host-project")
    sent = [one["body"] for one in cloud.requests() if one.get("rpc", "").endswith("s.insert")]
    assert [body.get("subnetwork") for body in sent] == [SHARED["subnetwork"], None]
    assert [body.get("network") for body in sent] == [None, SHARED["network"]]
    assert life.refresh() == {}
    end(cloud, life)


def test_a_subnetwork_by_name_alone_is_looked_for_in_the_networks_project(cloud, life):
    make_subnetwork(cloud, "host-project", "clients", "shared")
    outputs = life.up(arguments(network=SHARED["network"]))
    assert ipaddress.ip_address(outputs["ip_address"]) in subnetwork_range(cloud, project="host-project")
    end(cloud, life)


@pytest.mark.parametrize(
    ("rpc", "permission", "kept"),
    [
        ("compute.addresses.insert", "compute.subnetworks.use", False),
        ("compute.forwardingRules.insert", "compute.networks.use", True),
    ],
)
def test_a_permission_missing_in_the_host_project_is_named_with_role_and_place(cloud, life, rpc, permission, kept):
    make_subnetwork(cloud, "host-project", "clients", "shared")
    place = SHARED["network" if "networks.use" in permission and "sub" not in permission else "subnetwork"]
    message = f"Required '{permission}' permission for '{place}'"
    cloud.fail(rpc=rpc, fault="status", status=403, match="host-project", message=message)
    with pytest.raises(HostError, match=message) as failure:
        life.up(arguments(**SHARED))
    assert "roles/compute.networkUser on projects/host-project/regions/us-central1/subnetworks/clients" in str(
        failure.value
    )
    assert f"it holds {permission}, which using a Shared VPC from my-project needs" in str(failure.value)
    assert (failure.value.kept is not None) == kept
    life.up(arguments(**SHARED))
    end(cloud, life)


def test_a_permission_missing_in_the_rules_own_project_is_named(cloud, life):
    message = f"Required 'compute.forwardingRules.create' permission for '{REGION}/forwardingRules/a'"
    cloud.fail(rpc="compute.forwardingRules.insert", fault="status", status=403, message=message)
    with pytest.raises(HostError, match=r"the permission compute\.forwardingRules\.create on projects/my-p"):
        life.up(arguments())
    end(cloud, life)


def test_no_free_address_leaves_nothing_behind(cloud, life):
    cloud.fail(
        rpc="compute.addresses.insert",
        fault="operation_error",
        code="RESOURCE_EXHAUSTED",
        message="IP space of 'clients' is exhausted.",
    )
    with pytest.raises(HostError, match="IP space of 'clients' is exhausted") as failure:
        life.up(arguments())
    assert failure.value.kept is None
    assert cloud.ledger()["empty"]


def looking(**more):
    return arguments(**more, look_up=True)


def told_in_the_preview(emulator, life, wanted, name, text):
    """The preview of a creation refuses the argument in these words; nothing was made."""
    before = emulator.ledger()["counts"]
    with pytest.raises(CheckFailed) as failure:
        life.preview(wanted)
    assert list(failure.value.failures) == [name]
    assert re.search(text, failure.value.failures[name])
    assert emulator.ledger()["counts"] == before


def test_a_preview_looks_only_if_it_is_asked_to_and_only_before_a_creation(cloud, life):
    life.preview(arguments(subnetwork="nowhere"))
    assert cloud.requests() == []
    assert life.preview(looking()) == ("create", [])
    assert {request["method"] for request in cloud.requests()} == {"GET"}
    life.up(looking())
    seen = len(cloud.requests())
    assert life.preview(looking()) == ("same", [])
    # It is kept nowhere, so that to say it, or not any more, changes nothing.
    assert life.preview(arguments()) == ("same", [])
    assert len(cloud.requests()) == seen
    end(cloud, life)


@pytest.mark.parametrize(
    ("more", "name", "text"),
    [
        ({"subnetwork": "nowhere"}, "subnetwork", "^projects/.*/nowhere does not exist: name it as"),
        ({"network": "nowhere"}, "subnetwork", "^.* is in network .*/vpc, not in .*/nowhere"),
        ({"address": "10.1.2.3"}, "address", "^10.1.2.3 is outside .*/clients, which is .*: take one between"),
        ({"address": "nobodys"}, "address", "addresses/nobodys does not exist: reserve it first"),
        ({"address": "taken"}, "address", "in use by projects/.*/forwardingRules/somebodys-rule"),
        ({"forwarding_rule_name": "somebodys-rule"}, "forwarding_rule_name", "does not carry this stack's ownership"),
        ({"forwarding_rule_name": "taken"}, "forwarding_rule_name", "address .*/taken exists and does not carry"),
    ],
)
def test_what_would_fail_after_the_deployment_is_told_in_the_preview(cloud, life, more, name, text):
    connect(cloud, "somebodys-rule", reserve(cloud, "taken")["address"])
    told_in_the_preview(cloud, life, looking(**more), name, text)


def test_an_ip_in_use_is_told_in_the_preview(cloud, life):
    reserved = reserve(cloud, "taken")
    connect(cloud, "somebodys-rule", reserved["address"])
    told_in_the_preview(cloud, life, looking(address=reserved["address"]), "address", "in use by .*/somebodys-rule")


def test_a_reserved_address_by_name_is_known_in_the_preview_that_looks(cloud, life):
    reserved = reserve(cloud, "kept-address")
    wanted = looking(address="kept-address")
    assert life.check(wanted)["ip_address"] == reserved["address"]
    assert life.up(wanted)["ip_address"] == reserved["address"]
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])
    life.destroy()
    remove(cloud, "addresses/kept-address")


@pytest.mark.parametrize(
    ("rpc", "status", "told"),
    [
        ("compute.subnetworks.get", 403, "clients may not be read by the caller; going on without this check"),
        ("compute.subnetworks.get", 401, "clients: could not check whether it has the address: "),
        ("compute.addresses.get", 403, "clients: could not check whether it has the address: "),
    ],
)
def test_a_preview_that_cannot_look_says_so_and_goes_on(cloud, life, host, rpc, status, told):
    cloud.fail(rpc=rpc, fault="status", status=status, times=9)
    assert life.preview(looking()) == ("create", [])
    assert any(told in line for line in host.said)


def test_what_an_interrupted_creation_left_is_no_obstacle_to_looking(cloud, life):
    cloud.fail(rpc="compute.forwardingRules.insert", fault="status", status=400, message="no")
    with pytest.raises(HostError):
        life.up(looking())
    life.id = life.inputs = life.outputs = None
    assert life.up(looking())["psc_connection_status"] == "ACCEPTED"
    end(cloud, life)
