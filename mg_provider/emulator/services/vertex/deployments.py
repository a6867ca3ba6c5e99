"""``endpoints.deployModel``, ``mutateDeployedModel`` and ``undeployModel``."""

from __future__ import annotations

import re
from copy import deepcopy

from mg_provider.emulator.core.operations import Plan, Stage
from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.google.errors import already_exists, failed_precondition, invalid_argument
from mg_provider.emulator.google.validation import mask_paths
from mg_provider.emulator.services.vertex.rollouts import check_rollout_options
from mg_provider.emulator.services.vertex.rules import check_alone_at_zero
from mg_provider.emulator.services.vertex.serving import (
    ModelDeployment,
    check_free,
    claim_quota,
    complete_resources,
    first_replicas,
    meter,
    stage,
    take_off,
)
from mg_provider.emulator.services.vertex.state import (
    Endpoint,
    Json,
    Model,
    check_traffic_split,
    endpoint_of,
    touch,
    vertex,
)

_ENDPOINTS = "aiplatform.projects.locations.endpoints."
_MODEL_NAME = re.compile(r"projects/([^/]+)/locations/([^/]+)/models/([^/]+)")
_DEPLOYED_ID = re.compile(r"[0-9]{1,10}")
_RESOURCES = ("dedicatedResources", "automaticResources", "sharedResources")
_MUTABLE = {
    "v1": {
        "dedicatedResources.minReplicaCount",
        "dedicatedResources.maxReplicaCount",
        "dedicatedResources.requiredReplicaCount",
        "dedicatedResources.autoscalingMetricSpecs",
        "automaticResources.minReplicaCount",
        "automaticResources.maxReplicaCount",
    }
}
_MUTABLE["v1beta1"] = _MUTABLE["v1"] | {
    "dedicatedResources.scaleToZeroSpec",
    "dedicatedResources.initialReplicaCount",
    "enableContainerLogging",
}
_MUTABLE["v1"] = _MUTABLE["v1"] | {"disableContainerLogging"}


@handles(_ENDPOINTS + "deployModel")
def deploy_model(call: Call) -> Answer:
    """Put a registered model on the endpoint."""
    endpoint = endpoint_of(call)
    check_free(call.world, endpoint.key)
    deployed, model = _new_deployed_model(call, endpoint)
    resource = endpoint.resource
    own_address = bool(resource.get("dedicatedEndpointEnabled") or resource.get("network") or endpoint.private)
    check_alone_at_zero(deployed, endpoint.deployed, own_address)
    split = call.body.get("trafficSplit", {})
    check_traffic_split(split, [*(each["id"] for each in endpoint.deployed), "0"])
    check_rollout_options(endpoint, deployed)
    deployment = ModelDeployment(call.world, endpoint.key, deployed, model.query_id, split)
    first = stage(call.world, "STARTING_DEPLOYMENT", deployment.claim_quota)
    plan = Plan(
        "DeployModelOperationMetadata",
        [first, stage(call.world, "PREPARING_MODEL"), *deployment.stages()],
        lambda: ("DeployModelResponse", {"deployedModel": call.view("DeployedModel", deployed)}),
        failed=deployment.give_up,
        shows_stages=True,
    )
    return call.operation_answer(call.start_operation(endpoint.name, plan))


def _new_deployed_model(call: Call, endpoint: Endpoint) -> tuple[Json, Model]:
    asked = deepcopy(call.body.get("deployedModel", {}))
    model = _registered_model(call, asked.get("model", ""))
    if sum(name in asked for name in _RESOURCES) != 1 or "sharedResources" in asked:
        text = "exactly one of dedicated_resources and automatic_resources must be set."
        raise invalid_argument(text, ("deployed_model.prediction_resources", text))
    if "dedicatedResources" in asked:
        asked["dedicatedResources"] = complete_resources(asked["dedicatedResources"])
    if "id" in asked and not _DEPLOYED_ID.fullmatch(asked["id"]):
        raise invalid_argument(f"Invalid deployed model id {asked['id']}.", ("deployed_model.id", "1-10 digits"))
    busy = vertex(call.world).busy.get(endpoint.key, [])
    if asked.get("id") in {*busy, *(each["id"] for each in endpoint.deployed)}:
        raise already_exists(f"DeployedModel {asked['id']} already exists on Endpoint {endpoint.name}.")
    asked.setdefault("id", call.world.new_number())
    asked.setdefault("displayName", model.resource.get("displayName", ""))
    return {**asked, "model": model.name, "modelVersionId": model.resource["versionId"]}, model


def _registered_model(call: Call, name: str) -> Model:
    match = _MODEL_NAME.fullmatch(name)
    if match is None:
        raise invalid_argument(f"Invalid resource name {name!r} for a model.", ("deployed_model.model", name))
    project, region, identifier = match.groups()
    if region != call.region and call.world.behaviours["model_of_another_location"] == "refuse":
        text = f"The Model {name} is not in {call.region}, where the Endpoint is."
        raise invalid_argument(text, ("deployed_model.model", text))
    return vertex(call.world).model((call.world.project_number(project), region, identifier))


