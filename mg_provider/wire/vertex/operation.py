"""Long-running operations of Vertex AI."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from mg_provider.wire.base import Page, WireModel
from mg_provider.wire.status import Status


class DeploymentStage(StrEnum):
    """How far a deployment has come (``metadata.deploymentStage``)."""

    DEPLOYMENT_STAGE_UNSPECIFIED = "DEPLOYMENT_STAGE_UNSPECIFIED"
    STARTING_DEPLOYMENT = "STARTING_DEPLOYMENT"
    PREPARING_MODEL = "PREPARING_MODEL"
    CREATING_SERVING_CLUSTER = "CREATING_SERVING_CLUSTER"
    ADDING_NODES_TO_CLUSTER = "ADDING_NODES_TO_CLUSTER"
    GETTING_CONTAINER_IMAGE = "GETTING_CONTAINER_IMAGE"
    STARTING_MODEL_SERVER = "STARTING_MODEL_SERVER"
    FINISHING_UP = "FINISHING_UP"
    DEPLOYMENT_TERMINATED = "DEPLOYMENT_TERMINATED"
    SUCCESSFULLY_DEPLOYED = "SUCCESSFULLY_DEPLOYED"
    FAILED_TO_DEPLOY = "FAILED_TO_DEPLOY"


class Operation(WireModel):
    """google.longrunning.Operation. ``name`` is polled as it is, whatever its parent; ``done`` may be absent."""

    name: str
    done: bool = False
    metadata: dict[str, Any] | None = None
    error: Status | None = None
    response: dict[str, Any] | None = None

    @property
    def stage(self) -> str | None:
        """``metadata.deploymentStage``: a :class:`DeploymentStage`, or a newer stage that it does not list yet."""
        stage = (self.metadata or {}).get("deploymentStage")
        return stage if isinstance(stage, str) else None

    @property
    def started(self) -> str | None:
        """``metadata.genericMetadata.createTime``, in RFC 3339."""
        generic = (self.metadata or {}).get("genericMetadata")
        created = generic.get("createTime") if isinstance(generic, dict) else None
        return created if isinstance(created, str) else None


class ListOperationsResponse(Page):
    """A page of operations."""

    operations: list[Operation] = Field(default_factory=list)
