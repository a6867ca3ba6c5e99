"""Whose a forwarding rule and its address are: proved by what they carry, looked at right before each change of them.

A rule to a service attachment takes no labels when it is made; they come right after. Until then it is ours if this run
made it, if the stack's state says that its last run did or that it was imported, if it stands behind an address that is
ours, or if the call that made it was marked as ours: its operation keeps the call's request id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mg_provider.api.errors import MgError
from mg_provider.resources.model.identity import CLAIM_LABEL, has_mark
from mg_provider.resources.model.lifecycle import not_ours
from mg_provider.resources.psc_forwarding_rule.args import Held, PscForwardingRuleArgs
from mg_provider.wire.compute import ComputeOperation, ForwardingRule


@dataclass
class Ownership:
    """What a run may touch.

    Attributes:
        args: What is asked for.
        old: What was wanted in the last run, whose labels may still be there.
        claim: The create that took hold of rule and address, as the stack's state has it.
        in_state: Whether the resource is in the stack's state.
        made: Numbers of the rules and addresses whose creation Compute Engine accepted from this resource, or that the
            user imported.
    """

    args: PscForwardingRuleArgs
    old: PscForwardingRuleArgs
    claim: str
    in_state: bool
    made: set[str] = field(default_factory=set)

    def is_proved_by(self, operations: Iterable[ComputeOperation], id: int) -> bool:
        """Whether operations say that this resource made something, and that it never had labels since."""
        about = [each for each in operations if each.target_id == id]
        marks = (self.args.ownership, self.old.ownership)
        made = any(has_mark(each.client_operation_id, mark) for each in about for mark in marks if _makes(each))
        return made and not any(each.operation_type == "setLabels" for each in about)

    def is_in_doubt(self, rule: ForwardingRule) -> bool:
        """Whether a rule says nothing of who owns it, and nothing else that is known does."""
        return self._unowned(rule.labels) and rule.id is not None and str(rule.id) not in self.made

    def has_rule(self, rule: ForwardingRule, held: Held | None) -> bool:
        """Whether the rule is this resource's."""
        behind = held is not None and held.own and rule.ip_address == held.address.address
        return self._has(rule.labels, rule.id) or (
            self._unowned(rule.labels) and behind and held is not None and self.owns(held.address.labels)
        )

    def has_address(self, held: Held, rule: ForwardingRule | None) -> bool:
        """Whether the address was reserved for this resource."""
        address = held.address
        in_front = rule is not None and rule.ip_address == address.address and self.owns(rule.labels)
        return held.own and (
            self._has(address.labels, address.id) or (self.in_state and self._unowned(address.labels) and in_front)
        )

    def require_rule(self, rule: ForwardingRule, held: Held | None) -> None:
        """Refuse a rule that is not this resource's.

        Raises:
            MgError: It is somebody else's, or its labels were taken away.
        """
        if not self.has_rule(rule, held):
            raise self._refusal("forwarding rule", self.args.forwarding_rule, "forwarding-rules", rule.labels)

    def require_address(self, held: Held, rule: ForwardingRule | None) -> None:
        """Refuse an address that was reserved, and not for this resource.

        Raises:
            MgError: It is somebody else's, or its labels were taken away.
        """
        if held.own and not self.has_address(held, rule):
            raise self._refusal("address", held.path, "addresses", held.address.labels)

    def claimed_by_another(self, labels: Mapping[str, str] | None) -> bool:
        """Whether a newer create of this resource has taken hold since the state was written."""
        return bool(self.claim) and (labels or {}).get(CLAIM_LABEL, self.claim) != self.claim

    def _has(self, labels: Mapping[str, str] | None, id: int | None) -> bool:
        return self.owns(labels) or (self._unowned(labels) and id is not None and str(id) in self.made)

    def owns(self, labels: Mapping[str, str] | None) -> bool:
        """Whether labels are this resource's, as they are or as they were before it was renamed."""
        return self.args.owns(labels) or self.old.owns(labels)

    def _unowned(self, labels: Mapping[str, str] | None) -> bool:
        return not any(key in (labels or {}) for key in self.args.ownership)

    def _refusal(self, kind: str, path: str, collection: str, labels: Mapping[str, str] | None) -> MgError:
        args = self.args
        if not (self.in_state and self._unowned(labels)):
            return not_ours(f"{kind} {path}", args.resource, "set another forwarding_rule_name")
        missing = {**args.ownership, **({CLAIM_LABEL: self.claim} if self.claim else {})}
        pairs = ",".join(f"{key}={value}" for key, value in missing.items())
        return MgError(
            f"{kind} {path} is in this stack's state, but somebody removed the labels that say so; "
            "it is left unchanged",
            resource=args.resource,
            exists=[path],
            hint=f"put the labels back (gcloud compute {collection} update {path.rpartition('/')[2]} "
            f"--project={args.project} --region={args.region} --update-labels={pairs}), then run the same command "
            "again",
        )


def _makes(operation: ComputeOperation) -> bool:
    return (operation.operation_type or "").startswith(("create", "insert"))


def shown_ownership(args: PscForwardingRuleArgs, rule: ForwardingRule | None, held: Held | None) -> dict[str, str]:
    """The labels that say whose they are, as far as rule and address both have them."""
    rules = [rule.labels or {}] if rule is not None else []
    found = [*rules, held.address.labels or {}] if held is not None and held.own else rules
    first = found[0] if found else args.ownership
    common = {key: value for key, value in first.items() if all(labels.get(key) == value for labels in found)}
    return {key: common[key] for key in args.ownership if key in common}
