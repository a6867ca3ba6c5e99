"""Networks and subnetworks: what a client made is what it is shown, with Google's defaults for the rest."""

import pytest

from tests.support.samples.weights import call

PROJECT = "projects/my-project"


@pytest.fixture
def compute(emulator):
    emulator.behave(strict_networks=True)

    def request(path, body=None, method=None):
        answer = call(f"{emulator.url}/compute/v1/{PROJECT}/{path}", body, method=method or ("POST" if body else "GET"))
        emulator.advance(60)
        return answer

    return request


def test_what_was_made_is_shown_as_it_was_asked_for(compute):
    compute("global/networks", {"name": "models", "autoCreateSubnetworks": False, "description": "of models"})
    asked = {"network": f"{PROJECT}/global/networks/models", "ipCidrRange": "10.20.0.0/24"}
    compute("regions/us-central1/subnetworks", {"name": "clients", **asked, "privateIpGoogleAccess": True})
    network, subnetwork = compute("global/networks/models"), compute("regions/us-central1/subnetworks/clients")
    assert network["description"] == "of models"
    assert network["networkFirewallPolicyEnforcementOrder"] == "AFTER_CLASSIC_FIREWALL"
    assert network["subnetworks"] == [subnetwork["selfLink"]]
    assert subnetwork["network"] == network["selfLink"]
    assert subnetwork["privateIpGoogleAccess"] is True
    assert {"creationTimestamp", "id"} <= network.keys() & subnetwork.keys()


def test_what_was_not_asked_for_is_googles_default(compute):
    compute("global/networks", {"name": "models", "autoCreateSubnetworks": False})
    asked = {"network": f"{PROJECT}/global/networks/models", "ipCidrRange": "10.20.0.0/24"}
    compute("regions/us-central1/subnetworks", {"name": "clients", **asked})
    assert compute("global/networks/models")["routingConfig"] == {"routingMode": "REGIONAL"}
    assert compute("regions/us-central1/subnetworks/clients")["privateIpGoogleAccess"] is False
    compute("regions/us-central1/subnetworks/clients", method="DELETE")
    assert "subnetworks" not in compute("global/networks/models")