@handles(_ENDPOINTS + "mutateDeployedModel")
def mutate_deployed_model(call: Call) -> Answer:
    """Change replicas, autoscaling or logging of a deployed model; it goes on serving."""
    endpoint = endpoint_of(call)
    asked = call.body.get("deployedModel", {})
    present = endpoint.find_deployed(asked.get("id", ""))
    check_free(call.world, endpoint.key)
    mask = mask_paths(call.body.get("updateMask", ""))
    if not mask:
        raise invalid_argument("update_mask is required.", ("update_mask", "Required field is not set."))
    refused = [path for path in mask if not _mutable(path, call.version)]
    if refused:
        text = f"The field {refused[0]} of a DeployedModel cannot be mutated."
        raise invalid_argument(text, ("update_mask", text))
    wanted = _merged(present, asked, mask)
    if "dedicatedResources" in wanted:
        wanted["dedicatedResources"] = complete_resources(wanted["dedicatedResources"])
    resource, others = endpoint.resource, [each for each in endpoint.deployed if each["id"] != wanted["id"]]
    own_address = bool(resource.get("dedicatedEndpointEnabled") or resource.get("network") or endpoint.private)
    check_alone_at_zero(wanted, others, own_address)

    def claim(at: float) -> None:
        claim_quota(call.world, endpoint.key, wanted)

    def change(at: float) -> None:
        _change(call, endpoint, wanted, at)

    seconds = call.world.duration("MUTATE_DEPLOYED_MODEL", 120)
    plan = Plan(
        "MutateDeployedModelOperationMetadata",
        [Stage("", 5, claim), Stage("", seconds, change)],
        lambda: ("MutateDeployedModelResponse", {"deployedModel": call.view("DeployedModel", wanted)}),
        failed=lambda at: claim_quota(call.world, endpoint.key, present),
    )
    return call.operation_answer(call.start_operation(endpoint.name, plan))


def _mutable(path: str, version: str) -> bool:
    return any(path == allowed or path.startswith(allowed + ".") for allowed in _MUTABLE[version])


def _merged(present: Json, asked: Json, mask: list[str]) -> Json:
    merged = deepcopy(present)
    for path in mask:
        target, source = merged, asked
        *parents, last = path.split(".")
        for name in parents:
            target, source = target.setdefault(name, {}), source.get(name, {})
        if last in source:
            target[last] = deepcopy(source[last])
        else:
            target.pop(last, None)
    return merged


def _change(call: Call, endpoint: Endpoint, wanted: Json, at: float) -> None:
    present = endpoint.find_deployed(wanted["id"])
    resources = wanted.get("dedicatedResources") or wanted.get("automaticResources") or {}
    available = present.get("status", {}).get("availableReplicaCount", first_replicas(wanted))
    fewest, high = resources.get("minReplicaCount", 1), resources.get("maxReplicaCount", available)
    # A deployment at zero stays there: no call but a request wakes it.
    low = fewest if "scaleToZeroSpec" in resources else max(fewest, 1)
    available = min(max(available, low), max(high, 1))
    wanted["status"] = {"availableReplicaCount": available, "lastUpdateTime": call.world.timestamp(at)}
    present.clear()
    present.update(wanted)
    meter(call.world, endpoint.key, present, available, at)
    touch(call.world, endpoint, at)


@handles(_ENDPOINTS + "undeployModel")
def undeploy_model(call: Call) -> Answer:
    """Take a model off; it must have no traffic left, unless it is the last one."""
    endpoint = endpoint_of(call)
    deployed = endpoint.find_deployed(call.body.get("deployedModelId", ""))
    check_free(call.world, endpoint.key)
    others = [each["id"] for each in endpoint.deployed if each["id"] != deployed["id"]]
    split = call.body.get("trafficSplit", {})
    check_traffic_split(split, [each["id"] for each in endpoint.deployed])
    kept = split or endpoint.resource.get("trafficSplit", {})
    if others and kept.get(deployed["id"], 0) > 0:
        text = f"DeployedModel {deployed['id']} still has traffic: give it to another one first, or in this call."
        raise failed_precondition(text)
    if split:
        endpoint.resource["trafficSplit"] = dict(split)
        touch(call.world, endpoint, call.world.now())

    def remove(at: float) -> None:
        take_off(call.world, endpoint, deployed["id"], at)
        _release_model(call, deployed["model"], at)

    seconds = call.world.duration("UNDEPLOY_MODEL", 60)
    plan = Plan("UndeployModelOperationMetadata", [Stage("", seconds, remove)], lambda: ("UndeployModelResponse", {}))
    return call.operation_answer(call.start_operation(endpoint.name, plan))


def _release_model(call: Call, name: str, at: float) -> None:
    for model in vertex(call.world).models.values():
        if model.name == name.partition("@")[0]:
            model.in_use_until = at + call.world.behaviours["model_release_seconds"]
