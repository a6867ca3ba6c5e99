from __future__ import annotations

import ipaddress
import uuid
from typing import Any

import pytest
import requests

from mg_provider.emulator.services.service_attachments import service_attachments
from tests.emulator_data.client import ATTACHMENT, COMPUTE, PROJECT, REGION, Client

RULES = f"{COMPUTE}/forwardingRules"
ADDRESSES = f"{COMPUTE}/addresses"


def address_body(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "addressType": "INTERNAL", "purpose": "GCE_ENDPOINT", "subnetwork": "default", **more}


def test_an_operation_goes_from_pending_over_running_to_done(client: Client) -> None:
    operation = client.ok("POST", ADDRESSES, address_body("psc"))
    assert (operation["status"], operation["operationType"]) == ("PENDING", "insert")
    assert client.ok("GET", f"{ADDRESSES}/psc")["status"] == "RESERVING"
    client.emulator.advance(seconds=1)
    assert client.ok("POST", f"{COMPUTE}/operations/{operation['name']}/wait")["status"] == "RUNNING"
    client.emulator.advance(seconds=3)
    finished = client.ok("GET", f"{COMPUTE}/operations/{operation['name']}")
    assert (finished["status"], finished["progress"]) == ("DONE", 100)
    assert client.ok("GET", f"{ADDRESSES}/psc")["status"] == "RESERVED"


def test_an_address_is_a_loopback_one_inside_its_subnetwork_and_the_same_each_time(client: Client) -> None:
    first = client.make_address("psc")
    subnetwork = client.ok("GET", f"{COMPUTE}/subnetworks/default")
    assert ipaddress.ip_address(first["address"]) in ipaddress.ip_network(subnetwork["ipCidrRange"])
    assert ipaddress.ip_address(first["address"]).is_loopback
    assert client.make_address("other")["address"] != first["address"]
    client.emulator.reset()
    client.emulator.set_speed(0)
    assert client.make_address("psc")["address"] == first["address"]


def test_a_chosen_address_must_be_free_and_inside_the_range(client: Client) -> None:
    network = ipaddress.ip_network(client.ok("GET", f"{COMPUTE}/subnetworks/default")["ipCidrRange"])
    assert client.make_address("psc", address=str(network[40]))["address"] == str(network[40])
    taken = client.refused(400, "POST", ADDRESSES, address_body("two", address=str(network[40])))
    assert "in-use" in taken["message"]
    outside = client.refused(400, "POST", ADDRESSES, address_body("two", address="10.0.0.4"))
    assert "resource.address" in outside["message"]
    reserved = client.refused(400, "POST", ADDRESSES, address_body("two", address=str(network[1])))
    assert str(network) in reserved["message"]


def test_a_name_is_taken_once_and_follows_the_rule(client: Client) -> None:
    client.make_address("psc")
    assert client.refused(409, "POST", ADDRESSES, address_body("psc"))["errors"][0]["reason"] == "alreadyExists"
    assert "resource.name" in client.refused(400, "POST", ADDRESSES, address_body("Psc_1"))["message"]


def test_the_same_request_id_gives_the_same_operation(client: Client) -> None:
    request_id = str(uuid.UUID(int=7))
    first = client.ok("POST", f"{ADDRESSES}?requestId={request_id}", address_body("psc"))
    again = client.ok("POST", f"{ADDRESSES}?requestId={request_id}", address_body("psc"))
    assert first["name"] == again["name"]
    assert first["clientOperationId"] == request_id
    assert client.refused(400, "POST", f"{ADDRESSES}?requestId={uuid.UUID(int=0)}", address_body("b"))
    assert client.refused(400, "POST", f"{ADDRESSES}?requestId=seven", address_body("b"))


def test_a_repeat_after_a_lost_answer_makes_no_second_address(client: Client) -> None:
    client.emulator.fail(rpc="compute.addresses.insert", fault="lose_answer")
    path = f"{ADDRESSES}?requestId={uuid.UUID(int=9)}"
    with pytest.raises(requests.ConnectionError):
        client.call("POST", path, address_body("psc"))
    client.done(client.ok("POST", path, address_body("psc")))
    assert [address["name"] for address in client.ok("GET", ADDRESSES)["items"]] == ["psc"]


