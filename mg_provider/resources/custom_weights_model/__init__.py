"""``CustomWeightsModel``: a model with own weights on an endpoint of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from mg_provider.resources.custom_weights_model.lifecycle import CustomWeightsModelLifecycle
from mg_provider.resources.dynamic.host import DynamicProvider
from mg_provider.resources.dynamic.resource import DynamicResource
from mg_provider.resources.inputs import (
    AutoscalingMetricSpecInput,
    ClientConnectionConfigInput,
    ContainerSpecInput,
    FlexStartInput,
    MachineSpecInput,
    PredictRequestResponseLoggingConfigInput,
    PrivateServiceConnectConfigInput,
    RolloutStrategyInput,
    ScaleToZeroSpecInput,
    TimeoutsInput,
)


class CustomWeightsModelProvider(DynamicProvider):
    """Serves ``CustomWeightsModel``. Its path is in the state of every stack and never changes."""

    lifecycle = CustomWeightsModelLifecycle


class CustomWeightsModel(DynamicResource, module="mg", name="CustomWeightsModel"):
    """A model with your own weights, served on an endpoint of its own.

    Every argument is named as Vertex AI names it; what a change to it does is on ``CustomWeightsModelArgs``.

    Args:
        name: The resource's name in the program.
        gcs_uri: gs:// folder with weights, config.json and tokenizer in Hugging Face format.
        preflight: Check the folder before anything is asked for; default yes.
        allow_quantized: Deploy quantized weights although they are not listed as supported.
        publisher_model_name: Model of Model Garden instead.
        hugging_face_model_id: Model of Hugging Face instead.
        hugging_face_access_token: Read token for a gated Hugging Face model; kept secret.
        hugging_face_cache_enabled: Use Google's cached copy of the Hugging Face model.
        accept_eula: Accept the model's End User License Agreement.
        model_id: Id of the uploaded Model; default the endpoint's.
        model_display_name: Name of the Model for people; default the resource's name.
        query_model_id: What chat requests name as ``model``; default the id of the endpoint's first Model.
        container_spec: The serving container; default Google's for the model.
        machine_spec: Machine of one replica, or a list of choices; default the one recommended for the weights.
        min_replica_count: Replicas that always run; default 1.
        max_replica_count: Most replicas under load; default the minimum.
        required_replica_count: Replicas that must be up for the deployment to count as a success.
        initial_replica_count: Replicas started when scaling up from zero.
        autoscaling_metric_specs: Metrics that drive the number of replicas.
        scale_to_zero_spec: Let the deployment go down to no replica when idle.
        spot: Use Spot VMs.
        flex_start: Queue for capacity instead of failing at once.
        service_account: Service account that the container runs as.
        fast_tryout_enabled: Deploy quickly on shared capacity, for trying a model out.
        enable_access_logging: Log the time and the latency of each request to Cloud Logging.
        enable_container_logging: Send the container's output to Cloud Logging; default as Model Garden deploys it.
        system_labels: Labels of Model Garden deployments that Google manages.
        endpoint_id: Endpoint id; default derived from stack and resource name.
        endpoint_display_name: Name of the endpoint for people; default the resource's name.
        description: Free text on the endpoint.
        labels: Labels of the endpoint.
        retain_model: Keep the uploaded Model in the registry when the resource is removed.
        rollout: How a new deployment takes the old one's place: strategy, steps, probe; default in three steps.
        parked: Undeploy, and keep endpoint, address and Model.
        dedicated_endpoint_disabled: Serve under the region's shared DNS name.
        private_service_connect_config: Serve through Private Service Connect only.
        predict_request_response_logging_config: Log requests and answers to BigQuery.
        client_connection_config: How long a caller may wait for an answer.
        adopt: Take over this endpoint, made elsewhere, by resource name.
        project: Project id; default from configuration.
        region: Region; default from configuration.
        timeouts: Seconds to wait: create, update, delete.
        opts: Pulumi's options.
    """

    provider_type = CustomWeightsModelProvider

    endpoint: pulumi.Output[str]
    endpoint_id: pulumi.Output[str]
    model: pulumi.Output[str]
    model_id: pulumi.Output[str]
    query_model_id: pulumi.Output[str]
    container_model_id: pulumi.Output[str]
    deployment_plan: pulumi.Output[str]
    traffic_percent: pulumi.Output[int]
    rollout_under_way: pulumi.Output[str]
    deployed_model_id: pulumi.Output[str]
    dedicated_endpoint_dns: pulumi.Output[str]
    service_attachment: pulumi.Output[str]
    max_replica_count: pulumi.Output[int]
    available_replica_count: pulumi.Output[int]
    unmanaged_deployed_models: pulumi.Output[list[str]]
    surplus_deployed_models: pulumi.Output[list[str]]
    machine_type: pulumi.Output[str]
    replicas_when_parked: pulumi.Output[int]
    container_logging: pulumi.Output[bool]
    rollout_held: pulumi.Output[Mapping[str, Any]]
    held_deployed_model_id: pulumi.Output[str]
    machine_spec_taken: pulumi.Output[Mapping[str, Any]]

    def __init__(
        self,
        name: str,
        *,
        gcs_uri: pulumi.Input[str] | None = None,
        preflight: pulumi.Input[bool] | None = None,
        allow_quantized: pulumi.Input[bool] | None = None,
        publisher_model_name: pulumi.Input[str] | None = None,
        hugging_face_model_id: pulumi.Input[str] | None = None,
        hugging_face_access_token: pulumi.Input[str] | None = None,
        hugging_face_cache_enabled: pulumi.Input[bool] | None = None,
        accept_eula: pulumi.Input[bool] | None = None,
        model_id: pulumi.Input[str] | None = None,
        model_display_name: pulumi.Input[str] | None = None,
        query_model_id: pulumi.Input[str] | None = None,
        container_spec: pulumi.Input[ContainerSpecInput] | None = None,
        machine_spec: pulumi.Input[MachineSpecInput | Sequence[pulumi.Input[MachineSpecInput]]] | None = None,
        min_replica_count: pulumi.Input[int] | None = None,
        max_replica_count: pulumi.Input[int] | None = None,
        required_replica_count: pulumi.Input[int] | None = None,
        initial_replica_count: pulumi.Input[int] | None = None,
        autoscaling_metric_specs: pulumi.Input[Sequence[pulumi.Input[AutoscalingMetricSpecInput]]] | None = None,
        scale_to_zero_spec: pulumi.Input[ScaleToZeroSpecInput] | None = None,
        spot: pulumi.Input[bool] | None = None,
        flex_start: pulumi.Input[FlexStartInput] | None = None,
        service_account: pulumi.Input[str] | None = None,
        fast_tryout_enabled: pulumi.Input[bool] | None = None,
        enable_access_logging: pulumi.Input[bool] | None = None,
        enable_container_logging: pulumi.Input[bool] | None = None,
        system_labels: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        endpoint_id: pulumi.Input[str] | None = None,
        endpoint_display_name: pulumi.Input[str] | None = None,
        description: pulumi.Input[str] | None = None,
        labels: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        retain_model: pulumi.Input[bool] | None = None,
        rollout: pulumi.Input[RolloutStrategyInput] | None = None,
        parked: pulumi.Input[bool] | None = None,
        dedicated_endpoint_disabled: pulumi.Input[bool] | None = None,
        private_service_connect_config: pulumi.Input[PrivateServiceConnectConfigInput] | None = None,
        predict_request_response_logging_config: pulumi.Input[PredictRequestResponseLoggingConfigInput] | None = None,
        client_connection_config: pulumi.Input[ClientConnectionConfigInput] | None = None,
        adopt: pulumi.Input[str] | None = None,
        project: pulumi.Input[str] | None = None,
        region: pulumi.Input[str] | None = None,
        timeouts: pulumi.Input[TimeoutsInput] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, locals(), opts)
