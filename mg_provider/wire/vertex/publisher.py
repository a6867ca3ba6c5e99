"""Publisher models: the entries of Model Garden."""

from __future__ import annotations

from pydantic import Field

from mg_provider.wire.base import Page, WireModel, output
from mg_provider.wire.vertex.container import ContainerSpec
from mg_provider.wire.vertex.machine import AutomaticResources, DedicatedResources


class DeployMetadata(WireModel):
    """How a deployment configuration was verified, and a request to try it with."""

    labels: dict[str, str] | None = None
    sample_request: str | None = None


class Deploy(WireModel):
    """One ready deployment configuration of a publisher model."""

    title: str | None = None
    deploy_task_name: str | None = None
    model_display_name: str | None = None
    container_spec: ContainerSpec | None = None
    dedicated_resources: DedicatedResources | None = None
    automatic_resources: AutomaticResources | None = None
    shared_resources: str | None = None
    artifact_uri: str | None = None
    deploy_metadata: DeployMetadata | None = None


class DeployVertex(WireModel):
    """The ready deployment configurations."""

    multi_deploy_vertex: list[Deploy] = Field(default_factory=list)


class CallToAction(WireModel):
    """What can be done with a publisher model."""

    deploy: Deploy | None = None
    multi_deploy_vertex: DeployVertex | None = None


class PublisherModel(WireModel):
    """An entry of Model Garden."""

    name: str | None = output()
    version_id: str | None = output()
    launch_stage: str | None = None
    open_source_category: str | None = None
    version_state: str | None = None
    supported_actions: CallToAction | None = None


class ListPublisherModelsResponse(Page):
    """A page of publisher models."""

    publisher_models: list[PublisherModel] = Field(default_factory=list)
