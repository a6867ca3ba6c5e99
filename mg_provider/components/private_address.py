"""What components of private endpoints share: forwarding rules that lead to one endpoint, and their DNS records."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

import pulumi

from mg_provider.components.common import DNS_NAME, TYPE_PREFIX, child_options, default_project, google, refuse
from mg_provider.components.psc_network import PscNetwork
from mg_provider.components.vpc_sc_allowlist import VpcScAllowlist, project_ids
from mg_provider.resources.model.args import Args, settable
from mg_provider.resources.psc_forwarding_rule import PscForwardingRule
from mg_provider.resources.psc_forwarding_rule.args import PscForwardingRuleArgs
from mg_provider.resources.psc_forwarding_rule.names import base_url
from mg_provider.resources.psc_forwarding_rule.rules import not_allowed
from mg_provider.spelling import did_you_mean

RECORD_SECONDS = 300
_PLACE = ("region", "project", "network", "subnetwork", "address")
_OWN = (*_PLACE, "endpoint", "service_attachment", "triggers", "endpoint_allowlist", "endpoint_is_private")


class ConsumerInput(TypedDict, total=False):
    """A forwarding rule to the same endpoint for one more consumer, such as a service project of a Shared VPC.

    Attributes:
        project: Project of the rule. Default: as the component's own rule.
        network: Network of the consumer: a PscNetwork, or its name together with ``subnetwork``. Default: the
            component's.
        subnetwork: Subnetwork of the address, where ``network`` is only a name.
        address: IPv4 address to take, or the name of a reserved one. Default: a free one.
        dns_record: Name of an A record to make in the network's zone, without the zone's own name.
        rule: More arguments of PscForwardingRule, such as ``labels`` and ``timeouts``.
    """

    project: str
    network: PscNetwork | pulumi.Input[str]
    subnetwork: pulumi.Input[str]
    address: pulumi.Input[str]
    dns_record: str
    rule: Mapping[str, Any]


@dataclass(frozen=True)
class PrivateAddress:
    """A forwarding rule with its address and DNS record.

    Attributes:
        forwarding_rule: The rule.
        dns_name: The name of the record, without the dot at the end; empty where there is none.
        url: ``http://`` with the name, or with the address where there is no name.
        base_url: Base URL for OpenAI clients.
    """

    forwarding_rule: PscForwardingRule
    dns_name: pulumi.Output[str]
    url: pulumi.Output[str]
    base_url: pulumi.Output[str]


@dataclass(frozen=True)
class Target:
    """What rules lead to.

    Attributes:
        component: The component that they are parts of.
        what: How errors call it.
        region: Its region.
        endpoint: The endpoint's resource name.
        triggers: What makes rules look again.
    """

    component: pulumi.ComponentResource
    what: str
    region: str
    endpoint: pulumi.Output[str]
    triggers: dict[str, pulumi.Input[str]] | None


@dataclass(frozen=True)
class Wish:
    """A rule that is asked for."""

    name: str
    project: str | None
    network: PscNetwork | pulumi.Input[str]
    subnetwork: pulumi.Input[str] | None = None
    address: pulumi.Input[str] | None = None
    dns_record: str | None = None
    rule: Mapping[str, Any] = field(default_factory=dict)

    def check(self, what: str, project: str | None, allowed: Sequence[str]) -> None:
        """Refuse what cannot be, before anything is made.

        Raises:
            RunError: with what is wrong.
        """
        _check_record(what, self.dns_record, self.network)
        check_part(what, "rule", "PscForwardingRule", PscForwardingRuleArgs, self.rule, _OWN)
        if project and not_allowed(project, allowed):
            refuse(
                f"{what}: allowlist",
                f"lacks {project}, the project of the forwarding rule (it has {', '.join(allowed)})",
                "add it there, or the endpoint refuses the rule",
            )

    def make(self, target: Target, beside: pulumi.Resource | None) -> PrivateAddress:
        """Make the rule, and its record if it has one."""
        place = self.network if isinstance(self.network, PscNetwork) else None
        found = place.network if place else self.network
        given = {
            "network": found,
            "subnetwork": self.subnetwork or (place.subnetwork(target.region) if place else ""),
            "address": self.address,
            "look_up": place.looked_up if place else None,
            **{key: value for key, value in self.rule.items() if value is not None},
        }
        rule = PscForwardingRule(
            self.name,
            region=target.region,
            project=self.project,
            endpoint=target.endpoint,
            triggers=target.triggers,
            opts=child_options(target.component, beside=beside, depends_on=[place] if place else []),
            **given,
        )
        if self.dns_record is None or place is None:
            return PrivateAddress(rule, pulumi.Output.from_input(""), rule.http_url, rule.base_url)
        name = self._record(target, place, self.dns_record, rule)
        # The name is known before the address is.
        base = pulumi.Output.all(name, target.endpoint).apply(lambda known: base_url(*known))
        return PrivateAddress(rule, name, pulumi.Output.concat("http://", name), base)

    def _record(self, target: Target, place: PscNetwork, record: str, rule: PscForwardingRule) -> pulumi.Output[str]:
        full = place.dns_name.apply(lambda zone: _in_zone(target.what, record, zone))
        google("dns", "RecordSet")(
            self.name,
            name=full,
            type="A",
            ttl=RECORD_SECONDS,
            managed_zone=place.dns_zone,
            rrdatas=[rule.ip_address],
            project=place.project,
            opts=child_options(target.component, depends_on=[place]),
        )
        return full.apply(lambda text: text.removesuffix("."))


def make_consumers(
    target: Target, main: Wish, consumers: Mapping[str, ConsumerInput], beside: pulumi.Resource | None
) -> dict[str, PrivateAddress]:
    """The addresses of the consumers, by name."""
    return {key: wish.make(target, beside) for key, wish in consumer_wishes(main, consumers).items()}


def consumer_wishes(main: Wish, consumers: Mapping[str, ConsumerInput]) -> dict[str, Wish]:
    """The rules of the consumers; what one does not say is as the component's own rule has it."""
    wishes = {}
    for key, one in consumers.items():
        elsewhere = "network" in one
        wishes[key] = Wish(
            f"{main.name}-{key}",
            one.get("project", main.project),
            one["network"] if elsewhere else main.network,
            one.get("subnetwork") if elsewhere else one.get("subnetwork", main.subnetwork),
            one.get("address"),
            one.get("dns_record"),
            one.get("rule", {}),
        )
    return wishes