def test_a_project_is_the_same_by_its_id_and_by_its_number(client: Client) -> None:
    address = client.make_address("psc")
    number = client.emulator.world.project_number(PROJECT)
    by_number = client.ok("GET", f"{ADDRESSES}/psc".replace(PROJECT, number))
    assert by_number["selfLink"] == address["selfLink"]
    assert f"projects/{PROJECT}/" in address["selfLink"]


def test_the_producers_project_is_closed_to_consumers(client: Client) -> None:
    client.make_attachment(PROJECT)
    error = client.refused(403, "GET", f"/compute/v1/{ATTACHMENT}")
    assert error["errors"][0]["reason"] == "forbidden"


def test_labels_need_the_present_fingerprint(client: Client) -> None:
    address = client.make_address("psc", labels={"a": "1"})
    body = {"labels": {"b": "2"}, "labelFingerprint": address["labelFingerprint"]}
    client.done(client.ok("POST", f"{ADDRESSES}/psc/setLabels", body))
    assert client.ok("GET", f"{ADDRESSES}/psc")["labels"] == {"b": "2"}
    stale = client.refused(412, "POST", f"{ADDRESSES}/psc/setLabels", body)
    assert stale["errors"][0]["reason"] == "conditionNotMet"
    assert client.refused(412, "POST", f"{ADDRESSES}/psc/setLabels", {"labels": {}})


def test_an_address_is_in_use_while_a_rule_has_it_and_cannot_be_deleted(client: Client) -> None:
    client.make_attachment(PROJECT)
    address = client.make_address("psc")
    rule = client.make_rule("rule", IPAddress=address["selfLink"])
    assert rule["IPAddress"] == address["address"]
    used = client.ok("GET", f"{ADDRESSES}/psc")
    assert (used["status"], used["users"]) == ("IN_USE", [rule["selfLink"]])
    refusal = client.refused(400, "DELETE", f"{ADDRESSES}/psc")
    assert refusal["errors"][0]["reason"] == "resourceInUseByAnotherResource"
    client.done(client.ok("DELETE", f"{RULES}/rule"))
    client.done(client.ok("DELETE", f"{ADDRESSES}/psc"))
    assert client.refused(404, "GET", f"{ADDRESSES}/psc")
    assert client.emulator.ledger()["empty"] is True


def test_a_deleted_resource_stays_until_the_operation_is_done(client: Client) -> None:
    client.make_address("psc")
    operation = client.ok("DELETE", f"{ADDRESSES}/psc")
    assert client.ok("GET", f"{ADDRESSES}/psc")["name"] == "psc"
    assert client.refused(400, "DELETE", f"{ADDRESSES}/psc")["errors"][0]["reason"] == "resourceNotReady"
    client.done(operation)
    assert client.refused(404, "GET", f"{ADDRESSES}/psc")


def test_a_connection_follows_the_allowlist_and_closes_with_the_attachment(client: Client) -> None:
    client.make_attachment("another-project")
    assert client.make_rule("rule")["pscConnectionStatus"] == "PENDING"
    client.make_attachment("another-project", PROJECT)
    accepted = client.ok("GET", f"{RULES}/rule")
    assert accepted["pscConnectionStatus"] == "ACCEPTED"
    assert int(accepted["pscConnectionId"]) > 0
    client.make_attachment()
    assert client.ok("GET", f"{RULES}/rule")["pscConnectionStatus"] == "PENDING"
    world = client.emulator.world
    with world.lock:
        service_attachments(world).remove(ATTACHMENT)
    assert client.ok("GET", f"{RULES}/rule")["pscConnectionStatus"] == "CLOSED"


