"""Where a rollout takes place, and what it may use of the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mg_provider.api.errors import CloudError, FailedPrecondition, NotFound, NotReached, OperationFailed
from mg_provider.wire.vertex.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mg_provider.api.clients import Clients
    from mg_provider.clock import Clock
    from mg_provider.wire.vertex.deployed_model import DeployedModel
    from mg_provider.wire.vertex.model import Model
    from mg_provider.wire.vertex.operation import Operation

DEPLOY_SECONDS = 7200.0
CHANGE_SECONDS = 1800.0


class Guard(Protocol):
    """Refuses to touch what is somebody else's. It is asked with what was read right before each change."""

    def endpoint(self, endpoint: Endpoint) -> None:
        """Raises MgError unless the endpoint may be changed or deleted."""

    def model(self, model: Model) -> None:
        """Raises MgError unless the Model may be changed or deleted."""

    def has_model(self, model: Model) -> bool:
        """Whether the Model may be changed or deleted."""

    def proves_model(self, model: Model) -> bool:
        """Whether the Model is ours although no state and no argument names it."""

    def took_ids(self) -> None:
        """Note that Google has accepted a creation with the resource's ids: what has them now is its own."""

    def took_model(self) -> None:
        """Note that a Model with the resource's id, and without an owner, is taken up."""

    def nothing_there(self) -> None:
        """Note that the endpoint is not there: what comes to be carries no labels at first."""

    @property
    def unlabelled(self) -> str:
        """How sure it is that an endpoint without labels is ours: ``accepted``, ``asked``, or empty."""


class Unguarded:
    """Refuses nothing."""

    def endpoint(self, endpoint: Endpoint) -> None:
        """Every endpoint may be changed."""

    def model(self, model: Model) -> None:
        """Every Model may be changed."""

    def has_model(self, model: Model) -> bool:
        """Every Model may be changed."""
        return True

    def proves_model(self, model: Model) -> bool:
        """None is known."""
        return False

    def took_ids(self) -> None:
        """Nothing follows from it."""

    def took_model(self) -> None:
        """Nothing follows from it."""

    def nothing_there(self) -> None:
        """Nothing follows from it."""

    @property
    def unlabelled(self) -> str:
        """It is not looked at."""
        return ""


UNGUARDED = Unguarded()


class World(Protocol):
    """What a rollout may use of the world."""

    @property
    def guard(self) -> Guard:
        """Whose endpoint and Models may be touched."""

    @property
    def clock(self) -> Clock:
        """Time and chance."""

    @property
    def clients(self) -> Clients:
        """The API clients."""

    @property
    def progress(self) -> Callable[[str], None]:
        """Takes a line for the user at each change of phase."""

    @property
    def cancelled(self) -> Callable[[], bool]:
        """Whether the user wants to stop."""

    def wait(self, operation: Operation, limit: float, doing: str) -> Operation:
        """Wait for an operation for at most ``limit`` seconds; raises OperationFailed and its like."""


@dataclass(frozen=True)
class Place:
    """An endpoint, in the world.

    Attributes:
        endpoint: Resource name, projects/{project}/locations/{region}/endpoints/{id}.
        resource: The resource's name in the user's program, for errors.
        world: What may be used.
        deploy_seconds: How long a deployment may take, or the upload of its Model.
        change_seconds: How long anything else may take.
    """

    endpoint: str
    resource: str
    world: World
    deploy_seconds: float = DEPLOY_SECONDS
    change_seconds: float = CHANGE_SECONDS

    @property
    def guard(self) -> Guard:
        """Whose endpoint and Models may be touched."""
        return self.world.guard

    @property
    def parent(self) -> str:
        """``projects/{project}/locations/{region}``."""
        return self.endpoint.rpartition("/endpoints/")[0]

    def find(self) -> Endpoint | None:
        """The endpoint as it is; None only on not-found."""
        try:
            return self.world.clients.vertex.get_endpoint(self.endpoint)
        except NotFound:
            return None

    def deployments(self) -> dict[str, DeployedModel]:
        """What is deployed on the endpoint, by id; nothing where the endpoint is gone."""
        endpoint = self.find()
        return {entry.id: entry for entry in (endpoint.deployed_models or [] if endpoint else []) if entry.id}


def running_operation(parent: str, matches: Callable[[Operation], bool], world: World) -> Operation | None:
    """An operation that still runs, found among those below ``parent``.

    Listing operations is not promised by the API; where it is refused, None.
    """
    found = _listed(lambda: world.clients.vertex.list_operations(parent))
    return next((operation for operation in found if not operation.done and matches(operation)), None)


def operation_from_before(location: str, matches: Callable[[Operation], bool], world: World) -> Operation | None:
    """An operation of a location that an earlier run began and that still runs; the location is read once a process."""
    vertex = world.clients.vertex
    for before in _listed(lambda: vertex.operations_before(location)):
        if not matches(before):
            continue
        try:
            operation = vertex.get_operation(before.name)
        except (NotFound, NotReached):
            continue
        if not operation.done and matches(operation):
            return operation
    return None


def _listed(read: Callable[[], Iterable[Operation]]) -> list[Operation]:
    try:
        return list(read())
    except CloudError as error:
        if error.status in (400, 404, 501):
            return []
        raise


def cancel(operation: Operation, limit: float, world: World) -> None:
    """End an operation, or wait for it where Vertex AI does not let go of it; how it ends does not matter."""
    try:
        world.clients.vertex.cancel_operation(operation.name)
    except FailedPrecondition as error:
        world.progress(f"it cannot be cancelled ({error.message}): waiting for its end")
    except NotFound:
        return
    try:
        world.wait(operation, limit, "cancelling")
    except (OperationFailed, NotFound):
        return


def deploys_from_garden(operation: Operation) -> bool:
    """Whether an operation is Model Garden's deploy, which makes an endpoint and does not name it."""
    return "DeployOperationMetadata" in str((operation.metadata or {}).get("@type"))


def deploys(operation: Operation) -> bool:
    """Whether an operation puts a model on an endpoint."""
    return "DeployModelOperationMetadata" in str((operation.metadata or {}).get("@type"))
