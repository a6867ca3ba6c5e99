"""Lists of addresses and forwarding rules over all regions of a project."""

from __future__ import annotations

from tests.emulator_data.client import ATTACHMENT, PROJECT, REGION, Client

AGGREGATED = f"/compute/v1/projects/{PROJECT}/aggregated"
ELSEWHERE = f"/compute/v1/projects/{PROJECT}/regions/europe-west4/addresses"


def test_addresses_of_all_regions_are_listed_by_region(client: Client) -> None:
    client.make_address("second")
    client.make_address("first")
    body = {"name": "far", "addressType": "INTERNAL", "subnetwork": "default"}
    client.ok("POST", ELSEWHERE, body)
    client.emulator.advance(seconds=60)
    items = client.ok("GET", f"{AGGREGATED}/addresses")["items"]
    assert items["global"]["warning"]["code"] == "NO_RESULTS_ON_PAGE"
    named = {
        scope: [each["name"] for each in told["addresses"]] for scope, told in items.items() if "addresses" in told
    }
    assert named == {"regions/europe-west4": ["far"], f"regions/{REGION}": ["first", "second"]}
    filtered = client.ok("GET", f"{AGGREGATED}/addresses", params={"filter": "name=far"})["items"]
    assert set(filtered) == {"global", "regions/europe-west4"}


def test_rules_are_listed_page_by_page_and_those_of_another_project_are_not(client: Client) -> None:
    client.make_attachment(PROJECT)
    for name in ("one", "two"):
        client.make_rule(name, target=ATTACHMENT)
    page = client.ok("GET", f"{AGGREGATED}/forwardingRules", params={"maxResults": 1, "returnPartialSuccess": "True"})
    assert [each["name"] for each in page["items"][f"regions/{REGION}"]["forwardingRules"]] == ["one"]
    rest = {"maxResults": 1, "pageToken": page["nextPageToken"]}
    last = client.ok("GET", f"{AGGREGATED}/forwardingRules", params=rest)
    assert [each["name"] for each in last["items"][f"regions/{REGION}"]["forwardingRules"]] == ["two"]
    assert "nextPageToken" not in last
    other = AGGREGATED.replace(PROJECT, "other-project")
    assert set(client.ok("GET", f"{other}/forwardingRules")["items"]) == {"global"}
