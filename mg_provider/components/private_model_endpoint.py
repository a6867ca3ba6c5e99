"""``PrivateModelEndpoint``: a model that answers at a private address, under a private name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from mg_provider.components.common import refuse_empty
from mg_provider.components.private_address import ConsumerInput, Wish
from mg_provider.components.private_component import PrivateComponent, Served
from mg_provider.components.psc_network import PscNetwork
from mg_provider.components.vpc_sc_allowlist import VpcScAllowlist
from mg_provider.resources.custom_weights_model import CustomWeightsModel
from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs


class PrivateModelEndpoint(PrivateComponent):
    """A CustomWeightsModel, the PscForwardingRule that leads to it, and a DNS record for its address.

    The parts have the component's name. Parts that stood in the program by themselves before are taken over.

    IAM: that of CustomWeightsModel and PscForwardingRule; for the record ``dns.resourceRecordSets.create`` and
    ``dns.changes.create`` in the network's project (roles/dns.admin).

    Args:
        name: Name of the resource and of its parts.
        region: Region of endpoint, rule and subnetwork.
        model: Arguments of CustomWeightsModel, without region, project and ``private_service_connect_config``.
        network: The network of the clients; or its name, together with ``subnetwork``.
        subnetwork: Subnetwork of the address, where ``network`` is only a name.
        address: IPv4 address to take, or the name of a reserved one; default a free one. An IP shows in previews.
        allowlist: Projects that may connect; bare ids, or a VpcScAllowlist.
        dns_record: Name of an A record to make in the network's zone, without the zone's own name.
        rule_labels: Labels of rule and address.
        allow_psc_global_access: Let clients in other regions of the network connect.
        look_up: Check in the preview of a creation that subnetwork and address are available, which takes credentials;
            default as the PscNetwork is looked up, otherwise no.
        rule: More arguments of PscForwardingRule, such as ``forwarding_rule_name`` and ``timeouts``.
        rule_project: Project of the rule, where it is another one than the model's.
        consumers: One more forwarding rule each, by a name of your choice, such as for the service projects of a
            Shared VPC.
        enable_secure_private_service_connect: Demand IAM authorization on the private connection as well.
        project: Project of the model; default from configuration.
        opts: Pulumi's options.

    Attributes:
        custom_weights_model: The model.
        forwarding_rule: The rule.
        consumers: The addresses of ``consumers`` by name, each with ``forwarding_rule``, ``dns_name``, ``url`` and
            ``base_url``.
        endpoint: Resource name of the endpoint.
        endpoint_id: Its id.
        model: Resource name of the Model.
        model_id: Its id.
        query_model_id: What chat requests name as ``model``; it stays through rollouts.
        service_attachment: What the rule leads to.
        psc_connection_status: ``ACCEPTED`` when the endpoint answers on the address.
        ip_address: The private IP address.
        dns_name: The name of the record, without the dot at the end; empty where there is none.
        url: ``http://`` with the name, or with the address where there is no name.
        base_url: Base URL for OpenAI clients.

    Raises:
        RunError: an argument of the model is unknown or not its own, or the record has no zone.
    """

    kind = "PrivateModelEndpoint"
    custom_weights_model: CustomWeightsModel
    model: pulumi.Output[str]
    model_id: pulumi.Output[str]
    query_model_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        region: str,
        model: Mapping[str, Any],
        network: PscNetwork | pulumi.Input[str],
        allowlist: VpcScAllowlist | Sequence[str],
        subnetwork: pulumi.Input[str] | None = None,
        address: pulumi.Input[str] | None = None,
        dns_record: str | None = None,
        rule_labels: Mapping[str, str] | None = None,
        allow_psc_global_access: bool | None = None,
        look_up: bool | None = None,
        rule: Mapping[str, Any] | None = None,
        rule_project: str | None = None,
        consumers: Mapping[str, ConsumerInput] | None = None,
        enable_secure_private_service_connect: bool | None = None,
        project: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        refuse_empty(f"{self.kind} {name}", rule_labels=rule_labels)
        given = {"labels": rule_labels, "allow_psc_global_access": allow_psc_global_access, "look_up": look_up}
        more = {key: value for key, value in given.items() if value is not None}
        served = Served("model", CustomWeightsModel, CustomWeightsModelArgs, model, region, project)
        wish = Wish(name, rule_project or project, network, subnetwork, address, dns_record, {**more, **(rule or {})})
        secure = enable_secure_private_service_connect
        made = self._make(served, wish, consumers or {}, allowlist, secure)
        self.custom_weights_model = made
        self.model, self.model_id, self.query_model_id = made.model, made.model_id, made.query_model_id
        self._show("model")
