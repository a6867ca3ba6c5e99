"""``projects.locations.endpoints``: create, get, list, patch, update, delete."""

from __future__ import annotations

import hashlib
from copy import deepcopy
from typing import Any

from mg_provider.emulator.core.operations import Plan, Stage
from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.core.world import World
from mg_provider.emulator.google.errors import already_exists, failed_precondition, invalid_argument
from mg_provider.emulator.google.listing import page, passes
from mg_provider.emulator.google.validation import mask_paths
from mg_provider.emulator.services.names_and_labels import check_resource
from mg_provider.emulator.services.vertex.rules import check_network, check_timeout
from mg_provider.emulator.services.vertex.state import (
    Endpoint,
    Json,
    Key,
    base_model_name,
    check_etag,
    check_private_config,
    check_traffic_split,
    endpoint_of,
    publish_attachment,
    touch,
    vertex,
    withdraw_attachment,
)

_ENDPOINTS = "aiplatform.projects.locations.endpoints."
_PATCHABLE = {
    "displayName",
    "description",
    "labels",
    "trafficSplit",
    "predictRequestResponseLoggingConfig",
    "privateServiceConnectConfig",
}
_MESSAGES = {"privateServiceConnectConfig", "predictRequestResponseLoggingConfig", "labels", "trafficSplit"}


@handles(_ENDPOINTS + "create")
def create_endpoint(call: Call) -> Answer:
    """Make an endpoint with nothing on it; it exists when the operation is done."""
    body = dict(call.body)
    check_resource(call.world, body, "endpoint")
    check_network(body.get("network", ""))
    check_timeout(body.get("clientConnectionConfig", {}))
    check_kind(body, "dedicatedEndpointEnabled")
    check_private_config(body.get("privateServiceConnectConfig"))
    check_traffic_split(body.get("trafficSplit", {}), [])
    identifier = call.query.get("endpointId") or call.world.new_number()
    key = (call.number, call.region, identifier)
    _claim(call, key, given="endpointId" in call.query)
    name = f"{call.parent}/endpoints/{identifier}"

    def exists(at: float) -> None:
        add_endpoint(call.world, key, body, at)

    def give_up(at: float) -> None:
        vertex(call.world).taken_endpoint_ids.discard(key)

    seconds = call.world.duration("CREATE_ENDPOINT", 10)
    plan = Plan(
        "CreateEndpointOperationMetadata",
        [Stage("", seconds, exists)],
        # Without createTime, updateTime and etag: Config Connector's HTTP logs.
        lambda: ("Endpoint", call.view("Endpoint", {**body, "name": name})),
        {},
        give_up,
        dict(body.get("labels", {})),
    )
    return call.operation_answer(call.start_operation(name, plan))


def _claim(call: Call, key: Key, *, given: bool) -> None:
    state = vertex(call.world)
    if given:
        state.claim_endpoint_id(key)
    elif key in state.endpoints:
        raise already_exists(f"Endpoint {key[2]} already exists.")


def check_kind(config: Json, dedicated_field: str) -> None:
    """ApiError INVALID_ARGUMENT when an endpoint is asked to be of two kinds at once."""
    kinds = [name for name in (dedicated_field, "network", "privateServiceConnectConfig") if config.get(name)]
    if len(kinds) > 1:
        text = f"{' and '.join(kinds)} cannot both be set on an Endpoint."
        raise invalid_argument(text, (kinds[1], text))


def add_endpoint(world: World, key: Key, config: Json, at: float) -> Endpoint:
    """Put an endpoint into the store; ``config`` is its v1beta1 resource as far as a user sets it."""
    number, region, identifier = key
    resource = {**deepcopy(config), "name": f"projects/{number}/locations/{region}/endpoints/{identifier}"}
    resource["createTime"] = world.timestamp(at)
    if resource.get("dedicatedEndpointEnabled"):
        resource["dedicatedEndpointDns"] = f"{identifier}.{region}-{_place_in_dns(number)}.prediction.vertexai.goog"
    endpoint = Endpoint(key, resource)
    _hide_dns(world, endpoint, at)
    touch(world, endpoint, at)
    state = vertex(world)
    state.endpoints[key] = endpoint
    state.taken_endpoint_ids.discard(key)
    return endpoint


def _place_in_dns(number: str) -> str:
    """The number in a dedicated DNS name, which is the project's own and yet not its project number."""
    return str(100_000_000_000 + int(hashlib.sha256(f"dns {number}".encode()).hexdigest(), 16) % 800_000_000_000)


def _hide_dns(world: World, endpoint: Endpoint, at: float) -> None:
    """The dedicated DNS name comes later, where the behaviour says so."""
    late = float(world.behaviours["dedicated_dns_after"])
    name = endpoint.resource.get("dedicatedEndpointDns")
    if late > 0 and name:
        del endpoint.resource["dedicatedEndpointDns"]
        world.timeline.at(at + late, lambda _: endpoint.resource.update(dedicatedEndpointDns=name))


@handles(_ENDPOINTS + "get")
def get_endpoint(call: Call) -> Answer:
    """The endpoint with its deployed models."""
    return Answer(call.view("Endpoint", endpoint_of(call).shown()))


@handles(_ENDPOINTS + "list")
def list_endpoints(call: Call) -> Answer:
    """Endpoints of the location, newest first."""
    shown = []
    for key, endpoint in reversed(vertex(call.world).endpoints.items()):
        fields = {"endpoint": key[2], "endpoint_id": key[2], "display_name": endpoint.resource.get("displayName", "")}
        fields["base_model_name"] = _base_model_name(call.world, endpoint)
        if key[:2] == (call.number, call.region) and passes(call.query.get("filter", ""), endpoint.resource, fields):
            shown.append(call.view("Endpoint", endpoint.shown()))
    return Answer(page("endpoints", shown, call.query))


