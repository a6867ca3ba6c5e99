"""``PscForwardingRule``: a private address in the user's network that leads to an endpoint's service attachment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from mg_provider.resources.constructors.psc_forwarding_rule import PscForwardingRuleConstructor
from mg_provider.resources.dynamic.host import DynamicProvider
from mg_provider.resources.dynamic.made_here import argument_of_maker
from mg_provider.resources.psc_forwarding_rule.lifecycle import PscForwardingRuleLifecycle


class PscForwardingRuleProvider(DynamicProvider):
    """Serves ``PscForwardingRule``. Its path is in the state of every stack and never changes."""

    lifecycle = PscForwardingRuleLifecycle


class PscForwardingRule(PscForwardingRuleConstructor, module="mg", name="PscForwardingRule"):
    """A private address in your network that leads to an endpoint."""

    provider_type = PscForwardingRuleProvider

    @classmethod
    def _said_elsewhere(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Whom the endpoint lets in and whether it is private, if this program makes it."""
        endpoint = given.get("endpoint")
        allowed = {} if endpoint is None else {"endpoint_allowlist": _allowlist_of(endpoint)}
        target = given.get("service_attachment") if endpoint is None else endpoint
        return {**allowed, "endpoint_is_private": _is_private(target)}


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

    def privacy(found: Sequence[Any]) -> bool | None:
        config, maker = found
        return bool((config or {}).get("enable_private_service_connect")) if maker else None

    return pulumi.Output.all(config, maker).apply(privacy)
