"""Endpoints: which resource describes one, and its arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from mg_provider.api.errors import NotFound, UserError
from mg_provider.api.names import MODEL
from mg_provider.importing.arguments import arguments_of, labels_of
from mg_provider.importing.finding import Found, Location
from mg_provider.importing.imported import Draft
from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs, CustomWeightsModelState
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from mg_provider.resources.dedicated_endpoint.args import DedicatedEndpointArgs
from mg_provider.resources.dedicated_endpoint.state import DedicatedEndpointState
from mg_provider.resources.endpoint.args import private
from mg_provider.resources.endpoint.ownership import as_imported
from mg_provider.resources.endpoint.served_model import ServedModel
from mg_provider.resources.model.args import has
from mg_provider.resources.model.identity import OWNER_LABEL
from mg_provider.resources.model.lifecycle import Context
from mg_provider.resources.model.marks import Computed
from mg_provider.resources.model.standing import standing
from mg_provider.rollout.place import deploys, deploys_from_garden, running_operation
from mg_provider.rollout.query_id import query_id
from mg_provider.wire.vertex.deployed_model import DeployedModel
from mg_provider.wire.vertex.endpoint import Endpoint
from mg_provider.wire.vertex.model import Model
from mg_provider.wire.vertex.operation import Operation

Kind = Literal["CustomWeightsModel", "DedicatedEndpoint"]

_GARDEN: Final = "MODEL_GARDEN"
# Where Google keeps the weights of its own copies: not a folder of the user's.
_GOOGLES_BUCKET = re.compile(r"gs://vertex-model-garden-")
_HUGGING_FACE = re.compile(r"publishers/hf-(?P<author>[^/]+)/models/(?P<model>.+)")
_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|PRIVATE_?KEY", re.IGNORECASE)
# Fields of an endpoint that a model with an endpoint of its own has no argument for.
_ONLY_DEDICATED: Final = tuple(
    path
    for name, path in standing(DedicatedEndpointArgs, "endpoint").items()
    if name not in CustomWeightsModelArgs.model_fields and not has(DedicatedEndpointArgs, name, Computed)
)


@dataclass(frozen=True)
class ServedEndpoint:
    """An endpoint with the Models that it serves."""

    endpoint: Endpoint
    place: Location
    models: Mapping[str, Model] = field(default_factory=dict)

    @property
    def deployed(self) -> list[DeployedModel]:
        """What is deployed on it."""
        return self.endpoint.deployed_models or []

    def model(self, deployed: DeployedModel) -> Model | None:
        """The Model of a deployment; None where it is not in the endpoint's project and region, or gone."""
        return self.models.get(_bare(deployed))


def look(found: Found, context: Context) -> ServedEndpoint:
    """The Models that an endpoint serves.

    Raises:
        UserError: What it serves is changing now.
    """
    endpoint, models = cast(Endpoint, found.thing), {}
    operation = running_operation(found.path, deploys, context)
    if operation is None and not endpoint.deployed_models:
        operation = running_operation(found.place.parent, lambda each: _made(each, endpoint), context)
    if operation:
        raise UserError(
            f"a model is being deployed on {found.path} now ({operation.name})",
            hint="wait until that has ended, then import the endpoint with what is on it",
        )
    for deployed in endpoint.deployed_models or []:
        name = found.place.own(_bare(deployed))
        if not name.startswith(f"{found.place.parent}/models/"):
            continue
        try:
            models[_bare(deployed)] = context.clients.vertex.get_model(name)
        except NotFound:
            context.progress(f"{name} is gone")
    return ServedEndpoint(endpoint, found.place, models)


def _made(operation: Operation, endpoint: Endpoint) -> bool:
    """Whether an operation is a deployment from Model Garden that may have made an endpoint: it does not name it."""
    before = not operation.started or not endpoint.create_time or operation.started <= endpoint.create_time
    return deploys_from_garden(operation) and before


def _bare(deployed: DeployedModel) -> str:
    return (deployed.model or "").partition("@")[0]


