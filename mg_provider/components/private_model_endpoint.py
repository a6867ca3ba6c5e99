"""``PrivateModelEndpoint``: a model that answers at a private address, under a private name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from mg_provider.components.common import TYPE_PREFIX, child_options, refuse_empty
from mg_provider.components.private_address import (
    ConsumerInput,
    PrivateAddress,
    Target,
    Wish,
    alias_in,
    check_part,
    connect,
    consumer_wishes,
    make_consumers,
    parked_triggers,
    plain,
    project_of_parts,
)
from mg_provider.components.psc_network import PscNetwork
from mg_provider.components.vpc_sc_allowlist import VpcScAllowlist, project_ids
from mg_provider.resources.custom_weights_model import CustomWeightsModel
from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs
from mg_provider.resources.dynamic.spelling import KnownArguments
from mg_provider.resources.psc_forwarding_rule import PscForwardingRule

_CONNECT = "private_service_connect_config"
_OWN = (_CONNECT, "region", "project")


class PrivateModelEndpoint(pulumi.ComponentResource, metaclass=KnownArguments):
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

    custom_weights_model: CustomWeightsModel
    forwarding_rule: PscForwardingRule
    consumers: dict[str, PrivateAddress]
    endpoint: pulumi.Output[str]
    endpoint_id: pulumi.Output[str]
    model: pulumi.Output[str]
    model_id: pulumi.Output[str]
    query_model_id: pulumi.Output[str]
    ip_address: pulumi.Output[str]
    service_attachment: pulumi.Output[str]
    psc_connection_status: pulumi.Output[str]
    dns_name: pulumi.Output[str]
    url: pulumi.Output[str]
    base_url: pulumi.Output[str]

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
        super().__init__(TYPE_PREFIX + "PrivateModelEndpoint", name, None, opts)
        what = f"PrivateModelEndpoint {name}"
        refuse_empty(what, model=model, allowlist=plain(allowlist), rule_labels=rule_labels, rule=rule)
        check_part(what, "model", "CustomWeightsModel", CustomWeightsModelArgs, model, _OWN)
        given = {"labels": rule_labels, "allow_psc_global_access": allow_psc_global_access, "look_up": look_up}
        more = {key: value for key, value in given.items() if value is not None}
        wish = Wish(name, rule_project or project, network, subnetwork, address, dns_record, {**more, **(rule or {})})
        for each in (wish, *consumer_wishes(wish, consumers or {}).values()):
            each.check(what, project_of_parts(each.project, opts), project_ids(plain(allowlist)))
        beside = opts.parent if opts is not None else None
        connected = connect(allowlist, enable_secure_private_service_connect)
        self.custom_weights_model = self._deploy(
            name, {**model, _CONNECT: connected}, allowlist, region, project, beside
        )
        target = Target(self, what, region, self.custom_weights_model.endpoint, parked_triggers(model))
        own = wish.make(target, beside)
        self.forwarding_rule = own.forwarding_rule
        self.consumers = make_consumers(target, wish, consumers or {}, beside)
        self._tell(own)

    @staticmethod
    def alias_of_parts(name: str, parent: pulumi.Resource | None = None) -> pulumi.Alias:
        """An alias for a part that goes on without the component, as a model that turns public: it is replaced then.

        Args:
            name: Name of the component that there was.
            parent: What it was a part of.
        """
        return alias_in("PrivateModelEndpoint", name, parent)

    def _deploy(
        self,
        name: str,
        model: Mapping[str, Any],
        allowlist: VpcScAllowlist | Sequence[str],
        region: str,
        project: str | None,
        beside: pulumi.Resource | None,
    ) -> CustomWeightsModel:
        listed = isinstance(allowlist, VpcScAllowlist)
        return CustomWeightsModel(
            name,
            region=region,
            project=project,
            opts=child_options(self, beside=beside, depends_on=[allowlist] if listed else []),
            **model,
        )

    def _tell(self, own: PrivateAddress) -> None:
        model, rule = self.custom_weights_model, self.forwarding_rule
        self.endpoint, self.endpoint_id = model.endpoint, model.endpoint_id
        self.model, self.model_id, self.query_model_id = model.model, model.model_id, model.query_model_id
        self.ip_address, self.psc_connection_status = rule.ip_address, rule.psc_connection_status
        self.service_attachment = rule.connected_service_attachment
        self.dns_name, self.url, self.base_url = own.dns_name, own.url, own.base_url
        shown = ("endpoint", "model", "ip_address", "dns_name", "url", "service_attachment", "psc_connection_status")
        self.register_outputs({key: getattr(self, key) for key in shown})
