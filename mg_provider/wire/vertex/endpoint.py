"""Endpoints and how they are reached."""

from __future__ import annotations

from pydantic import Field

from mg_provider.wire.base import Duration, Page, WireModel, output
from mg_provider.wire.vertex.deployed_model import DeployedModel
from mg_provider.wire.vertex.encryption import EncryptionSpec
from mg_provider.wire.vertex.sources import BigQueryDestination


class PscAutomationConfig(WireModel):
    """A network in which Vertex AI creates the forwarding rule by itself."""

    project_id: str | None = Field(default=None, description="Project id (not number) of the network's project.")
    network: str | None = Field(default=None, description="Network, projects/{project id}/global/networks/{name}.")
    ip_address: str | None = output()
    forwarding_rule: str | None = output()
    state: str | None = output()
    error_message: str | None = output()


class PrivateServiceConnectConfig(WireModel):
    """Exposes an endpoint through a service attachment instead of a public name."""

    enable_private_service_connect: bool | None = Field(
        default=None, description="Expose the endpoint through Private Service Connect only."
    )
    project_allowlist: list[str] | None = Field(
        default=None, description="Project ids whose forwarding rules may connect; include the endpoint's own project."
    )
    psc_automation_configs: list[PscAutomationConfig] | None = Field(
        default=None, description="Networks in which Vertex AI creates address and forwarding rule by itself."
    )
    enable_secure_private_service_connect: bool | None = Field(
        default=None, description="Demand IAM authorization on the private connection as well."
    )
    service_attachment: str | None = output()


class PredictRequestResponseLoggingConfig(WireModel):
    """Logs requests and answers to BigQuery."""

    enabled: bool | None = Field(default=None, description="Turn logging on.")
    sampling_rate: float | None = Field(default=None, description="Fraction of requests that is logged, above 0 to 1.")
    error_sampling_rate: float | None = Field(
        default=None, description="Fraction of failed requests that is logged, 0 to 1."
    )
    bigquery_destination: BigQueryDestination | None = Field(
        default=None, description="Table that takes the log; Vertex AI creates what is missing."
    )
    enable_otel_logging: bool | None = Field(
        default=None, description="Write large models' logs in OpenTelemetry format as well."
    )
    request_response_logging_schema_version: str | None = output()


class ClientConnectionConfig(WireModel):
    """How long a caller may wait for an answer."""

    says_something_empty = True

    inference_timeout: Duration | None = Field(
        default=None, description="Time after which a prediction is given up, at most one hour (3600s)."
    )


class RagConfig(WireModel):
    """Retrieval augmented generation on chat completions."""

    enable_rag: bool | None = Field(default=None, description="Turn retrieval augmented generation on.")


class GenAiAdvancedFeaturesConfig(WireModel):
    """Features for generative models of Model Garden."""

    rag_config: RagConfig | None = Field(default=None, description="Retrieval augmented generation.")


class Endpoint(WireModel):
    """An address that serves deployed models. In answers, names carry the project number."""

    name: str | None = None
    display_name: str | None = Field(default=None, description="Name for people, at most 128 characters.")
    description: str | None = Field(default=None, description="Free text.")
    labels: dict[str, str] | None = Field(default=None, description="Labels to find and to bill by.")
    traffic_split: dict[str, int] | None = Field(
        default=None, description="Percent of the traffic by deployed model id; sums to 100, or is empty."
    )
    dedicated_endpoint_enabled: bool | None = Field(
        default=None, description="Serve under the endpoint's own public DNS name; excludes Private Service Connect."
    )
    private_service_connect_config: PrivateServiceConnectConfig | None = Field(
        default=None, description="Serve through Private Service Connect; excludes network and dedicated DNS."
    )
    network: str | None = Field(
        default=None, description="Network peered with the endpoint, projects/{number}/global/networks/{name}."
    )
    enable_private_service_connect: bool | None = Field(
        default=None, description="Deprecated by Google in favour of private_service_connect_config."
    )
    encryption_spec: EncryptionSpec | None = Field(default=None, description="Customer-managed key.")
    predict_request_response_logging_config: PredictRequestResponseLoggingConfig | None = Field(
        default=None, description="Logging of requests and answers to BigQuery."
    )
    client_connection_config: ClientConnectionConfig | None = Field(
        default=None, description="How long a caller may wait for an answer."
    )
    gen_ai_advanced_features_config: GenAiAdvancedFeaturesConfig | None = Field(
        default=None, description="Features for generative models of Model Garden."
    )
    etag: str | None = None
    create_time: str | None = output()
    update_time: str | None = output()
    deployed_models: list[DeployedModel] | None = output()
    dedicated_endpoint_dns: str | None = output()
    model_deployment_monitoring_job: str | None = output()


class ListEndpointsResponse(Page):
    """A page of endpoints."""

    endpoints: list[Endpoint] = Field(default_factory=list)
