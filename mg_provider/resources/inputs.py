"""Nested arguments as dictionaries, with the names that the API has, in snake_case.

Generated from the shapes inside the arguments by `make generate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from pulumi import Input


class AutoscalingMetricSpecInput(TypedDict, total=False):
    """A metric that drives the number of replicas."""

    metric_name: Input[str]
    """Metric, such as aiplatform.googleapis.com/prediction/online/accelerator/duty_cycle."""
    target: Input[int]
    """Value that autoscaling holds: percent for utilization metrics; 60 when left out."""
    monitored_resource_labels: Input[Mapping[str, Input[str]]]
    """Labels that select the monitored resource, for metrics outside Vertex AI."""


class BigQueryDestinationInput(TypedDict, total=False):
    """A place in BigQuery to write to."""

    output_uri: Input[str]
    """bq://{project}, bq://{project}.{dataset} or bq://{project}.{dataset}.{table}."""


class BigQuerySourceInput(TypedDict, total=False):
    """A BigQuery table to read."""

    input_uri: Input[str]
    """Table, bq://{project}.{dataset}.{table}."""


class ClientConnectionConfigInput(TypedDict, total=False):
    """How long a caller may wait for an answer."""

    inference_timeout: Input[str]
    """Time after which a prediction is given up, at most one hour (3600s)."""


class ContainerSpecInput(TypedDict, total=False):
    """The serving container (Google's ModelContainerSpec)."""

    image_uri: Input[str]
    """Container image in Artifact Registry; required."""
    command: Input[Sequence[Input[str]]]
    """Replaces the image's entry point."""
    args: Input[Sequence[Input[str]]]
    """Replaces the image's default arguments."""
    env: Input[Sequence[Input[EnvVarInput]]]
    """Environment variables of the container."""
    ports: Input[Sequence[Input[PortInput]]]
    """Ports that serve HTTP; requests go to the first one. 8080 when absent."""
    grpc_ports: Input[Sequence[Input[PortInput]]]
    """Ports that serve gRPC; the first one is used."""
    predict_route: Input[str]
    """Path on the container that answers predictions."""
    health_route: Input[str]
    """Path on the container that answers health checks."""
    invoke_route_prefix: Input[str]
    """Passes any path through to the container; only /* is supported."""
    shared_memory_size_mb: Input[int]
    """Memory reserved as shared memory for the model, in MB."""
    deployment_timeout: Input[str]
    """Time that a deployment may take, at most two hours (7200s)."""
    startup_probe: Input[ProbeInput]
    """Decides when the container has started."""
    health_probe: Input[ProbeInput]
    """Decides whether the container takes requests."""
    liveness_probe: Input[ProbeInput]
    """Decides whether the container is restarted."""


class EncryptionSpecInput(TypedDict, total=False):
    """A customer-managed key."""

    kms_key_name: Input[str]
    """Cloud KMS key in the same region, projects/{p}/locations/{l}/keyRings/{r}/cryptoKeys/{k}."""


class EnvVarInput(TypedDict, total=False):
    """An environment variable of the container."""

    name: Input[str]
    """Name, a valid C identifier."""
    value: Input[str]
    """Value; $(NAME) stands for a variable defined before."""


class ExecActionInput(TypedDict, total=False):
    """A probe that runs a command in the container."""

    command: Input[Sequence[Input[str]]]
    """Command and its arguments; exit code 0 is healthy."""


class FlexStartInput(TypedDict, total=False):
    """Waits for capacity in Dynamic Workload Scheduler instead of failing at once."""

    max_runtime_duration: Input[str]
    """Time after which the deployment is taken down, at most seven days (604800s)."""


class GcsDestinationInput(TypedDict, total=False):
    """A folder in Cloud Storage."""

    output_uri_prefix: Input[str]
    """gs:// folder; the job makes a new directory in it."""


class GcsSourceInput(TypedDict, total=False):
    """Files in Cloud Storage."""

    uris: Input[Sequence[Input[str]]]
    """gs:// URIs of the files; wildcards are allowed."""


class GenAiAdvancedFeaturesConfigInput(TypedDict, total=False):
    """Features for generative models of Model Garden."""

    rag_config: Input[RagConfigInput]
    """Retrieval augmented generation."""


class GrpcActionInput(TypedDict, total=False):
    """A probe that asks a gRPC health service."""

    port: Input[int]
    """Port number, 1 to 65535."""
    service: Input[str]
    """Service name in the health check request."""


