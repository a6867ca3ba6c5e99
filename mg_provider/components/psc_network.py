"""``PscNetwork``: the network in which private addresses of endpoints are taken."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from itertools import combinations
from typing import Any, TypedDict

import pulumi

from mg_provider.components.common import (
    DNS_NAME,
    TYPE_PREFIX,
    child_options,
    configured_project,
    google,
    refuse,
    refuse_empty,
)
from mg_provider.data import is_region
from mg_provider.resources.dynamic.spelling import KnownArguments
from mg_provider.resources.model.identity import COMPUTE_NAME

SMALLEST_PREFIX = 29
"""Compute Engine's subnetworks have at least eight addresses."""


class ExistingNetworkInput(TypedDict, total=False):
    """A network that somebody else made.

    Attributes:
        network: Its name.
        project: Its project; for a Shared VPC the host project. Default: the configured one.
        subnetworks: Region to name of subnetwork.
        dns_zone: Name of a private DNS zone.
        dns_name: The zone's DNS name, such as ``models.internal.``
        look_up: Ask Compute Engine in previews too whether they exist, and whether addresses are available there, which
            takes credentials. Default: true.
    """

    network: str
    project: str
    subnetworks: Mapping[str, str]
    dns_zone: str
    dns_name: str
    look_up: bool


class StackNetworkInput(TypedDict, total=False):
    """A network that another stack made.

    Attributes:
        stack: That stack, ``organization/project/stack``.
        output: Which of its outputs is the ``description`` of a PscNetwork. Default: ``network``.
    """

    stack: str
    output: str


