"""``DedicatedEndpoint``: one address for several models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import pulumi

from mg_provider.resources.dedicated_endpoint.lifecycle import DedicatedEndpointLifecycle
from mg_provider.resources.dynamic.host import DynamicProvider
from mg_provider.resources.dynamic.made_here import query_names_of
from mg_provider.resources.dynamic.resource import DynamicResource
from mg_provider.resources.inputs import (
    AutoscalingMetricSpecInput,
    ClientConnectionConfigInput,
    EncryptionSpecInput,
    FlexStartInput,
    GenAiAdvancedFeaturesConfigInput,
    MachineSpecInput,
    PredictRequestResponseLoggingConfigInput,
    PrivateServiceConnectConfigInput,
    RolloutStrategyInput,
    ScaleToZeroSpecInput,
    TimeoutsInput,
)


class DedicatedEndpointProvider(DynamicProvider):
    """Serves ``DedicatedEndpoint``. Its path is in the state of every stack and never changes."""

    lifecycle = DedicatedEndpointLifecycle


class ServedModelInput(TypedDict, total=False):
    """One deployed model of the endpoint."""

    model: pulumi.Input[str]
    machine_spec: pulumi.Input[MachineSpecInput | Sequence[pulumi.Input[MachineSpecInput]]]
    min_replica_count: pulumi.Input[int]
    max_replica_count: pulumi.Input[int]
    required_replica_count: pulumi.Input[int]
    initial_replica_count: pulumi.Input[int]
    autoscaling_metric_specs: pulumi.Input[list[AutoscalingMetricSpecInput]]
    scale_to_zero_spec: pulumi.Input[ScaleToZeroSpecInput]
    spot: pulumi.Input[bool]
    flex_start: pulumi.Input[FlexStartInput]
    service_account: pulumi.Input[str]
    fast_tryout_enabled: pulumi.Input[bool]
    enable_access_logging: pulumi.Input[bool]
    enable_container_logging: pulumi.Input[bool]
    rollout: pulumi.Input[RolloutStrategyInput]


class DedicatedEndpoint(DynamicResource, module="mg", name="DedicatedEndpoint"):
    """An endpoint with models of its own, by name, and the traffic between them.

    Args:
        name: The resource's name in the program.
        deployed_models: The models that the endpoint serves, by a name of your choice.
        traffic_split: Percent of the requests by that name; default all to the only one.
        query_model_ids: What chat requests call each model; default as the models in this program say.
        rollout: How a new deployment takes the old one's place; a model's own rollout wins.
        parked: Undeploy every model and keep the endpoint with its id and address.
        remove_unmanaged_deployed_models: Undeploy what is on the endpoint and not in deployed_models.
        dedicated_endpoint_enabled: Serve under the endpoint's own public DNS name; default yes, unless it is private.
        private_service_connect_config: Serve through Private Service Connect only.
        network: Peered network, by project number.
        encryption_spec: Customer-managed key.
        gen_ai_advanced_features_config: Features for generative models of Model Garden.
        endpoint_id: Endpoint id; default derived from stack and resource name.
        endpoint_display_name: Name of the endpoint for people; default the resource's name.
        description: Free text on the endpoint.
        labels: Labels of the endpoint.
        predict_request_response_logging_config: Log requests and answers to BigQuery.
        client_connection_config: How long a caller may wait for an answer.
        adopt: Take over this endpoint, made elsewhere, by resource name.
        project: Project id; default from configuration.
        region: Region; default from configuration.
        timeouts: Seconds to wait: create, update, delete.
        opts: Pulumi's options.
    """

    provider_type = DedicatedEndpointProvider

    endpoint: pulumi.Output[str]
    endpoint_id: pulumi.Output[str]
    deployment_plan: pulumi.Output[Mapping[str, str]]
    deployed_model_ids: pulumi.Output[Mapping[str, str]]
    machine_types: pulumi.Output[Mapping[str, str]]
    unmanaged_deployed_models: pulumi.Output[list[str]]
    leftover_deployed_models: pulumi.Output[list[str]]
    rollouts_held: pulumi.Output[Mapping[str, Any]]
    held_deployed_model_ids: pulumi.Output[Mapping[str, str]]
    replicas_when_parked: pulumi.Output[Mapping[str, int]]
    psc_automation: pulumi.Output[list[Mapping[str, str]]]
    dedicated_endpoint_dns: pulumi.Output[str]
    service_attachment: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        deployed_models: pulumi.Input[Mapping[str, pulumi.Input[ServedModelInput]]] | None = None,
        traffic_split: pulumi.Input[Mapping[str, pulumi.Input[int]]] | None = None,
        query_model_ids: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        rollout: pulumi.Input[RolloutStrategyInput] | None = None,
        parked: pulumi.Input[bool] | None = None,
        remove_unmanaged_deployed_models: pulumi.Input[bool] | None = None,
        dedicated_endpoint_enabled: pulumi.Input[bool] | None = None,
        private_service_connect_config: pulumi.Input[PrivateServiceConnectConfigInput] | None = None,
        network: pulumi.Input[str] | None = None,
        encryption_spec: pulumi.Input[EncryptionSpecInput] | None = None,
        gen_ai_advanced_features_config: pulumi.Input[GenAiAdvancedFeaturesConfigInput] | None = None,
        endpoint_id: pulumi.Input[str] | None = None,
        endpoint_display_name: pulumi.Input[str] | None = None,
        description: pulumi.Input[str] | None = None,
        labels: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        predict_request_response_logging_config: pulumi.Input[PredictRequestResponseLoggingConfigInput] | None = None,
        client_connection_config: pulumi.Input[ClientConnectionConfigInput] | None = None,
        adopt: pulumi.Input[str] | None = None,
        project: pulumi.Input[str] | None = None,
        region: pulumi.Input[str] | None = None,
        timeouts: pulumi.Input[TimeoutsInput] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if query_model_ids is None:
            query_model_ids = query_names_of(deployed_models)
        super().__init__(name, locals(), opts)