def draft_of(serving: ServedEndpoint, found: Found, asked: Kind | None) -> Draft:
    """What the endpoint would be in a program.

    Args:
        serving: The endpoint and its Models.
        found: The same, as it was found.
        asked: The resource that the user wants; None for the one that fits.

    Raises:
        UserError: That resource does not fit, or none does.
    """
    for deployed in serving.deployed:
        if reason := _undescribed(deployed):
            raise UserError(
                f"{found.path} serves deployment {deployed.id} {reason}, which no resource here describes",
                hint="leave it where it is; to have it here, deploy its model on an endpoint that a program makes",
            )
    against = next(_against_one_model(serving), None)
    if asked == "CustomWeightsModel" and against:
        raise UserError(
            f"{found.path}: {against}, so CustomWeightsModel does not describe it",
            hint="leave --as out, or write --as DedicatedEndpoint: it has any number of models, by name",
        )
    if asked == "DedicatedEndpoint" or against:
        why = f"as DedicatedEndpoint, because {against}" if against else "as DedicatedEndpoint, as asked"
        return _dedicated(serving, why)
    return _one_model(serving)


def _undescribed(deployed: DeployedModel) -> str:
    if deployed.automatic_resources is not None:
        return "on machines that Vertex AI chooses (automaticResources)"
    if deployed.shared_resources:
        return f"in the resource pool {deployed.shared_resources}"
    if MODEL.problem(deployed.model or ""):
        return f"of {deployed.model or 'an unnamed model'}"
    return ""


def _against_one_model(serving: ServedEndpoint) -> Iterator[str]:
    """Why the endpoint is not one model with an endpoint of its own."""
    if len(serving.deployed) != 1:
        yield f"{len(serving.deployed) or 'no'} models are deployed on it"
        return
    deployed = serving.deployed[0]
    for name in _ONLY_DEDICATED:
        if getattr(serving.endpoint, name):
            yield f"it has {name}"
    model = serving.model(deployed)
    if model is None:
        yield f"its Model {deployed.model} is not in its project and region"
        return
    owner = (model.labels or {}).get(OWNER_LABEL)
    if owner and owner != (serving.endpoint.labels or {}).get(OWNER_LABEL):
        yield f"its Model belongs to another stack ({OWNER_LABEL}={owner})"
    if not _source(model):
        yield "nothing says which weights its Model was made from"
    elsewhere = {
        there
        for entry in model.deployed_models or []
        if (there := entry.endpoint or "") and not _is(there, serving.endpoint)
    }
    if elsewhere:
        yield f"its Model also serves on {', '.join(sorted(elsewhere))}"
    if model.version_id not in (None, "", "1"):
        yield f"its Model has several versions, and the newest is {model.version_id}"
    if model.encryption_spec is not None:
        yield "its Model has a key of its own"
    own = model.container_spec if _is_own_container(model) else None
    if secret := next((each.name for each in (own.env if own else None) or [] if _SECRET.search(each.name)), ""):
        yield f"its Model's container has {secret} in its environment, which a program should not show"


def _is(name: str, endpoint: Endpoint) -> bool:
    return name.split("/")[2:] == (endpoint.name or "").split("/")[2:]


def _is_own_container(model: Model) -> bool:
    return (model.model_source_info.source_type if model.model_source_info else None) != _GARDEN


def _source(model: Model) -> dict[str, Any]:
    """The argument that says which weights a Model was made from; none where nothing says it."""
    weights = (model.artifact_uri or "").rstrip("/")
    if weights.startswith("gs://") and not _GOOGLES_BUCKET.match(weights):
        return {"gcs_uri": weights}
    garden = model.base_model_source.model_garden_source if model.base_model_source else None
    name = (garden.public_model_name if garden else None) or ""
    if match := _HUGGING_FACE.fullmatch(name.partition("@")[0]):
        return {"hugging_face_model_id": f"{match['author']}/{match['model']}"}
    version = (garden.version_id if garden else None) or ""
    return {"publisher_model_name": name if "@" in name or not version else f"{name}@{version}"} if name else {}


def _settings(args_type: type[Any], serving: ServedEndpoint) -> dict[str, Any]:
    """What both resources say of an endpoint."""
    given = arguments_of(args_type, "endpoint", serving.endpoint)
    labels = labels_of(serving.endpoint.labels)
    if not private(serving.endpoint.private_service_connect_config):
        given.pop("private_service_connect_config", None)
    return {**{key: value for key, value in given.items() if key != "labels"}, **({"labels": labels} if labels else {})}


