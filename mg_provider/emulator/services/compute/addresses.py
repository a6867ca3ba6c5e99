"""Compute Engine's regional internal addresses, networks and operations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mg_provider.emulator.core.clock import timestamp
from mg_provider.emulator.core.ledger import Entry, counts_resources
from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.core.world import World
from mg_provider.emulator.google import errors
from mg_provider.emulator.services.compute.calls import (
    changes,
    compute_state,
    list_answer,
    networks_of,
    new_reference,
    place_of,
    read_labels,
    require_idle,
    set_labels,
    start_operation,
)
from mg_provider.emulator.services.compute.names import LINK_BASE, Reference, parse_reference
from mg_provider.emulator.services.compute.networks import Subnetwork
from mg_provider.emulator.services.compute.operations import RegionalOperation
from mg_provider.emulator.services.compute.state import Address, invalid_field

Json = dict[str, Any]


def find_subnetwork(call: Call, text: str, field: str) -> tuple[Reference, Subnetwork]:
    """The subnetwork that a request names. ApiError when it is in another region or does not exist."""
    reference = parse_reference(text, "subnetworks", call.project_id, call.region)
    if reference is None or reference.region != call.region:
        raise invalid_field(field, text, f"Must be a subnetwork in region {call.region}.")
    number = call.world.project_number(reference.project)
    found = networks_of(call).subnetwork(number, call.region, reference.name)
    if found is None:
        raise errors.not_found(f"The resource '{reference.path}' was not found")
    return reference, found


@changes("compute.addresses.insert")
def insert_address(call: Call) -> Answer:
    """Reserve an internal address for a Private Service Connect endpoint."""
    state, place, body = compute_state(call.world), place_of(call), call.body
    reference = new_reference(call, "addresses")
    if body.get("addressType", "EXTERNAL") != "INTERNAL" or body.get("purpose", "GCE_ENDPOINT") != "GCE_ENDPOINT":
        raise errors.not_emulated("an address other than addressType INTERNAL with purpose GCE_ENDPOINT")
    subnetwork, found = find_subnetwork(call, body.get("subnetwork", "default"), "resource.subnetwork")
    chosen = body.get("address")
    address = Address(
        reference=reference,
        created=call.world.now(),
        ip=state.chosen_ip(found, chosen, "resource.address") if chosen else state.free_ip(found),
        subnetwork=subnetwork,
        details={"description": body["description"]} if "description" in body else {},
        labels=read_labels(body.get("labels", {})),
        network=found.network,
    )
    state.addresses[(*place, reference.name)] = address

    def ready() -> None:
        address.being_made = False

    return start_operation(call, "insert", address, ready, lambda: _forget(call.world, (*place, reference.name)))


def _forget(world: World, key: tuple[str, str, str]) -> None:
    compute_state(world).addresses.pop(key, None)


@handles("compute.addresses.get")
def get_address(call: Call) -> Answer:
    """An address and the rules that have it."""
    state = compute_state(call.world)
    address = state.address(place_of(call), call.path["address"], call.project)
    return Answer(address.body(state.users(address)))


@handles("compute.addresses.list")
def list_addresses(call: Call) -> Answer:
    """The region's addresses."""
    state = compute_state(call.world)
    found = [address for key, address in state.addresses.items() if key[:2] == place_of(call) and state.shows(address)]
    return list_answer(call, "compute#addressList", [address.body(state.users(address)) for address in found])


@changes("compute.addresses.setLabels")
def set_address_labels(call: Call) -> Answer:
    """Replace an address's labels."""
    return set_labels(call, compute_state(call.world).address(place_of(call), call.path["resource"], call.project))


@changes("compute.addresses.delete")
def delete_address(call: Call) -> Answer:
    """Give an address back; refused while a rule has it."""
    state, place = compute_state(call.world), place_of(call)
    address = state.address(place, call.path["address"], call.project)
    require_idle(address)
    if users := state.users(address):
        used = users[0].removeprefix(LINK_BASE)
        raise errors.ApiError(
            "INVALID_ARGUMENT",
            f"The address resource '{address.reference.path}' is already being used by '{used}'",
            reason="resourceInUseByAnotherResource",
        )
    return start_operation(call, "delete", address, lambda: _forget(call.world, (*place, address.reference.name)))


def _operation(call: Call) -> RegionalOperation:
    name = call.path["operation"]
    operation = compute_state(call.world).operations.find(place_of(call), name)
    if operation is None:
        path = f"projects/{call.project}/regions/{call.region}/operations/{name}"
        raise errors.not_found(f"The resource '{path}' was not found")
    return operation


@handles("compute.regionOperations.get", "compute.regionOperations.wait")
def get_operation(call: Call) -> Answer:
    """An operation as it is; ``wait`` may answer before it is done, and here always does so at once."""
    return Answer(_operation(call).body(call.world.now()))


@handles("compute.regionOperations.list")
def list_operations(call: Call) -> Answer:
    """The region's operations."""
    operations = compute_state(call.world).operations.of(place_of(call))
    return list_answer(call, "compute#operationList", [each.body(call.world.now()) for each in operations])


@counts_resources
def _resources(world: World) -> Iterable[Entry]:
    for address in compute_state(world).addresses.values():
        created, labels = timestamp(address.created), dict(address.labels)
        yield Entry("compute.Address", address.reference.path, created, labels, {"address": address.ip})