def test_the_private_address_answers_while_the_rule_lives_and_no_longer(client: Client) -> None:
    client.make_attachment(PROJECT)
    operation = client.ok("POST", RULES, {"name": "rule", "network": "global/networks/default", "target": ATTACHMENT})
    assert client.emulator.addresses() == {}
    client.done(operation)
    rule = client.ok("GET", f"{RULES}/rule")
    assert list(client.emulator.addresses()) == [rule["IPAddress"]]
    client.done(client.ok("DELETE", f"{RULES}/rule"))
    assert client.emulator.addresses() == {}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"target": "projects/t-tp/regions/europe-west4/serviceAttachments/x"}, "must be in the region"),
        ({"target": f"projects/t-tp/regions/{REGION}/serviceAttachments/unknown"}, "does not exist"),
        ({"target": "projects/p/regions/r/targetInstances/x"}, "service attachment is needed"),
        ({"ports": ["443"]}, "resource.ports"),
        ({"labels": {"a": "b"}}, "resource.labels"),
        ({"loadBalancingScheme": "EXTERNAL"}, "resource.loadBalancingScheme"),
        ({"IPAddress": "10.128.0.42"}, "resource.IPAddress"),
        ({"network": "not/a/network"}, "resource.network"),
    ],
)
def test_a_wrong_rule_is_refused_at_the_field(client: Client, change: dict[str, Any], text: str) -> None:
    client.make_attachment(PROJECT)
    body = {"name": "rule", "network": "global/networks/default", "target": ATTACHMENT, **change}
    assert text in client.refused(400, "POST", RULES, body)["message"]
    assert client.emulator.ledger()["empty"] is True


@pytest.mark.parametrize("hidden", [True, False])
def test_what_is_being_made_is_seen_or_not_as_the_test_wants_and_its_operation_always(
    client: Client, hidden: bool
) -> None:
    client.emulator.behave(being_made="hidden" if hidden else "shown")
    client.make_attachment(PROJECT)
    operation = client.ok("POST", RULES, {"name": "rule", "network": "global/networks/default", "target": ATTACHMENT})
    assert client.call("GET", f"{RULES}/rule").status_code == (404 if hidden else 200)
    assert ("items" in client.ok("GET", RULES)) is not hidden
    running = client.ok("GET", f"{COMPUTE}/operations", params={"filter": 'status != "DONE"'})["items"]
    assert [one["targetLink"].rpartition("/")[2] for one in running] == ["rule"]
    client.done(operation)
    assert client.ok("GET", f"{RULES}/rule")["name"] == "rule"


def test_an_unknown_field_is_refused_by_its_name(client: Client) -> None:
    error = client.refused(400, "POST", RULES, {"name": "rule", "serviceAttachment": ATTACHMENT})
    assert 'Unknown name "serviceAttachment"' in error["message"]


def test_an_address_that_is_missing_or_taken_cannot_be_given_to_a_rule(client: Client) -> None:
    client.make_attachment(PROJECT)
    body = {"name": "rule", "network": "global/networks/default", "target": ATTACHMENT}
    assert client.refused(404, "POST", RULES, {**body, "IPAddress": f"regions/{REGION}/addresses/psc"})
    client.make_address("psc")
    client.make_rule("first", IPAddress=f"regions/{REGION}/addresses/psc")
    error = client.refused(400, "POST", RULES, {**body, "IPAddress": f"regions/{REGION}/addresses/psc"})
    assert "in-use" in error["message"]


def test_strict_networks_know_only_what_was_made(client: Client) -> None:
    client.make_attachment(PROJECT)
    client.emulator.behave(strict_networks=True)
    body = {"name": "rule", "network": "global/networks/prod", "target": ATTACHMENT}
    assert client.refused(404, "POST", RULES, body)
    assert client.refused(404, "POST", ADDRESSES, address_body("psc", subnetwork="prod-psc"))
    made = client.ok(
        "POST",
        "/_mg/compute/subnetworks",
        {"project": PROJECT, "region": REGION, "name": "prod-psc", "network": "prod", "ip_range": "127.77.0.0/28"},
    )
    assert made["ip_range"] == "127.77.0.0/28"
    address = client.make_address("psc", subnetwork=f"regions/{REGION}/subnetworks/prod-psc")
    assert address["address"] == "127.77.0.2"
    rule = client.make_rule("rule", network="global/networks/prod", IPAddress=address["address"])
    assert rule["network"].endswith(f"projects/{PROJECT}/global/networks/prod")


def test_an_address_of_another_network_is_refused(client: Client) -> None:
    client.make_attachment(PROJECT)
    client.make_address("psc")
    body = {"name": "rule", "network": "global/networks/prod", "target": ATTACHMENT}
    error = client.refused(400, "POST", RULES, {**body, "IPAddress": f"regions/{REGION}/addresses/psc"})
    assert "'default'" in error["message"]


