"""``PrivateEndpoint``: several models at one private address, under a private name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from mg_provider.components.private_address import ConsumerInput, Wish
from mg_provider.components.private_component import PrivateComponent, Served
from mg_provider.components.psc_network import PscNetwork
from mg_provider.components.vpc_sc_allowlist import VpcScAllowlist
from mg_provider.resources.dedicated_endpoint import DedicatedEndpoint
from mg_provider.resources.dedicated_endpoint.args import DedicatedEndpointArgs


class PrivateEndpoint(PrivateComponent):
    """A DedicatedEndpoint, the PscForwardingRule that leads to it, and a DNS record for its address.

    The parts have the component's name.

    IAM: that of DedicatedEndpoint and PscForwardingRule; for the record ``dns.resourceRecordSets.create`` and
    ``dns.changes.create`` in the network's project (roles/dns.admin).

    Args:
        name: Name of the resource and of its parts.
        region: Region of endpoint, rule and subnetwork.
        endpoint: Arguments of DedicatedEndpoint, without region, project and ``private_service_connect_config``.
        network: The network of the clients; or its name, together with ``subnetwork``.
        subnetwork: Subnetwork of the address, where ``network`` is only a name.
        address: IPv4 address to take, or the name of a reserved one; default a free one. An IP shows in previews.
        allowlist: Projects that may connect; bare ids, or a VpcScAllowlist.
        dns_record: Name of an A record to make in the network's zone, without the zone's own name.
        rule: More arguments of PscForwardingRule, such as ``labels`` and ``look_up``.
        rule_project: Project of the rule, where it is another one than the endpoint's.
        consumers: One more forwarding rule each, by a name of your choice, such as for the service projects of a
            Shared VPC.
        enable_secure_private_service_connect: Demand IAM authorization on the private connection as well.
        project: Project of the endpoint; default from configuration.
        opts: Pulumi's options. ``depends_on`` is for the endpoint.

    Attributes:
        dedicated_endpoint: The endpoint.
        forwarding_rule: The rule.
        consumers: The addresses of ``consumers`` by name, each with ``forwarding_rule``, ``dns_name``, ``url`` and
            ``base_url``.
        endpoint: Resource name of the endpoint.
        endpoint_id: Its id.
        service_attachment: What the rule leads to.
        psc_connection_status: ``ACCEPTED`` when the endpoint answers on the address.
        ip_address: The private IP address.
        dns_name: The name of the record, without the dot at the end; empty where there is none.
        url: ``http://`` with the name, or with the address where there is no name.
        base_url: Base URL for OpenAI clients.

    Raises:
        RunError: an argument of the endpoint is unknown or not its own, or the record has no zone.
    """

    kind = "PrivateEndpoint"
    dedicated_endpoint: DedicatedEndpoint

    def __init__(
        self,
        name: str,
        *,
        region: str,
        endpoint: Mapping[str, Any],
        network: PscNetwork | pulumi.Input[str],
        allowlist: VpcScAllowlist | Sequence[str],
        subnetwork: pulumi.Input[str] | None = None,
        address: pulumi.Input[str] | None = None,
        dns_record: str | None = None,
        rule: Mapping[str, Any] | None = None,
        rule_project: str | None = None,
        consumers: Mapping[str, ConsumerInput] | None = None,
        enable_secure_private_service_connect: bool | None = None,
        project: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        served = Served("endpoint", DedicatedEndpoint, DedicatedEndpointArgs, endpoint, region, project)
        wish = Wish(name, rule_project or project, network, subnetwork, address, dns_record, rule or {})
        secure = enable_secure_private_service_connect
        self.dedicated_endpoint = self._make(served, wish, consumers or {}, allowlist, secure)
        self._show()
