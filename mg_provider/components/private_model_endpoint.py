"""``PrivateModelEndpoint``: a model that answers at a private address, under a private name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from mg_provider.components.common import (
    DNS_NAME,
    TYPE_PREFIX,
    child_options,
    default_project,
    google,
    refuse,
    refuse_empty,
)
from mg_provider.components.psc_network import PscNetwork
from mg_provider.components.vpc_sc_allowlist import VpcScAllowlist, project_ids
from mg_provider.resources.custom_weights_model import CustomWeightsModel
from mg_provider.resources.dynamic.spelling import KnownArguments
from mg_provider.resources.psc_forwarding_rule import PscForwardingRule
from mg_provider.resources.psc_forwarding_rule.args import base_url, not_allowed

_OWN = ("private_service_connect_config", "region", "project", "opts", "name")
RECORD_SECONDS = 300


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
        look_up: Look in the preview of a creation whether subnetwork and address can be had, which takes credentials;
            default as the PscNetwork is looked up, otherwise no.
        rule_project: Project of the rule, where it is another one than the model's.
        project: Project of the model; default from configuration.
        opts: Pulumi's options.

    Attributes:
        custom_weights_model: The model.
        forwarding_rule: The rule.
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
        rule_project: str | None = None,
        project: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(TYPE_PREFIX + "PrivateModelEndpoint", name, None, opts)
        refuse_empty(f"PrivateModelEndpoint {name}", model=model, allowlist=_plain(allowlist), rule_labels=rule_labels)
        _check_model(name, model)
        _check_record(name, dns_record, network)
        _check_rule_project(name, rule_project or project or _default_project(opts), project_ids(_plain(allowlist)))
        place = network if isinstance(network, PscNetwork) else None
        beside = opts.parent if opts is not None else None
        self.custom_weights_model = self._deploy(name, model, allowlist, region, project, beside)
        self.forwarding_rule = PscForwardingRule(
            name,
            region=region,
            project=rule_project or project,
            endpoint=self.custom_weights_model.endpoint,
            triggers=_triggers(model),
            network=place.network if place else network,  # type: ignore[arg-type]
            subnetwork=subnetwork or (place.subnetwork(region) if place else ""),
            address=address,
            labels=rule_labels,
            allow_psc_global_access=allow_psc_global_access,
            look_up=look_up if look_up is not None else (place.looked_up if place else None),
            opts=child_options(self, beside=beside, depends_on=[place] if place else []),
        )
        self.dns_name = self._make_record(name, dns_record, place)
        self._tell(named=bool(dns_record))

    @staticmethod
    def alias_of_parts(name: str, parent: pulumi.Resource | None = None) -> pulumi.Alias:
        """An alias for a part that goes on without the component, as a model that turns public: it is replaced then.

        Args:
            name: Name of the component that there was.
            parent: What it was a part of.
        """
        there = parent.urn if parent is not None else None
        return pulumi.Alias(parent=pulumi.create_urn(name, TYPE_PREFIX + "PrivateModelEndpoint", there))

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
        projects = allowlist.project_allowlist if isinstance(allowlist, VpcScAllowlist) else project_ids(allowlist)
        return CustomWeightsModel(
            name,
            region=region,
            project=project,
            private_service_connect_config={
                "enable_private_service_connect": True,
                "project_allowlist": projects,
            },
            opts=child_options(self, beside=beside, depends_on=[allowlist] if listed else []),
            **model,
        )

    def _make_record(self, name: str, dns_record: str | None, network: PscNetwork | None) -> pulumi.Output[str]:
        """Make the record, and answer its name without the last dot."""
        if dns_record is None or network is None:
            return pulumi.Output.from_input("")
        full = network.dns_name.apply(lambda zone: _in_zone(name, dns_record, zone))
        google("dns", "RecordSet")(
            name,
            name=full,
            type="A",
            ttl=RECORD_SECONDS,
            managed_zone=network.dns_zone,
            rrdatas=[self.forwarding_rule.ip_address],
            project=network.project,
            opts=child_options(self, depends_on=[network]),
        )
        return full.apply(lambda text: text.removesuffix("."))

    def _tell(self, *, named: bool) -> None:
        model, rule = self.custom_weights_model, self.forwarding_rule
        self.endpoint, self.endpoint_id = model.endpoint, model.endpoint_id
        self.model, self.model_id, self.query_model_id = model.model, model.model_id, model.query_model_id
        self.ip_address, self.psc_connection_status = rule.ip_address, rule.psc_connection_status
        self.service_attachment = rule.connected_service_attachment
        self.url, self.base_url = rule.http_url, rule.base_url
        if named:
            # The name is known before the address is.
            self.url = pulumi.Output.concat("http://", self.dns_name)
            self.base_url = pulumi.Output.all(self.dns_name, self.endpoint).apply(lambda found: base_url(*found))
        told = ("endpoint", "model", "ip_address", "dns_name", "url", "service_attachment", "psc_connection_status")
        self.register_outputs({key: getattr(self, key) for key in told})


def _triggers(model: Mapping[str, Any]) -> dict[str, pulumi.Input[str]] | None:
    """What makes the rule look again in the run that parks or resumes the model: it may get another attachment."""
    if "parked" not in model:
        return None
    return {"parked": pulumi.Output.from_input(model["parked"]).apply(lambda parked: str(bool(parked)).lower())}


def _plain(allowlist: VpcScAllowlist | Sequence[str]) -> Sequence[str]:
    return allowlist.project_ids if isinstance(allowlist, VpcScAllowlist) else allowlist


def _check_model(name: str, model: Mapping[str, Any]) -> None:
    known = [key for key in inspect.signature(CustomWeightsModel.__init__).parameters if key not in ("self", *_OWN)]
    for key in model:
        if key in _OWN:
            refuse(f"PrivateModelEndpoint {name}: model.{key}", "is set by the component", "remove it there")
        if key not in known:
            refuse(f"PrivateModelEndpoint {name}: model.{key}", "is no argument of CustomWeightsModel", "see its page")


def _default_project(opts: pulumi.ResourceOptions | None) -> str | None:
    """The project of parts that name none. A provider of the program's own may have another one: its checks tell."""
    return None if opts is not None and (opts.provider or opts.providers) else default_project()


def _check_rule_project(name: str, project: str | None, allowed: Sequence[str]) -> None:
    if project and not_allowed(project, allowed):
        refuse(
            f"PrivateModelEndpoint {name}: allowlist",
            f"lacks {project}, the project of the forwarding rule (it has {', '.join(allowed)})",
            "add it there, or the endpoint refuses the rule",
        )


def _check_record(name: str, record: str | None, network: object) -> None:
    if record is None:
        return
    if not DNS_NAME.fullmatch(record):
        refuse(f"PrivateModelEndpoint {name}: dns_record {record!r}", "is no DNS name", "a-z, 0-9 and -, such as llama")
    if not isinstance(network, PscNetwork):
        refuse(f"PrivateModelEndpoint {name}: dns_record", "needs a zone", "pass a PscNetwork with a dns_name")


def _in_zone(name: str, record: str, zone: str) -> str:
    if not zone:
        refuse(f"PrivateModelEndpoint {name}: dns_record", "needs a zone", "give the PscNetwork a dns_name")
    return f"{record}.{zone}"
