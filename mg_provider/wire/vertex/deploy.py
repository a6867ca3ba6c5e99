"""Model Garden's deploy, which makes a model, an endpoint and a deployment at once; and recommendSpec."""

from __future__ import annotations

from pydantic import Field

from mg_provider.wire.base import WireModel, output
from mg_provider.wire.vertex.container import ContainerSpec
from mg_provider.wire.vertex.endpoint import PrivateServiceConnectConfig
from mg_provider.wire.vertex.machine import DedicatedResources, MachineSpec


class CustomModel(WireModel):
    """The user's own weights."""

    gcs_uri: str | None = Field(
        default=None, description="gs:// folder with weights and config in Hugging Face format."
    )
    model_id: str | None = Field(default=None, description="Deprecated by Google in favour of model_user_id.")


class ModelConfig(WireModel):
    """The model that deploy makes."""

    accept_eula: bool | None = Field(default=None, description="Accept the model's End User License Agreement.")
    model_display_name: str | None = Field(default=None, description="Name of the model for people.")
    model_user_id: str | None = Field(
        default=None, description="Id of the model: at most 63 of a-z, 0-9, _ and -, not first a digit or hyphen."
    )
    container_spec: ContainerSpec | None = Field(
        default=None, description="The serving container; Google's default for the model when absent."
    )
    hugging_face_access_token: str | None = Field(
        default=None, description="Read token for gated Hugging Face models; a secret.", repr=False
    )
    hugging_face_cache_enabled: bool | None = Field(
        default=None, description="Use Google's cached copy of the Hugging Face model."
    )


class EndpointConfig(WireModel):
    """The endpoint that deploy makes."""

    endpoint_display_name: str | None = Field(default=None, description="Name of the endpoint for people.")
    endpoint_user_id: str | None = Field(
        default=None, description="Id of the endpoint; makes a repeated call detectable."
    )
    dedicated_endpoint_disabled: bool | None = Field(
        default=None, description="Serve under the shared regional DNS name instead of the endpoint's own one."
    )
    dedicated_endpoint_enabled: bool | None = Field(
        default=None, description="Deprecated by Google in favour of dedicated_endpoint_disabled."
    )
    labels: dict[str, str] | None = Field(default=None, description="Labels of the endpoint.")
    private_service_connect_config: PrivateServiceConnectConfig | None = Field(
        default=None, description="Serve through Private Service Connect; there is no public DNS name then."
    )


class DeployConfig(WireModel):
    """The deployment that deploy makes."""

    dedicated_resources: DedicatedResources | None = Field(
        default=None, description="Machines and replicas; Google's default for the model when absent."
    )
    fast_tryout_enabled: bool | None = Field(
        default=None, description="Deploy quickly on shared capacity, without autoscaling, for trying a model out."
    )
    service_account: str | None = Field(default=None, description="Service account that the container runs as.")
    system_labels: dict[str, str] | None = Field(
        default=None, description="Labels of Model Garden deployments, managed by Google."
    )


class DeployRequest(WireModel):
    """``projects.locations:deploy``. Exactly one of custom_model, publisher_model_name, hugging_face_model_id."""

    custom_model: CustomModel | None = Field(default=None, description="The user's own weights.")
    publisher_model_name: str | None = Field(
        default=None, description="Model Garden model, publishers/{publisher}/models/{model}@{version}."
    )
    hugging_face_model_id: str | None = Field(default=None, description="Hugging Face model, {author}/{name}.")
    # pydantic owns the name model_config.
    model_configuration: ModelConfig | None = Field(
        default=None, alias="modelConfig", description="The model that deploy makes."
    )
    endpoint_config: EndpointConfig | None = Field(default=None, description="The endpoint that deploy makes.")
    deploy_config: DeployConfig | None = Field(default=None, description="The deployment that deploy makes.")


class DeployResponse(WireModel):
    """What deploy ends with: resource names, with the project number. The deployed model's id is not among them."""

    publisher_model: str | None = None
    endpoint: str | None = None
    model: str | None = None


class RecommendSpecRequest(WireModel):
    """``projects.locations:recommendSpec``."""

    gcs_uri: str | None = Field(default=None, description="gs:// folder with weights and config.")
    check_machine_availability: bool | None = Field(
        default=None, description="Leave out machines that are not available in the region."
    )
    check_user_quota: bool | None = Field(default=None, description="Say for each machine whether quota suffices.")


class MachineAndModelContainerSpec(WireModel):
    """A machine and a container that fit the weights."""

    machine_spec: MachineSpec | None = output()
    container_spec: ContainerSpec | None = output()


class Recommendation(WireModel):
    """A fitting machine in a region. user_quota_state: QUOTA_STATE_USER_HAS_QUOTA or QUOTA_STATE_NO_USER_QUOTA."""

    region: str | None = None
    spec: MachineAndModelContainerSpec | None = output()
    user_quota_state: str | None = output()


class RecommendSpecResponse(WireModel):
    """The answer to recommendSpec: ``recommendations`` when it was asked to check something, else ``specs``."""

    base_model: str | None = output()
    recommendations: list[Recommendation] | None = output()
    specs: list[MachineAndModelContainerSpec] | None = output()
