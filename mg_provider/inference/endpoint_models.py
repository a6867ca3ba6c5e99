"""What an endpoint serves, and by which id each model is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mg_provider.api.errors import NotFound
from mg_provider.api.vertex.client import VertexClient
from mg_provider.rollout.query_id import query_id
from mg_provider.wire.vertex.deployed_model import DeployedModel
from mg_provider.wire.vertex.endpoint import Endpoint
from mg_provider.wire.vertex.model import Model

_SERVED_NAME = "--served-model-name"


@dataclass(frozen=True)
class EndpointModel:
    """One deployed model of an endpoint.

    Attributes:
        id: Id of the deployment.
        model: Resource name of the Model.
        display_name: Name for people.
        query_id: What a chat request names as ``model``; empty where the Model is gone.
        traffic: Percent of the requests.
        machine_type: Machine type of a replica; empty where Vertex AI chooses.
        accelerators: Such as ``2 NVIDIA_L4``; empty without any.
        replicas: Replicas that serve now; None where Vertex AI does not say.
    """

    id: str
    model: str
    display_name: str
    query_id: str
    traffic: int
    machine_type: str
    accelerators: str
    replicas: int | None


def served_models(endpoint: Endpoint, vertex: VertexClient) -> list[EndpointModel]:
    """The deployed models of an endpoint, the one with the most traffic first.

    Permission: aiplatform.models.get.

    Raises:
        CloudError: A Model cannot be read.
    """
    found = [_served(deployed, endpoint, vertex) for deployed in endpoint.deployed_models or []]
    return sorted(found, key=lambda each: (-each.traffic, each.id))


def query_id_of(models: Iterable[EndpointModel]) -> str:
    """The id that every model with traffic answers to, or empty where they differ.

    A request then names no model, and whichever the traffic picks answers. Vertex AI passes such requests on, and the
    model server answers with the one that it has; Google's own samples for self-deployed models do so.
    """
    ids = {each.query_id for each in models if each.traffic}
    return ids.pop() if len(ids) == 1 else ""


def _served(deployed: DeployedModel, endpoint: Endpoint, vertex: VertexClient) -> EndpointModel:
    resources = deployed.dedicated_resources
    machine = resources.machine_spec if resources else None
    count = machine.accelerator_count if machine else None
    return EndpointModel(
        id=deployed.id or "",
        model=deployed.model or "",
        display_name=deployed.display_name or "",
        query_id=_query_id(deployed, vertex),
        traffic=(endpoint.traffic_split or {}).get(deployed.id or "", 0),
        machine_type=(machine.machine_type if machine else None) or "",
        accelerators=f"{count} {machine.accelerator_type}" if machine and count else "",
        replicas=deployed.status.available_replica_count if deployed.status else None,
    )


def _query_id(deployed: DeployedModel, vertex: VertexClient) -> str:
    """The Model's own word for it, of the version that is deployed."""
    name = deployed.model or ""
    if deployed.model_version_id and "@" not in name:
        name = f"{name}@{deployed.model_version_id}"
    try:
        return _name_in_requests(vertex.get_model(name))
    except NotFound:
        return ""


def _name_in_requests(model: Model) -> str:
    """What a chat request names as ``model``: from the container's environment or arguments, else the Model's id."""
    if given := query_id(model):
        return given
    arguments = (model.container_spec.args if model.container_spec else None) or []
    for index, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name == _SERVED_NAME:
            return value or "".join(arguments[index + 1 : index + 2])
    return (model.name or "").rpartition("/")[2].partition("@")[0]
