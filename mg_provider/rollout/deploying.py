"""Putting a model on an endpoint, once, whatever becomes of the answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from mg_provider.api.errors import AgentsNotReady, AlreadyExists, ConnectionFailed, Unavailable
from mg_provider.rollout.agents import Agents
from mg_provider.rollout.place import Place, cancel, deploys, running_operation
from mg_provider.wire.vertex.deployed_model import DeployedModel

_LOOK_AGAIN_SECONDS = 15.0


def deploy(place: Place, wanted: DeployedModel, split: Mapping[str, int] | None) -> None:
    """Deploy, or go on with a deployment of the same id that runs or is there already.

    Args:
        place: The endpoint.
        wanted: What to deploy, with an id of its own, so that it is found again.
        split: Percent by id from then on, "0" for the new one.

    Raises:
        OperationFailed: The deployment ended badly; nothing of it is left.
    """
    began, agents = place.world.clock.monotonic(), Agents(place.world, place.deploy_seconds)
    while wanted.id not in place.deployments():
        running = running_operation(place.endpoint, deploys, place.world)
        if running is not None:
            place.world.progress("going on with the deployment that is running")
            place.world.wait(running, place.deploy_seconds, "deploying")
            continue
        if (endpoint := place.find()) is not None:
            place.guard.endpoint(endpoint)
        try:
            operation = place.world.clients.vertex.deploy_model(place.endpoint, wanted, split)
        except AgentsNotReady as error:
            if not agents.wait(error):
                raise
        except AlreadyExists:
            # It is being deployed, and the list of operations does not show it.
            if place.world.clock.monotonic() - began > place.deploy_seconds or place.world.cancelled():
                raise
            place.world.clock.sleep(_LOOK_AGAIN_SECONDS)
        except (ConnectionFailed, Unavailable):
            if running_operation(place.endpoint, deploys, place.world) is None and wanted.id not in place.deployments():
                raise
        else:
            if agents.tolerates(partial(place.world.wait, operation, place.deploy_seconds, "deploying")):
                return


def stop_deploying(place: Place) -> None:
    """End every deployment that still runs on the endpoint: no GPU is waited for that is then given back."""
    while (operation := running_operation(place.endpoint, deploys, place.world)) is not None:
        if (endpoint := place.find()) is not None:
            place.guard.endpoint(endpoint)
        place.world.progress("cancelling the deployment that is running")
        cancel(operation, place.change_seconds, place.world)
