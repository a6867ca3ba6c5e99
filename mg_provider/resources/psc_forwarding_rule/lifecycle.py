"""How a private address is reserved, connected, read, changed and given back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mg_provider.api.errors import CloudError, ConnectionFailed, MgError, UserError
from mg_provider.resources.model.args import Problem
from mg_provider.resources.model.diff import Changes
from mg_provider.resources.model.identity import CLAIM_LABEL, derived_id, parent_seeds
from mg_provider.resources.model.lifecycle import (
    LOOK_SECONDS,
    UNSETTLED,
    Context,
    Defaults,
    Incomplete,
    Lifecycle,
    Reading,
    kept,
)
from mg_provider.resources.model.names import loopback_problem
from mg_provider.resources.model.seeds import counted, seeds
from mg_provider.resources.model.unknown import UNKNOWN
from mg_provider.resources.psc_forwarding_rule.address import (
    check_subnetwork,
    ensure_address,
    find_address,
    find_usable,
    guard_address,
)
from mg_provider.resources.psc_forwarding_rule.args import PscForwardingRuleArgs, PscForwardingRuleState
from mg_provider.resources.psc_forwarding_rule.changes import Labelling, RegionalChanges
from mg_provider.resources.psc_forwarding_rule.connection import (
    astray,
    find_target,
    is_dead,
    must_be_allowed,
    must_be_reachable,
    wait_until_accepted,
)
from mg_provider.resources.psc_forwarding_rule.names import API_VERSION, short, urls
from mg_provider.resources.psc_forwarding_rule.ownership import Ownership
from mg_provider.resources.psc_forwarding_rule.rule import OwnedRule
from mg_provider.resources.psc_forwarding_rule.under_way import under_way, wait_for_others
from mg_provider.resources.psc_forwarding_rule.view import must_be_remade, observed_rule, state_of
from mg_provider.wire.compute import is_accepted

# What gives the address.
_PLACE = seeds(PscForwardingRuleArgs, "forwarding_rule_name")
CREATE_SECONDS = 900.0
UPDATE_SECONDS = 900.0
DELETE_SECONDS = 600.0


class PscForwardingRuleLifecycle(Lifecycle[PscForwardingRuleArgs, PscForwardingRuleState]):
    """Holds an address, makes the rule behind it and waits until the producer accepts.

    The rule is made again for what a rule cannot change; the address stays as long as the resource does. While nothing
    is deployed on the endpoint, the address waits without a rule, or with the one it has.

    IAM: in the rule's project ``compute.addresses.*``, ``compute.forwardingRules.*``, ``compute.regionOperations.get``
    and ``list``; in the network's project ``compute.subnetworks.use`` and ``compute.networks.use``
    (roles/compute.networkUser); with ``endpoint``, ``aiplatform.endpoints.get``.
    """

    args_type = PscForwardingRuleArgs
    state_type = PscForwardingRuleState

    def check(
        self, given: Mapping[str, Any], old: PscForwardingRuleArgs | None, defaults: Defaults
    ) -> tuple[PscForwardingRuleArgs, list[Problem]]:
        """Arguments, validated and completed, and what is wrong with them. Pure: no network, no clock."""
        args, problems = super().check(given, old, defaults)
        if not problems and not defaults.loopback_networks and args.is_known("address"):
            problem = loopback_problem(args.address)
            problems = [Problem("address", problem)] if problem else []
        return args, problems

    def name(self, args: PscForwardingRuleArgs, old: PscForwardingRuleArgs | None) -> PscForwardingRuleArgs:
        """Name the rule after the resource; a kept resource keeps its name."""
        if not args.forwarding_rule_name:
            names = (*_PLACE, "owner", "resource")
            values = [str(value) for _, value in counted(args, names, args.always_in_ids)] + parent_seeds(
                args.program_path
            )
            fresh = derived_id(args.owner, args.resource, *values) if args.is_known(*names) else ""
            args = args.with_values(forwarding_rule_name=kept(old, args, "forwarding_rule_name") or fresh or UNKNOWN)
        if args.is_known("project", "region", "forwarding_rule_name"):
            full = f"projects/{args.project}/regions/{args.region}/forwardingRules/{args.forwarding_rule_name}"
            args = args.with_values(forwarding_rule=full)
        else:
            args = args.with_values(forwarding_rule=UNKNOWN)
        return args.planned(kept(old, args, "ip_address"))

    def looks(self, args: PscForwardingRuleArgs) -> bool:
        """With ``look_up``, at what gives the address, as far as the program knows it."""
        return args.look_up is True and args.is_known(*_PLACE, "forwarding_rule_name")

    def look(
        self, given: Mapping[str, Any], args: PscForwardingRuleArgs, context: Context
    ) -> tuple[PscForwardingRuleArgs, list[Problem]]:
        """Find out whether subnetwork, rule and address are available; an address that is reserved already is known."""
        try:
            check_subnetwork(args, context, retry_budget=LOOK_SECONDS)
            ownership = Ownership(args, args, "", in_state=False)
            held = find_usable(args, ownership, OwnedRule(args, ownership, context).own(), context)
        except (CloudError, ConnectionFailed) as error:
            context.progress(f"{args.subnetwork_path}: could not check whether it has the address: {error.summary}")
            return args, []
        except MgError as error:
            named = (error.property if isinstance(error, UserError) else None) or "forwarding_rule_name"
            return args, [Problem(named, f"{error.summary.removeprefix(f'{named}: ')}: {error.hint}")]
        return (args.planned(held.address.address) if held else args), []

    def refuse(self, old: PscForwardingRuleArgs, new: PscForwardingRuleArgs, state: PscForwardingRuleState) -> None:
        """A program may come to name the IP that the resource has, but no other while the rule keeps its name.

        Raises:
            UserError: It names another one: the new rule cannot be there before the old one goes.
        """
        if old.address or not state.ip_address or not new.is_known("address") or new.names_address:
            return
        if new.address not in ("", state.ip_address) and new.forwarding_rule_name == old.forwarding_rule_name:
            raise UserError(
                f"is {new.address}, and the resource has {state.ip_address}, which clients may have configured",
                property="address",
                hint="leave address out to keep it; to move, set another forwarding_rule_name as well: then the new "
                "rule is there before the old one goes",
            )

    def settled(self, args: PscForwardingRuleArgs, state: PscForwardingRuleState) -> bool:
        """Whether rule and address say whose they are."""
        return state.ownership is None or state.ownership == args.ownership

    def create(self, args: PscForwardingRuleArgs, context: Context) -> tuple[str, PscForwardingRuleState]:
        """Reserve the address and make the rule, or take up those that an earlier run of ours made."""
        claim = context.clock.request_id()
        ownership = Ownership(args, args, claim, in_state=False)
        changes = RegionalChanges(ownership, context, context.limit(args.timeouts.create, CREATE_SECONDS))
        self._take_up(args, ownership, context)
        try:
            return args.forwarding_rule, self._converge(args, args, frozenset(), changes, context)
        except MgError as error:
            if (incomplete := self._incomplete(error, changes, context)) is None:
                raise
            raise incomplete from error

    def _take_up(self, args: PscForwardingRuleArgs, ownership: Ownership, context: Context) -> None:
        """Tell what an earlier run made and this one goes on with.

        Raises:
            MgError: Nobody said whose stack this is, so what exists may be somebody else's.
        """
        rule, held = OwnedRule(args, ownership, context).find(), find_address(args, context)
        if rule is not None and ownership.has_rule(rule, held):
            context.take_up(f"forwarding rule {args.forwarding_rule}", rule.creation_timestamp or "", args)
        elif held is not None and ownership.has_address(held, rule):
            context.take_up(f"address {held.path}", held.address.creation_timestamp or "", args)

    def read(
        self, id: str, args: PscForwardingRuleArgs, state: PscForwardingRuleState, context: Context
    ) -> Reading[PscForwardingRuleArgs, PscForwardingRuleState] | None:
        """Rule and address as they are. A rule that is not accepted, or is missing, shows as an empty target."""
        ownership = Ownership(args, args, state.claim, in_state=True)
        rule, held = OwnedRule(args, ownership, context).find(), find_address(args, context)
        if rule is None and under_way(args, context):
            context.progress("an earlier change still runs: `pulumi up` waits for it")
            return Reading(args, state)
        if rule is None and held is None:
            return None
        seen, target = observed_rule(args, rule), find_target(args, context)
        accepted = rule is not None and is_accepted(rule.psc_connection_status)
        leads_to = short(rule.target or "") if rule is not None and accepted else ""
        if args.endpoint:
            # A rule that was never made waits for something to lead to; one that was closed is fixed by the `up` that
            # deploys again, unless its model is parked on purpose.
            idle = target is not None and not target.attachments
            waits = idle and (rule is None or args.parked or not is_dead(rule))
            if not waits and (target is None or leads_to not in target.attachments):
                seen = seen.with_values(endpoint="")
        elif args.service_attachment and leads_to != short(args.service_attachment):
            seen = seen.with_values(service_attachment=leads_to)
        if (seen.endpoint, seen.service_attachment) != (args.endpoint, args.service_attachment):
            context.progress(astray(args, rule, target))
        # An earlier look may have found that the rule does not lead there; its URL stays what it is to be.
        endpoint = args.endpoint or state.base_url.partition(f"/{API_VERSION}/")[2]
        found = state_of(args.with_values(endpoint=endpoint), rule, held)
        # The owner stays known where somebody took the labels away.
        found = found.model_copy(update={"claim": found.claim or state.claim, "unlabelled": state.unlabelled})
        return Reading(seen.with_values(**urls(found.ip_address, endpoint)), found)

    def update(
        self,
        id: str,
        old: PscForwardingRuleArgs,
        state: PscForwardingRuleState,
        new: PscForwardingRuleArgs,
        changes: Changes,
        context: Context,
    ) -> PscForwardingRuleState:
        """Change labels and global access in place; make the rule again behind its address for the rest."""
        claim = state.claim or context.clock.request_id()
        ownership = Ownership(new, old, claim, in_state=True, made=set(state.unlabelled.split()))
        regional = RegionalChanges(ownership, context, context.limit(new.timeouts.update, UPDATE_SECONDS))
        try:
            return self._converge(new, old, changes.fields, regional, context)
        except MgError as error:
            incomplete = self._incomplete(error, regional, context) if regional.begun else None
            if incomplete is None:
                raise
            raise incomplete from error

    def delete(self, id: str, args: PscForwardingRuleArgs, state: PscForwardingRuleState, context: Context) -> None:
        """Delete the rule, then give its address back, if it was reserved for the rule."""
        ownership = Ownership(args, args, state.claim, in_state=True, made=set(state.unlabelled.split()))
        changes = RegionalChanges(ownership, context, context.limit(args.timeouts.delete, DELETE_SECONDS))
        wait_for_others(args, changes.limit, context)
        work = OwnedRule(args, ownership, context)
        rule, held = work.find(), find_address(args, context)
        if rule is not None:
            ownership.require_rule(rule, held)
        if held is not None:
            ownership.require_address(held, rule)
        address = held.address if held is not None and held.own else None
        for kind, found in (("forwarding rule", rule), ("address", address)):
            if found is not None and ownership.claimed_by_another(found.labels):
                context.progress(f"{kind} {args.forwarding_rule_name} was taken up by a newer create; left alone")
                return
        if rule is not None:
            work.remove(changes)
        if address is not None:
            place = (args.project, args.region, args.forwarding_rule_name)
            changes.unless_gone(
                lambda request: context.clients.compute.addresses.delete(*place, request),
                lambda: guard_address(args, rule, ownership, context),
            )

    def _converge(
        self,
        args: PscForwardingRuleArgs,
        old: PscForwardingRuleArgs,
        changed: frozenset[str],
        changes: RegionalChanges,
        context: Context,
    ) -> PscForwardingRuleState:
        """Turn what is there into what is asked for; ``old`` is what was asked for before."""
        ownership = changes.ownership
        labels = Labelling({**args.labels, **args.ownership, CLAIM_LABEL: ownership.claim}, old.labels)
        wait_for_others(args, changes.limit, context)
        work = OwnedRule(args, ownership, context)
        rule = work.own()
        target = must_be_reachable(args, find_target(args, context))
        if rule is None:
            must_be_allowed(args, target)
            check_subnetwork(args, context)
        held = ensure_address(args, rule, labels, changes, context)
        wanted = target.choose(rule)
        present = rule if rule is not None and must_be_remade(args, rule, wanted, changed) else None
        if present is not None:
            must_be_allowed(args, target)
            context.progress("removing the rule; its address stays reserved")
            work.remove(changes)
            rule = None
        if rule is None and not wanted:
            context.progress("nothing is deployed on the endpoint: its address waits; refresh once something is")
            return state_of(args, None, held)
        rule = work.settle(rule, labels, wanted, held, changes, before=present)
        if target.attachments:
            rule = wait_until_accepted(args, rule, changes.limit, context)
        return state_of(args, rule, held)

    def _incomplete(self, error: MgError, changes: RegionalChanges, context: Context) -> Incomplete | None:
        """What keeps the resource in state after an error, if something of ours exists, or may exist."""
        ownership = changes.ownership
        args = ownership.args
        try:
            rule, held = OwnedRule(args, ownership, context).find(), find_address(args, context)
        except MgError:
            rule = held = None
            unsure = changes.begun
            error.add_existing(*changes.made)
        else:
            unsure = changes.begun and isinstance(error, UNSETTLED)
        ours = rule is not None and ownership.has_rule(rule, held)
        reserved = held is not None and ownership.has_address(held, rule)
        if not (unsure or ours or reserved):
            return None
        error.add_existing(args.forwarding_rule if ours else "", held.path if held and reserved else "")
        state = state_of(args, rule if ours else None, held if reserved or (held and not held.own) else None)
        found = [rule, held.address if held is not None else None]
        made = [str(each.id) for each in found if each is not None and not args.owns(each.labels)]
        unlabelled = " ".join(number for number in made if number in ownership.made)
        update = {"claim": state.claim or ownership.claim, "unlabelled": unlabelled}
        return Incomplete(error, args.forwarding_rule, args, state.model_copy(update=update))