def test_a_public_range_is_refused(client: Client) -> None:
    body = {"project": PROJECT, "region": REGION, "name": "s", "network": "n", "ip_range": "8.8.8.0/24"}
    assert "private" in client.refused(400, "POST", "/_mg/compute/subnetworks", body)["message"]


def test_networks_and_subnetworks_are_made_used_and_deleted_in_order(client: Client) -> None:
    client.emulator.behave(strict_networks=True)
    client.make_attachment(PROJECT)
    subnetworks, networks = f"{COMPUTE}/subnetworks", f"/compute/v1/projects/{PROJECT}/global/networks"
    subnetwork = {"name": "psc", "network": "global/networks/prod", "ipCidrRange": "10.7.0.0/28"}
    assert client.refused(404, "POST", subnetworks, subnetwork)
    made = client.ok("POST", networks, {"name": "prod", "autoCreateSubnetworks": False})
    client.emulator.advance(10)
    operation = client.ok("GET", f"/compute/v1/projects/{PROJECT}/global/operations/{made['name']}")
    assert (operation["status"], "region" in operation) == ("DONE", False)
    client.done(client.ok("POST", subnetworks, subnetwork))
    assert "overlaps" in client.refused(400, "POST", subnetworks, {**subnetwork, "name": "other"})["message"]
    assert client.refused(409, "POST", networks, {"name": "prod", "autoCreateSubnetworks": False})
    address = client.make_address("a", subnetwork=f"regions/{REGION}/subnetworks/psc")
    rule = client.make_rule("r", network="global/networks/prod", IPAddress=address["address"])
    assert rule["IPAddress"] == "10.7.0.2"
    assert client.emulator.addresses()["10.7.0.2"].startswith("http://127.0.0.1:")
    assert client.emulator.ledger()["counts"]["compute.Subnetwork"] == 1
    assert "subnetworks/psc" in client.refused(400, "DELETE", f"{networks}/prod")["message"]
    assert "addresses/a" in client.refused(400, "DELETE", f"{subnetworks}/psc")["message"]
    client.done(client.ok("DELETE", f"{COMPUTE}/forwardingRules/r"))
    client.done(client.ok("DELETE", f"{COMPUTE}/addresses/a"))
    client.done(client.ok("DELETE", f"{subnetworks}/psc"))
    client.ok("DELETE", f"{networks}/prod")
    client.emulator.advance(10)
    assert client.refused(404, "GET", f"{networks}/prod")
    assert client.emulator.ledger()["empty"]


def test_patch_changes_global_access_and_nothing_else(client: Client) -> None:
    client.make_attachment(PROJECT)
    rule = client.make_rule("rule")
    body = {"name": "rule", "allowPscGlobalAccess": True, "fingerprint": rule["fingerprint"]}
    client.done(client.ok("PATCH", f"{RULES}/rule", body))
    changed = client.ok("GET", f"{RULES}/rule")
    assert changed["allowPscGlobalAccess"] is True
    assert changed["fingerprint"] != rule["fingerprint"]
    assert client.refused(412, "PATCH", f"{RULES}/rule", body)
    error = client.refused(400, "PATCH", f"{RULES}/rule", {"target": "projects/x/regions/y/serviceAttachments/z"})
    assert "resource.target" in error["message"]


def test_rules_are_listed_by_region_and_filtered_by_label(client: Client) -> None:
    client.make_attachment(PROJECT)
    client.make_rule("first")
    client.make_rule("second")
    fingerprint = client.ok("GET", f"{RULES}/first")["labelFingerprint"]
    body = {"labels": {"mg-owner": "abc"}, "labelFingerprint": fingerprint}
    client.done(client.ok("POST", f"{RULES}/first/setLabels", body))
    assert [rule["name"] for rule in client.ok("GET", RULES)["items"]] == ["first", "second"]
    found = client.ok("GET", RULES, params={"filter": 'labels.mg-owner = "abc"'})
    assert [rule["name"] for rule in found["items"]] == ["first"]
    elsewhere = f"/compute/v1/projects/{PROJECT}/regions/europe-west4/forwardingRules"
    assert "items" not in client.ok("GET", elsewhere)
    first = client.ok("GET", RULES, params={"maxResults": "1"})
    rest = client.ok("GET", RULES, params={"maxResults": "1", "pageToken": first["nextPageToken"]})
    assert [rule["name"] for rule in first["items"] + rest["items"]] == ["first", "second"]


