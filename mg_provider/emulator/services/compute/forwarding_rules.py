"""Compute Engine's regional forwarding rules, as far as they connect to a service attachment."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from mg_provider.emulator.core.clock import timestamp
from mg_provider.emulator.core.ledger import Entry, counts_resources
from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.core.world import World
from mg_provider.emulator.google import errors
from mg_provider.emulator.services.compute.addresses import find_subnetwork
from mg_provider.emulator.services.compute.calls import (
    changes,
    compute_state,
    list_answer,
    networks_of,
    new_reference,
    place_of,
    require_idle,
    set_labels,
    start_operation,
)
from mg_provider.emulator.services.compute.names import Reference, parse_reference
from mg_provider.emulator.services.compute.operations import PENDING_SECONDS, RUNNING_SECONDS
from mg_provider.emulator.services.compute.state import Address, ForwardingRule, invalid_field
from mg_provider.emulator.services.service_attachments import service_attachments

Json = dict[str, Any]

GOOGLES_NAMESPACE = "goog-psc-default"
_IP_ADDRESS = re.compile(r"\d+(\.\d+){3}")
_NOT_FOR_PSC = ("IPProtocol", "ports", "portRange", "allPorts", "loadBalancingScheme", "backendService")
# What a rule shows as Compute Engine writes it, not as it was sent.
_REWRITTEN = ("name", "IPAddress", "target", "network", "subnetwork", "labels")
_PATCHABLE = ("allowPscGlobalAccess", "networkTier")


@changes("compute.forwardingRules.insert")
def insert_rule(call: Call) -> Answer:
    """Connect an internal address to a service attachment."""
    state, body = compute_state(call.world), call.body
    reference = new_reference(call, "forwardingRules")
    _refuse_load_balancing(body)
    _refuse_own_namespace(call)
    target, network = _target(call), _network(call)
    ip, subnetwork = _ip_address(call, network)
    rule = ForwardingRule(
        reference=reference,
        project_number=call.number,
        created=call.world.now(),
        ip=ip,
        target=target,
        network=network,
        details=_details(call),
        labels={},
        subnetwork=subnetwork,
        generation=service_attachments(call.world).generation(target.path),
        settled=call.world.now() + PENDING_SECONDS + RUNNING_SECONDS + call.world.behaviours["psc_pending_seconds"],
    )
    key = (*place_of(call), reference.name)
    state.rules[key] = rule

    def live() -> None:
        rule.being_made = False
        call.world.listeners.open(rule.ip, rule.target.path)

    return start_operation(call, "createRegionPscForwardingRule", rule, live, lambda: _forget(call.world, key))


def _details(call: Call) -> Json:
    dropped = {*_NOT_FOR_PSC, *_REWRITTEN}
    if call.world.behaviours["psc_description"] == "dropped":
        dropped.add("description")
    details = {name: value for name, value in call.body.items() if name not in dropped}
    if call.world.behaviours["service_directory"] == "always":
        details.setdefault("serviceDirectoryRegistrations", [{"namespace": GOOGLES_NAMESPACE}])
    return details


def _forget(world: World, key: tuple[str, str, str]) -> None:
    rule = compute_state(world).rules.pop(key, None)
    if rule is not None:
        world.listeners.close(rule.ip)


def _refuse_load_balancing(body: Json) -> None:
    for name in _NOT_FOR_PSC:
        if body.get(name):
            wanted = "Must not be set on a forwarding rule whose target is a service attachment."
            raise invalid_field(f"resource.{name}", body[name], wanted)
    if body.get("labels"):
        # hashicorp/terraform-provider-google issue 16255, and what its provider does since: labels are set afterwards.
        wanted = "Invalid field set in Private Service Connect Forwarding Rule. This field should not be set."
        raise invalid_field("resource.labels", "", wanted)
    if len(body.get("serviceDirectoryRegistrations", ())) > 1:
        raise invalid_field("resource.serviceDirectoryRegistrations", "", "There is at most one.")


def _refuse_own_namespace(call: Call) -> None:
    """Of a Service Directory namespace of one's own, on a rule to a published service; the words are the emulator's."""
    if call.world.behaviours["own_service_directory"] != "refuse":
        return
    for entry in call.body.get("serviceDirectoryRegistrations", ()):
        if entry.get("namespace", GOOGLES_NAMESPACE) != GOOGLES_NAMESPACE or entry.get("service"):
            wanted = "It cannot be chosen for a forwarding rule whose target is a service attachment."
            raise invalid_field("resource.serviceDirectoryRegistrations[0].namespace", entry.get("namespace"), wanted)


def _target(call: Call) -> Reference:
    text = call.body.get("target", "")
    target = parse_reference(text, "serviceAttachments", call.project_id, call.region) if text else None
    if target is None:
        raise invalid_field("resource.target", text, "The URL of a service attachment is needed; no other is emulated.")
    if target.region != call.region:
        wanted = f"The service attachment must be in the region of the forwarding rule, {call.region}."
        raise invalid_field("resource.target", text, wanted)
    if not service_attachments(call.world).exists(target.path):
        raise invalid_field("resource.target", text, "The service attachment does not exist.")
    return target


def _network(call: Call) -> Reference:
    text = call.body.get("network", "")
    reference = parse_reference(text or "default", "networks", call.project_id, "")
    if reference is None:
        raise invalid_field("resource.network", text, "Must be the URL of a network.")
    if not networks_of(call).has_network(call.world.project_number(reference.project), reference.name):
        raise errors.not_found(f"The resource '{reference.path}' was not found")
    return reference


def _ip_address(call: Call, network: Reference) -> tuple[str, Reference | None]:
    """The rule's address and subnetwork: a reserved address, a literal one, or the next free one of the subnetwork."""
    state, text = compute_state(call.world), call.body.get("IPAddress", "")
    if text and not _IP_ADDRESS.fullmatch(text):
        return _reserved_address(call, text, network).ip, None
    reserved = next((each for each in state.addresses.values() if each.ip == text), None) if text else None
    if reserved is not None:
        return _usable(reserved, text, network).ip, None
    subnetwork, found = find_subnetwork(call, call.body.get("subnetwork", "default"), "resource.subnetwork")
    if found.network not in {None, network.name}:
        raise invalid_field("resource.subnetwork", subnetwork.path, f"It is not in network '{network.name}'.")
    ip = state.chosen_ip(found, text, "resource.IPAddress") if text else state.free_ip(found)
    return ip, subnetwork


