"""Autoscaling, as far as a test asks for it: the number of replicas that serve changes, and nobody called for it."""

from __future__ import annotations

from typing import Any

from mg_provider.emulator.admin import administers
from mg_provider.emulator.errors import invalid_argument, not_found
from mg_provider.emulator.services.vertex_serving import meter
from mg_provider.emulator.services.vertex_state import touch, vertex
from mg_provider.emulator.world import World


@administers("POST", "/_mg/vertex/replicas")
def _scale(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """``{"endpoint_id": …, "deployed_model_id": …, "available": 3}``: that many replicas serve from now on.

    Raises:
        ApiError: INVALID_ARGUMENT for more than its most replicas, NOT_FOUND for an endpoint that is not there.
    """
    available = int(body["available"])
    found = [endpoint for key, endpoint in vertex(world).endpoints.items() if key[2] == body["endpoint_id"]]
    if not found:
        raise not_found(f"no endpoint has the id {body['endpoint_id']}")
    endpoint = found[0]
    deployed = endpoint.find_deployed(body["deployed_model_id"])
    most = deployed.get("dedicatedResources", {}).get("maxReplicaCount", available)
    if not 0 <= available <= most:
        raise invalid_argument(f"{available} replicas are not between 0 and {most}")
    deployed["status"] = {"availableReplicaCount": available, "lastUpdateTime": world.timestamp()}
    meter(world, endpoint.key, deployed, available, world.now())
    touch(world, endpoint, world.now())
    return dict(deployed["status"])
