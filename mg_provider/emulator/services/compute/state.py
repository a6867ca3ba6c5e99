"""Internal addresses and Private Service Connect forwarding rules, as Compute Engine keeps them. No HTTP here."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

from mg_provider.emulator.google import errors
from mg_provider.emulator.services.compute.names import (
    LINK_BASE,
    Reference,
    fingerprint,
    label_fingerprint,
    numeric_id,
    pacific_timestamp,
)
from mg_provider.emulator.services.compute.networks import Networks, Subnetwork
from mg_provider.emulator.services.compute.operations import Place, RegionalOperations
from mg_provider.emulator.services.service_attachments import ServiceAttachments

Json = dict[str, Any]


@dataclass
class Address:
    """A reserved internal address."""

    reference: Reference
    created: float
    ip: str
    subnetwork: Reference
    details: Json
    labels: dict[str, str]
    network: str | None
    busy: bool = True
    """An operation on it is under way."""
    being_made: bool = True

    @property
    def id(self) -> str:
        """The resource's number."""
        return numeric_id(self.reference.path, self.created)

    def body(self, users: list[str]) -> Json:
        """The address as ``compute.v1`` shows it; ``users`` are links to the rules that have it."""
        status = "RESERVING" if self.being_made else "IN_USE" if users else "RESERVED"
        body = {
            "description": "",
            **self.details,
            "kind": "compute#address",
            "id": self.id,
            "creationTimestamp": pacific_timestamp(self.created),
            "name": self.reference.name,
            "address": self.ip,
            "addressType": "INTERNAL",
            "purpose": "GCE_ENDPOINT",
            "networkTier": "PREMIUM",
            "status": status,
            "region": region_link(self.reference),
            "subnetwork": self.subnetwork.link,
            "selfLink": self.reference.link,
            "labelFingerprint": label_fingerprint(self.labels),
        }
        if self.labels:
            body["labels"] = self.labels
        return {**body, "users": users} if users else body


@dataclass
class ForwardingRule:
    """A consumer's end of a Private Service Connect connection."""

    reference: Reference
    project_number: str
    created: float
    ip: str
    target: Reference
    network: Reference
    details: Json
    labels: dict[str, str]
    subnetwork: Reference | None = None
    generation: int | None = None
    """Which service attachment of the target's name it was connected to."""
    busy: bool = True
    being_made: bool = True
    settled: float = 0.0
    """When the producer has noticed it; until then its connection is PENDING."""

    @property
    def id(self) -> str:
        """The resource's number."""
        return numeric_id(self.reference.path, self.created)

    @property
    def fingerprint(self) -> str:
        """Changes with what ``patch`` can change."""
        return fingerprint(self.details)

    def connection_status(self, attachments: ServiceAttachments, unlisted: str, now: float) -> str:
        """How the producer sees the connection.

        CLOSED once the attachment is gone, for good: another one of that name would be another attachment. A consumer
        that is not on the accept list is ``unlisted``; by "About accessing published services through endpoints",
        connection statuses, read 2026-11, it waits (PENDING) until it is put there.
        """
        if attachments.generation(self.target.path) != self.generation:
            return "CLOSED"
        if now < self.settled:
            return "PENDING"
        return "ACCEPTED" if attachments.accepts(self.target.path, self.project_number) else unlisted

    def body(self, attachments: ServiceAttachments, unlisted: str, now: float) -> Json:
        """The rule as ``compute.v1`` shows it."""
        body = {
            "allowPscGlobalAccess": False,
            **self.details,
            "kind": "compute#forwardingRule",
            "id": self.id,
            "creationTimestamp": pacific_timestamp(self.created),
            "name": self.reference.name,
            "IPAddress": self.ip,
            "region": region_link(self.reference),
            "target": self.target.link,
            "network": self.network.link,
            "selfLink": self.reference.link,
            "networkTier": "PREMIUM",
            "labelFingerprint": label_fingerprint(self.labels),
            "fingerprint": self.fingerprint,
            "pscConnectionId": numeric_id("connection", self.id),
            "pscConnectionStatus": self.connection_status(attachments, unlisted, now),
        }
        if self.labels:
            body["labels"] = self.labels
        return {**body, "subnetwork": self.subnetwork.link} if self.subnetwork else body


class ComputeState:
    """Everything of Compute Engine, by project number and region."""

    def __init__(self) -> None:
        self.networks = Networks()
        self.addresses: dict[tuple[str, str, str], Address] = {}
        self.rules: dict[tuple[str, str, str], ForwardingRule] = {}
        self.operations = RegionalOperations()
        self.hides = False
        """Whether what is being made is not there for callers."""

    def shows(self, resource: Address | ForwardingRule) -> bool:
        """Whether a caller finds it."""
        return not (resource.being_made and self.hides)

    def users(self, address: Address) -> list[str]:
        """Links to the rules that have the address."""
        return [rule.reference.link for rule in self.rules.values() if rule.ip == address.ip]

    def rule_at(self, ip: str) -> ForwardingRule | None:
        """The rule that answers on a private address."""
        return next((rule for rule in self.rules.values() if rule.ip == ip), None)

    def taken(self, ip: str) -> bool:
        """Whether an address or a rule has it."""
        return any(address.ip == ip for address in self.addresses.values()) or self.rule_at(ip) is not None

    def free_ip(self, subnetwork: Subnetwork) -> str:
        """The lowest free one of the range."""
        for candidate in subnetwork.ip_range:
            if subnetwork.usable(candidate) and not self.taken(str(candidate)):
                return str(candidate)
        raise errors.ApiError(
            "RESOURCE_EXHAUSTED",
            f"IP space of '{subnetwork.name}' is exhausted.",
            status=400,
            reason="ipSpaceExhausted",
        )

    def chosen_ip(self, subnetwork: Subnetwork, text: str, field_name: str) -> str:
        """``text``, if it is a free address of the range."""
        try:
            address = ipaddress.IPv4Address(text)
        except ipaddress.AddressValueError:
            raise invalid_field(field_name, text, "Must be a valid IPv4 address.") from None
        if not subnetwork.usable(address):
            wanted = f"Must be inside the subnetwork's range {subnetwork.ip_range} and none of its reserved addresses."
            raise invalid_field(field_name, text, wanted)
        if self.taken(text):
            raise invalid_field(field_name, text, "Specified IP address is in-use and would result in a conflict.")
        return text

    def address(self, place: Place, name: str, project: str) -> Address:
        """The address of that name. ApiError when there is none: with the ``project`` as asked."""
        found = self.addresses.get((*place, name))
        if found is None or not self.shows(found):
            raise _missing(project, place, "addresses", name)
        return found

    def rule(self, place: Place, name: str, project: str) -> ForwardingRule:
        """The forwarding rule of that name. ApiError when there is none: with the ``project`` as asked."""
        found = self.rules.get((*place, name))
        if found is None or not self.shows(found):
            raise _missing(project, place, "forwardingRules", name)
        return found


def _missing(project: str, place: Place, collection: str, name: str) -> errors.ApiError:
    return errors.not_found(f"The resource 'projects/{project}/regions/{place[1]}/{collection}/{name}' was not found")


def invalid_field(name: str, value: object, wanted: str) -> errors.ApiError:
    """A field of the request is wrong, in Compute Engine's words."""
    return errors.ApiError(
        "INVALID_ARGUMENT", f"Invalid value for field '{name}': '{value}'. {wanted}", reason="invalid"
    )


def region_link(reference: Reference) -> str:
    """The region's URL."""
    return f"{LINK_BASE}projects/{reference.project}/regions/{reference.region}"
