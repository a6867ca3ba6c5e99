"""Who answers an inference request: whether the endpoint can be reached this way, and which deployed model is next."""

from __future__ import annotations

from dataclasses import dataclass

from mg_provider.emulator.core.routing import Call
from mg_provider.emulator.google.errors import failed_precondition, not_found, permission_denied
from mg_provider.emulator.services.compute.calls import compute_state
from mg_provider.emulator.services.service_attachments import service_attachments
from mg_provider.emulator.services.vertex.autoscaling import wake
from mg_provider.emulator.services.vertex.idling import note_request
from mg_provider.emulator.services.vertex.state import Endpoint, Json, endpoint_of, vertex


@dataclass(frozen=True)
class Target:
    """The deployed model that answers.

    Attributes:
        endpoint: it is on.
        deployed: as the API shows it.
        query_id: what the caller may name as ``model``.
        source: the weights' URI, or empty.
        of_google: whether Google's own container serves them.
    """

    endpoint: Endpoint
    deployed: Json
    query_id: str
    source: str
    of_google: bool


def target_of(call: Call) -> Target:
    """The deployed model whose turn it is.

    Raises:
        ApiError: the endpoint does not exist, cannot be reached this way, or serves nothing.
    """
    endpoint = _reachable(call)
    deployed = _next_deployed(endpoint)
    note_request(call.world, endpoint, deployed)
    wake(call.world, endpoint, deployed)
    model = next((each for each in vertex(call.world).models.values() if each.name == deployed["model"]), None)
    source = model.resource.get("artifactUri", "") if model else ""
    image = model.resource.get("containerSpec", {}).get("imageUri", "") if model else ""
    of_google = image.startswith("us-docker.pkg.dev/vertex-ai/")
    return Target(endpoint, deployed, endpoint.query_ids[deployed["id"]], source, of_google)


def _reachable(call: Call) -> Endpoint:
    if call.address is not None:
        return _behind_private_address(call, call.address)
    endpoint = endpoint_of(call)
    dedicated = endpoint.resource.get("dedicatedEndpointDns")
    if endpoint.private is not None:
        text = f"Endpoint {endpoint.name} is reached through Private Service Connect only."
        raise permission_denied(text, "PRIVATE_ENDPOINT_ONLY")
    if dedicated and call.host != dedicated:
        raise failed_precondition(
            "Dedicated Endpoint cannot be accessed through the shared Vertex AI domain aiplatform.googleapis.com. "
            f"Please access the endpoint using its dedicated domain name '{dedicated}'"
        )
    shared = {f"{call.region}-aiplatform.googleapis.com", "aiplatform.googleapis.com", "127.0.0.1", "localhost"}
    if not dedicated and call.host not in shared:
        raise not_found(f"No endpoint answers at {call.host}.")
    return endpoint


def _behind_private_address(call: Call, address: str) -> Endpoint:
    """The endpoint behind a private address, which must be the one in the path."""
    attachment = call.world.listeners.target(address) or ""
    behind = service_attachments(call.world).endpoint(attachment)
    endpoint = vertex(call.world).endpoints.get((call.number, call.region, call.path["endpointsId"]))
    if behind is None or endpoint is None or endpoint.name != behind:
        raise not_found(f"No such endpoint behind {address}.")
    for rule in compute_state(call.world).rules.values():
        if rule.ip == address:
            unlisted = call.world.behaviours["unlisted_project"]
            status = rule.connection_status(service_attachments(call.world), unlisted, call.world.now())
            if status != "ACCEPTED":
                raise permission_denied(f"The connection through {address} is {status}.", "PSC_CONNECTION_NOT_ACCEPTED")
    return endpoint


def _next_deployed(endpoint: Endpoint) -> Json:
    """The deployed model that is furthest behind its share of the traffic."""
    split = {key: share for key, share in endpoint.resource.get("trafficSplit", {}).items() if share > 0}
    if not endpoint.deployed or not split:
        raise failed_precondition(f"Endpoint {endpoint.name} doesn't have a deployed model that receives traffic.")
    total = sum(endpoint.served.get(key, 0) for key in split) + 1
    chosen = max(split, key=lambda key: split[key] * total / 100 - endpoint.served.get(key, 0))
    endpoint.served[chosen] = endpoint.served.get(chosen, 0) + 1
    return endpoint.find_deployed(chosen)
