"""Where private addresses are taken, and which projects may connect to them."""

from __future__ import annotations

from collections.abc import Iterator

import pulumi
from pydantic import Field

from mg_provider.components.psc_network import check_names, check_ranges
from mg_provider.components.vpc_sc_allowlist import check_allowlist
from mg_provider.environment.sections import Section, in_one_line


class MadeNetwork(Section):
    """A network that this stack makes."""

    name: str = Field(default="models", description="Name of the network; its subnetworks start with it.")
    ranges: dict[str, str] = Field(description="Range of the subnetwork by region, such as us-central1: 10.20.0.0/24.")
    dns_name: str | None = Field(default=None, description="DNS name of a private zone, such as models.internal.")
    project: str | None = Field(default=None, description="Project of the network. Default: the stack's.")

    def problems(self) -> Iterator[str]:
        """Names and ranges of which no network can be made."""
        try:
            check_ranges(self.ranges)
            check_names(self.name, self.ranges, self.dns_name)
        except pulumi.RunError as error:
            yield in_one_line(error)


class ExistingNetwork(Section):
    """A network that exists."""

    network: str = Field(description="Its name.")
    project: str | None = Field(
        default=None, description="Its project; for a Shared VPC, the host project. Default: the stack's."
    )
    subnetworks: dict[str, str] = Field(min_length=1, description="Name of the subnetwork by region.")
    dns_zone: str | None = Field(default=None, description="Name of a private zone that exists.")
    dns_name: str | None = Field(default=None, description="The zone's DNS name.")
    look_up: bool = Field(default=True, description="Check in previews that network and subnetworks exist.")

    def problems(self) -> Iterator[str]:
        """Half a zone."""
        if bool(self.dns_zone) != bool(self.dns_name):
            yield "dns_zone and dns_name go together: give both, or none"


class StackNetwork(Section):
    """A network of another stack."""

    stack: str = Field(description="The other stack: organization/project/stack.")
    output: str = Field(default="network", description="Its output that is the `description` of a PscNetwork.")


class NetworkConfig(Section):
    """Where private addresses are taken: exactly one of create, existing and stack."""

    create: MadeNetwork | None = Field(default=None, description="A network that this stack makes.")
    existing: ExistingNetwork | None = Field(default=None, description="A network that exists.")
    stack: StackNetwork | None = Field(default=None, description="A network of another stack.")
    dns_records: bool | None = Field(
        default=None,
        description="Give each private model and endpoint a DNS record. Default: if the network is known to have a "
        "zone. Set it to true for the network of another stack that has one.",
    )

    def problems(self) -> Iterator[str]:
        """Several networks, or none; records without a zone."""
        if sum(each is not None for each in (self.create, self.existing, self.stack)) != 1:
            yield "has none or several of create, existing and stack: give exactly one"
        elif self.dns_records and self.stack is None and not self._zone:
            yield "dns_records is true, but the network has no zone: give it a dns_name, or remove the line"

    @property
    def _zone(self) -> str | None:
        """The zone that it is known to have."""
        return (self.create and self.create.dns_name) or (self.existing and self.existing.dns_zone) or None

    @property
    def has_records(self) -> bool:
        """Whether private models get a name; of another stack's network only the user can say if it has a zone."""
        return bool(self._zone) if self.dns_records is None else self.dns_records

    def lacks(self, region: str) -> bool:
        """Whether it is known to have no subnetwork in a region."""
        known = self.create.ranges if self.create else self.existing.subnetworks if self.existing else None
        return known is not None and region not in known

    def range_in(self, region: str) -> str | None:
        """The range of a region's subnetwork, where it is known."""
        return self.create.ranges.get(region) if self.create else None


class AllowlistConfig(Section):
    """The projects that may connect, and the perimeter that they are held against."""

    projects: list[str] = Field(min_length=1, description="Ids of the projects whose forwarding rules may connect.")
    perimeter_projects: list[str] | None = Field(
        default=None, description="Ids of the projects in the perimeter. Checked without the network."
    )
    perimeter: str | None = Field(
        default=None,
        description="accessPolicies/{policy}/servicePerimeters/{name}. Its projects are looked up, in previews too.",
    )
    add_to_perimeter: list[str] = Field(default=[], description="Those of `projects` to put into the perimeter.")

    def problems(self) -> Iterator[str]:
        """Projects outside of the perimeter, and what is not a project."""
        try:
            check_allowlist(self.projects, self.perimeter_projects, self.perimeter, self.add_to_perimeter)
        except pulumi.RunError as error:
            yield in_one_line(error).removeprefix("allowlist: ")