def check_part(
    what: str, part: str, resource: str, args_type: type[Args], given: Mapping[str, Any], own: Collection[str]
) -> None:
    """Refuse arguments of a part that it does not have, or that the component gives it.

    Raises:
        RunError: with the first of them.
    """
    for key in given:
        if key in own:
            refuse(f"{what}: {part}.{key}", "is set by the component", "remove it there")
        if key not in settable(args_type):
            refuse(f"{what}: {part}.{key}", f"is not an argument of {resource}", did_you_mean(key, settable(args_type)))


def alias_in(component: str, name: str, parent: pulumi.Resource | None) -> pulumi.Alias:
    """An alias for what was a part of such a component before.

    Args:
        component: The component's class.
        name: Name of the component that there was.
        parent: What it was a part of.
    """
    there = parent.urn if parent is not None else None
    return pulumi.Alias(parent=pulumi.create_urn(name, TYPE_PREFIX + component, there))


def connect(allowlist: VpcScAllowlist | Sequence[str], secure: bool | None = None) -> dict[str, Any]:
    """The ``private_service_connect_config`` of an endpoint that lets these projects in."""
    projects = allowlist.project_allowlist if isinstance(allowlist, VpcScAllowlist) else project_ids(allowlist)
    more = {} if secure is None else {"enable_secure_private_service_connect": secure}
    return {"enable_private_service_connect": True, "project_allowlist": projects, **more}


def plain(allowlist: VpcScAllowlist | Sequence[str]) -> Sequence[str]:
    """The ids as they were given."""
    return allowlist.project_ids if isinstance(allowlist, VpcScAllowlist) else allowlist


def project_of_parts(given: str | None, opts: pulumi.ResourceOptions | None) -> str | None:
    """The project of parts that name none. A provider of the program's own may have another one: its checks say so."""
    return given or (None if opts is not None and (opts.provider or opts.providers) else default_project())


def parked_triggers(arguments: Mapping[str, Any]) -> dict[str, pulumi.Input[str]] | None:
    """What makes a rule look again in the run that parks or resumes: it may get another attachment."""
    if "parked" not in arguments:
        return None
    return {"parked": pulumi.Output.from_input(arguments["parked"]).apply(lambda parked: str(bool(parked)).lower())}


def _check_record(what: str, record: str | None, network: object) -> None:
    if record is None:
        return
    if not DNS_NAME.fullmatch(record):
        refuse(f"{what}: dns_record {record!r}", "is not a valid DNS name", "a-z, 0-9 and -, such as llama")
    if not isinstance(network, PscNetwork):
        refuse(f"{what}: dns_record", "needs a zone", "pass a PscNetwork with a dns_name")


def _in_zone(what: str, record: str, zone: str) -> str:
    if not zone:
        refuse(f"{what}: dns_record", "needs a zone", "give the PscNetwork a dns_name")
    return f"{record}.{zone}"
