"""The forwarding rule itself: made, labelled, changed in place, and made again behind its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mg_provider.api.errors import InvalidArgument, MgError, NotFound, PermissionDenied, PolicyViolated
from mg_provider.resources.model.lifecycle import Context
from mg_provider.resources.model.standing import changed_by, standing
from mg_provider.resources.psc_forwarding_rule.address import find_address
from mg_provider.resources.psc_forwarding_rule.args import Held, PscForwardingRuleArgs
from mg_provider.resources.psc_forwarding_rule.changes import Labelling, RegionalChanges
from mg_provider.resources.psc_forwarding_rule.connection import explanation, is_dead
from mg_provider.resources.psc_forwarding_rule.fields import PATCH
from mg_provider.resources.psc_forwarding_rule.names import short
from mg_provider.resources.psc_forwarding_rule.ownership import Ownership
from mg_provider.wire.base import nested, same, value_at
from mg_provider.wire.compute import ForwardingRule, PscConnectionStatus


@dataclass(frozen=True)
class OwnedRule:
    """A rule by its name, and who owns it."""

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
            rule = self.context.clients.compute.forwarding_rules.get(*self.place)
        except NotFound:
            return None
        if rule.id is not None and self.ownership.is_in_doubt(rule) and self._was_made_by_us(rule.id):
            self.ownership.made.add(str(rule.id))
        return rule

    def _was_made_by_us(self, id: int) -> bool:
        """Whether the operation that made a rule says so; False where operations cannot be listed."""
        args = self.args
        try:
            found = self.context.clients.compute.list_operations(args.project, args.region, f"targetId = {id}")
            return self.ownership.is_proved_by(found, id)
        except (PermissionDenied, InvalidArgument):
            return False

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
        changes.unless_gone(lambda request: compute.forwarding_rules.delete(*self.place, request), self.guard)

    def settle(
        self,
        present: ForwardingRule | None,
        labels: Labelling,
        target: str,
        held: Held,
        changes: RegionalChanges,
        *,
        before: ForwardingRule | None = None,
    ) -> ForwardingRule:
        """Make the rule, or change of it what can be changed.

        If Compute Engine will not have the new one, the one that was there ``before`` is made again.
        """
        try:
            rule = present or self._insert(target, held, changes)
        except (InvalidArgument, PolicyViolated) as error:
            if before is not None and not is_dead(before) and self.find() is None:
                self.context.progress("the new rule is refused: making the rule as it was")
                self._restore(before, labels, held, changes, error)
            raise
        rule = self._labelled(rule, labels, changes)
        patched = changed_by(PscForwardingRuleArgs, "rule", PATCH)
        wanted = {path: getattr(self.args, name) for name, path in patched.items()}
        if all(same(value, value_at(rule, path)) for path, value in wanted.items()):
            return rule
        if not self._patch(rule, wanted, changes):
            self.context.progress("global access cannot be changed in place: making the rule again behind its address")
            self.remove(changes)
            rule = self._labelled(self._insert(target, held, changes), labels, changes)
        return self._there()

    def _restore(
        self, before: ForwardingRule, labels: Labelling, held: Held, changes: RegionalChanges, refusal: MgError
    ) -> None:
        paths = set(standing(PscForwardingRuleArgs, "rule").values()) - {"network", "target", "labels"}
        request = self.args.wire(short(before.target or ""), held.path).model_copy(
            update={path: getattr(before, path) for path in paths}
        )
        try:
            self._make(request, changes)
            self._labelled(self._there(), labels, changes)
        except MgError as trouble:
            self.context.progress(f"the rule as it was could not be made either: {trouble.summary}")
        else:
            refusal.exists.append(f"{self.args.forwarding_rule}, as it was before")

    def _make(self, request: ForwardingRule, changes: RegionalChanges) -> None:
        compute, args = self.context.clients.compute, self.args
        changes.create(lambda id: compute.forwarding_rules.insert(args.project, args.region, request, id))

    def _there(self) -> ForwardingRule:
        rule = self.own()
        if rule is None:
            raise MgError(
                f"{self.args.forwarding_rule} was deleted during this run",
                resource=self.args.resource,
                hint="find out who deleted it, then run the same command again",
            )
        return rule

    def _labelled(self, rule: ForwardingRule, labels: Labelling, changes: RegionalChanges) -> ForwardingRule:
        changes.relabel(rule, labels, self.context.clients.compute.forwarding_rules, self.place, self.guard)
        return self._there()

    def _patch(self, rule: ForwardingRule, wanted: Mapping[str, Any], changes: RegionalChanges) -> bool:
        """Patch the rule; False should Compute refuse, as its reference says against what gcloud does."""
        patch = ForwardingRule(name=rule.name, fingerprint=rule.fingerprint, **nested(wanted))
        compute = self.context.clients.compute
        try:
            changes.make(lambda request: compute.forwarding_rules.patch(*self.place, patch, request), self.guard)
        except InvalidArgument:
            return False
        return True

    def _insert(self, target: str, held: Held, changes: RegionalChanges) -> ForwardingRule:
        self.context.progress("making the forwarding rule")
        args = self.args
        try:
            self._make(args.wire(target, held.path), changes)
        except (InvalidArgument, NotFound) as error:
            if "serviceDirectoryRegistrations" in error.message:
                error.hint = (
                    "leave service_directory_registrations out: Compute Engine chooses the namespace of a rule to a "
                    "service attachment itself"
                )
            elif "service attachment" in error.message or "serviceAttachments/" in error.message:
                error.hint = explanation(PscConnectionStatus.CLOSED, args)
            raise
        return self._there()
