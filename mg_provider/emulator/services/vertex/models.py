"""``projects.locations.models``: upload, get, list, patch, delete."""

from __future__ import annotations

from copy import deepcopy

from mg_provider.emulator.core.operations import Plan, Stage
from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.core.world import World
from mg_provider.emulator.google.errors import failed_precondition, invalid_argument
from mg_provider.emulator.google.listing import page, passes
from mg_provider.emulator.google.validation import mask_paths
from mg_provider.emulator.services.names_and_labels import check_labels, check_resource
from mg_provider.emulator.services.vertex.state import Json, Key, Model, base_model_name, check_etag, touch, vertex

_MODELS = "aiplatform.projects.locations.models."
_PATCHABLE = ("displayName", "description", "labels")
_OF_VERSIONS = ("versionDescription",)


@handles(_MODELS + "upload")
def upload_model(call: Call) -> Answer:
    """Register a model; it exists when the operation is done. New versions of a model are not emulated."""
    body = call.body.get("model", {})
    check_resource(call.world, body, "model")
    if call.body.get("parentModel"):
        raise invalid_argument("Versions of a model are not emulated.", ("parent_model", "Not emulated."))
    key = (call.number, call.region, call.body.get("modelId") or call.world.new_number())
    state = vertex(call.world)
    if "modelId" in call.body:
        state.claim_model_id(key)
    name = f"{call.parent}/models/{key[2]}"

    def exists(at: float) -> None:
        add_model(call.world, key, body, at, source="CUSTOM")

    plan = Plan(
        "UploadModelOperationMetadata",
        [Stage("", call.world.duration("UPLOAD_MODEL", 30), exists)],
        lambda: ("UploadModelResponse", {"model": name, "modelVersionId": "1"}),
        failed=lambda at: state.taken_model_ids.discard(key),
    )
    return call.operation_answer(call.start_operation(name, plan))


def add_model(world: World, key: Key, config: Json, at: float, *, source: str) -> Model:
    """Put a model into the registry, as its version 1; ``source`` is a ``ModelSourceInfo.sourceType``."""
    moment = world.timestamp(at)
    resource = {
        **deepcopy(config),
        "name": f"projects/{key[0]}/locations/{key[1]}/models/{key[2]}",
        "createTime": moment,
        "versionId": "1",
        "versionAliases": ["default"],
        "versionCreateTime": moment,
        "versionUpdateTime": moment,
        "modelSourceInfo": {"sourceType": source},
        "supportedDeploymentResourcesTypes": ["DEDICATED_RESOURCES"],
    }
    model = Model(key, resource, query_id=container_query_id(resource) or key[2])
    if world.behaviours["upload_labels"] == "version":
        model.version_labels = resource.pop("labels", {})
    touch(world, model, at)
    state = vertex(world)
    state.models[key] = model
    state.taken_model_ids.discard(key)
    return model


def container_query_id(resource: Json) -> str:
    """What the model server takes as ``model``: MODEL_ID in the container's environment, as the console shows it."""
    env = resource.get("containerSpec", {}).get("env", [])
    return next((str(entry["value"]) for entry in env if entry["name"] == "MODEL_ID" and entry.get("value")), "")


def _shown(world: World, model: Model) -> Json:
    used = [
        {"endpoint": endpoint.name, "deployedModelId": deployed["id"]}
        for endpoint in vertex(world).endpoints.values()
        for deployed in endpoint.deployed
        if deployed["model"].partition("@")[0] == model.name
    ]
    return {**model.shown(), "deployedModels": used} if used else model.shown()


@handles(_MODELS + "get")
def get_model(call: Call) -> Answer:
    """The model, with where it is deployed."""
    model = vertex(call.world).model((call.number, call.region, call.path["modelsId"]))
    return Answer(call.view("Model", _shown(call.world, model)))


@handles(_MODELS + "list")
def list_models(call: Call) -> Answer:
    """Models of the location, newest first."""
    shown = []
    for key, model in reversed(vertex(call.world).models.items()):
        fields = {"model": key[2], "display_name": model.resource.get("displayName", "")}
        fields["base_model_name"] = base_model_name(model)
        if key[:2] == (call.number, call.region) and passes(call.query.get("filter", ""), model.shown(), fields):
            shown.append(call.view("Model", _shown(call.world, model)))
    return Answer(page("models", shown, call.query))


@handles(_MODELS + "patch")
def patch_model(call: Call) -> Answer:
    """Change the fields that the mask names, at once: of the Model, or with ``@`` in its name of the version."""
    model = vertex(call.world).model((call.number, call.region, call.path["modelsId"]))
    mask = mask_paths(call.query.get("updateMask", ""))
    if call.path["modelsId"].partition("@")[2] not in ("", "-"):
        return _patch_version(call, model, mask)
    if set(mask) & set(_OF_VERSIONS):
        raise failed_precondition(f"{mask[0]} is a field of a version: name the Model with its version.")
    refused = [path for path in mask if path not in _PATCHABLE]
    if refused or not mask:
        text = f"The field {refused[0]} of a Model cannot be updated." if refused else "update_mask is required."
        raise invalid_argument(text, ("update_mask", text))
    check_etag(model, call.body.get("etag"))
    for path in mask:
        model.resource.pop(path, None)
        if call.body.get(path):
            model.resource[path] = deepcopy(call.body[path])
    check_resource(call.world, model.resource, "model")
    touch(call.world, model, call.world.now())
    return Answer(call.view("Model", _shown(call.world, model)))


def _patch_version(call: Call, model: Model, mask: list[str]) -> Answer:
    """Source: UpdateModelRequest.model. ApiError FAILED_PRECONDITION for a field that is not a version's."""
    others = [path for path in mask if path not in ("labels", *_OF_VERSIONS)]
    if others or not mask:
        text = f"{others[0]} is not a field of a version." if others else "update_mask is required."
        raise failed_precondition(text)
    check_etag(model, call.body.get("etag"))
    check_labels(call.world, call.body.get("labels", {}), "model.labels")
    if "labels" in mask:
        model.version_labels = dict(call.body.get("labels", {}))
    if "versionDescription" in mask:
        model.resource["versionDescription"] = call.body.get("versionDescription", "")
    touch(call.world, model, call.world.now())
    return Answer(call.view("Model", _shown(call.world, model)))


@handles(_MODELS + "delete")
def delete_model(call: Call) -> Answer:
    """Delete a model that no endpoint serves."""
    state = vertex(call.world)
    model = state.model((call.number, call.region, call.path["modelsId"]))
    if "deployedModels" in _shown(call.world, model) or call.world.now() < model.in_use_until:
        text = f"The Model {model.name} is deployed to an Endpoint: undeploy it first."
        raise failed_precondition(text)

    def remove(at: float) -> None:
        state.models.pop(model.key, None)

    stage = Stage("", call.world.duration("DELETE_MODEL", 5), remove)
    plan = Plan("DeleteOperationMetadata", [stage], lambda: ("google.protobuf.Empty", {}))
    return call.operation_answer(call.start_operation(model.name, plan))
