"""Changes of a region's addresses and forwarding rules: made once, waited for, and made again where that is needed.

Whose a resource is, is looked at right before each change of it, also after each wait: somebody else may have it now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mg_provider.api.errors import Aborted, AlreadyExists, FailedPrecondition, NotFound, PermissionDenied
from mg_provider.api.reading.hints import says_changed
from mg_provider.api.waiting import Waiting
from mg_provider.resources.model.identity import marked_request_id
from mg_provider.resources.model.lifecycle import Context
from mg_provider.resources.psc_forwarding_rule.args import PscForwardingRuleArgs
from mg_provider.resources.psc_forwarding_rule.names import short
from mg_provider.resources.psc_forwarding_rule.ownership import Ownership
from mg_provider.resources.psc_forwarding_rule.under_way import wait_for_others
from mg_provider.rollout.merging import MOST_ATTEMPTS, keeps_changing
from mg_provider.wire.compute import Address, ComputeOperation, ForwardingRule, SetLabelsRequest

if TYPE_CHECKING:
    from mg_provider.api.compute import Addresses, ForwardingRules

_POLL_SECONDS = 3.0

Guard = Callable[[], None]
"""Refuses, with an MgError, to touch what is not the resource's."""


@dataclass(frozen=True)
class Labelling:
    """The labels that rule and address are to have, and the ones that the program named before.

    Labels that the program never named are others', such as those of cost tools, and stay.
    """

    wanted: Mapping[str, str]
    before: Mapping[str, str]

    def beside(self, present: Mapping[str, str] | None) -> dict[str, str]:
        """All labels of a resource that has these."""
        others = {key: value for key, value in (present or {}).items() if key not in self.before}
        return {**others, **self.wanted}


class RegionalChanges:
    """The changes that one create, update or delete makes.

    Args:
        ownership: What may be touched.
        context: The world.
        limit: Seconds to wait for each change.

    Attributes:
        begun: Whether any change was asked for, so that something may differ from what was there before.
        made: What was created, by resource name.
    """

    def __init__(self, ownership: Ownership, context: Context, limit: float) -> None:
        self.ownership, self._args, self._context, self.limit = ownership, ownership.args, context, limit
        self.begun = False
        self.made: list[str] = []

    def make(self, call: Callable[[str], ComputeOperation], guard: Guard) -> None:
        """Change what is there, and wait until it is done.

        While an earlier change of the same resource is under way, Compute refuses; then it is made after that one.

        Raises:
            MgError: It was refused or ended badly, is not done in time, or the user stopped the run.
        """
        self._wait(self._begin(call, guard))

    def create(self, call: Callable[[str], ComputeOperation]) -> None:
        """Make a creation, and wait until it is done. What is there already stays: the caller finds out who owns it.

        Raises:
            MgError: As :meth:`make`.
        """
        try:
            operation = self._begin(call, lambda: None, lambda id: marked_request_id(id, self._args.ownership))
        except AlreadyExists:
            self._context.progress("it was made by an earlier call")
            wait_for_others(self._args, self.limit, self._context)
            return
        if operation.target_id is not None:
            self.ownership.made.add(str(operation.target_id))
        self._wait(operation)
        self.made.append(short(operation.target_link or ""))

    def _wait(self, operation: ComputeOperation) -> None:
        self._context.clients.operations.wait_compute(
            self._args.project, self._args.region, operation, Waiting(self.limit, cancelled=self._context.cancelled)
        )

    def _begin(
        self,
        call: Callable[[str], ComputeOperation],
        guard: Guard,
        mark: Callable[[str], str] = lambda request_id: request_id,
    ) -> ComputeOperation:
        """Ask for a change under a request id of its own, by which Compute knows a repeat."""
        context, started = self._context, self._context.clock.monotonic()
        while True:
            guard()
            self.begun = True
            try:
                return call(mark(context.clock.request_id()))
            except FailedPrecondition as error:
                waited = context.clock.monotonic() - started
                if "not ready" not in error.message or waited > self.limit or context.cancelled():
                    raise
                context.progress("waiting for an earlier change to end")
                context.clock.sleep(min(_POLL_SECONDS, 0.1 + waited))
            except PermissionDenied as error:
                error.hint = permission_hint(error, self._args, context) or error.hint
                raise

    def relabel(
        self,
        resource: Address | ForwardingRule,
        wanted: Labelling,
        calls: Addresses | ForwardingRules,
        place: tuple[str, str, str],
        guard: Guard,
    ) -> None:
        """Give a resource the labels that it is to have. If somebody changes them meanwhile, they are read again.

        Args:
            resource: As it was read last.
            wanted: The labels.
            calls: The calls for resources of its kind.
            place: Its project, region and name.
            guard: Refuses where somebody else owns it.

        Raises:
            MgError: As :meth:`make`, or somebody keeps changing them.
        """
        for _ in range(MOST_ATTEMPTS):
            labels = wanted.beside(resource.labels)
            if resource.labels == labels:
                return
            request = SetLabelsRequest(labels=labels, label_fingerprint=resource.label_fingerprint or "")
            try:
                self.make(partial(calls.set_labels, *place, request), guard)
            except Aborted as error:
                if error.status == 412 and not says_changed(error.message):
                    raise
                resource = calls.get(*place)
            else:
                return
        raise keeps_changing("the labels", short(resource.self_link or resource.name or ""), self._args.resource)

    def unless_gone(self, call: Callable[[str], ComputeOperation], guard: Guard) -> None:
        """Make a deletion; gone already is fine."""
        try:
            self.make(call, guard)
        except NotFound:
            return


def permission_hint(error: PermissionDenied, args: PscForwardingRuleArgs, context: Context) -> str | None:
    """Who needs which role where, if what was refused is the use of a network in another project."""
    host = args.network_project
    if host == args.project or not any(part in error.message for part in (f"projects/{host}/", ".use'", "networks.")):
        return None
    account = context.clients.settings.impersonate_service_account
    caller = f"serviceAccount:{account}" if account else "the account that runs this deployment"
    permission = "compute.networks.use" if "compute.networks.use" in error.message else "compute.subnetworks.use"
    return (
        f"grant {caller} the role roles/compute.networkUser on {args.subnetwork_path}, or on the whole host project "
        f"{host}: it holds {permission}, which using a Shared VPC from {args.project} needs"
    )