def _reserved_address(call: Call, text: str, network: Reference) -> Address:
    reference = parse_reference(text, "addresses", call.project_id, call.region)
    if reference is None or reference.region != call.region:
        raise invalid_field("resource.IPAddress", text, f"Must be an address in region {call.region}.")
    if call.world.project_number(reference.project) != call.number:
        wanted = "Must be an address in the project of the forwarding rule."
        raise invalid_field("resource.IPAddress", text, wanted)
    place = (call.world.project_number(reference.project), call.region)
    address = compute_state(call.world).addresses.get((*place, reference.name))
    if address is None:
        raise errors.not_found(f"The resource '{reference.path}' was not found")
    if compute_state(call.world).users(address):
        wanted = "Specified IP address is in-use and would result in a conflict."
        raise invalid_field("resource.IPAddress", address.ip, wanted)
    return _usable(address, text, network)


def _usable(address: Address, text: str, network: Reference) -> Address:
    require_idle(address)
    if address.network not in {None, network.name}:
        wanted = f"The address is in network '{address.network}', the forwarding rule in '{network.name}'."
        raise invalid_field("resource.IPAddress", text, wanted)
    return address


def _shown(call: Call, rule: ForwardingRule) -> Json:
    body = rule.body(service_attachments(call.world), call.world.behaviours["unlisted_project"], call.world.now())
    if call.world.behaviours["psc_automated_dns"] == "hidden":
        body.pop("noAutomateDnsZone", None)
    return body


@handles("compute.forwardingRules.get")
def get_rule(call: Call) -> Answer:
    """A rule and how the producer sees its connection."""
    rule = compute_state(call.world).rule(place_of(call), call.path["forwardingRule"], call.project)
    return Answer(_shown(call, rule))


@handles("compute.forwardingRules.list")
def list_rules(call: Call) -> Answer:
    """The region's forwarding rules."""
    state = compute_state(call.world)
    rules = [rule for key, rule in state.rules.items() if key[:2] == place_of(call) and state.shows(rule)]
    return list_answer(call, "compute#forwardingRuleList", [_shown(call, rule) for rule in rules])


@changes("compute.forwardingRules.setLabels")
def set_rule_labels(call: Call) -> Answer:
    """Replace a rule's labels."""
    return set_labels(call, compute_state(call.world).rule(place_of(call), call.path["resource"], call.project))


@changes("compute.forwardingRules.patch")
def patch_rule(call: Call) -> Answer:
    """Change global access; everything else that differs is refused.

    The discovery document names ``networkTier`` alone as patchable, gcloud 528 patches ``allowPscGlobalAccess``: both
    are taken, unless the behaviour ``patch_global_access`` is ``refuse``.
    """
    rule = compute_state(call.world).rule(place_of(call), call.path["forwardingRule"], call.project)
    present = _shown(call, rule)
    if call.body.get("fingerprint", rule.fingerprint) != rule.fingerprint:
        raise errors.ApiError("FAILED_PRECONDITION", "Invalid fingerprint.", status=412, reason="conditionNotMet")
    refused = {"allowPscGlobalAccess"} if call.world.behaviours["patch_global_access"] == "refuse" else set()
    for name, value in call.body.items():
        if name not in set(_PATCHABLE) - refused and name != "fingerprint" and present.get(name) != value:
            raise invalid_field(f"resource.{name}", value, "The field cannot be changed by patch.")
    require_idle(rule)
    changed = {name: call.body[name] for name in ("allowPscGlobalAccess",) if name in call.body}

    def apply() -> None:
        rule.details = {**rule.details, **changed}

    return start_operation(call, "patch", rule, apply)


@changes("compute.forwardingRules.delete")
def delete_rule(call: Call) -> Answer:
    """Take the connection down; its address is free again when the operation is done."""
    place = place_of(call)
    rule = compute_state(call.world).rule(place, call.path["forwardingRule"], call.project)
    require_idle(rule)
    return start_operation(
        call, "deleteRegionPscForwardingRule", rule, lambda: _forget(call.world, (*place, rule.reference.name))
    )


@handles("compute.serviceAttachments.get")
def get_service_attachment(call: Call) -> Answer:
    """Refused: the attachments of endpoints are in tenant projects of Google's, which no consumer may read."""
    path = f"projects/{call.project}/regions/{call.region}/serviceAttachments/{call.path['serviceAttachment']}"
    raise errors.ApiError(
        "PERMISSION_DENIED", f"Required 'compute.serviceAttachments.get' permission for '{path}'", reason="forbidden"
    )


@counts_resources
def _resources(world: World) -> Iterable[Entry]:
    for rule in compute_state(world).rules.values():
        status = rule.connection_status(service_attachments(world), world.behaviours["unlisted_project"], world.now())
        details = {"address": rule.ip, "leads to": rule.target.path, "connection": status}
        yield Entry("compute.ForwardingRule", rule.reference.path, timestamp(rule.created), dict(rule.labels), details)