class HttpGetActionInput(TypedDict, total=False):
    """A probe that sends an HTTP GET."""

    path: Input[str]
    """Path on the container's server."""
    port: Input[int]
    """Port number, 1 to 65535."""
    host: Input[str]
    """Host to connect to; the container itself when absent."""
    scheme: Input[str]
    """HTTP or HTTPS; HTTP when absent."""
    http_headers: Input[Sequence[Input[HttpHeaderInput]]]
    """Headers sent with the request."""


class HttpHeaderInput(TypedDict, total=False):
    """A header that a probe sends."""

    name: Input[str]
    """Name of the header."""
    value: Input[str]
    """Value of the header."""


class InputConfigInput(TypedDict, total=False):
    """What the job reads. Exactly one source."""

    instances_format: Input[str]
    """Format of the instances; required: jsonl, bigquery, csv, tf-record, file-list, …"""
    gcs_source: Input[GcsSourceInput]
    """Files in Cloud Storage."""
    bigquery_source: Input[BigQuerySourceInput]
    """A BigQuery table in the job's region."""
    vertex_multimodal_dataset_source: Input[VertexMultimodalDatasetSourceInput]
    """A multimodal dataset of Vertex AI."""


class InstanceConfigInput(TypedDict, total=False):
    """How a row of input becomes an instance."""

    instance_type: Input[str]
    """Format that the model takes: object or array."""
    key_field: Input[str]
    """Field kept as a key and not sent to the model."""
    included_fields: Input[Sequence[Input[str]]]
    """The only fields sent to the model."""
    excluded_fields: Input[Sequence[Input[str]]]
    """Fields not sent to the model."""


class MachineSpecInput(TypedDict, total=False):
    """One machine of a deployment."""

    machine_type: Input[str]
    """Compute Engine machine type, such as g2-standard-12."""
    accelerator_type: Input[str]
    """Accelerator on the machine, such as NVIDIA_L4."""
    accelerator_count: Input[int]
    """Number of accelerators used by one replica."""
    gpu_partition_size: Input[str]
    """Size of one GPU partition, such as 1g.10gb; the accelerator count is then 1."""
    tpu_topology: Input[str]
    """Shape of a TPU slice, such as 2x2."""
    multihost_gpu_node_count: Input[int]
    """Number of nodes that make up one replica when it spans several GPU hosts."""
    min_gpu_driver_version: Input[str]
    """Lowest GPU driver version that the container works with."""
    reservation_affinity: Input[ReservationAffinityInput]
    """Reservations that the machines consume."""


class ManualBatchTuningParametersInput(TypedDict, total=False):
    """How rows are grouped."""

    batch_size: Input[int]
    """Instances sent to a replica at a time; 64 when absent."""


class OutputConfigInput(TypedDict, total=False):
    """Where the job writes. Exactly one destination."""

    predictions_format: Input[str]
    """Format of the predictions; required: jsonl, csv or bigquery."""
    gcs_destination: Input[GcsDestinationInput]
    """A folder in Cloud Storage."""
    bigquery_destination: Input[BigQueryDestinationInput]
    """A BigQuery dataset that exists, or a table that does not exist yet."""
    vertex_multimodal_dataset_destination: Input[VertexMultimodalDatasetDestinationInput]
    """A multimodal dataset of Vertex AI."""


class PortInput(TypedDict, total=False):
    """A port of the container."""

    container_port: Input[int]
    """Port number, 1 to 65535."""


class PredictRequestResponseLoggingConfigInput(TypedDict, total=False):
    """Logs requests and answers to BigQuery."""

    enabled: Input[bool]
    """Turn logging on."""
    sampling_rate: Input[float]
    """Fraction of requests that is logged, above 0 to 1."""
    error_sampling_rate: Input[float]
    """Fraction of failed requests that is logged, 0 to 1."""
    bigquery_destination: Input[BigQueryDestinationInput]
    """Table that takes the log; Vertex AI creates what is missing."""
    enable_otel_logging: Input[bool]
    """Write large models' logs in OpenTelemetry format as well."""


class PredictSchemataInput(TypedDict, total=False):
    """Where the formats of instances, parameters and predictions are described."""

    instance_schema_uri: Input[str]
    """gs:// URI of the schema of one instance."""
    parameters_schema_uri: Input[str]
    """gs:// URI of the schema of parameters."""
    prediction_schema_uri: Input[str]
    """gs:// URI of the schema of a prediction."""


