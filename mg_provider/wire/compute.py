"""Compute Engine: addresses, forwarding rules, and what is looked up around them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from mg_provider.wire.base import Int64, Page, WireModel, output


class PscConnectionStatus(StrEnum):
    """What the producer thinks of a forwarding rule's connection."""

    STATUS_UNSPECIFIED = "STATUS_UNSPECIFIED"
    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    CLOSED = "CLOSED"
    NEEDS_ATTENTION = "NEEDS_ATTENTION"


def is_accepted(status: str | None) -> bool:
    """Whether the producer lets the connection through; Google may say with what limits, after the word."""
    return (status or "").startswith(PscConnectionStatus.ACCEPTED)


class Address(WireModel):
    """A reserved IP address. For a service attachment: INTERNAL, purpose GCE_ENDPOINT, in a subnetwork."""

    name: str | None = Field(default=None, description="Name, RFC 1035: at most 63 of a-z, 0-9 and -, letter first.")
    description: str | None = Field(default=None, description="Free text.")
    address: str | None = Field(default=None, description="The IP address; a free one of the subnetwork when absent.")
    address_type: str | None = Field(default=None, description="INTERNAL for a private address.")
    purpose: str | None = Field(default=None, description="GCE_ENDPOINT for a regional forwarding rule.")
    subnetwork: str | None = Field(default=None, description="Subnetwork that the address is taken from.")
    network: str | None = Field(default=None, description="Network, for purposes that take no subnetwork.")
    network_tier: str | None = Field(default=None, description="PREMIUM or STANDARD, for external addresses.")
    ip_version: str | None = Field(default=None, description="IPV4 or IPV6.")
    prefix_length: int | None = Field(default=None, description="Length of the prefix, for a range.")
    labels: dict[str, str] | None = Field(default=None, description="Labels to find and to bill by.")
    label_fingerprint: str | None = None
    id: Int64 | None = output()
    creation_timestamp: str | None = output()
    region: str | None = output()
    self_link: str | None = output()
    status: str | None = output("RESERVING, RESERVED or IN_USE.")
    users: list[str] | None = output()


class AddressList(Page):
    """A page of addresses."""

    items: list[Address] = Field(default_factory=list)


class ServiceDirectoryRegistration(WireModel):
    """A Service Directory entry for a forwarding rule (Google's ForwardingRuleServiceDirectoryRegistration)."""

    namespace: str | None = Field(default=None, description="Service Directory namespace.")
    service: str | None = Field(default=None, description="Service Directory service.")
    service_directory_region: str | None = Field(
        default=None, description="Service Directory region, for global forwarding rules."
    )


class ForwardingRule(WireModel):
    """A forwarding rule to a service attachment. The target cannot be changed once it is a service attachment."""

    name: str | None = Field(default=None, description="Name, RFC 1035: at most 63 of a-z, 0-9 and -, letter first.")
    description: str | None = Field(default=None, description="Free text.")
    ip_address: str | None = Field(
        default=None, alias="IPAddress", description="Reserved address, by IP or by resource name."
    )
    network: str | None = Field(default=None, description="Network that the rule belongs to.")
    subnetwork: str | None = Field(default=None, description="Subnetwork that the address belongs to.")
    target: str | None = Field(default=None, description="Service attachment, in the rule's own region.")
    allow_psc_global_access: bool | None = Field(
        default=None, description="Let clients in other regions of the network connect."
    )
    no_automate_dns_zone: bool | None = Field(default=None, description="Do not make a DNS zone automatically.")
    service_directory_registrations: list[ServiceDirectoryRegistration] | None = Field(
        default=None, description="Service Directory entry; at most one."
    )
    ip_version: str | None = Field(default=None, description="IPV4 or IPV6.")
    labels: dict[str, str] | None = Field(default=None, description="Labels to find and to bill by.")
    label_fingerprint: str | None = None
    fingerprint: str | None = None
    load_balancing_scheme: str | None = Field(default=None, description="Left out for a service attachment.")
    id: Int64 | None = output()
    creation_timestamp: str | None = output()
    region: str | None = output()
    self_link: str | None = output()
    psc_connection_id: Int64 | None = output()
    psc_connection_status: Annotated[PscConnectionStatus | str, Field(union_mode="left_to_right")] | None = output()


class ForwardingRuleList(Page):
    """A page of forwarding rules."""

    items: list[ForwardingRule] = Field(default_factory=list)


class SetLabelsRequest(WireModel):
    """New labels, and the fingerprint of the ones they replace."""

    labels: dict[str, str]
    label_fingerprint: str


class ComputeOperationError(WireModel):
    """One reason of a failed operation."""

    code: str | None = None
    message: str | None = None
    location: str | None = None
    error_details: list[dict[str, Any]] | None = None


class ComputeOperationErrors(WireModel):
    """Why an operation failed."""

    errors: list[ComputeOperationError] = Field(default_factory=list)


class ComputeOperation(WireModel):
    """A Compute operation: PENDING, RUNNING or DONE; failed if DONE with an error."""

    name: str
    id: Int64 | None = None
    operation_type: str | None = None
    status: str | None = None
    status_message: str | None = None
    progress: int | None = None
    error: ComputeOperationErrors | None = None
    http_error_status_code: int | None = None
    http_error_message: str | None = None
    warnings: list[dict[str, Any]] | None = None
    target_id: Int64 | None = None
    target_link: str | None = None
    region: str | None = None
    zone: str | None = None
    self_link: str | None = None
    client_operation_id: str | None = None
    insert_time: str | None = None
    start_time: str | None = None
    end_time: str | None = None

    @property
    def done(self) -> bool:
        """Whether it has ended, well or badly."""
        return self.status == "DONE"


class ComputeOperationList(Page):
    """A page of operations."""

    items: list[ComputeOperation] = Field(default_factory=list)


class Network(WireModel):
    """A VPC network."""

    name: str | None = None
    id: Int64 | None = output()
    self_link: str | None = None
    auto_create_subnetworks: bool | None = None
    mtu: int | None = None
    subnetworks: list[str] | None = None


class Subnetwork(WireModel):
    """A subnetwork: ip_cidr_range is what an internal address is taken from."""

    name: str | None = None
    id: Int64 | None = output()
    network: str | None = None
    region: str | None = None
    ip_cidr_range: str | None = None
    gateway_address: str | None = output()
    purpose: str | None = None
    role: str | None = None
    stack_type: str | None = None
    state: str | None = output()
    private_ip_google_access: bool | None = None
    self_link: str | None = None


class Accelerator(WireModel):
    """Accelerators that belong to a machine type."""

    guest_accelerator_type: str | None = None
    guest_accelerator_count: int | None = None


class MachineType(WireModel):
    """A machine type in a zone; memory in MB."""

    name: str | None = None
    id: Int64 | None = None
    description: str | None = None
    guest_cpus: int | None = None
    memory_mb: int | None = None
    accelerators: list[Accelerator] | None = None
    zone: str | None = None
    architecture: str | None = None
    is_shared_cpu: bool | None = None
    self_link: str | None = None
