"""Networks and subnetworks as Compute Engine shows them: what was asked for, and its own defaults for the rest."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from mg_provider.emulator.core.admin import administers
from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.core.world import World
from mg_provider.emulator.google import errors
from mg_provider.emulator.services.compute.addresses import find_subnetwork
from mg_provider.emulator.services.compute.calls import compute_state, networks_of
from mg_provider.emulator.services.compute.names import LINK_BASE, Reference, fingerprint, numeric_id, pacific_timestamp
from mg_provider.emulator.services.compute.networks import Made

Json = dict[str, Any]

# What Terraform's provider for Google documents as the defaults of the API (google-beta 7.45, read 2026-11-23).
_NETWORK: Final[Json] = {
    "autoCreateSubnetworks": False,
    "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
    "routingConfig": {"routingMode": "REGIONAL"},
}
_SUBNETWORK: Final[Json] = {"privateIpGoogleAccess": False, "purpose": "PRIVATE", "stackType": "IPV4_ONLY"}


@handles("compute.networks.get")
def get_network(call: Call) -> Answer:
    """A network; unless networks are strict, any name is one."""
    networks, name = networks_of(call), call.path["network"]
    reference = Reference(call.project_id, "", "networks", name)
    if not networks.has_network(call.number, name):
        raise errors.not_found(f"The resource '{reference.path}' was not found")
    inside = [
        Reference(call.project_id, each.region, "subnetworks", each.name).link
        for each in networks.subnetworks.values()
        if (each.project_number, each.network) == (call.number, name)
    ]
    shown = _shown("network", reference, networks.made.get(reference.path), _NETWORK)
    return Answer({**shown, **({"subnetworks": inside} if inside else {})})


@handles("compute.subnetworks.get")
def get_subnetwork(call: Call) -> Answer:
    """A subnetwork and its range."""
    reference, found = find_subnetwork(call, call.path["subnetwork"], "subnetwork")
    # Of a subnetwork that nobody made, nobody has said which network it is in.
    network = Reference(call.project_id, "", "networks", found.network).link if found.network else None
    made = compute_state(call.world).networks.made.get(reference.path)
    return Answer(
        {
            **_shown("subnetwork", reference, made, _SUBNETWORK),
            **({"network": network} if network else {}),
            "ipCidrRange": str(found.ip_range),
            "gatewayAddress": str(found.ip_range[1]),
            "region": f"{LINK_BASE}projects/{call.project_id}/regions/{call.region}",
            "fingerprint": fingerprint(reference.path),
        }
    )


def _shown(kind: str, reference: Reference, made: Made | None, defaults: Json) -> Json:
    return {
        **defaults,
        **(made.details if made else {}),
        **({"creationTimestamp": pacific_timestamp(made.created)} if made else {}),
        "kind": f"compute#{kind}",
        "id": made.id if made else numeric_id(reference.path),
        "name": reference.name,
        "selfLink": reference.link,
    }


@administers("POST", "/_mg/compute/subnetworks")
def make_subnetwork(world: World, body: Json) -> Json:
    """``{"project", "region", "name", "network", "ip_range"?}``: a subnetwork, and its network if need be.

    Making the same one again changes nothing.
    """
    try:
        ip_range = ipaddress.IPv4Network(body["ip_range"]) if "ip_range" in body else None
        number = world.project_number(str(body["project"]))
        networks = compute_state(world).networks
        key, network = (number, str(body["region"]), str(body["name"])), str(body["network"])
        found = networks.subnetworks.get(key)
        if found is None or found.network != network or ip_range not in (None, found.ip_range):
            found = networks.add(*key, network, ip_range)
    except (KeyError, ValueError) as error:
        raise errors.invalid_argument(f"subnetwork: {error}") from error
    return {"ip_range": str(found.ip_range), "network": found.network}