class PrivateServiceConnectConfigInput(TypedDict, total=False):
    """Exposes an endpoint through a service attachment instead of a public name."""

    enable_private_service_connect: Input[bool]
    """Expose the endpoint through Private Service Connect only."""
    project_allowlist: Input[Sequence[Input[str]]]
    """Project ids whose forwarding rules may connect; include the endpoint's own project."""
    psc_automation_configs: Input[Sequence[Input[PscAutomationConfigInput]]]
    """Networks in which Vertex AI creates address and forwarding rule by itself."""
    enable_secure_private_service_connect: Input[bool]
    """Demand IAM authorization on the private connection as well."""


class ProbeInput(TypedDict, total=False):
    """How the container's state is found out. Exactly one of exec, http_get, grpc and tcp_socket."""

    exec: Input[ExecActionInput]
    """Run a command in the container."""
    http_get: Input[HttpGetActionInput]
    """Send an HTTP GET to the container."""
    grpc: Input[GrpcActionInput]
    """Ask the container's gRPC health service."""
    tcp_socket: Input[TcpSocketActionInput]
    """Open a TCP connection to the container."""
    period_seconds: Input[int]
    """Seconds between two probes; 10 when absent."""
    timeout_seconds: Input[int]
    """Seconds a probe may take; 1 when absent."""
    initial_delay_seconds: Input[int]
    """Seconds before the first probe; 0 if absent."""
    failure_threshold: Input[int]
    """Failures in a row that count; 3 when absent."""
    success_threshold: Input[int]
    """Successes in a row that count; 1 when absent."""


class ProbeRequestInput(TypedDict, total=False):
    """A real request that a new deployment must answer well at each step."""

    kind: Input[str]
    """chat asks chat/completions, predict asks predict, none asks nothing."""
    messages: Input[Sequence[Input[Mapping[str, Input[object]]]]]
    """Messages of a chat. Default: one word; without a chat template it is completed by predict."""
    instances: Input[Sequence[Input[object]]]
    """Instances of a predict request."""
    body: Input[Mapping[str, Input[object]]]
    """Further fields of the request, such as max_tokens, or parameters."""
    expected_status: Input[int]
    """HTTP status of a good answer."""
    max_latency: Input[float]
    """Seconds that a good answer takes at most."""
    expected_text: Input[str]
    """Text that a good answer holds."""
    requests: Input[int]
    """Fewest requests a step; more are sent where a step's share needs them."""
    timeout: Input[float]
    """Seconds after which an answer is given up."""
    fingerprint: Input[str]
    """SHA-256 of a private endpoint's own certificate, as `mg certificate` shows it."""
    address: Input[str]
    """Address of a private endpoint, such as 10.0.0.5; the machine that runs `pulumi up` must reach it."""


class PscAutomationConfigInput(TypedDict, total=False):
    """A network in which Vertex AI creates the forwarding rule by itself."""

    project_id: Input[str]
    """Project id (not number) of the network's project."""
    network: Input[str]
    """Network, projects/{project id}/global/networks/{name}."""


class RagConfigInput(TypedDict, total=False):
    """Retrieval augmented generation on chat completions."""

    enable_rag: Input[bool]
    """Turn retrieval augmented generation on."""


class ReservationAffinityInput(TypedDict, total=False):
    """Which Compute Engine reservations the machines may consume."""

    reservation_affinity_type: Input[str]
    """NO_RESERVATION, ANY_RESERVATION or SPECIFIC_RESERVATION."""
    key: Input[str]
    """Label key of a specific reservation: compute.googleapis.com/reservation-name."""
    values: Input[Sequence[Input[str]]]
    """Full resource names of the reservations, projects/{project}/zones/{zone}/reservations/{name}."""


class RolloutStrategyInput(TypedDict, total=False):
    """How a new deployment takes the old one's place on the same endpoint."""

    strategy: Input[str]
    """shift moves traffic in steps, rolling is Vertex AI's own way, recreate undeploys first."""
    steps: Input[Sequence[Input[int]]]
    """Percent of the traffic for the new deployment, rising to 100, for shift."""
    hold: Input[int]
    """Percent, of a step or between, at which shift stops: both deployments run until it is removed."""
    probe: Input[ProbeRequestInput]
    """What the new deployment must answer at each step. Default: one chat of one token."""
    max_surge_replicas: Input[int]
    """rolling: replicas that may be added."""
    max_surge_percentage: Input[int]
    """rolling: replicas that may be added, in percent."""
    max_unavailable_replicas: Input[int]
    """rolling: replicas that may be missing."""
    max_unavailable_percentage: Input[int]
    """rolling: replicas that may be missing, in percent."""


