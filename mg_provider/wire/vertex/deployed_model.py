"""A model on an endpoint."""

from __future__ import annotations

from pydantic import Field

from mg_provider.wire.base import WireModel, output
from mg_provider.wire.vertex.machine import AutomaticResources, DedicatedResources


class DeployedModelStatus(WireModel):
    """How many replicas serve right now."""

    available_replica_count: int | None = output()
    last_update_time: str | None = output()
    message: str | None = output()


class PrivateEndpoints(WireModel):
    """Private ways to a deployed model. The service attachment of an endpoint appears here, nowhere else."""

    predict_http_uri: str | None = output()
    explain_http_uri: str | None = output()
    health_http_uri: str | None = output()
    service_attachment: str | None = output()


class FasterDeploymentConfig(WireModel):
    """Quicker start of a deployment."""

    fast_tryout_enabled: bool | None = Field(
        default=None, description="Deploy quickly on shared capacity, without autoscaling, for trying a model out."
    )


class RolloutOptions(WireModel):
    """How a deployment takes the place of another one on the same endpoint."""

    previous_deployed_model: str | None = Field(
        default=None, description="Id of the deployed model that this one replaces."
    )
    max_surge_replicas: int | None = Field(default=None, description="Additional replicas allowed, as a number.")
    max_surge_percentage: int | None = Field(default=None, description="Additional replicas allowed, in percent.")
    max_unavailable_replicas: int | None = Field(default=None, description="Replicas that may be missing, a number.")
    max_unavailable_percentage: int | None = Field(
        default=None, description="Replicas that may be missing, in percent."
    )
    revision_number: int | None = output()


class DraftModelSpeculation(WireModel):
    """Speculation by a smaller model."""

    draft_model: str | None = Field(default=None, description="Resource name of the draft model.")


class NgramSpeculation(WireModel):
    """Speculation by repeating what the prompt holds."""

    ngram_size: int | None = Field(default=None, description="Number of last tokens that are looked up.")


class SpeculativeDecodingSpec(WireModel):
    """Speculative decoding of a generative model."""

    speculative_token_count: int | None = Field(default=None, description="Tokens speculated at each step.")
    draft_model_speculation: DraftModelSpeculation | None = Field(
        default=None, description="Speculate with a smaller model."
    )
    ngram_speculation: NgramSpeculation | None = Field(default=None, description="Speculate from the prompt.")


class DeployedModel(WireModel):
    """One deployment of a model on an endpoint.

    Only replica counts, autoscaling metrics, scale-to-zero and container logging change in place
    (``endpoints.mutateDeployedModel``); everything else is a new deployment.
    """

    id: str | None = Field(default=None, description="Id, 1 to 10 digits; Vertex AI chooses one when absent.")
    model: str | None = Field(default=None, description="Model resource name, with @version or @alias if wanted.")
    display_name: str | None = Field(default=None, description="Name for people; the model's when absent.")
    dedicated_resources: DedicatedResources | None = Field(
        default=None, description="Machines that serve this model alone."
    )
    automatic_resources: AutomaticResources | None = Field(
        default=None, description="Machines that Vertex AI chooses by itself."
    )
    shared_resources: str | None = Field(
        default=None, description="Deployment resource pool shared with other models, by resource name."
    )
    service_account: str | None = Field(default=None, description="Service account that the container runs as.")
    enable_access_logging: bool | None = Field(default=None, description="Log each prediction's time and latency.")
    enable_container_logging: bool | None = Field(
        default=None, description="Send the container's output to Cloud Logging (v1beta1)."
    )
    disable_container_logging: bool | None = Field(
        default=None, description="Keep the container's output out of Cloud Logging (v1)."
    )
    disable_explanations: bool | None = Field(default=None, description="Deploy without feature attributions.")
    checkpoint_id: str | None = Field(default=None, description="Checkpoint of the model to deploy.")
    faster_deployment_config: FasterDeploymentConfig | None = Field(
        default=None, description="Quicker start of the deployment."
    )
    rollout_options: RolloutOptions | None = Field(
        default=None, description="How the deployment takes another one's place."
    )
    speculative_decoding_spec: SpeculativeDecodingSpec | None = Field(
        default=None, description="Speculative decoding of a generative model."
    )
    system_labels: dict[str, str] | None = Field(
        default=None, description="Labels of Model Garden deployments, managed by Google."
    )
    create_time: str | None = output()
    model_version_id: str | None = output()
    status: DeployedModelStatus | None = output()
    private_endpoints: PrivateEndpoints | None = output()


class DeployModelResponse(WireModel):
    """What deployModel and mutateDeployedModel end with."""

    deployed_model: DeployedModel | None = None