def test_a_failed_operation_tells_why_and_leaves_nothing(client: Client) -> None:
    client.emulator.fail(
        rpc="compute.addresses.insert",
        fault="operation_error",
        code="RESOURCE_EXHAUSTED",
        message="Quota 'INTERNAL_ADDRESSES' exceeded.",
    )
    finished = client.done(client.ok("POST", ADDRESSES, address_body("psc")))
    assert finished["error"]["errors"][0]["message"] == "Quota 'INTERNAL_ADDRESSES' exceeded."
    assert finished["httpErrorStatusCode"] == 429
    assert client.refused(404, "GET", f"{ADDRESSES}/psc")
    assert [fault["met"] for fault in client.emulator.faults()] == [1]


def test_a_stalled_operation_never_ends(client: Client) -> None:
    client.emulator.fail(rpc="compute.addresses.insert", fault="stall")
    operation = client.ok("POST", ADDRESSES, address_body("psc"))
    client.emulator.advance(seconds=86400)
    assert client.ok("GET", f"{COMPUTE}/operations/{operation['name']}")["status"] == "RUNNING"


def test_the_ledger_counts_addresses_and_rules_with_their_labels(client: Client) -> None:
    client.make_attachment(PROJECT)
    client.make_address("psc", labels={"mg-owner": "abc"})
    client.make_rule("rule", IPAddress=f"regions/{REGION}/addresses/psc")
    ledger = client.emulator.ledger()
    assert ledger["counts"] == {"compute.Address": 1, "compute.ForwardingRule": 1}
    assert ledger["resources"][0]["labels"] == {"mg-owner": "abc"}
    assert ledger["empty"] is False


@pytest.mark.parametrize("status", ["PENDING", "REJECTED", "NEEDS_ATTENTION"])
def test_what_becomes_of_a_project_that_is_not_allowed_can_be_chosen(client: Client, status: str) -> None:
    client.emulator.behave(unlisted_project=status)
    client.make_attachment("other-project")
    assert client.make_rule("rule")["pscConnectionStatus"] == status
    client.make_attachment(PROJECT)
    assert client.ok("GET", f"{RULES}/rule")["pscConnectionStatus"] == "ACCEPTED"


def test_a_connection_stays_closed_when_another_attachment_gets_the_name(client: Client) -> None:
    client.make_attachment(PROJECT)
    client.make_rule("rule")
    world = client.emulator.world
    with world.lock:
        service_attachments(world).remove(ATTACHMENT)
    assert client.ok("GET", f"{RULES}/rule")["pscConnectionStatus"] == "CLOSED"
    client.make_attachment(PROJECT)
    assert client.ok("GET", f"{RULES}/rule")["pscConnectionStatus"] == "CLOSED"
    assert client.make_rule("second")["pscConnectionStatus"] == "ACCEPTED"


def test_an_address_of_another_project_is_refused(client: Client) -> None:
    client.make_attachment(PROJECT)
    elsewhere = f"projects/other-project/regions/{REGION}/addresses/psc"
    body = {"name": "rule", "network": "global/networks/default", "target": ATTACHMENT, "IPAddress": elsewhere}
    assert "the project of the forwarding rule" in client.refused(400, "POST", RULES, body)["message"]


def test_whether_global_access_is_patchable_and_rules_register_themselves_can_be_chosen(client: Client) -> None:
    client.emulator.behave(patch_global_access="refuse")
    client.make_attachment(PROJECT)
    rule = client.make_rule("rule")
    assert rule["serviceDirectoryRegistrations"] == [{"namespace": "goog-psc-default"}]
    client.emulator.behave(service_directory="asked")
    assert "serviceDirectoryRegistrations" not in client.make_rule("other")
    body = {"allowPscGlobalAccess": True, "fingerprint": rule["fingerprint"]}
    assert "cannot be changed by patch" in client.refused(400, "PATCH", f"{RULES}/rule", body)["message"]


def test_a_subnetwork_that_nobody_made_does_not_say_which_network_it_is_in(client: Client) -> None:
    assert "network" not in client.ok("GET", f"{COMPUTE}/subnetworks/anything")
    assert client.ok("GET", f"{COMPUTE}/subnetworks/default")["network"].endswith("/global/networks/default")
