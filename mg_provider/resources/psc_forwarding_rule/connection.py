"""What a rule leads to, and whether the producer has accepted its connection."""

from __future__ import annotations

from dataclasses import dataclass, field

from mg_provider.api.errors import MgError, NotFound
from mg_provider.resources.model.lifecycle import Context
from mg_provider.resources.psc_forwarding_rule.args import PscForwardingRuleArgs
from mg_provider.resources.psc_forwarding_rule.names import short
from mg_provider.resources.psc_forwarding_rule.rules import not_allowed
from mg_provider.wire.compute import ForwardingRule, PscConnectionStatus, is_accepted
from mg_provider.wire.vertex.endpoint import Endpoint

ACCEPT_POLL_SECONDS = 3.0
USUALLY_ACCEPTED_SECONDS = 60.0


@dataclass(frozen=True)
class Target:
    """The service attachments that lead to what the program wants to reach.

    Attributes:
        attachments: Any of them will do; none while nothing is deployed on the endpoint.
        endpoint: Where they were looked up.
    """

    attachments: list[str] = field(default_factory=list)
    endpoint: Endpoint | None = None

    def choose(self, rule: ForwardingRule | None) -> str:
        """The attachment to connect to: the present one as long as it leads there; empty if nothing does."""
        present = short(rule.target or "") if rule is not None and not is_dead(rule) else ""
        if present and (present in self.attachments or not self.attachments):
            return present
        return self.attachments[0] if self.attachments else ""


def is_dead(rule: ForwardingRule) -> bool:
    """Whether the connection never comes to life again, so that only a new rule helps."""
    return rule.psc_connection_status in (PscConnectionStatus.CLOSED, PscConnectionStatus.REJECTED)


def find_target(args: PscForwardingRuleArgs, context: Context) -> Target | None:
    """What the rule is to lead to; None only if the endpoint does not exist.

    The attachment of an endpoint stands on its deployed models, and nowhere else.
    """
    if not args.endpoint:
        return Target([short(args.service_attachment)] if args.service_attachment else [])
    try:
        endpoint = context.clients.vertex.get_endpoint(args.endpoint)
    except NotFound:
        return None
    found = [
        short(deployed.private_endpoints.service_attachment)
        for deployed in endpoint.deployed_models or []
        if deployed.private_endpoints and deployed.private_endpoints.service_attachment
    ]
    return Target(list(dict.fromkeys(found)), endpoint)


def must_be_reachable(args: PscForwardingRuleArgs, target: Target | None) -> Target:
    """The target, unless no rule can ever lead to it.

    Raises:
        MgError: The endpoint does not exist, or is public.
    """
    if target is None:
        raise MgError(
            f"{args.endpoint} does not exist",
            resource=args.resource,
            hint="pass the `endpoint` output of a model or endpoint, so that it is made first",
        )
    endpoint = target.endpoint
    config = endpoint.private_service_connect_config if endpoint is not None else None
    if endpoint is not None and not target.attachments and not (config and config.enable_private_service_connect):
        raise MgError(
            f"{args.endpoint} is not private, so it has no service attachment",
            resource=args.resource,
            hint="set private_service_connect_config on it, with this rule's project on its project_allowlist",
        )
    return target


def must_be_allowed(args: PscForwardingRuleArgs, target: Target) -> None:
    """Refuse to connect from a project that the endpoint does not let in, as far as its allowlist says.

    Raises:
        MgError: The project is not on the allowlist.
    """
    config = target.endpoint.private_service_connect_config if target.endpoint else None
    allowed = config.project_allowlist if config else None
    if not allowed or not not_allowed(args.project, allowed):
        return
    raise MgError(
        f"project {args.project} is not on the project_allowlist of {args.endpoint}, which has {', '.join(allowed)}",
        resource=args.resource,
        hint=f"add {args.project} to project_allowlist in the endpoint's private_service_connect_config",
    )


def explanation(status: str, args: PscForwardingRuleArgs) -> str | None:
    """The likely cause of a connection that is not accepted, and what to do."""
    allowlist = f"project_allowlist in the private_service_connect_config of {args.endpoint or 'the endpoint'}"
    number = f" (its id: the allowlist does not take the number {args.project})" if args.project.isdigit() else ""
    match status:
        case PscConnectionStatus.PENDING:
            return (
                f"add {args.project}{number} to {allowlist}: the producer has not let this rule's project in; "
                "then run `pulumi up` again, the rule stays"
            )
        case PscConnectionStatus.REJECTED:
            return (
                f"add {args.project}{number} to {allowlist}: the producer refuses this rule's project; then run "
                "`pulumi up` again, which makes the rule again behind the same address"
            )
        case PscConnectionStatus.CLOSED:
            now = "run `pulumi refresh` and `pulumi up`" if args.endpoint else "pass its present service_attachment"
            return (
                "see whether a model is deployed on the endpoint: its service attachment is gone; Vertex AI recycles "
                f"it once every model is undeployed; then {now}, and the address stays"
            )
        case PscConnectionStatus.NEEDS_ATTENTION:
            return (
                "run `pulumi up` again in a few minutes, the rule stays: the producer has accepted, and has to act on "
                "its side; if it lasts, ask Google's support about the endpoint, naming psc_connection_id"
            )
    return None


def astray(args: PscForwardingRuleArgs, rule: ForwardingRule | None, target: Target | None) -> str:
    """Why a rule does not lead where it is to lead, and what to do; a refresh shows it."""
    healed = "`pulumi up` makes it again behind the same address"
    if target is None:
        return f"{args.endpoint} does not exist any more: `pulumi refresh` its own resource too, then `pulumi up`"
    if rule is None:
        return f"the forwarding rule is gone: {healed}"
    status = str(rule.psc_connection_status or PscConnectionStatus.STATUS_UNSPECIFIED)
    if is_accepted(status):
        return f"the rule leads to another service attachment than it should: {healed}"
    if status == PscConnectionStatus.CLOSED and target.attachments and args.endpoint:
        return f"the connection is {status}, as the endpoint has a new service attachment: {healed}"
    return f"the connection is {status}: {explanation(status, args) or healed}"


def wait_until_accepted(
    args: PscForwardingRuleArgs, rule: ForwardingRule, limit: float, context: Context
) -> ForwardingRule:
    """Wait for the producer. A rule that it does not accept leads nowhere, so that is a failure.

    Raises:
        MgError: It refused, or has not accepted in ``limit`` seconds; the rule stays.
    """
    started = context.clock.monotonic()
    while not is_accepted(rule.psc_connection_status):
        status = str(rule.psc_connection_status or PscConnectionStatus.STATUS_UNSPECIFIED)
        waited = context.clock.monotonic() - started
        if is_dead(rule) or waited > limit or context.cancelled():
            raise MgError(
                f"the connection of {args.forwarding_rule_name} is {status} after {waited:.0f} s",
                resource=args.resource,
                hint=explanation(status, args),
                exists=[args.forwarding_rule],
            )
        # A rule that was made a moment ago is PENDING although nothing is wrong.
        doubtful = status == PscConnectionStatus.PENDING and waited > USUALLY_ACCEPTED_SECONDS
        likely = f" (is {args.project} on its project_allowlist?)" if doubtful else ""
        context.progress(f"waiting for the producer to accept: {status}{likely}")
        context.clock.sleep(min(ACCEPT_POLL_SECONDS, 0.1 + waited))
        rule = context.clients.compute.forwarding_rules.get(args.project, args.region, args.forwarding_rule_name)
    return rule
