"""What a rule and its address show: the arguments that would give them, the outputs, and when a new rule is needed."""

from __future__ import annotations

from mg_provider.resources.model.identity import CLAIM_LABEL
from mg_provider.resources.psc_forwarding_rule.args import (
    Held,
    PscForwardingRuleArgs,
    PscForwardingRuleState,
    short,
    urls,
)
from mg_provider.resources.psc_forwarding_rule.connection import is_dead
from mg_provider.resources.psc_forwarding_rule.ownership import shown_ownership
from mg_provider.wire.base import same
from mg_provider.wire.compute import ForwardingRule


def must_be_remade(args: PscForwardingRuleArgs, rule: ForwardingRule, target: str, changed: frozenset[str]) -> bool:
    """Whether the rule differs in what no call can change. Its description is not worth a cut, and may not be kept."""
    seen = observed(args, rule)
    fixed = ("no_automate_dns_zone", "service_directory_registrations")
    differs = any(getattr(seen, name) != getattr(args, name) for name in fixed)
    # What Google does not tell of a rule is taken from the program's own change.
    untold = (rule.no_automate_dns_zone is None and "no_automate_dns_zone" in changed) or (
        not args.service_directory_registrations and "service_directory_registrations" in changed
    )
    return (
        differs or untold or (bool(target) and target != short(rule.target or "")) or (bool(target) and is_dead(rule))
    )


def observed(args: PscForwardingRuleArgs, rule: ForwardingRule | None) -> PscForwardingRuleArgs:
    """The arguments with what the rule has, where that differs from what was asked for."""
    if rule is None:
        return args
    seen: dict[str, object] = {
        # Labels that the program does not name are others'.
        "labels": {key: value for key, value in (rule.labels or {}).items() if key in args.labels},
        "allow_psc_global_access": bool(rule.allow_psc_global_access),
    }
    if rule.no_automate_dns_zone is not None:
        seen["no_automate_dns_zone"] = rule.no_automate_dns_zone
    asked, registered = args.service_directory_registrations, rule.service_directory_registrations or []
    # A rule for which none was asked may have one that Google made by itself.
    if asked and not same(asked, registered):
        seen["service_directory_registrations"] = registered
    return args.with_values(**{name: value for name, value in seen.items() if getattr(args, name) != value})


def state_of(args: PscForwardingRuleArgs, rule: ForwardingRule | None, held: Held | None) -> PscForwardingRuleState:
    """The outputs, from what the cloud has."""
    found = rule or ForwardingRule()
    ip = found.ip_address or (held.address.address if held else None) or ""
    labels = found.labels or (held.address.labels if held and held.own else None) or {}
    return PscForwardingRuleState(
        **urls(ip, args.endpoint),
        psc_connection_id=str(found.psc_connection_id or ""),
        psc_connection_status=str(found.psc_connection_status or ""),
        connected_service_attachment=short(found.target or ""),
        reserved_address=held.path if held else "",
        claim=labels.get(CLAIM_LABEL, ""),
        ownership=shown_ownership(args, rule, held),
    )
