"""What Compute Engine makes of a forwarding rule to a service attachment, as its real answers and refusals show it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.emulator_data.client import ATTACHMENT, COMPUTE, PROJECT, Client

RULES = f"{COMPUTE}/forwardingRules"
ADDRESSES = f"{COMPUTE}/addresses"


def rule_body(name: str = "rule", **more: Any) -> dict[str, Any]:
    return {"name": name, "network": "global/networks/default", "target": ATTACHMENT, **more}


@pytest.fixture
def allowed(client: Client) -> Client:
    client.make_attachment(PROJECT)
    return client


def test_labels_are_refused_at_the_making_and_set_at_once_afterwards(allowed: Client) -> None:
    refusal = allowed.refused(400, "POST", RULES, rule_body(labels={"a": "b"}))
    assert refusal["message"] == (
        "Invalid value for field 'resource.labels': ''. Invalid field set in Private Service Connect Forwarding Rule. "
        "This field should not be set."
    )
    rule = allowed.make_rule("rule")
    body = {"labels": {"a": "b"}, "labelFingerprint": rule["labelFingerprint"]}
    assert allowed.ok("POST", f"{RULES}/rule/setLabels", body)["status"] == "DONE"
    assert allowed.ok("GET", f"{RULES}/rule")["labels"] == {"a": "b"}


def test_its_operations_have_types_of_their_own(allowed: Client) -> None:
    made = allowed.ok("POST", RULES, rule_body())
    assert made["operationType"] == "createRegionPscForwardingRule"
    allowed.done(made)
    assert allowed.ok("DELETE", f"{RULES}/rule")["operationType"] == "deleteRegionPscForwardingRule"


def test_it_shows_what_real_rules_show_and_nothing_of_load_balancing(allowed: Client) -> None:
    rule = allowed.make_rule("rule", description="to the model", noAutomateDnsZone=True, loadBalancingScheme="")
    assert rule["serviceDirectoryRegistrations"] == [{"namespace": "goog-psc-default"}]
    assert (rule["allowPscGlobalAccess"], rule["networkTier"]) == (False, "PREMIUM")
    assert not {"IPProtocol", "loadBalancingScheme", "noAutomateDnsZone", "description"} & set(rule)
    allowed.emulator.behave(psc_description="kept", psc_automated_dns="shown", service_directory="asked")
    kept = allowed.make_rule("other", description="to the model", noAutomateDnsZone=True)
    assert (kept["description"], kept["noAutomateDnsZone"]) == ("to the model", True)
    assert "serviceDirectoryRegistrations" not in kept


def test_a_scheme_is_refused_unless_it_is_empty(allowed: Client) -> None:
    refusal = allowed.refused(400, "POST", RULES, rule_body(loadBalancingScheme="EXTERNAL"))
    assert "resource.loadBalancingScheme" in refusal["message"]


def test_a_namespace_of_ones_own_is_refused_or_kept(allowed: Client) -> None:
    own = [{"namespace": "models", "service": "llama"}]
    refusal = allowed.refused(400, "POST", RULES, rule_body(serviceDirectoryRegistrations=own))
    assert "serviceDirectoryRegistrations" in refusal["message"]
    allowed.emulator.behave(own_service_directory="keep")
    assert allowed.make_rule("rule", serviceDirectoryRegistrations=own)["serviceDirectoryRegistrations"] == own


def test_a_new_rule_is_pending_until_the_producer_has_noticed_it(allowed: Client) -> None:
    allowed.done(allowed.ok("POST", RULES, rule_body()))
    assert allowed.ok("GET", f"{RULES}/rule")["pscConnectionStatus"] == "PENDING"
    allowed.emulator.advance(seconds=10)
    assert allowed.ok("GET", f"{RULES}/rule")["pscConnectionStatus"] == "ACCEPTED"


def test_an_address_has_an_empty_description_and_no_labels_unless_asked(client: Client) -> None:
    address = client.make_address("psc")
    assert (address["description"], address["networkTier"], address["purpose"]) == ("", "PREMIUM", "GCE_ENDPOINT")
    assert "labels" not in address


@pytest.mark.parametrize("project", [PROJECT, "number"])
def test_what_is_not_there_is_named_with_the_project_as_asked_and_without_a_status(
    client: Client, project: str
) -> None:
    asked = client.emulator.world.project_number(PROJECT) if project == "number" else project
    error = client.refused(404, "GET", f"{RULES}/rule".replace(PROJECT, asked))
    name = f"projects/{asked}/regions/us-central1/forwardingRules/rule"
    assert error["message"] == f"The resource '{name}' was not found"
    assert error["errors"][0]["reason"] == "notFound"
    assert "status" not in error


def test_stale_fingerprints_are_told_in_googles_words(allowed: Client) -> None:
    allowed.make_rule("rule")
    stale = allowed.refused(412, "PATCH", f"{RULES}/rule", {"allowPscGlobalAccess": True, "fingerprint": "AAAA"})
    assert (stale["message"], stale["errors"][0]["reason"]) == ("Invalid fingerprint.", "conditionNotMet")
    stale = allowed.refused(412, "POST", f"{RULES}/rule/setLabels", {"labels": {}, "labelFingerprint": "AAAA"})
    assert stale["message"].startswith("Labels fingerprint either invalid or")


def test_calls_are_counted_by_the_minute_and_by_their_group(client: Client) -> None:
    client.emulator.behave(compute_calls_per_minute=3)
    for _ in range(3):
        client.ok("GET", ADDRESSES)
    error = client.refused(403, "GET", ADDRESSES)
    assert error["errors"][0] == {**error["errors"][0], "domain": "usageLimits", "reason": "rateLimitExceeded"}
    assert "'List requests' and limit 'List requests per minute per region'" in error["message"]
    # Another group, and another region, have counts of their own.
    client.refused(404, "GET", f"{ADDRESSES}/psc")
    client.ok("GET", ADDRESSES.replace("us-central1", "europe-west4"))
    # The count begins again with the minute, and not sixty seconds after the first call.
    client.emulator.advance(seconds=60)
    client.ok("GET", ADDRESSES)


def test_so_many_operations_run_at_a_time_and_a_repeat_is_none(client: Client) -> None:
    client.emulator.behave(compute_concurrent_operations=1)
    body = {"addressType": "INTERNAL", "purpose": "GCE_ENDPOINT", "subnetwork": "default"}
    path = f"{ADDRESSES}?requestId={uuid.UUID(int=3)}"
    first = client.ok("POST", path, {**body, "name": "one"})
    error = client.refused(403, "POST", ADDRESSES, {**body, "name": "two"})
    assert error["details"][0]["reason"] == "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED"
    assert client.ok("POST", path, {**body, "name": "one"})["name"] == first["name"]
    client.done(first)
    client.done(client.ok("POST", ADDRESSES, {**body, "name": "two"}))