def _base_model_name(world: World, endpoint: Endpoint) -> str:
    """The Model Garden entry that its first deployed model was made from, if any."""
    first = endpoint.deployed[0]["model"].partition("@")[0] if endpoint.deployed else ""
    return next((base_model_name(model) for model in vertex(world).models.values() if model.name == first), "")


@handles(_ENDPOINTS + "patch")
def patch_endpoint(call: Call) -> Answer:
    """Change the fields that the mask names, at once."""
    endpoint = endpoint_of(call)
    mask = mask_paths(call.query.get("updateMask", ""))
    if not mask:
        raise invalid_argument("update_mask is required.", ("update_mask", "Required field is not set."))
    if mask == ["*"]:
        mask = sorted(_PATCHABLE)
    check_etag(endpoint, call.body.get("etag"))
    _check_patchable(call.world, mask)
    changed = deepcopy(endpoint.resource)
    for path in mask:
        _assign(changed, path.split("."), call.body)
    check_resource(call.world, changed, "endpoint")
    check_traffic_split(changed.get("trafficSplit", {}), [deployed["id"] for deployed in endpoint.deployed])
    check_private_config(changed.get("privateServiceConnectConfig"))
    _check_private_change(endpoint.resource, changed)
    if changed.get("dedicatedEndpointEnabled") and "dedicatedEndpointDns" not in changed:
        dns = f"{endpoint.key[2]}.{call.region}-{_place_in_dns(call.number)}.prediction.vertexai.goog"
        changed["dedicatedEndpointDns"] = dns
    endpoint.resource = changed
    touch(call.world, endpoint, call.world.now())
    publish_attachment(call.world, endpoint)
    return Answer(call.view("Endpoint", endpoint.shown()))


def _check_patchable(world: World, mask: list[str]) -> None:
    patchable = set(_PATCHABLE)
    if world.behaviours["dedicated_endpoint_patch"] == "allow":
        patchable.add("dedicatedEndpointEnabled")
    refused = [path for path in mask if path.partition(".")[0] not in patchable]
    if world.behaviours["allowlist_patch"] == "refuse":
        refused += [path for path in mask if path.startswith("privateServiceConnectConfig")]
    if refused:
        text = f"The field {refused[0]} of an Endpoint cannot be updated by this method."
        raise invalid_argument(text, ("update_mask", text))


def _check_private_change(before: Json, after: Json) -> None:
    """Whether it is private is fixed when the endpoint is made; whom it lets in is not."""
    fixed = ("enablePrivateServiceConnect", "enableSecurePrivateServiceConnect")
    old, new = (each.get("privateServiceConnectConfig", {}) for each in (before, after))
    changed = [name for name in fixed if bool(old.get(name)) != bool(new.get(name))]
    if changed:
        text = f"{changed[0]} of an Endpoint cannot be changed."
        raise invalid_argument(text, ("endpoint.private_service_connect_config", text))


def _assign(target: Json, path: list[str], source: Any) -> None:
    """Set what ``path`` names to what ``source`` has there; what it lacks is cleared."""
    head, rest = path[0], path[1:]
    value = source.get(head) if isinstance(source, dict) else None
    if rest:
        _assign(target.setdefault(head, {}), rest, value)
    elif value in (None, "", {}, []):
        target.pop(head, None)
    else:
        target[head] = deepcopy(value)


@handles(_ENDPOINTS + "update")
def update_endpoint(call: Call) -> Answer:
    """Change ``clientConnectionConfig``; every other field is blocked here."""
    endpoint = endpoint_of(call)
    asked = call.body.get("endpoint", {})
    others = [
        name
        for name, value in asked.items()
        if name not in {"name", "etag", "clientConnectionConfig"} and value != endpoint.resource.get(name)
    ]
    if others:
        text = f"Only client_connection_config can be updated by this method, not {others[0]}."
        raise invalid_argument(text, (f"endpoint.{others[0]}", text))
    check_etag(endpoint, asked.get("etag"))
    check_timeout(asked.get("clientConnectionConfig", {}))
    if call.world.behaviours["client_connection_update"] == "refuse":
        text = "client_connection_config of an Endpoint cannot be changed."
        raise invalid_argument(text, ("endpoint.client_connection_config", text))

    def change(at: float) -> None:
        endpoint.resource["clientConnectionConfig"] = asked.get("clientConnectionConfig", {})
        touch(call.world, endpoint, at)

    stage = Stage("", call.world.duration("UPDATE_ENDPOINT", 10), change)
    plan = Plan("UpdateEndpointOperationMetadata", [stage], lambda: ("Endpoint", endpoint.shown()))
    return call.operation_answer(call.start_operation(endpoint.name, plan))


@handles(_ENDPOINTS + "delete")
def delete_endpoint(call: Call) -> Answer:
    """Delete an endpoint that has nothing deployed and nothing being deployed."""
    endpoint = endpoint_of(call)
    state = vertex(call.world)
    if endpoint.deployed or state.busy.get(endpoint.key):
        what = "has deployed or being-deployed DeployedModel(s)"
        raise failed_precondition(f"The Endpoint {endpoint.name} {what}: undeploy all of them first.")

    def remove(at: float) -> None:
        withdraw_attachment(call.world, endpoint)
        if endpoint.recycling:
            endpoint.recycling.cancel()
        state.endpoints.pop(endpoint.key, None)

    stage = Stage("", call.world.duration("DELETE_ENDPOINT", 0), remove)
    plan = Plan("DeleteOperationMetadata", [stage], lambda: ("google.protobuf.Empty", {}))
    return call.operation_answer(call.start_operation(call.parent, plan))
