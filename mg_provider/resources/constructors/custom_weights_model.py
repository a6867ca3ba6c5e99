"""The constructor and the outputs of ``CustomWeightsModel``.

Generated from its arguments and outputs by `make generate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi import Input, Output, ResourceOptions

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


class CustomWeightsModelConstructor(DynamicResource):
    """What a program passes to ``CustomWeightsModel`` and reads of it."""

    max_replica_count: Output[int]
    """Most replicas under load; quota is charged on it. Default: the minimum."""
    project: Output[str]
    """Project id. Default: `mg:project`, else `gcp:project`, else GOOGLE_CLOUD_PROJECT."""
    region: Output[str]
    """Region, for example us-central1. Default: `mg:region`, else `gcp:region`."""
    endpoint_id: Output[str]
    """Endpoint id: at most 63 of a-z, 0-9 and -, a letter first; or at most 9 digits. Default: derived from stack and
    resource name."""
    endpoint_display_name: Output[str]
    """Name of the endpoint for people. Default: the resource's name."""
    endpoint: Output[str]
    """projects/{project}/locations/{region}/endpoints/{endpoint_id}."""
    model_id: Output[str]
    """Id of the uploaded Model: at most 63 of a-z, 0-9, _ and -, a letter first. Default: the endpoint's id; for other
    weights or another container, one that follows from them."""
    model_display_name: Output[str]
    """Name of the Model for people. Default: the resource's name."""
    enable_container_logging: Output[bool]
    """Send the container's output to Cloud Logging. Default: as Model Garden deploys it."""
    deployment_plan: Output[str]
    """What the last change of the deployment did: strategy, steps, probes, GPUs at the peak, or what parking saves. A
    preview shows it beforehand."""
    rollout_held: Output[Mapping[str, Any]]
    """A rollout that is held by `rollout.hold`: the percent, and what served before. Absent otherwise."""
    model: Output[str]
    """projects/{project}/locations/{region}/models/{model_id}."""
    query_model_id: Output[str]
    """What chat requests name as `model`; the container has it in its environment variable MODEL_ID. Default: the id of
    the endpoint's first Model, or what container_spec says; new weights are served under the same name. Models behind
    one DedicatedEndpoint share one name."""
    container_model_id: Output[str]
    """The MODEL_ID that is set because the program chose query_model_id; empty otherwise."""
    dedicated_endpoint_dns: Output[str]
    """The endpoint's own public DNS name, without scheme."""
    service_attachment: Output[str]
    """Service attachment, for a PscForwardingRule."""
    unmanaged_deployed_models: Output[list[str]]
    """Deployment ids on the endpoint that this resource did not make."""
    deployed_model_id: Output[str]
    """Id of the deployment on the endpoint."""
    available_replica_count: Output[int]
    """Replicas that served when it was last deployed or changed."""
    traffic_percent: Output[int]
    """Percent of the endpoint's requests that it gets."""
    rollout_under_way: Output[str]
    """Id of a deployment that an interrupted rollout was making, for the next run to settle."""
    machine_type: Output[str]
    """Machine type that the deployment runs on."""
    held_deployed_model_id: Output[str]
    """While a rollout is held: id of the deployment that has the rest of the traffic."""
    replicas_when_parked: Output[int]
    """Replicas that served when it was parked: as many start when it resumes."""
    container_logging: Output[bool]
    """Whether the container's output goes to Cloud Logging; when parked, whether it did."""
    surplus_deployed_models: Output[list[str]]
    """Deployment ids of this resource's Model beside the one that serves, for the next run to undeploy."""
    machine_spec_taken: Output[Mapping[str, Any]]
    """Machine of the deployment: which of the choices was available, or which one was recommended."""

    def __init__(
        self,
        name: str,
        *,
        gcs_uri: Input[str | None] = None,
        preflight: Input[bool | None] = None,
        allow_quantized: Input[bool | None] = None,
        publisher_model_name: Input[str | None] = None,
        hugging_face_model_id: Input[str | None] = None,
        hugging_face_access_token: Input[str | None] = None,
        hugging_face_cache_enabled: Input[bool | None] = None,
        accept_eula: Input[bool | None] = None,
        model_id: Input[str | None] = None,
        model_display_name: Input[str | None] = None,
        query_model_id: Input[str | None] = None,
        container_spec: Input[ContainerSpecInput | None] = None,
        machine_spec: Input[MachineSpecInput | Sequence[Input[MachineSpecInput]] | None] = None,
        min_replica_count: Input[int | None] = None,
        max_replica_count: Input[int | None] = None,
        required_replica_count: Input[int | None] = None,
        initial_replica_count: Input[int | None] = None,
        autoscaling_metric_specs: Input[Sequence[Input[AutoscalingMetricSpecInput]] | None] = None,
        scale_to_zero_spec: Input[ScaleToZeroSpecInput | None] = None,
        spot: Input[bool | None] = None,
        flex_start: Input[FlexStartInput | None] = None,
        service_account: Input[str | None] = None,
        fast_tryout_enabled: Input[bool | None] = None,
        enable_access_logging: Input[bool | None] = None,
        enable_container_logging: Input[bool | None] = None,
        system_labels: Input[Mapping[str, Input[str]] | None] = None,
        endpoint_id: Input[str | None] = None,
        endpoint_display_name: Input[str | None] = None,
        description: Input[str | None] = None,
        labels: Input[Mapping[str, Input[str]] | None] = None,
        retain_model: Input[bool | None] = None,
        rollout: Input[RolloutStrategyInput | None] = None,
        parked: Input[bool | None] = None,
        dedicated_endpoint_disabled: Input[bool | None] = None,
        private_service_connect_config: Input[PrivateServiceConnectConfigInput | None] = None,
        predict_request_response_logging_config: Input[PredictRequestResponseLoggingConfigInput | None] = None,
        client_connection_config: Input[ClientConnectionConfigInput | None] = None,
        adopt: Input[str | None] = None,
        project: Input[str | None] = None,
        region: Input[str | None] = None,
        timeouts: Input[TimeoutsInput | None] = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Register it with the engine.

        Args:
            name: The resource's name in the program.
            gcs_uri: gs:// folder with weights, config.json and tokenizer in Hugging Face format.
            preflight: Check the folder of weights before anything is asked for. Default: `True`.
            allow_quantized: Deploy quantized weights although they are not listed as supported. Default: `False`.
            publisher_model_name: Model of Model Garden instead: publishers/{publisher}/models/{model}@{version}.
            hugging_face_model_id: Model of Hugging Face instead: {author}/{model}.
            hugging_face_access_token: Read token for a gated Hugging Face model; kept secret. Kept as a Pulumi secret.
            hugging_face_cache_enabled: Use Google's cached copy of the Hugging Face model. Default: `False`.
            accept_eula: Accept the model's End User License Agreement. Default: `False`.
            model_id: Id of the uploaded Model: at most 63 of a-z, 0-9, _ and -, a letter first. Default: the endpoint's
                id; for other weights or another container, one that follows from them.
            model_display_name: Name of the Model for people. Default: the resource's name.
            query_model_id: What chat requests name as `model`; the container has it in its environment variable
                MODEL_ID. Default: the id of the endpoint's first Model, or what container_spec says; new weights are
                served under the same name. Models behind one DedicatedEndpoint share one name.
            container_spec: The serving container. Default: Google's for the model.
            machine_spec: Machine of one replica, or a list of choices: each is tried in turn while capacity or quota is
                short. Default: the one that Model Garden recommends for the weights, else Google's for the model.
            min_replica_count: Replicas that always run; 0 only together with scale_to_zero_spec. Default: `1`.
            max_replica_count: Most replicas under load; quota is charged on it. Default: the minimum.
            required_replica_count: Replicas that must be up for the deployment to count as a success.
            initial_replica_count: Replicas started when scaling up from zero: 1 to max_replica_count; min_replica_count
                is 0.
            autoscaling_metric_specs: Metrics that drive the number of replicas.
            scale_to_zero_spec: Let the deployment go down to no replica when idle. A request is then answered 429 and
                wakes it. After 30 idle days Google undeploys it: `pulumi up --refresh` deploys it again. It is the
                endpoint's one model, at an address of its own, and rolled out by recreate.
            spot: Use Spot VMs: cheaper, and they may be taken away. Default: `False`.
            flex_start: Queue for capacity instead of failing at once.
            service_account: Service account that the container runs as.
            fast_tryout_enabled: Deploy quickly on shared capacity, for trying a model out. Default: `False`.
            enable_access_logging: Log the time and the latency of each request to Cloud Logging, at its price. Default:
                `False`.
            enable_container_logging: Send the container's output to Cloud Logging. Default: as Model Garden deploys it.
            system_labels: Labels of Model Garden deployments that Google manages.
            endpoint_id: Endpoint id: at most 63 of a-z, 0-9 and -, a letter first; or at most 9 digits. Default:
                derived from stack and resource name.
            endpoint_display_name: Name of the endpoint for people. Default: the resource's name.
            description: Free text on the endpoint.
            labels: Labels of the endpoint.
            retain_model: Keep the uploaded Model in the registry when the resource is removed, or a deployment fails. A
                resource with the same model_id deploys it again. Default: `False`.
            rollout: How a new deployment takes the old one's place: strategy, steps, probes. Default: traffic shifts in
                steps of 10, 50 and 100 %, with a chat of one token as the probe.
            parked: Serve nothing and pay for no machine: the Model is undeployed. Endpoint, id, address and Model stay,
                and the same Model is deployed again when this is False again. Default: `False`.
            dedicated_endpoint_disabled: Serve under the region's shared DNS name instead of the endpoint's own one.
                Default: `False`.
            private_service_connect_config: Serve through Private Service Connect, for the projects on
                project_allowlist. The list changes in place, which no document of Google's promises: if it is refused,
                nothing is changed and the error says so. Everything else about it replaces the endpoint,
                psc_automation_configs included.
            predict_request_response_logging_config: Log requests and answers to BigQuery.
            client_connection_config: How long a caller may wait for an answer.
            adopt: Take over this endpoint, made elsewhere, instead of making one:
                projects/{project}/locations/{region}/endpoints/{id}. The preview shows what will change on it.
            project: Project id. Default: `mg:project`, else `gcp:project`, else GOOGLE_CLOUD_PROJECT.
            region: Region, for example us-central1. Default: `mg:region`, else `gcp:region`.
            timeouts: Seconds to wait: create, update, delete.
            opts: Pulumi's options.
        """
        super().__init__(
            name,
            {
                "gcs_uri": gcs_uri,
                "preflight": preflight,
                "allow_quantized": allow_quantized,
                "publisher_model_name": publisher_model_name,
                "hugging_face_model_id": hugging_face_model_id,
                "hugging_face_access_token": hugging_face_access_token,
                "hugging_face_cache_enabled": hugging_face_cache_enabled,
                "accept_eula": accept_eula,
                "model_id": model_id,
                "model_display_name": model_display_name,
                "query_model_id": query_model_id,
                "container_spec": container_spec,
                "machine_spec": machine_spec,
                "min_replica_count": min_replica_count,
                "max_replica_count": max_replica_count,
                "required_replica_count": required_replica_count,
                "initial_replica_count": initial_replica_count,
                "autoscaling_metric_specs": autoscaling_metric_specs,
                "scale_to_zero_spec": scale_to_zero_spec,
                "spot": spot,
                "flex_start": flex_start,
                "service_account": service_account,
                "fast_tryout_enabled": fast_tryout_enabled,
                "enable_access_logging": enable_access_logging,
                "enable_container_logging": enable_container_logging,
                "system_labels": system_labels,
                "endpoint_id": endpoint_id,
                "endpoint_display_name": endpoint_display_name,
                "description": description,
                "labels": labels,
                "retain_model": retain_model,
                "rollout": rollout,
                "parked": parked,
                "dedicated_endpoint_disabled": dedicated_endpoint_disabled,
                "private_service_connect_config": private_service_connect_config,
                "predict_request_response_logging_config": predict_request_response_logging_config,
                "client_connection_config": client_connection_config,
                "adopt": adopt,
                "project": project,
                "region": region,
                "timeouts": timeouts,
            },
            opts,
        )
