"""What the components of private endpoints do: what is served, the rules that lead to it, and their DNS records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

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
from mg_provider.components.vpc_sc_allowlist import VpcScAllowlist, project_ids
from mg_provider.resources.custom_weights_model import CustomWeightsModel
from mg_provider.resources.dedicated_endpoint import DedicatedEndpoint
from mg_provider.resources.dynamic.spelling import KnownArguments
from mg_provider.resources.model.args import Args
from mg_provider.resources.psc_forwarding_rule import PscForwardingRule

_CONNECT = "private_service_connect_config"
_OWN = (_CONNECT, "region", "project")

R = TypeVar("R", CustomWeightsModel, DedicatedEndpoint)


@dataclass(frozen=True)
class Served(Generic[R]):
    """The resource that has the endpoint.

    Attributes:
        argument: The component's argument with its arguments.
        resource: Its class.
        args_type: The arguments that it takes.
        given: Those that the program gives.
        region: Its region.
        project: Its project; None for the configured one.
    """

    argument: str
    resource: type[R]
    args_type: type[Args]
    given: Mapping[str, Any]
    region: str
    project: str | None


class PrivateComponent(pulumi.ComponentResource, metaclass=KnownArguments):
    """A resource with an endpoint, the PscForwardingRules that lead to it, and their DNS records."""

    kind: ClassVar[str]
    """Its name in the type token."""

    forwarding_rule: PscForwardingRule
    consumers: dict[str, PrivateAddress]
    endpoint: pulumi.Output[str]
    endpoint_id: pulumi.Output[str]
    ip_address: pulumi.Output[str]
    service_attachment: pulumi.Output[str]
    psc_connection_status: pulumi.Output[str]
    dns_name: pulumi.Output[str]
    url: pulumi.Output[str]
    base_url: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None) -> None:
        super().__init__(TYPE_PREFIX + self.kind, name, None, opts)
        self._what = f"{self.kind} {name}"
        self._opts = opts

    @classmethod
    def alias_of_parts(cls, name: str, parent: pulumi.Resource | None = None) -> pulumi.Alias:
        """An alias for a part that goes on without the component, as one that turns public: it is replaced then.

        Args:
            name: Name of the component that there was.
            parent: What it was a part of.
        """
        return alias_in(cls.kind, name, parent)

    def _make(
        self,
        served: Served[R],
        wish: Wish,
        consumers: Mapping[str, ConsumerInput],
        allowlist: VpcScAllowlist | Sequence[str],
        secure: bool | None,
    ) -> R:
        """Refuse what cannot be, then make all parts.

        Args:
            served: What has the endpoint.
            wish: The component's own rule.
            consumers: The rules of others.
            allowlist: The projects that may connect.
            secure: Whether IAM authorization is demanded as well.
        """
        what, opts = self._what, self._opts
        refuse_empty(what, **{served.argument: served.given}, allowlist=plain(allowlist), rule=wish.rule)
        check_part(what, served.argument, served.resource.__name__, served.args_type, served.given, _OWN)
        for each in (wish, *consumer_wishes(wish, consumers).values()):
            each.check(what, project_of_parts(each.project, opts), project_ids(plain(allowlist)))
        beside = opts.parent if opts is not None else None
        listed = [allowlist] if isinstance(allowlist, VpcScAllowlist) else []
        made = served.resource(
            wish.name,
            region=served.region,
            project=served.project,
            opts=child_options(self, beside=beside, depends_on=listed),
            **{**served.given, _CONNECT: connect(allowlist, secure)},
        )
        target = Target(self, what, served.region, made.endpoint, parked_triggers(served.given))
        own = wish.make(target, beside)
        self.forwarding_rule = own.forwarding_rule
        self.consumers = make_consumers(target, wish, consumers, beside)
        self.endpoint, self.endpoint_id = made.endpoint, made.endpoint_id
        self.ip_address = own.forwarding_rule.ip_address
        self.psc_connection_status = own.forwarding_rule.psc_connection_status
        self.service_attachment = own.forwarding_rule.connected_service_attachment
        self.dns_name, self.url, self.base_url = own.dns_name, own.url, own.base_url
        return made

    def _show(self, *more: str) -> None:
        """Register the outputs that every private endpoint has, and more of the component's own."""
        shown = ("endpoint", "ip_address", "dns_name", "url", "service_attachment", "psc_connection_status", *more)
        self.register_outputs({key: getattr(self, key) for key in shown})
