"""The forwarding rule itself: made, labelled, changed in place, and made anew behind its address."""

from __future__ import annotations

from dataclasses import dataclass

from mg_provider.api.errors import InvalidArgument, MgError, NotFound
from mg_provider.resources.lifecycle import Context
from mg_provider.resources.psc_address import find_address
from mg_provider.resources.psc_arguments import Held, PscForwardingRuleArgs
from mg_provider.resources.psc_changes import Labelling, RegionalChanges
from mg_provider.resources.psc_connection import explanation
from mg_provider.resources.psc_ownership import Ownership
from mg_provider.wire.compute import ForwardingRule, PscConnectionStatus


@dataclass(frozen=True)
class Rule:
    """A rule by its name, and whose it is."""

    args: PscForwardingRuleArgs
    ownership: Ownership
    context: Context

    @property
    def place(self) -> tuple[str, str, str]:
        """Project, region and name."""
        return self.args.project, self.args.region, self.args.forwarding_rule_name

    def find(self) -> ForwardingRule | None:
        """The rule as it is; None only if there is none."""
        try:
            return self.context.clients.compute.get_forwarding_rule(*self.place)
        except NotFound:
            return None

    def own(self) -> ForwardingRule | None:
        """The rule as it is, if there is one.

        Raises:
            MgError: It is somebody else's.
        """
        rule = self.find()
        if rule is not None and not self.ownership.has_rule(rule, None):
            self.ownership.require_rule(rule, find_address(self.args, self.context))
        return rule

    def guard(self) -> None:
        """Refuse to touch the rule as it is now, unless it is this resource's.

        Raises:
            MgError: It is somebody else's.
        """
        self.own()

    def remove(self, changes: RegionalChanges) -> None:
        """Delete it; gone already is fine."""
        compute = self.context.clients.compute
        changes.unless_gone(lambda request: compute.delete_forwarding_rule(*self.place, request), self.guard)

    def settle(
        self, present: ForwardingRule | None, labels: Labelling, target: str, held: Held, changes: RegionalChanges
    ) -> ForwardingRule:
        """Make the rule, or change of it what can be changed."""
        rule = present or self._insert(target, held, changes)
        rule = self._labelled(rule, labels, changes)
        if bool(rule.allow_psc_global_access) == self.args.allow_psc_global_access:
            return rule
        if not self._set_global_access(rule, changes):
            self.context.progress("global access cannot be changed in place: making the rule anew behind its address")
            self.remove(changes)
            rule = self._labelled(self._insert(target, held, changes), labels, changes)
        return self._there()

    def _there(self) -> ForwardingRule:
        rule = self.own()
        if rule is None:
            raise MgError(
                f"{self.args.forwarding_rule} was there and is gone",
                resource=self.args.resource,
                hint="find out who deleted it, then run the same command again",
            )
        return rule

    def _labelled(self, rule: ForwardingRule, labels: Labelling, changes: RegionalChanges) -> ForwardingRule:
        compute = self.context.clients.compute
        changes.relabel(
            rule,
            labels,
            lambda: compute.get_forwarding_rule(*self.place),
            lambda request, request_id: compute.set_forwarding_rule_labels(*self.place, request, request_id),
            self.guard,
        )
        return self._there()

    def _set_global_access(self, rule: ForwardingRule, changes: RegionalChanges) -> bool:
        """Patch the rule; False should Compute refuse, as its reference says against what gcloud does."""
        patch = ForwardingRule(
            name=rule.name,
            fingerprint=rule.fingerprint,
            allow_psc_global_access=self.args.allow_psc_global_access,
        )
        compute = self.context.clients.compute
        try:
            changes.make(lambda request: compute.patch_forwarding_rule(*self.place, patch, request), self.guard)
        except InvalidArgument:
            return False
        return True

    def _insert(self, target: str, held: Held, changes: RegionalChanges) -> ForwardingRule:
        self.context.progress("making the forwarding rule")
        compute, args = self.context.clients.compute, self.args
        request = args.wire(target, held.path)
        try:
            changes.create(lambda id: compute.insert_forwarding_rule(args.project, args.region, request, id))
        except (InvalidArgument, NotFound) as error:
            if "service attachment" in error.message or "serviceAttachments/" in error.message:
                error.hint = explanation(PscConnectionStatus.CLOSED, args)
            raise
        return self._there()
