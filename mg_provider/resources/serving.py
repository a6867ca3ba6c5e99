"""What both endpoint resources do with an endpoint: find it, prove whose it is, change it, take it down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from mg_provider.api.errors import Aborted, AlreadyExists, CloudError, FailedPrecondition, MgError, NotFound
from mg_provider.resources.endpoint_args import EndpointArgs
from mg_provider.resources.identity import CLAIM_LABEL, is_ours
from mg_provider.resources.lifecycle import UNSETTLED, Context, not_ours
from mg_provider.wire.base import WireModel, same
from mg_provider.wire.deployed_model import DeployedModel
from mg_provider.wire.endpoint import Endpoint
from mg_provider.wire.machine import DedicatedResources

if TYPE_CHECKING:
    from mg_provider.wire.operation import Operation

CREATE_SECONDS = 7200.0
UPDATE_SECONDS = 7200.0
DELETE_SECONDS = 1800.0
IN_USE_POLL_SECONDS = 10.0
_MOST_MERGES = 5

# What mutateDeployedModel changes; everything else about a deployment is fixed once it runs.
MUTABLE_RESOURCES = (
    "min_replica_count",
    "max_replica_count",
    "required_replica_count",
    "initial_replica_count",
    "autoscaling_metric_specs",
    "scale_to_zero_spec",
)


def find_endpoint(args: EndpointArgs, context: Context) -> Endpoint | None:
    """The endpoint as it is; None only on not-found."""
    try:
        return context.clients.vertex.get_endpoint(args.endpoint)
    except NotFound:
        return None


def must_be_ours(endpoint: Endpoint, args: EndpointArgs) -> None:
    """Refuse to touch an endpoint without this stack's label.

    Raises:
        MgError: It belongs to somebody else.
    """
    if not is_ours(endpoint.labels, args.owner, args.resource):
        raise not_ours(f"endpoint {args.endpoint}", args.resource, "set another endpoint_id")


def make_endpoint(args: EndpointArgs, endpoint: Endpoint, context: Context) -> None:
    """Make the endpoint, or find that an earlier call of ours, whose answer was lost, made it.

    Raises:
        MgError: One of ``UNSETTLED`` where the endpoint may come to be without our having seen it.
    """
    context.progress("making the endpoint")
    try:
        operation = context.clients.vertex.create_endpoint(args.parent, args.endpoint_id, endpoint)
        context.wait(operation, context.limit(args.timeouts.create, CREATE_SECONDS), "making the endpoint")
    except (AlreadyExists, *UNSETTLED):
        try:
            found = find_endpoint(args, context)
        except MgError:
            found = None
        if found is None:
            raise
        must_be_ours(found, args)


def replica_changes(wanted: DedicatedResources, deployed: DeployedModel) -> list[str]:
    """What :func:`mutate` would change of replicas and autoscaling, a line each."""
    actual = deployed.dedicated_resources or DedicatedResources()
    return [
        f"{name}: {_shown(getattr(actual, name))} -> {_shown(getattr(wanted, name))}"
        for name in MUTABLE_RESOURCES
        if _differs(getattr(wanted, name), getattr(actual, name))
    ]


def _shown(value: object) -> str:
    entries = value if isinstance(value, list) else [value]
    told = [str(entry.to_wire() if isinstance(entry, WireModel) else entry) for entry in entries if entry is not None]
    return ", ".join(told) or "none"


def mutate(
    args: EndpointArgs, deployed: DeployedModel, wanted: DedicatedResources, logs: bool | None, context: Context
) -> None:
    """Change replicas, autoscaling and container logging of a running deployment, with a mask of just what differs."""
    actual = deployed.dedicated_resources or DedicatedResources()
    names = [name for name in MUTABLE_RESOURCES if _differs(getattr(wanted, name), getattr(actual, name))]
    request = DeployedModel(id=deployed.id)
    mask = [f"dedicated_resources.{name}" for name in names]
    if names:
        request.dedicated_resources = DedicatedResources(**{name: getattr(wanted, name) for name in names})
    if logs is not None and logs != bool(deployed.enable_container_logging):
        request.enable_container_logging = logs
        mask.append("enable_container_logging")
    if not mask:
        return
    context.progress(f"changing {', '.join(path.rpartition('.')[2] for path in mask)}")
    operation = context.clients.vertex.mutate_deployed_model(args.endpoint, request, mask)
    context.wait(operation, context.limit(args.timeouts.update, UPDATE_SECONDS), "changing the deployment")


def settle_traffic(args: EndpointArgs, wanted: Mapping[str, int], context: Context, *, clear: bool = False) -> Endpoint:
    """Give each deployment its percent of the requests, if that is not so already.

    With nothing wanted the traffic is left as it is, or with ``clear`` taken from all.
    """
    vertex = context.clients.vertex
    for _ in range(_MOST_MERGES):
        endpoint = vertex.get_endpoint(args.endpoint)
        actual = {id: percent for id, percent in (endpoint.traffic_split or {}).items() if percent}
        if actual == dict(wanted) or not (wanted or clear):
            return endpoint
        context.progress("shifting traffic")
        try:
            vertex.patch_endpoint(
                args.endpoint, Endpoint(etag=endpoint.etag, traffic_split=dict(wanted) or None), ["traffic_split"]
            )
        except Aborted:
            continue
        return vertex.get_endpoint(args.endpoint)
    raise MgError(
        f"the traffic of {args.endpoint} could not be set: somebody else keeps changing the endpoint",
        resource=args.resource,
        hint="find out who, then run the same command again",
    )


def _differs(wanted: object, actual: object) -> bool:
    return bool(wanted or actual) and not same(wanted, actual)


def undeploy(args: EndpointArgs, ids: Iterable[str], context: Context) -> None:
    """Take deployments off the endpoint. Gone already is fine.

    The traffic of each goes to those that have some, in proportion. It never goes to a deployment that has none: where
    nothing else serves, nothing does.
    """
    for deployed_id in ids:
        endpoint = find_endpoint(args, context)
        deployed = [entry.id for entry in endpoint.deployed_models or [] if entry.id] if endpoint else []
        if endpoint is None or deployed_id not in deployed:
            continue
        split = endpoint.traffic_split or {}
        rest = {key: value for key, value in split.items() if key != deployed_id and key in deployed and value}
        if split.get(deployed_id) and not rest and len(deployed) > 1:
            settle_traffic(args, {}, context, clear=True)
        context.progress(f"undeploying {deployed_id}")
        try:
            operation = context.clients.vertex.undeploy_model(args.endpoint, deployed_id, spread(rest) or None)
            context.wait(operation, context.limit(args.timeouts.delete, DELETE_SECONDS), f"undeploying {deployed_id}")
        except NotFound:
            continue


def spread(traffic: Mapping[str, int]) -> dict[str, int]:
    """Scale percents to add up to 100, keeping their proportions as far as whole numbers allow."""
    total = sum(traffic.values())
    if not total:
        return {}
    shares = {key: value * 100 // total for key, value in traffic.items()}
    most = max(traffic, key=lambda key: (traffic[key], key))
    shares[most] += 100 - sum(shares.values())
    return shares


def delete_endpoint(args: EndpointArgs, context: Context) -> None:
    """Delete the endpoint; gone already is fine."""
    context.progress("deleting the endpoint")
    try:
        operation = context.clients.vertex.delete_endpoint(args.endpoint)
        context.wait(operation, context.limit(args.timeouts.delete, DELETE_SECONDS), "deleting the endpoint")
    except NotFound:
        return


def delete_model(name: str, args: EndpointArgs, context: Context) -> None:
    """Delete an uploaded Model; gone already is fine. Waits while Vertex AI still takes it for deployed."""
    limit = context.limit(args.timeouts.delete, DELETE_SECONDS)
    started = context.clock.monotonic()
    while True:
        try:
            context.progress("deleting the model")
            operation = context.clients.vertex.delete_model(name)
            context.wait(operation, limit, "deleting the model")
        except NotFound:
            return
        except FailedPrecondition:
            waited = context.clock.monotonic() - started
            if waited > limit or context.cancelled():
                raise
            context.clock.sleep(min(IN_USE_POLL_SECONDS, 0.2 + waited))
        else:
            return


def foreign_claim(endpoint: Endpoint, claim: str) -> bool:
    """Whether a newer create has taken hold of the endpoint since this state was written."""
    return bool(claim) and (endpoint.labels or {}).get(CLAIM_LABEL, claim) != claim


def running_operation(parent: str, matches: Callable[[Operation], bool], context: Context) -> Operation | None:
    """An operation that still runs, found among those below ``parent``.

    Listing operations is not promised by the API; where it is refused, None.
    """
    try:
        operations = list(context.clients.vertex.list_operations(parent))
    except CloudError as error:
        if error.status in (400, 404, 501):
            return None
        raise
    return next((operation for operation in operations if not operation.done and matches(operation)), None)


def nothing_left(cause: MgError, what: str) -> MgError:
    """The cause, told with the fact that the failed attempt was taken back."""
    return MgError(
        f"{cause.summary}; {what} that it had made are deleted again", resource=cause.resource, hint=cause.hint
    )
