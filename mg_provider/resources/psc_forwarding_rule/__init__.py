"""``PscForwardingRule``: a private address in the user's network that leads to an endpoint's service attachment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from mg_provider.resources.dynamic.host import DynamicProvider
from mg_provider.resources.dynamic.made_here import argument_of_maker
from mg_provider.resources.dynamic.resource import DynamicResource
from mg_provider.resources.inputs import ServiceDirectoryRegistrationInput, TimeoutsInput
from mg_provider.resources.psc_forwarding_rule.lifecycle import PscForwardingRuleLifecycle


class PscForwardingRuleProvider(DynamicProvider):
    """Serves ``PscForwardingRule``. Its path is in the state of every stack and never changes."""

    lifecycle = PscForwardingRuleLifecycle


class PscForwardingRule(DynamicResource, module="mg", name="PscForwardingRule"):
    """A private address in your network that leads to an endpoint.

    Args:
        name: The resource's name in the program.
        network: Network of the clients, by name or resource name; a Shared VPC with its host project.
        subnetwork: Subnetwork that the address is taken from, by name or resource name.
        endpoint: Endpoint to reach; output of a model or endpoint with Private Service Connect. Known in previews.
        service_attachment: Service attachment to reach, instead of an endpoint.
        triggers: Any values; when one changes, the endpoint's service attachment is looked up again.
        address: Internal IPv4 address to take, or a reserved one by name; default a free one, which then stays.
        forwarding_rule_name: Name of rule and address; default derived from stack and resource name.
        description: Free text on the rule.
        labels: Labels of rule and address.
        allow_psc_global_access: Let clients in other regions of the network connect.
        no_automate_dns_zone: Make no DNS zone for the connection.
        service_directory_registrations: Service Directory entry; at most one.
        look_up: Look in the preview of a creation whether subnetwork and address can be had; default no.
        endpoint_allowlist: Projects that the endpoint lets in; default as the resource says that ``endpoint`` is of.
        endpoint_is_private: Whether the endpoint is private; default as the resource says that it is of.
        project: Project id; default from configuration.
        region: Region of rule and service attachment; default from configuration.
        timeouts: Seconds to wait: create, update, delete.
        opts: Pulumi's options.
    """

    provider_type = PscForwardingRuleProvider

    endpoint: pulumi.Output[str]
    service_attachment: pulumi.Output[str]
    forwarding_rule: pulumi.Output[str]
    forwarding_rule_name: pulumi.Output[str]
    ip_address: pulumi.Output[str]
    http_url: pulumi.Output[str]
    https_url: pulumi.Output[str]
    base_url: pulumi.Output[str]
    psc_connection_id: pulumi.Output[str]
    psc_connection_status: pulumi.Output[str]
    connected_service_attachment: pulumi.Output[str]
    reserved_address: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        network: pulumi.Input[str],
        subnetwork: pulumi.Input[str],
        endpoint: pulumi.Input[str] | None = None,
        service_attachment: pulumi.Input[str] | None = None,
        triggers: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        address: pulumi.Input[str] | None = None,
        forwarding_rule_name: pulumi.Input[str] | None = None,
        description: pulumi.Input[str] | None = None,
        labels: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        allow_psc_global_access: pulumi.Input[bool] | None = None,
        no_automate_dns_zone: pulumi.Input[bool] | None = None,
        service_directory_registrations: pulumi.Input[Sequence[ServiceDirectoryRegistrationInput]] | None = None,
        look_up: pulumi.Input[bool] | None = None,
        endpoint_allowlist: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        endpoint_is_private: pulumi.Input[bool | None] = None,
        project: pulumi.Input[str] | None = None,
        region: pulumi.Input[str] | None = None,
        timeouts: pulumi.Input[TimeoutsInput] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if endpoint is not None and endpoint_allowlist is None:
            endpoint_allowlist = _allowlist_of(endpoint)
        if endpoint_is_private is None:
            endpoint_is_private = _is_private(endpoint if endpoint is not None else service_attachment)
        super().__init__(name, locals(), opts)


def _allowlist_of(endpoint: pulumi.Input[str]) -> pulumi.Output[Sequence[str]]:
    """Whom an endpoint lets in, if this program makes it; empty if that is not known."""
    config = argument_of_maker(endpoint, "private_service_connect_config")
    allowed: pulumi.Output[Sequence[str]] = config.apply(lambda found: (found or {}).get("project_allowlist") or [])
    return allowed


def _is_private(target: pulumi.Input[str] | None) -> pulumi.Output[bool | None]:
    """Whether the endpoint that a name or attachment is of is private; None if this program does not make it."""
    config = argument_of_maker(target, "private_service_connect_config")
    # Every resource of ours has a name; what is not made here has no maker.
    maker = argument_of_maker(target, "resource")

    def told(found: Sequence[Any]) -> bool | None:
        config, maker = found
        return bool((config or {}).get("enable_private_service_connect")) if maker else None

    return pulumi.Output.all(config, maker).apply(told)
