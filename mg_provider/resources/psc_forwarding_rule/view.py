"""What a rule and its address show: the arguments that would give them, the outputs, and when a new rule is needed."""

from __future__ import annotations

from typing import Any

from mg_provider.resources.model.identity import CLAIM_LABEL
from mg_provider.resources.model.standing import changed_by, drifted, seen
from mg_provider.resources.psc_forwarding_rule.args import Held, PscForwardingRuleArgs, PscForwardingRuleState
from mg_provider.resources.psc_forwarding_rule.connection import is_dead
from mg_provider.resources.psc_forwarding_rule.fields import REMADE
from mg_provider.resources.psc_forwarding_rule.names import short, urls
from mg_provider.resources.psc_forwarding_rule.ownership import shown_ownership
from mg_provider.wire.base import same
from mg_provider.wire.compute import ForwardingRule


def must_be_remade(args: PscForwardingRuleArgs, rule: ForwardingRule, target: str, changed: frozenset[str]) -> bool:
    """Whether the rule differs in what no call can change. Its description is not worth a cut, and may not be kept."""
    if target and (target != short(rule.target or "") or is_dead(rule)):
        return True
    actual = _actual(args, rule)
    fixed = changed_by(PscForwardingRuleArgs, "rule", REMADE).keys() - {"service_attachment"}
    # What Google does not say about a rule is taken from the program's own change.
    return any(not same(getattr(args, name), actual[name]) if name in actual else name in changed for name in fixed)


def observed_rule(args: PscForwardingRuleArgs, rule: ForwardingRule | None) -> PscForwardingRuleArgs:
    """The arguments with what the rule has, where that differs from what was asked for; where it leads is not said."""
    return args if rule is None else args.with_values(**drifted(args, _actual(args, rule)))


def _actual(args: PscForwardingRuleArgs, rule: ForwardingRule) -> dict[str, Any]:
    """The arguments that the rule shows."""
    actual = seen(PscForwardingRuleArgs, "rule", rule)
    del actual["service_attachment"]
    # A rule for which none was asked may have one that Google made by itself.
    if not args.service_directory_registrations:
        del actual["service_directory_registrations"]
    # Labels that the program does not name are others'.
    return {**actual, "labels": {key: value for key, value in (rule.labels or {}).items() if key in args.labels}}


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
