"""What both endpoint resources do with an endpoint: find it, prove who owns it, change it, take it down."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mg_provider.api.errors import AlreadyExists, ConnectionFailed, MgError, NotFound, OperationFailed, Unavailable
from mg_provider.resources.endpoint.args import EndpointArgs
from mg_provider.resources.endpoint.machines import MUTATE, Machines
from mg_provider.resources.endpoint.under_way import under_way
from mg_provider.resources.model.args import has
from mg_provider.resources.model.lifecycle import UNSETTLED, Context, NotOurs
from mg_provider.resources.model.marks import Computed
from mg_provider.resources.model.standing import changed_by
from mg_provider.rollout import models, traffic
from mg_provider.rollout.place import Place
from mg_provider.wire.base import WireModel, nested, same, value_at
from mg_provider.wire.vertex.deployed_model import DeployedModel
from mg_provider.wire.vertex.endpoint import Endpoint
from mg_provider.wire.vertex.operation import Operation

CREATE_SECONDS = 7200.0
UPDATE_SECONDS = 7200.0
DELETE_SECONDS = 1800.0
LOOK_AGAIN_SECONDS = 2.0
NAME_SECONDS = 120.0


def find_endpoint(args: EndpointArgs, context: Context) -> Endpoint | None:
    """The endpoint as it is; None only on not-found."""
    try:
        return context.clients.vertex.get_endpoint(args.endpoint)
    except NotFound:
        return None


def make_endpoint(args: EndpointArgs, endpoint: Endpoint, known: str, context: Context) -> Endpoint:
    """Make the endpoint, or go on with a call of ours that is making it or has made it.

    Args:
        args: The resource's arguments.
        endpoint: What to make.
        known: The operation of an earlier run that was making it, as the stack's state has it.
        context: Of the call.

    Raises:
        NotOurs: Somebody else asked for the same id, and was first.
        MayExist: The endpoint exists, or may come to be, without our having seen it.
        MgError: It was refused.
    """
    asked: list[Operation] = []
    try:
        return _made(args, endpoint, known, asked, context)
    except (NotOurs, OperationFailed):
        raise
    except MgError as error:
        if asked or isinstance(error, UNSETTLED):
            raise MayExist(error) from error
        raise


class MayExist(MgError):
    """Something was asked for, and what became of it could not be seen.

    Attributes:
        reason: What went wrong.
    """

    def __init__(self, reason: MgError) -> None:
        super().__init__(reason.summary, resource=reason.resource, hint=reason.hint, exists=reason.exists)
        self.reason = reason
        self.operation = str(getattr(reason, "operation", ""))


def _made(args: EndpointArgs, endpoint: Endpoint, known: str, asked: list[Operation], context: Context) -> Endpoint:
    """The endpoint once it is there; ``asked`` gets the operations that were begun for it."""
    clock, limit = context.clock, context.limit(args.timeouts.create, CREATE_SECONDS)
    began = clock.monotonic()
    while (found := find_endpoint(args, context)) is None:
        running, known = under_way(args, known, context), ""
        left = max(limit - (clock.monotonic() - began), 0.0)
        if running is not None:
            context.progress("going on with the endpoint that is being made")
            context.wait(running, left, "making the endpoint")
            continue
        context.progress("making the endpoint")
        try:
            asked.append(context.clients.vertex.create_endpoint(args.parent, args.endpoint_id, endpoint))
        except (AlreadyExists, ConnectionFailed, Unavailable) as error:
            lost = isinstance(error, AlreadyExists) or getattr(error, "sent", False)
            if not lost or not left or context.cancelled():
                raise
            # It may be on its way without being shown: asking again answers AlreadyExists until it is there.
            clock.sleep(LOOK_AGAIN_SECONDS)
        else:
            context.wait(asked[-1], left, "making the endpoint")
    context.guard.endpoint(found)
    return _with_its_name(found, args, context)


def _with_its_name(endpoint: Endpoint, args: EndpointArgs, context: Context) -> Endpoint:
    """The endpoint once it shows the DNS name that it is to have, or after a while without: a refresh shows it then."""
    began = context.clock.monotonic()
    while endpoint.dedicated_endpoint_enabled and not endpoint.dedicated_endpoint_dns:
        if context.clock.monotonic() - began > NAME_SECONDS or context.cancelled():
            context.progress("the endpoint has no DNS name yet: `pulumi refresh` shows it once it is there")
            break
        context.progress("waiting for the endpoint's DNS name")
        context.clock.sleep(LOOK_AGAIN_SECONDS)
        endpoint = find_endpoint(args, context) or endpoint
    return endpoint


def _changes_in_place(wanted: Machines, deployed: DeployedModel) -> dict[str, tuple[str, Any, Any]]:
    """What of a running deployment differs and can be changed on it: by argument its path, and both values."""
    asked, found = wanted.deployed(), {}
    for name, path in changed_by(type(wanted), "deployment", MUTATE).items():
        value, actual = value_at(asked, path), value_at(deployed, path)
        left_open = value is None and has(type(wanted), name, Computed)
        if not left_open and (value or actual) and not same(value, actual):
            found[name] = (path, value, actual)
    return found


def changes_in_place(wanted: Machines, deployed: DeployedModel) -> list[str]:
    """What :func:`mutate` would change, a line each."""
    changes = _changes_in_place(wanted, deployed)
    return [f"{name}: {_shown(actual)} -> {_shown(value)}" for name, (_, value, actual) in changes.items()]


def _shown(value: object) -> str:
    entries = value if isinstance(value, list) else [value]
    texts = [str(entry.to_wire() if isinstance(entry, WireModel) else entry) for entry in entries if entry is not None]
    return ", ".join(texts) or "none"


def mutate(args: EndpointArgs, deployed: DeployedModel, wanted: Machines, context: Context) -> None:
    """Change of a running deployment what can be changed on it, with a mask of just what differs."""
    changes = _changes_in_place(wanted, deployed)
    if not changes:
        return
    if (endpoint := find_endpoint(args, context)) is not None:
        context.guard.endpoint(endpoint)
    context.progress(f"changing {', '.join(changes)}")
    values = {path: value for path, value, _ in changes.values()}
    request = DeployedModel(id=deployed.id, **nested(values))
    operation = context.clients.vertex.mutate_deployed_model(args.endpoint, request, list(values))
    context.wait(operation, context.limit(args.timeouts.update, UPDATE_SECONDS), "changing the deployment")


def place_of(args: EndpointArgs, context: Context) -> Place:
    """The endpoint as rollouts know it."""
    return Place(
        args.endpoint,
        args.resource,
        context,
        deploy_seconds=context.limit(args.timeouts.create, CREATE_SECONDS),
        change_seconds=context.limit(args.timeouts.delete, DELETE_SECONDS),
    )


def undeploy(args: EndpointArgs, ids: Iterable[str], context: Context) -> None:
    """Take deployments off the endpoint, without moving traffic to one that has none. Gone already is fine."""
    traffic.undeploy_at(place_of(args, context), ids)


def delete_model(name: str, args: EndpointArgs, context: Context) -> None:
    """Delete an uploaded Model; gone already is fine. Waits while Vertex AI still takes it for deployed."""
    models.delete_model_at(place_of(args, context), name.rpartition("/")[2])


def delete_endpoint(args: EndpointArgs, context: Context) -> None:
    """Delete the endpoint; gone already is fine."""
    if (endpoint := find_endpoint(args, context)) is None:
        return
    context.guard.endpoint(endpoint)
    context.progress("deleting the endpoint")
    try:
        operation = context.clients.vertex.delete_endpoint(args.endpoint)
        context.wait(operation, context.limit(args.timeouts.delete, DELETE_SECONDS), "deleting the endpoint")
    except NotFound:
        return


def nothing_left(cause: MgError, what: str) -> MgError:
    """The cause, and that the failed attempt was taken back."""
    return MgError(
        f"{cause.summary}; {what} that it had made are deleted again",
        resource=cause.resource,
        hint=cause.advice,
        log=cause.log,
    )