def _machines(args_type: type[Any], deployed: DeployedModel) -> dict[str, Any]:
    given = arguments_of(args_type, "deployment", deployed)
    if given.get("max_replica_count") == max(given.get("min_replica_count", 1), 1):
        del given["max_replica_count"]
    return given


def _one_model(serving: ServedEndpoint) -> Draft:
    deployed, place = serving.deployed[0], serving.place
    model = serving.model(deployed) or Model()
    id = _bare(deployed).rpartition("/")[2]
    described = arguments_of(CustomWeightsModelArgs, "model", model)
    machines = _machines(CustomWeightsModelArgs, deployed)
    if not private(serving.endpoint.private_service_connect_config) and not serving.endpoint.dedicated_endpoint_enabled:
        machines["dedicated_endpoint_disabled"] = True
    for name in ("gcs_uri", *([] if _is_own_container(model) else ["container_spec"])):
        described.pop(name, None)
    for name in ("system_labels", "enable_container_logging"):
        machines.pop(name, None)
    endpoint_id = (serving.endpoint.name or "").rpartition("/")[2]
    return Draft(
        CustomWeightsModelProvider,
        {**_source(model), **described, **machines, **_settings(CustomWeightsModelArgs, serving)},
        {
            "endpoint_id": endpoint_id,
            "endpoint": f"{place.parent}/endpoints/{endpoint_id}",
            "model_id": id,
            "model": f"{place.parent}/models/{id}",
            "query_model_id": query_id(model) or id,
            "model_display_name": model.display_name or "",
        },
        CustomWeightsModelState(),
        {"unlabelled": as_imported(serving.endpoint.create_time or "")},
        serving.endpoint.labels or {},
        (f"its Model {id} comes along, and a destroy deletes it too, unless retain_model=True",),
    )


def _dedicated(serving: ServedEndpoint, why: str) -> Draft:
    names = _names(serving.deployed)
    served = {}
    for id, name in names.items():
        deployed = next(entry for entry in serving.deployed if entry.id == id)
        given = _machines(ServedModel, deployed) | {"model": _versioned(serving, deployed)}
        if not deployed.enable_container_logging:
            given["enable_container_logging"] = False
        served[name] = {"model": given.pop("model"), **given}
    split = {names[id]: percent for id, percent in (serving.endpoint.traffic_split or {}).items() if id in names}
    open_to_all = not private(serving.endpoint.private_service_connect_config) and not serving.endpoint.network
    public = bool(serving.endpoint.dedicated_endpoint_enabled)
    given = {
        **({"deployed_models": served} if served else {}),
        **({"traffic_split": split} if len(served) > 1 and split else {}),
        **_settings(DedicatedEndpointArgs, serving),
    }
    given.pop("dedicated_endpoint_enabled", None)
    if public != open_to_all:
        given["dedicated_endpoint_enabled"] = public
    endpoint_id = (serving.endpoint.name or "").rpartition("/")[2]
    ids = {name: id for id, name in names.items()}
    return Draft(
        DedicatedEndpointProvider,
        given,
        {
            "endpoint_id": endpoint_id,
            "endpoint": f"{serving.place.parent}/endpoints/{endpoint_id}",
            "dedicated_endpoint_enabled": public,
        },
        DedicatedEndpointState(deployed_model_ids=ids),
        {"unlabelled": as_imported(serving.endpoint.create_time or "")},
        serving.endpoint.labels or {},
        (why,),
    )


def _versioned(serving: ServedEndpoint, deployed: DeployedModel) -> str:
    """The Model's name, with its version where that is not the only one."""
    name, model = serving.place.own(_bare(deployed)), serving.model(deployed)
    version = deployed.model_version_id or (deployed.model or "").partition("@")[2]
    newest = (model.version_id if model else None) or version
    return f"{name}@{version}" if version and (version, newest) != ("1", "1") else name


def _names(deployed: list[DeployedModel]) -> dict[str, str]:
    """A name for each deployment, by its id: its display name, as far as that is a name."""
    names: dict[str, str] = {}
    for entry in deployed:
        text = entry.display_name or _bare(entry).rpartition("/")[2]
        slug = re.sub(r"^[^a-z]+", "", re.sub(r"[^a-z0-9]+", "-", text.lower())).strip("-")[:24].rstrip("-") or "model"
        taken = slug in names.values()
        names[entry.id or ""] = f"{slug}-{(entry.id or '')[-6:]}" if taken else slug
    return names