class ScaleToZeroSpecInput(TypedDict, total=False):
    """When a deployment may go down to no replica at all."""

    min_scaleup_period: Input[str]
    """Time that a deployment stays up after scaling up, 300s to 28800s; 3600s if absent."""
    idle_scaledown_period: Input[str]
    """Time without requests before scaling to zero, 300s to 28800s; 3600s when absent."""


class ServedModelInput(TypedDict, total=False):
    """One deployed model of the endpoint."""

    machine_spec: Input[MachineSpecInput | Sequence[Input[MachineSpecInput]]]
    """Machine of one replica, or a list of choices: each is tried in turn while capacity or quota is short. Default:
    the one that Model Garden recommends for the weights, else Google's for the model."""
    min_replica_count: Input[int]
    """Replicas that always run; 0 only together with scale_to_zero_spec."""
    max_replica_count: Input[int]
    """Most replicas under load; quota is charged on it. Default: the minimum."""
    required_replica_count: Input[int]
    """Replicas that must be up for the deployment to count as a success."""
    initial_replica_count: Input[int]
    """Replicas started when scaling up from zero: 1 to max_replica_count; min_replica_count is 0."""
    autoscaling_metric_specs: Input[Sequence[Input[AutoscalingMetricSpecInput]]]
    """Metrics that drive the number of replicas."""
    scale_to_zero_spec: Input[ScaleToZeroSpecInput]
    """Let the deployment go down to no replica when idle. A request is then answered 429 and wakes it. After 30 idle
    days Google undeploys it: `pulumi up --refresh` deploys it again. It is the endpoint's one model, at an address of
    its own, and rolled out by recreate."""
    spot: Input[bool]
    """Use Spot VMs: cheaper, and they may be taken away."""
    flex_start: Input[FlexStartInput]
    """Queue for capacity instead of failing at once."""
    service_account: Input[str]
    """Service account that the container runs as."""
    fast_tryout_enabled: Input[bool]
    """Deploy quickly on shared capacity, for trying a model out."""
    enable_access_logging: Input[bool]
    """Log the time and the latency of each request to Cloud Logging, at its price."""
    model: Input[str]
    """Model resource name; the `model` output of a CustomWeightsModel, @version if wanted."""
    enable_container_logging: Input[bool]
    """Send the container's output to Cloud Logging."""
    rollout: Input[RolloutStrategyInput]
    """How a new deployment takes the old one's place under this name. Default: as the endpoint's rollout says."""


class ServiceDirectoryRegistrationInput(TypedDict, total=False):
    """A Service Directory entry for a forwarding rule (Google's ForwardingRuleServiceDirectoryRegistration)."""

    namespace: Input[str]
    """Service Directory namespace."""
    service: Input[str]
    """Service Directory service."""
    service_directory_region: Input[str]
    """Service Directory region, for global forwarding rules."""


class TcpSocketActionInput(TypedDict, total=False):
    """A probe that opens a TCP connection."""

    port: Input[int]
    """Port number, 1 to 65535."""
    host: Input[str]
    """Host to connect to; the container itself when absent."""


class TimeoutsInput(TypedDict, total=False):
    """How long to wait for a call's work to end, in seconds."""

    create: Input[float]
    """Seconds to wait for a creation."""
    update: Input[float]
    """Seconds to wait for a change."""
    delete: Input[float]
    """Seconds to wait for a deletion."""


class UnmanagedContainerModelInput(TypedDict, total=False):
    """A model that is not in the registry."""

    artifact_uri: Input[str]
    """gs:// directory with the weights."""
    container_spec: Input[ContainerSpecInput]
    """The serving container."""
    predict_schemata: Input[PredictSchemataInput]
    """Formats of requests and answers."""


class VertexMultimodalDatasetDestinationInput(TypedDict, total=False):
    """A multimodal dataset to write."""

    display_name: Input[str]
    """Name of the new dataset for people."""
    bigquery_destination: Input[BigQueryDestinationInput]
    """BigQuery table that holds the dataset's rows."""


class VertexMultimodalDatasetSourceInput(TypedDict, total=False):
    """A multimodal dataset to read."""

    dataset_name: Input[str]
    """Dataset, projects/{project}/locations/{location}/datasets/{dataset}."""
