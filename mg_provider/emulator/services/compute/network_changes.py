"""Making and deleting networks and subnetworks, as Compute Engine does it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from mg_provider.emulator.core.clock import timestamp
from mg_provider.emulator.core.ledger import Entry, counts_resources
from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.core.world import World
from mg_provider.emulator.google import errors
from mg_provider.emulator.services.compute.calls import (
    NAME_RULE,
    changes,
    compute_state,
    networks_of,
    place_of,
    require_idle,
    start_operation,
)
from mg_provider.emulator.services.compute.names import RESOURCE_NAME, Reference, parse_reference
from mg_provider.emulator.services.compute.networks import Made
from mg_provider.emulator.services.compute.state import invalid_field

Json = dict[str, Any]


@changes("compute.networks.insert")
def insert_network(call: Call) -> Answer:
    """Make a network of custom subnet mode; others are not emulated."""
    if call.body.get("autoCreateSubnetworks", True) or "IPv4Range" in call.body:
        raise errors.not_emulated("a network that makes subnetworks by itself (autoCreateSubnetworks: false is needed)")
    networks, key = compute_state(call.world).networks, (call.number, _name(call))
    made = _made(call, "networks")
    networks.networks.add(key)
    networks.made[made.reference.path] = made

    def undo() -> None:
        networks.networks.discard(key)
        networks.made.pop(made.reference.path, None)

    return start_operation(call, "insert", made, lambda: None, undo)


@changes("compute.networks.delete")
def delete_network(call: Call) -> Answer:
    """Delete a network; refused while it has subnetworks."""
    networks, key = compute_state(call.world).networks, (call.number, call.path["network"])
    made = _found(call, Reference(call.project_id, "", "networks", key[1]))
    inside = [each for each in networks.subnetworks.values() if (each.project_number, each.network) == key]
    if inside:
        _in_use(made, f"projects/{call.project_id}/regions/{inside[0].region}/subnetworks/{inside[0].name}")

    def gone() -> None:
        networks.networks.discard(key)
        networks.made.pop(made.reference.path, None)

    return start_operation(call, "delete", made, gone)


@changes("compute.subnetworks.insert")
def insert_subnetwork(call: Call) -> Answer:
    """Make a subnetwork of a network; its range must not overlap another one's."""
    networks, name = networks_of(call), _name(call)
    network = parse_reference(call.body.get("network", ""), "networks", call.project_id, "")
    if network is None:
        raise invalid_field("resource.network", call.body.get("network", ""), "Must be the URL of a network.")
    if not networks.has_network(call.number, network.name):
        raise errors.not_found(f"The resource '{network.path}' was not found")
    made, key = _made(call, "subnetworks"), (call.number, call.region, name)
    try:
        networks.add(*key, network.name, ipaddress.IPv4Network(call.body.get("ipCidrRange", "")))
    except ValueError as error:
        raise invalid_field("resource.ipCidrRange", call.body.get("ipCidrRange", ""), f"Invalid: {error}.") from error
    networks.made[made.reference.path] = made

    def gone() -> None:
        networks.subnetworks.pop(key, None)
        networks.made.pop(made.reference.path, None)

    return start_operation(call, "insert", made, lambda: None, gone)


@changes("compute.subnetworks.delete")
def delete_subnetwork(call: Call) -> Answer:
    """Delete a subnetwork; refused while an address is taken from it."""
    state, key = compute_state(call.world), (*place_of(call), call.path["subnetwork"])
    made = _found(call, Reference(call.project_id, call.region, "subnetworks", key[2]))
    users = [each for each in state.addresses.values() if each.subnetwork == made.reference]
    users += [each for each in state.rules.values() if each.subnetwork == made.reference]  # type: ignore[misc]
    if users:
        _in_use(made, users[0].reference.path)

    def gone() -> None:
        state.networks.subnetworks.pop(key, None)
        state.networks.made.pop(made.reference.path, None)

    return start_operation(call, "delete", made, gone)


@handles("compute.globalOperations.get", "compute.globalOperations.wait")
def get_global_operation(call: Call) -> Answer:
    """An operation on a network as it is; ``wait`` answers at once."""
    name = call.path["operation"]
    operation = compute_state(call.world).operations.find(place_of(call), name)
    if operation is None:
        raise errors.not_found(f"The resource 'projects/{call.project_id}/global/operations/{name}' was not found")
    return Answer(operation.body(call.world.now()))


def _name(call: Call) -> str:
    name = str(call.body.get("name", ""))
    if not RESOURCE_NAME.fullmatch(name):
        raise invalid_field("resource.name", name, NAME_RULE)
    return name


def _made(call: Call, collection: str) -> Made:
    region = place_of(call)[1]
    reference = Reference(call.project_id, region, collection, _name(call))
    networks = compute_state(call.world).networks
    taken = reference.path in networks.made or (call.number, region, reference.name) in networks.subnetworks
    if taken or (collection == "networks" and (call.number, reference.name) in networks.networks):
        raise errors.already_exists(f"The resource '{reference.path}' already exists")
    return Made(reference, call.world.now(), {**call.body})


def _found(call: Call, reference: Reference) -> Made:
    made = compute_state(call.world).networks.made.get(reference.path)
    if made is None:
        raise errors.not_found(f"The resource '{reference.path}' was not found")
    require_idle(made)
    return made


def _in_use(made: Made, user: str) -> None:
    raise errors.ApiError(
        "INVALID_ARGUMENT",
        f"The resource '{made.reference.path}' is already being used by '{user}'",
        reason="resourceInUseByAnotherResource",
    )


@counts_resources
def _resources(world: World) -> Iterable[Entry]:
    kinds = {"networks": "compute.Network", "subnetworks": "compute.Subnetwork"}
    for path, made in compute_state(world).networks.made.items():
        yield Entry(kinds[made.reference.collection], path, timestamp(made.created), {})