class PscNetwork(pulumi.ComponentResource, metaclass=KnownArguments):
    """A network with a subnetwork in each region and a private DNS zone: made here, there already, or another stack's.

    Give exactly one of ``ranges``, ``existing`` and ``stack``. Resources that use it take it into ``depends_on``.

    IAM: to make it ``compute.networks.create``, ``compute.subnetworks.create``, ``dns.managedZones.create``
    (roles/compute.networkAdmin, roles/dns.admin); to look it up ``compute.subnetworks.get``.

    Args:
        name: Name of the resource; network, subnetworks and zone are called after it.
        ranges: Region to IPv4 range, such as ``10.20.0.0/24``, of the subnetworks to make. They may not overlap.
        dns_name: DNS name of a private zone to make for the network, such as ``models.internal``.
        existing: A network that is there already.
        stack: A network of another stack.
        project: Project of a network that is made; default from configuration.
        opts: Pulumi's options.

    Attributes:
        network: ``projects/{project}/global/networks/{name}``.
        subnetworks: Region to ``projects/{project}/regions/{region}/subnetworks/{name}``.
        dns_zone: Name of the private zone; empty where there is none.
        dns_name: Its DNS name with the dot at the end; empty where there is none.
        description: All of that with ``project``; export it for other stacks.
        looked_up: Whether previews ask Compute Engine about it.

    Raises:
        RunError: not exactly one of the three is given, or a range cannot be used.
    """

    network: pulumi.Output[str]
    subnetworks: pulumi.Output[Mapping[str, str]]
    dns_zone: pulumi.Output[str]
    dns_name: pulumi.Output[str]
    project: pulumi.Output[str]
    description: pulumi.Output[Mapping[str, Any]]

    def __init__(
        self,
        name: str,
        *,
        ranges: Mapping[str, str] | None = None,
        dns_name: str | None = None,
        existing: ExistingNetworkInput | None = None,
        stack: StackNetworkInput | None = None,
        project: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(TYPE_PREFIX + "PscNetwork", name, None, opts)
        refuse_empty(f"PscNetwork {name}", ranges=ranges, existing=existing, stack=stack)
        if sum(value is not None for value in (ranges, existing, stack)) != 1:
            refuse(f"PscNetwork {name}", "needs exactly one of ranges, existing and stack", "give one of them")
        self.looked_up = existing is not None and existing.get("look_up", True)
        described: pulumi.Output[Mapping[str, Any]]
        if ranges is not None:
            described = pulumi.Output.from_input(self._make(name, ranges, dns_name, configured_project(project)))
        elif existing is not None:
            described = self._find(name, existing)
        else:
            described = self._refer(name, stack or {})
        self.description = described
        self.network = described.apply(lambda value: str(value["network"]))
        self.subnetworks = described.apply(lambda value: dict(value["subnetworks"]))
        self.dns_zone = described.apply(lambda value: str(value.get("dns_zone") or ""))
        self.dns_name = described.apply(lambda value: str(value.get("dns_name") or ""))
        self.project = described.apply(lambda value: str(value["project"]))
        self.register_outputs({"description": described})

    def subnetwork(self, region: str) -> pulumi.Output[str]:
        """The subnetwork of a region; the program ends with an error where the network has none there."""

        def find(subnetworks: Mapping[str, str]) -> str:
            if region not in subnetworks:
                there = ", ".join(sorted(subnetworks)) or "none"
                refuse(f"network: no subnetwork in {region}", f"(there is one in {there})", f"add one for {region}")
            return subnetworks[region]

        return self.subnetworks.apply(find)

    def _make(self, name: str, ranges: Mapping[str, str], dns_name: str | None, project: str) -> dict[str, Any]:
        check_ranges(ranges)
        check_names(name, ranges, dns_name)
        network = google("compute", "Network")(
            name, name=name, auto_create_subnetworks=False, project=project, opts=child_options(self)
        )
        subnetworks = {}
        for region, ip_range in ranges.items():
            google("compute", "Subnetwork")(
                f"{name}-{region}",
                name=f"{name}-{region}",
                network=network.id,
                region=region,
                ip_cidr_range=ip_range,
                private_ip_google_access=True,
                project=project,
                opts=child_options(self),
            )
            subnetworks[region] = f"projects/{project}/regions/{region}/subnetworks/{name}-{region}"
        described = {
            "project": project,
            "network": f"projects/{project}/global/networks/{name}",
            "subnetworks": subnetworks,
        }
        if not dns_name:
            return described
        google("dns", "ManagedZone")(
            name,
            name=name,
            dns_name=with_dot(dns_name),
            description="Private endpoints of models",
            visibility="private",
            private_visibility_config={"networks": [{"network_url": network.id}]},
            project=project,
            opts=child_options(self),
        )
        return {**described, "dns_zone": name, "dns_name": with_dot(dns_name)}

    def _find(self, name: str, existing: ExistingNetworkInput) -> pulumi.Output[Mapping[str, Any]]:
        network, subnetworks = existing.get("network"), existing.get("subnetworks")
        if not network or not subnetworks:
            refuse(f"PscNetwork {name}", "names no network or no subnetworks", "give existing network and subnetworks")
        if bool(existing.get("dns_zone")) != bool(existing.get("dns_name")):
            refuse(f"PscNetwork {name}", "has only one of dns_zone and dns_name", "give both, or none")
        project = configured_project(existing.get("project"))
        described = {
            "project": project,
            "network": f"projects/{project}/global/networks/{network}",
            "subnetworks": {
                region: f"projects/{project}/regions/{region}/subnetworks/{subnetwork}"
                for region, subnetwork in subnetworks.items()
            },
            "dns_zone": existing.get("dns_zone", ""),
            "dns_name": with_dot(existing["dns_name"]) if existing.get("dns_name") else "",
        }
        if not self.looked_up:
            return pulumi.Output.from_input(described)
        options = pulumi.InvokeOptions(parent=self)
        found: list[Any] = [google("compute", "get_network_output")(name=network, project=project, opts=options)]
        found += [
            google("compute", "get_subnetwork_output")(name=subnetwork, region=region, project=project, opts=options)
            for region, subnetwork in subnetworks.items()
        ]
        return pulumi.Output.all(*found).apply(lambda _: described)

    def _refer(self, name: str, stack: StackNetworkInput) -> pulumi.Output[Mapping[str, Any]]:
        if not stack.get("stack"):
            refuse(f"PscNetwork {name}", "names no stack", "give stack: organization/project/stack")
        output = stack.get("output", "network")

        def described(value: Any) -> Mapping[str, Any]:
            if not isinstance(value, Mapping) or not {"project", "network", "subnetworks"} <= value.keys():
                refuse(
                    f"stack {stack['stack']}",
                    f"has no output {output} that describes a network",
                    "export the `description` of a PscNetwork there, and run `pulumi up`",
                )
            return value

        reference = pulumi.StackReference(stack["stack"], opts=pulumi.ResourceOptions(parent=self))
        return reference.get_output(output).apply(described)


def check_ranges(ranges: Mapping[str, str]) -> None:
    """Refuse ranges that are not IPv4 ranges, too small, in no region, or that overlap.

    Raises:
        RunError: with the region or regions in question.
    """
    if not ranges:
        refuse("ranges", "is empty", "name a region and its range, such as us-central1: 10.20.0.0/24")
    parsed = {region: _range(region, text) for region, text in ranges.items()}
    for (one, first), (other, second) in combinations(parsed.items(), 2):
        if first.overlaps(second):
            refuse(
                f"ranges of {one} and {other}", f"overlap ({first}, {second})", "give each region a range of its own"
            )


def _range(region: str, text: str) -> ipaddress.IPv4Network:
    if not is_region(region):
        refuse(f"ranges: {region}", "is not a region of Vertex AI", "write one like us-central1")
    try:
        parsed = ipaddress.IPv4Network(text)
    except ValueError as error:
        refuse(f"ranges: {region}: {text}", f"is not a valid IPv4 range ({error})", "write one like 10.20.0.0/24")
    if parsed.prefixlen > SMALLEST_PREFIX:
        refuse(f"ranges: {region}: {text}", "is too small for a subnetwork", f"take /{SMALLEST_PREFIX} or larger")
    return parsed


def check_names(name: str, ranges: Mapping[str, str], dns_name: str | None) -> None:
    """Refuse names that Compute Engine or Cloud DNS would refuse, halfway through.

    Raises:
        RunError: with the name in question.
    """
    for made in (name, *(f"{name}-{region}" for region in ranges)):
        if not COMPUTE_NAME.fullmatch(made):
            refuse(
                f"name: {made}",
                "is not a valid name of a network or subnetwork",
                "use at most 63 of a-z, 0-9 and -, a letter first",
            )
    if dns_name and not DNS_NAME.fullmatch(dns_name.removesuffix(".")):
        refuse(f"dns_name: {dns_name}", "is not a valid DNS name", "write one like models.internal")


def address_problem(address: str, ip_range: str | None) -> str | None:
    """Why a rule could not have an address; None if nothing is known against it.

    Args:
        address: An IPv4 address, or the name of a reserved one.
        ip_range: The subnetwork's range, where it is known.
    """
    if address[:1].isalpha():
        return None
    try:
        ip = ipaddress.IPv4Address(address)
    except ValueError as error:
        return f"is neither an IPv4 address nor the name of a reserved one ({error})"
    found = ipaddress.IPv4Network(ip_range) if ip_range else None
    if found is None:
        return None
    if ip not in found or ip in (found[0], found[1], found[-2], found[-1]):
        return f"cannot be used in {found}: take one between {found[2]} and {found[-3]}"
    return None


def with_dot(dns_name: str) -> str:
    """A DNS name as Cloud DNS wants it, with the dot at the end."""
    return dns_name if dns_name.endswith(".") else f"{dns_name}."
