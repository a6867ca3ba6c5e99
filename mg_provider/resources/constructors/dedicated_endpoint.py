"""The constructor and the outputs of ``DedicatedEndpoint``.

Generated from its arguments and outputs by `make generate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi import Input, Output, ResourceOptions

from mg_provider.resources.dynamic.resource import DynamicResource
from mg_provider.resources.inputs import (
    ClientConnectionConfigInput,
    EncryptionSpecInput,
    GenAiAdvancedFeaturesConfigInput,
    PredictRequestResponseLoggingConfigInput,
    PrivateServiceConnectConfigInput,
    RolloutStrategyInput,
    ServedModelInput,
    TimeoutsInput,
)


class DedicatedEndpointConstructor(DynamicResource):
    """What a program passes to ``DedicatedEndpoint`` and reads of it."""

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
    dedicated_endpoint_enabled: Output[bool]
    """Serve under the endpoint's own public DNS name. Default: yes, unless the endpoint is private. No source says that
    it can be changed on an endpoint."""
    deployment_plan: Output[Mapping[str, str]]
    """What the last change did, by name of a deployed model: machines and GPUs, strategy, steps, probes, GPUs at the
    peak, order. A preview shows it beforehand."""
    rollouts_held: Output[Mapping[str, Mapping[str, Any]]]
    """The rollouts that are held by `rollout.hold`, by name: the percent of the name's share, and what served
    before."""
    dedicated_endpoint_dns: Output[str]
    """The endpoint's own public DNS name, without scheme."""
    service_attachment: Output[str]
    """Service attachment, for a PscForwardingRule."""
    unmanaged_deployed_models: Output[list[str]]
    """Deployment ids on the endpoint that this resource did not make."""
    deployed_model_ids: Output[Mapping[str, str]]
    """Deployment id by name."""
    machine_types: Output[Mapping[str, str]]
    """Machine type by name: of several choices the one that was available."""
    leftover_deployed_models: Output[list[str]]
    """Deployment ids that an interrupted change left, for the next run to undeploy."""
    held_deployed_model_ids: Output[Mapping[str, str]]
    """While a rollout is held: id of the deployment that has the rest of a name's traffic."""
    replicas_when_parked: Output[Mapping[str, int]]
    """Replicas that served when it was parked, by name: as many start when it resumes."""
    psc_automation: Output[list[Mapping[str, Any]]]
    """What became of each of psc_automation_configs: state, address, rule, error."""

    def __init__(
        self,
        name: str,
        *,
        deployed_models: Input[Mapping[str, Input[ServedModelInput]] | None] = None,
        traffic_split: Input[Mapping[str, Input[int]] | None] = None,
        query_model_ids: Input[Mapping[str, Input[str]] | None] = None,
        rollout: Input[RolloutStrategyInput | None] = None,
        parked: Input[bool | None] = None,
        remove_unmanaged_deployed_models: Input[bool | None] = None,
        dedicated_endpoint_enabled: Input[bool | None] = None,
        private_service_connect_config: Input[PrivateServiceConnectConfigInput | None] = None,
        network: Input[str | None] = None,
        encryption_spec: Input[EncryptionSpecInput | None] = None,
        gen_ai_advanced_features_config: Input[GenAiAdvancedFeaturesConfigInput | None] = None,
        endpoint_id: Input[str | None] = None,
        endpoint_display_name: Input[str | None] = None,
        description: Input[str | None] = None,
        labels: Input[Mapping[str, Input[str]] | None] = None,
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
            deployed_models: The models that the endpoint serves, by a name of your choice. One that only gets another
                name is not deployed again.
            traffic_split: Percent of the requests by name of a deployed model. Default: all to the only one. What was
                given by hand to another deployment is drift, and is taken back.
            query_model_ids: What chat requests name as `model` for each deployed model: a preview refuses a
                traffic_split between models of different names. Default: the query_model_id of the models in this
                program.
            rollout: How the new deployment of a name takes the old one's place, or how a new name gets its traffic:
                strategy, steps, probes; a model's own rollout wins. Default: the share of a changed name shifts in
                steps of 10, 50 and 100 %, with a chat of one token as the probe; a new name gets its traffic at once.
            parked: Undeploy every model of deployed_models, so that no machine is paid for, and keep the endpoint with
                its id and address. Nothing answers meanwhile; without it they are deployed again. Default: `False`.
            remove_unmanaged_deployed_models: Undeploy what is on the endpoint and is not in deployed_models, such as
                models deployed by hand. Default: they are listed in unmanaged_deployed_models, and left alone.
            dedicated_endpoint_enabled: Serve under the endpoint's own public DNS name. Default: yes, unless the
                endpoint is private. No source says that it can be changed on an endpoint.
            private_service_connect_config: Serve through Private Service Connect, for the projects on
                project_allowlist. The list changes in place, which no document of Google's promises: if it is refused,
                nothing is changed and the error says so. Everything else about it replaces the endpoint,
                psc_automation_configs included.
            network: Peered network, projects/{number}/global/networks/{name}; not with Private Service Connect.
            encryption_spec: Customer-managed key.
            gen_ai_advanced_features_config: Features for generative models of Model Garden.
            endpoint_id: Endpoint id: at most 63 of a-z, 0-9 and -, a letter first; or at most 9 digits. Default:
                derived from stack and resource name.
            endpoint_display_name: Name of the endpoint for people. Default: the resource's name.
            description: Free text on the endpoint.
            labels: Labels of the endpoint.
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
                "deployed_models": deployed_models,
                "traffic_split": traffic_split,
                "query_model_ids": query_model_ids,
                "rollout": rollout,
                "parked": parked,
                "remove_unmanaged_deployed_models": remove_unmanaged_deployed_models,
                "dedicated_endpoint_enabled": dedicated_endpoint_enabled,
                "private_service_connect_config": private_service_connect_config,
                "network": network,
                "encryption_spec": encryption_spec,
                "gen_ai_advanced_features_config": gen_ai_advanced_features_config,
                "endpoint_id": endpoint_id,
                "endpoint_display_name": endpoint_display_name,
                "description": description,
                "labels": labels,
                "predict_request_response_logging_config": predict_request_response_logging_config,
                "client_connection_config": client_connection_config,
                "adopt": adopt,
                "project": project,
                "region": region,
                "timeouts": timeouts,
            },
            opts,
        )
