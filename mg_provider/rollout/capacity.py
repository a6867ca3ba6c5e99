"""Never less than what served before: a new deployment starts with as many replicas, and keeps them until the end.

Autoscaling gives a deployment what its share of the requests needs. One that is new has its fewest replicas, and one
that gives traffic away shrinks. So the fewest replicas of both are raised while traffic moves between them, and set
back afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mg_provider.rollout.place import Place
from mg_provider.wire.base import same
from mg_provider.wire.vertex.deployed_model import DeployedModel
from mg_provider.wire.vertex.machine import DedicatedResources

RAISED = ("min_replica_count", "required_replica_count", "initial_replica_count", "scale_to_zero_spec")
"""What is changed while traffic moves: a deployment with a raised minimum never scales to zero, and waits for it."""


@dataclass
class Capacity:
    """What is served with while traffic moves.

    Attributes:
        place: The endpoint.
        new: The machines of the new deployment, as they are to be in the end.
        old: The machines of the old one, as they are to be if it stays.
        replicas: How many served when the traffic began to move; it grows with them.
    """

    place: Place
    new: DedicatedResources
    old: DedicatedResources = field(default_factory=DedicatedResources)
    replicas: int = 0

    @property
    def start(self) -> DedicatedResources:
        """The machines of the new deployment while traffic moves."""
        return raised(self.new, self.replicas)

    @property
    def again(self) -> DedicatedResources:
        """The machines of the old deployment where it has to be made again."""
        return raised(self.old, self.replicas)

    def hold(self, id: str) -> None:
        """Let a deployment not have fewer replicas than served; as many more as it has now count as well."""
        deployed = self.place.deployments().get(id)
        if deployed is not None:
            self.replicas = max(self.replicas, available(deployed))
            actual = deployed.dedicated_resources or DedicatedResources()
            self._set(deployed, raised(actual, self.replicas), f"keeping {self.replicas} replicas of {id}")

    def grow(self, id: str, old: str) -> None:
        """Before the new deployment gets more traffic: it has as many replicas as the old one by now."""
        deployed = self.place.deployments()
        if old in deployed:
            self.replicas = max(self.replicas, available(deployed[old]))
        if id in deployed:
            self._set(deployed[id], self.start, f"growing {id} to {self.replicas} replicas")

    def release(self, id: str, wanted: DedicatedResources) -> None:
        """Set the fewest replicas back, so that autoscaling goes on by itself; nothing where the id is empty."""
        deployed = self.place.deployments().get(id) if id else None
        if deployed is not None:
            self._set(deployed, wanted, f"setting the fewest replicas of {id} back to {wanted.min_replica_count}")

    def _set(self, deployed: DeployedModel, wanted: DedicatedResources, doing: str) -> None:
        actual = deployed.dedicated_resources or DedicatedResources()
        pairs = {name: (getattr(wanted, name), getattr(actual, name)) for name in RAISED}
        names = [name for name, (asked, had) in pairs.items() if (asked or had) and not same(asked, had)]
        if not names:
            return
        world = self.place.world
        world.progress(doing)
        values = {name: getattr(wanted, name) for name in names if getattr(wanted, name) is not None}
        request = DeployedModel(id=deployed.id, dedicated_resources=DedicatedResources(**values))
        mask = [f"dedicated_resources.{name}" for name in names]
        operation = world.clients.vertex.mutate_deployed_model(self.place.endpoint, request, mask)
        world.wait(operation, self.place.change_seconds, doing)


def available(deployed: DeployedModel | None) -> int:
    """How many replicas of a deployment serve now."""
    return ((deployed.status.available_replica_count if deployed and deployed.status else None) or 0) if deployed else 0


def scales_to_zero(deployed: DeployedModel | None) -> bool:
    """Whether a deployment may go down to no replica, so that the next request is dropped and wakes it."""
    resources = deployed.dedicated_resources if deployed else None
    return bool(resources and resources.scale_to_zero_spec is not None)


def at_zero(deployed: DeployedModel | None) -> bool:
    """Whether a deployment has gone down to no replica."""
    return scales_to_zero(deployed) and not available(deployed)


def replicas_serving(deployed: Iterable[DeployedModel]) -> int:
    """How many replicas serve now, together."""
    return sum(available(entry) for entry in deployed)


def raised(resources: DedicatedResources, replicas: int) -> DedicatedResources:
    """Machines with at least so many replicas, within the most that they may have."""
    fewest = min(replicas, resources.max_replica_count or replicas)
    if fewest <= (resources.min_replica_count or 0):
        return resources
    rest = dict.fromkeys(RAISED[1:])
    return resources.model_copy(update={**rest, "min_replica_count": fewest})
