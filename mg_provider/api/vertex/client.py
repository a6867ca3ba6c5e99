"""Vertex AI: Model Garden's deploy, endpoints, models and operations (aiplatform v1beta1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mg_provider.api.http.answers import parse
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.transport import RETRY_BUDGET, Transport
from mg_provider.api.names import mask
from mg_provider.api.vertex.batch import BatchMethods
from mg_provider.api.vertex.begun import Begun
from mg_provider.wire.vertex.deploy import DeployRequest, RecommendSpecRequest, RecommendSpecResponse
from mg_provider.wire.vertex.deployed_model import DeployedModel
from mg_provider.wire.vertex.endpoint import Endpoint, ListEndpointsResponse
from mg_provider.wire.vertex.model import ListModelsResponse, Model
from mg_provider.wire.vertex.operation import ListOperationsResponse, Operation
from mg_provider.wire.vertex.publisher import ListPublisherModelsResponse, PublisherModel

PUBLISHER_LOCATION = "us-central1"
"""Where Google's own clients ask for publisher models, whatever the region of the deployment (gcloud 528, SDK 2.7)."""


class VertexClient(BatchMethods):
    """Calls of Vertex AI. Names are full resource names; in answers they carry the project's number.

    Every method may raise any :class:`~mg_provider.api.errors.CloudError`, and
    :class:`~mg_provider.api.errors.ConnectionFailed`; only those with a special meaning are named.
    """

    def __init__(self, transport: Transport, settings: Settings) -> None:
        super().__init__(transport, settings)
        self._begun = Begun(lambda location: list(self.list_operations(location)))

    # Model Garden

    def deploy(self, destination: str, request: DeployRequest) -> Operation:
        """``POST v1beta1/{destination}:deploy``: make a model, an endpoint and a deployment.

        With ``endpoint_user_id`` and ``model_user_id`` a repeat is detectable, so it is repeated on failure: a call
        whose answer was lost is then answered AlreadyExists.

        Permissions: aiplatform.locations.deploy, aiplatform.endpoints.create and deploy, aiplatform.models.upload.

        Raises:
            AlreadyExists: the endpoint id or model id is taken.
        """
        model, endpoint = request.model_configuration, request.endpoint_config
        detectable = bool(model and model.model_user_id and endpoint and endpoint.endpoint_user_id)
        if model and model.model_user_id:
            self._begun.note(destination, model.model_user_id)
        return self._operation("POST", f"{destination}:deploy", body=request.to_wire(), repeatable=detectable)

    def recommend_spec(
        self, parent: str, request: RecommendSpecRequest, *, retry_budget: float = RETRY_BUDGET
    ) -> RecommendSpecResponse:
        """``POST v1beta1/{parent}:recommendSpec``: machines and containers that fit a folder of weights.

        It changes nothing, so it is repeated on failure. Permissions: aiplatform.locations.get, and
        storage.objects.get and list on the folder for the Vertex AI service agent.
        """
        answer = self._json(
            "POST", f"{parent}:recommendSpec", body=request.to_wire(), repeatable=True, retry_budget=retry_budget
        )
        return parse(RecommendSpecResponse, answer)

    def get_publisher_model(
        self,
        name: str,
        *,
        view: str | None = None,
        is_hugging_face_model: bool | None = None,
        retry_budget: float = RETRY_BUDGET,
    ) -> PublisherModel:
        """``GET v1beta1/{name}``: an entry of Model Garden, by ``publishers/{publisher}/models/{model}[@{version}]``.

        Permission: aiplatform.publisherModels.get (granted to all authenticated callers).
        """
        query = {"view": view, "isHuggingFaceModel": is_hugging_face_model}
        answer = self._json("GET", name, query=query, location=PUBLISHER_LOCATION, retry_budget=retry_budget)
        return parse(PublisherModel, answer)

    def list_publisher_models(
        self,
        parent: str = "publishers/*",
        *,
        filter: str | None = None,
        list_all_versions: bool | None = None,
        retry_budget: float = RETRY_BUDGET,
    ) -> Iterator[PublisherModel]:
        """``GET v1beta1/{parent}/models``: entries of Model Garden.

        Permission: aiplatform.publisherModels.list (granted to all authenticated callers).

        Args:
            parent: ``publishers/{publisher}``.
            filter: For example ``is_hf_wildcard(false)``, with which Google's own clients leave Hugging Face out.
            list_all_versions: Each version of a model, instead of its default version only.
            retry_budget: Seconds for repeats; 0 for none.
        """
        more: dict[str, Any] = {"location": PUBLISHER_LOCATION, "retry_budget": retry_budget}
        query = {"filter": filter, "listAllVersions": list_all_versions}
        for page in self._pages(ListPublisherModelsResponse, f"{parent}/models", query, **more):
            yield from page.publisher_models

    # Endpoints

    def create_endpoint(self, parent: str, endpoint_id: str, endpoint: Endpoint) -> Operation:
        """``POST v1beta1/{parent}/endpoints?endpointId=``. Permission: aiplatform.endpoints.create.

        With an id a repeat is detectable, so it is repeated on failure.

        Raises:
            AlreadyExists: the id is taken.
        """
        return self._operation(
            "POST",
            f"{parent}/endpoints",
            query={"endpointId": endpoint_id},
            body=endpoint.to_wire(),
            repeatable=bool(endpoint_id),
        )

    def get_endpoint(self, name: str, *, retry_budget: float = RETRY_BUDGET) -> Endpoint:
        """``GET v1beta1/{name}``. Permission: aiplatform.endpoints.get.

        Raises:
            NotFound: there is no such endpoint.
        """
        return parse(Endpoint, self._json("GET", name, retry_budget=retry_budget))

    def list_endpoints(self, parent: str, filter: str | None = None) -> Iterator[Endpoint]:
        """``GET v1beta1/{parent}/endpoints``. Permission: aiplatform.endpoints.list.

        Args:
            parent: ``projects/{project}/locations/{location}``.
            filter: For example ``labels.mg-owner="abc"`` or ``display_name="x"``.
        """
        for page in self._pages(ListEndpointsResponse, f"{parent}/endpoints", {"filter": filter}):
            yield from page.endpoints

    def patch_endpoint(self, name: str, endpoint: Endpoint | Mapping[str, Any], update_mask: Sequence[str]) -> Endpoint:
        """``PATCH v1beta1/{name}?updateMask=``: change an endpoint at once. Permission: aiplatform.endpoints.update.

        A field that the mask names and the endpoint leaves out is cleared. With an etag in the endpoint, a change by
        somebody else is noticed.

        Args:
            name: The endpoint.
            endpoint: The new values.
            update_mask: Paths in snake_case, such as ``traffic_split``.

        Raises:
            Aborted: the etag is stale.
        """
        body = endpoint.to_wire() if isinstance(endpoint, Endpoint) else endpoint
        return parse(Endpoint, self._json("PATCH", name, query={"updateMask": mask(update_mask)}, body=body))

    def update_endpoint(self, name: str, endpoint: Endpoint) -> Operation:
        """``POST v1beta1/{name}:update``: only ``client_connection_config`` can be changed so.

        Setting it twice is the same as once, so it is repeated on failure. Permission: aiplatform.endpoints.update.
        """
        return self._operation("POST", f"{name}:update", body={"endpoint": endpoint.to_wire()}, repeatable=True)

    def deploy_model(
        self, endpoint: str, deployed_model: DeployedModel, traffic_split: Mapping[str, int] | None = None
    ) -> Operation:
        """``POST v1beta1/{endpoint}:deployModel``. Permission: aiplatform.endpoints.deploy, aiplatform.models.deploy.

        Args:
            endpoint: The endpoint.
            deployed_model: What to deploy; with an ``id`` of its own, a repeat is detectable.
            traffic_split: Percent by deployed model id; ``"0"`` stands for the one being deployed.
        """
        body = {"deployedModel": deployed_model.to_wire(), **_split(traffic_split)}
        return self._operation("POST", f"{endpoint}:deployModel", body=body)

    def mutate_deployed_model(
        self, endpoint: str, deployed_model: DeployedModel, update_mask: Sequence[str]
    ) -> Operation:
        """``POST v1beta1/{endpoint}:mutateDeployedModel``: replicas, autoscaling and logging of a deployed model.

        Setting them twice is the same as once, so it is repeated on failure. Permission: aiplatform.endpoints.update.

        Args:
            endpoint: The endpoint.
            deployed_model: Its ``id``, and the new values.
            update_mask: Paths in snake_case, such as ``dedicated_resources.min_replica_count``.
        """
        body = {"deployedModel": deployed_model.to_wire(), "updateMask": mask(update_mask)}
        return self._operation("POST", f"{endpoint}:mutateDeployedModel", body=body, repeatable=True)

    def undeploy_model(
        self, endpoint: str, deployed_model_id: str, traffic_split: Mapping[str, int] | None = None
    ) -> Operation:
        """``POST v1beta1/{endpoint}:undeployModel``. Permission: aiplatform.endpoints.undeploy.

        Args:
            endpoint: The endpoint.
            deployed_model_id: What to take away.
            traffic_split: Percent by the remaining ids; needed if the model has traffic and others remain.
        """
        body = {"deployedModelId": deployed_model_id, **_split(traffic_split)}
        return self._operation("POST", f"{endpoint}:undeployModel", body=body)

    def delete_endpoint(self, name: str) -> Operation:
        """``DELETE v1beta1/{name}``. Permission: aiplatform.endpoints.delete.

        Raises:
            NotFound: there is no such endpoint, or an earlier attempt of this same call removed it.
            FailedPrecondition: it still has deployed models.
        """
        return self._operation("DELETE", name)

    # Models

    def get_model(self, name: str) -> Model:
        """``GET v1beta1/{name}``. Permission: aiplatform.models.get.

        Raises:
            NotFound: there is no such model.
        """
        return parse(Model, self._json("GET", name))

    def list_models(self, parent: str, filter: str | None = None) -> Iterator[Model]:
        """``GET v1beta1/{parent}/models``. Permission: aiplatform.models.list."""
        for page in self._pages(ListModelsResponse, f"{parent}/models", {"filter": filter}):
            yield from page.models

    def upload_model(self, parent: str, model_id: str, model: Model) -> Operation:
        """``POST v1beta1/{parent}/models:upload``. Permission: aiplatform.models.upload.

        Raises:
            AlreadyExists: the id is taken.
        """
        return self._operation("POST", f"{parent}/models:upload", body={"modelId": model_id, "model": model.to_wire()})

    def patch_model(self, name: str, model: Model, update_mask: Sequence[str]) -> Model:
        """``PATCH v1beta1/{name}?updateMask=``: display name, description, labels.

        Permission: aiplatform.models.update.

        Raises:
            Aborted: the etag is stale.
        """
        answer = self._json("PATCH", name, query={"updateMask": mask(update_mask)}, body=model.to_wire())
        return parse(Model, answer)

    def delete_model(self, name: str) -> Operation:
        """``DELETE v1beta1/{name}``. Permission: aiplatform.models.delete.

        Raises:
            NotFound: there is no such model, or an earlier attempt of this same call removed it.
            FailedPrecondition: it is still deployed.
        """
        return self._operation("DELETE", name)

    # Operations

    def get_operation(self, name: str, *, retry_budget: float = RETRY_BUDGET) -> Operation:
        """``GET v1beta1/{name}``, whatever its parent. Permission: that of reading the parent."""
        return parse(Operation, self._json("GET", name, retry_budget=retry_budget))

    def list_operations(self, parent: str, filter: str | None = None) -> Iterator[Operation]:
        """``GET v1beta1/{parent}/operations``: of a location, an endpoint or a model."""
        for page in self._pages(ListOperationsResponse, f"{parent}/operations", {"filter": filter}):
            yield from page.operations

    def operations_before(self, location: str) -> list[Operation]:
        """What ran in a location when this process first asked, as it was then: one list a process.

        What was begun there since is not among it: :meth:`list_operations` reads everything.
        """
        return self._begun.before(location)

    def asked_to_deploy(self, destination: str, model_id: str) -> bool:
        """Whether this process has called :meth:`deploy` for the Model with this id, whatever was answered."""
        return self._begun.asked(destination, model_id)

    def cancel_operation(self, name: str) -> None:
        """``POST v1beta1/{name}:cancel``: ask for it; the operation then ends with code 1, or with success."""
        self._json("POST", f"{name}:cancel", body={}, repeatable=True)


def _split(traffic_split: Mapping[str, int] | None) -> dict[str, Any]:
    return {} if traffic_split is None else {"trafficSplit": dict(traffic_split)}
