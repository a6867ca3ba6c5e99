"""What an earlier run asked for and that still runs: found by its name or by what it names, waited for, or ended.

Nothing is deployed before it was asked for. Listing operations is not promised by the API, so the name is kept in the
stack's state wherever a run got to know it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mg_provider.api.errors import NotFound, NotReached, OperationFailed
from mg_provider.rollout.place import cancel, deploys, operation_from_before, running_operation

if TYPE_CHECKING:
    from mg_provider.resources.endpoint.args import EndpointArgs
    from mg_provider.resources.model.lifecycle import Context
    from mg_provider.wire.vertex.operation import Operation

Matches = Callable[["Operation"], bool]


@dataclass(frozen=True)
class InLocation:
    """Which operations of the location, where Model Garden makes an endpoint, do that.

    Attributes:
        matches: Whether one does.
        begun: Whether there is a sign that one was begun, or this process began one. Otherwise the location is read
            once a process: only an earlier run of the stack can have begun one, and two never run at a time.
    """

    matches: Matches
    begun: bool

    def find(self, args: EndpointArgs, context: Context) -> Operation | None:
        """One that still runs."""
        look = running_operation if self.begun else operation_from_before
        return look(args.parent, self.matches, context)


def under_way(
    args: EndpointArgs, known: str, context: Context, in_location: InLocation | None = None
) -> Operation | None:
    """An operation that still runs and makes the endpoint or deploys on it.

    Args:
        args: The endpoint.
        known: Name of the operation that the stack's state has; empty for none.
        context: Of the call.
        in_location: Which operations of the location do that; None where only those below the endpoint do.
    """
    operation = _named(known, context)
    if operation is None and in_location is not None:
        operation = in_location.find(args, context)
    return operation or running_operation(
        args.endpoint, lambda operation: makes(operation) or deploys(operation), context
    )


def makes(operation: Operation) -> bool:
    """Whether an operation makes an endpoint."""
    return "CreateEndpointOperationMetadata" in str((operation.metadata or {}).get("@type"))


def stop(
    args: EndpointArgs,
    known: str,
    limit: float,
    context: Context,
    in_location: InLocation | None = None,
    is_ours: Matches = lambda operation: True,
) -> bool:
    """End everything that still runs, so that nothing appears after everything was deleted; whether there was anything.

    Args:
        args: The endpoint.
        known: As in :func:`under_way`.
        limit: Seconds to wait for each.
        context: Of the call.
        in_location: As in :func:`under_way`.
        is_ours: Which of what is found may be cancelled; for the end of others it waits.
    """
    found = False
    while (operation := under_way(args, known, context, in_location)) is not None:
        found, known = True, ""
        if is_ours(operation):
            context.progress("cancelling what is still being made")
            cancel(operation, limit, context)
            continue
        context.progress("waiting for a deployment that may be this one")
        try:
            context.wait(operation, limit, "waiting")
        except OperationFailed:
            continue
    return found


def _named(name: str, context: Context) -> Operation | None:
    """The operation, if it still runs. That it cannot be found says nothing of what it makes."""
    if not name:
        return None
    try:
        operation = context.clients.vertex.get_operation(name)
    except (NotFound, NotReached):
        return None
    return None if operation.done else operation
