"""``projects.locations:deploy``: weights or a Model Garden model in, a Model and an Endpoint that serves it out.

A failure after the first stage leaves the Model and the Endpoint behind, as users of the real service report
(python-aiplatform issue 1041, magic-modules commit 7a47087).
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from mg_provider.emulator.core.clock import moment
from mg_provider.emulator.core.operations import Plan
from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.google.errors import ApiError, invalid_argument
from mg_provider.emulator.services.names_and_labels import check_display_name, check_labels
from mg_provider.emulator.services.vertex.endpoints import add_endpoint, check_kind
from mg_provider.emulator.services.vertex.model_garden import check_publisher_model, query_model_id
from mg_provider.emulator.services.vertex.models import add_model, container_query_id
from mg_provider.emulator.services.vertex.rules import check_alone_at_zero
from mg_provider.emulator.services.vertex.service_agents import refused_stages, require_image, require_weights
from mg_provider.emulator.services.vertex.serving import ModelDeployment, complete_resources, stage
from mg_provider.emulator.services.vertex.state import Json, Key, bad_allowlist_entries, check_private_config, vertex
from mg_provider.emulator.services.vertex.weights import Weights, check_region, container_spec, read_weights, split_uri

_SOURCES = ("customModel", "publisherModelName", "huggingFaceModelId")
_GATED_AUTHORS = ("meta-llama/", "google/gemma", "mistralai/")
_HUGGING_FACE_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass
class _Request:
    """A deploy request, valid and with all defaults."""

    call: Call
    endpoint_key: Key
    model_key: Key
    deployment: ModelDeployment
    publisher_model: str
    gcs_uri: str

    @property
    def endpoint_config(self) -> Json:
        """Of the request."""
        config: Json = self.call.body.get("endpointConfig", {})
        return config

    @property
    def model_config(self) -> Json:
        """Of the request."""
        config: Json = self.call.body.get("modelConfig", {})
        return config


@handles("aiplatform.projects.locations.deploy")
def deploy(call: Call) -> Answer:
    """Upload the model, make the endpoint, deploy: one operation below the location."""
    request = _checked(call)
    metadata: Json = {
        "destination": call.parent,
        "projectNumber": call.number,
        "modelId": request.deployment.query_id,
    }
    if request.publisher_model:
        metadata["publisherModel"] = request.publisher_model
    names = {
        "publisherModel": request.publisher_model,
        "endpoint": f"{call.parent}/endpoints/{request.endpoint_key[2]}",
        "model": f"{call.parent}/models/{request.model_key[2]}",
    }
    plan = Plan(
        "DeployOperationMetadata",
        refused_stages(call)
        or [
            stage(call.world, "STARTING_DEPLOYMENT", lambda at: _start(request, at)),
            stage(call.world, "PREPARING_MODEL", lambda at: _prepare(request, at)),
            *request.deployment.stages(),
        ],
        lambda: ("DeployResponse", names),
        metadata,
        lambda at: _give_up(request, at),
        dict(request.endpoint_config.get("labels", {})),
    )
    return call.operation_answer(call.start_operation(call.parent, plan))


def _checked(call: Call) -> _Request:
    given = [name for name in _SOURCES if call.body.get(name)]
    if len(given) != 1:
        text = "exactly one of custom_model, publisher_model_name and hugging_face_model_id must be set."
        raise invalid_argument(text, ("artifacts", text))
    publisher_model, gcs_uri = _source(call, given[0])
    if given[0] == "publisherModelName" and call.world.behaviours["publisher_env"] == "dropped":
        call.body.get("modelConfig", {}).get("containerSpec", {}).pop("env", None)
    _check_endpoint_config(call, call.body.get("endpointConfig", {}))
    check_display_name(call.body.get("modelConfig", {}).get("modelDisplayName", ""), "model_config.model_display_name")
    resources = complete_resources(
        call.body.get("deployConfig", {}).get("dedicatedResources") or {"minReplicaCount": 1, "maxReplicaCount": 1}
    )
    config = call.body.get("endpointConfig", {})
    own_address = not config.get("dedicatedEndpointDisabled") or bool(config.get("privateServiceConnectConfig"))
    check_alone_at_zero({"dedicatedResources": resources}, [], own_address)
    endpoint_key, model_key = _claim_ids(call)
    chosen = container_query_id(call.body.get("modelConfig", {}))
    query_id = chosen or (query_model_id(publisher_model) if publisher_model else model_key[2])
    deployment = ModelDeployment(call.world, endpoint_key, _deployed_model(call, resources), query_id, {"0": 100})
    return _Request(call, endpoint_key, model_key, deployment, publisher_model, gcs_uri)


def _source(call: Call, kind: str) -> tuple[str, str]:
    """The publisher model's name and the weights' URI, one of them empty."""
    config = call.body.get("modelConfig", {})
    if kind == "customModel":
        uri = call.body[kind].get("gcsUri", "")
        split_uri(uri)
        return "", uri
    if kind == "publisherModelName":
        name = call.body[kind]
        check_publisher_model(call, name, accepted=config.get("acceptEula", False))
        return name, ""
    name = call.body[kind]
    if not _HUGGING_FACE_ID.fullmatch(name):
        raise invalid_argument(f"Invalid Hugging Face model id {name!r}.", ("hugging_face_model_id", name))
    if name.startswith(_GATED_AUTHORS) and not config.get("huggingFaceAccessToken"):
        text = f"{name} is gated: provide a valid Hugging Face access token in model_config.hugging_face_access_token."
        raise invalid_argument(text, ("model_config.hugging_face_access_token", text))
    author, _, short = name.lower().partition("/")
    return f"publishers/hf-{author}/models/{short}@001", ""


def _check_endpoint_config(call: Call, config: Json) -> None:
    check_display_name(config.get("endpointDisplayName", ""), "endpoint_config.endpoint_display_name")
    check_labels(call.world, config.get("labels", {}), "endpoint_config.labels")
    check_kind(config, "dedicatedEndpointEnabled")
    private = config.get("privateServiceConnectConfig")
    if private and not bad_allowlist_entries(private):
        check_private_config(private)


def _claim_ids(call: Call) -> tuple[Key, Key]:
    state = vertex(call.world)
    endpoint_id = call.body.get("endpointConfig", {}).get("endpointUserId")
    model_id = call.body.get("modelConfig", {}).get("modelUserId") or call.body.get("customModel", {}).get("modelId")
    number = call.world.new_number()
    endpoint_key = (call.number, call.region, endpoint_id or f"mg-endpoint-{uuid.uuid5(uuid.NAMESPACE_OID, number)}")
    unix = int(moment(call.world.now()).timestamp())
    model_key = (call.number, call.region, model_id or f"mg-custom-{unix}")
    state.claim_endpoint_id(endpoint_key)
    try:
        state.claim_model_id(model_key)
    except ApiError:
        state.taken_endpoint_ids.discard(endpoint_key)
        raise
    return endpoint_key, model_key


def _deployed_model(call: Call, resources: Json) -> Json:
    deploy_config = call.body.get("deployConfig", {})
    unix = int(moment(call.world.now()).timestamp())
    deployed: Json = {
        "id": call.world.new_number(),
        "displayName": call.body.get("modelConfig", {}).get("modelDisplayName") or f"null-null-null-{unix}",
        "dedicatedResources": resources,
        "enableContainerLogging": True,
        "modelVersionId": "1",
    }
    for name in ("serviceAccount", "systemLabels"):
        if deploy_config.get(name):
            deployed[name] = deploy_config[name]
    if deploy_config.get("fastTryoutEnabled") and call.world.behaviours["fast_tryout"] == "shown":
        deployed["fasterDeploymentConfig"] = {"fastTryoutEnabled": True}
    return deployed


def _start(request: _Request, at: float) -> None:
    """The model is registered, then the endpoint made; then quota is looked at."""
    call, world = request.call, request.call.world
    display_name = request.model_config.get("modelDisplayName") or request.model_key[2]
    model: Json = {"displayName": display_name}
    if request.gcs_uri:
        model["artifactUri"] = request.gcs_uri
    else:
        model["baseModelSource"] = {"modelGardenSource": {"publicModelName": request.publisher_model}}
    model["containerSpec"] = container_spec(request.model_config, request.deployment.query_id, request.gcs_uri)
    registered = add_model(world, request.model_key, model, at, source="MODEL_GARDEN")
    registered.query_id = request.deployment.query_id
    request.deployment.deployed["model"] = registered.name
    config = request.endpoint_config
    private = config.get("privateServiceConnectConfig")
    if private and bad_allowlist_entries(private):
        # endpoints.create refuses such an entry, and this operation does not pass its reason on.
        raise ApiError("INTERNAL", "INTERNAL")
    add_endpoint(world, request.endpoint_key, _endpoint(call, config, private, display_name), at)
    request.deployment.claim_quota(at)


def _endpoint(call: Call, config: Json, private: Json | None, display_name: str) -> Json:
    endpoint: Json = {"displayName": config.get("endpointDisplayName") or display_name}
    if config.get("labels"):
        endpoint["labels"] = config["labels"]
    if private:
        endpoint["privateServiceConnectConfig"] = private
    elif not config.get("dedicatedEndpointDisabled"):
        endpoint["dedicatedEndpointEnabled"] = True
    return endpoint


def _prepare(request: _Request, at: float) -> None:
    """The weights are looked at. ApiError FAILED_PRECONDITION or INVALID_ARGUMENT when they are not there."""
    require_image(request.call, request.model_config.get("containerSpec", {}))
    if request.gcs_uri:
        require_weights(request.call, request.gcs_uri)
        check_region(request.call.world, request.gcs_uri, request.call.region)
        weights: Weights = read_weights(request.call.world, request.gcs_uri)
        weights.check()


def _give_up(request: _Request, at: float) -> None:
    """Model and endpoint stay, if it got that far; ids that came to nothing are free again."""
    state = vertex(request.call.world)
    request.deployment.give_up(at)
    if request.call.world.behaviours["failed_deploy_endpoint"] == "removed":
        state.endpoints.pop(request.endpoint_key, None)
    state.taken_endpoint_ids.discard(request.endpoint_key)
    state.taken_model_ids.discard(request.model_key)
