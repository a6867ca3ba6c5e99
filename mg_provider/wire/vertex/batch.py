"""Batch prediction jobs. A job cannot be changed once it exists: there is no patch."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from mg_provider.wire.base import Int64, Page, WireModel, output
from mg_provider.wire.status import Status
from mg_provider.wire.vertex.container import ContainerSpec
from mg_provider.wire.vertex.encryption import EncryptionSpec
from mg_provider.wire.vertex.machine import BatchDedicatedResources
from mg_provider.wire.vertex.schemata import PredictSchemata
from mg_provider.wire.vertex.sources import (
    BigQueryDestination,
    BigQuerySource,
    GcsDestination,
    GcsSource,
    VertexMultimodalDatasetDestination,
    VertexMultimodalDatasetSource,
)


class JobState(StrEnum):
    """google.cloud.aiplatform JobState."""

    UNSPECIFIED = "JOB_STATE_UNSPECIFIED"
    QUEUED = "JOB_STATE_QUEUED"
    PENDING = "JOB_STATE_PENDING"
    RUNNING = "JOB_STATE_RUNNING"
    SUCCEEDED = "JOB_STATE_SUCCEEDED"
    FAILED = "JOB_STATE_FAILED"
    CANCELLING = "JOB_STATE_CANCELLING"
    CANCELLED = "JOB_STATE_CANCELLED"
    PAUSED = "JOB_STATE_PAUSED"
    EXPIRED = "JOB_STATE_EXPIRED"
    UPDATING = "JOB_STATE_UPDATING"
    PARTIALLY_SUCCEEDED = "JOB_STATE_PARTIALLY_SUCCEEDED"

    @property
    def ended(self) -> bool:
        """Whether the job will never run again. A paused job may."""
        return self in END_STATES


END_STATES = frozenset(
    {JobState.SUCCEEDED, JobState.PARTIALLY_SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED}
)


class InputConfig(WireModel):
    """What the job reads. Exactly one source."""

    instances_format: str | None = Field(
        default=None, description="Format of the instances; required: jsonl, bigquery, csv, tf-record, file-list, …"
    )
    gcs_source: GcsSource | None = Field(default=None, description="Files in Cloud Storage.")
    bigquery_source: BigQuerySource | None = Field(default=None, description="A BigQuery table in the job's region.")
    vertex_multimodal_dataset_source: VertexMultimodalDatasetSource | None = Field(
        default=None, description="A multimodal dataset of Vertex AI."
    )


class OutputConfig(WireModel):
    """Where the job writes. Exactly one destination."""

    predictions_format: str | None = Field(
        default=None, description="Format of the predictions; required: jsonl, csv or bigquery."
    )
    gcs_destination: GcsDestination | None = Field(default=None, description="A folder in Cloud Storage.")
    bigquery_destination: BigQueryDestination | None = Field(
        default=None, description="A BigQuery dataset that exists, or a table that does not exist yet."
    )
    vertex_multimodal_dataset_destination: VertexMultimodalDatasetDestination | None = Field(
        default=None, description="A multimodal dataset of Vertex AI."
    )


class InstanceConfig(WireModel):
    """How a row of input becomes an instance."""

    instance_type: str | None = Field(default=None, description="Format that the model takes: object or array.")
    key_field: str | None = Field(default=None, description="Field kept as a key and not sent to the model.")
    included_fields: list[str] | None = Field(default=None, description="The only fields sent to the model.")
    excluded_fields: list[str] | None = Field(default=None, description="Fields not sent to the model.")


class ManualBatchTuningParameters(WireModel):
    """How rows are grouped."""

    batch_size: int | None = Field(default=None, description="Instances sent to a replica at a time; 64 when absent.")


class UnmanagedContainerModel(WireModel):
    """A model that is not in the registry."""

    artifact_uri: str | None = Field(default=None, description="gs:// directory with the weights.")
    container_spec: ContainerSpec | None = Field(default=None, description="The serving container.")
    predict_schemata: PredictSchemata | None = Field(default=None, description="Formats of requests and answers.")


class CompletionStats(WireModel):
    """How many instances came through; incomplete_count is -1 when unknown."""

    successful_count: Int64 | None = output()
    failed_count: Int64 | None = output()
    incomplete_count: Int64 | None = output()
    successful_forecast_point_count: Int64 | None = output()


class OutputInfo(WireModel):
    """Where the output ended up."""

    gcs_output_directory: str | None = output()
    bigquery_output_dataset: str | None = output()
    bigquery_output_table: str | None = output()
    vertex_multimodal_dataset_name: str | None = output()


class ResourcesConsumed(WireModel):
    """What the job used."""

    replica_hours: float | None = output()


class BatchPredictionJob(WireModel):
    """One run of a model over a set of instances. Exactly one of model, unmanaged_container_model, endpoint."""

    name: str | None = output()
    display_name: str | None = Field(default=None, description="Name for people; required.")
    model: str | None = Field(default=None, description="Model resource name, or publishers/{publisher}/models/{m}.")
    unmanaged_container_model: UnmanagedContainerModel | None = Field(
        default=None, description="A model that is not in the registry."
    )
    endpoint: str | None = Field(default=None, description="Endpoint that computes the predictions (v1beta1).")
    model_parameters: Any = Field(default=None, description="Parameters sent with every instance.")
    input_config: InputConfig | None = Field(default=None, description="What the job reads; required.")
    output_config: OutputConfig | None = Field(default=None, description="Where the job writes; required.")
    instance_config: InstanceConfig | None = Field(default=None, description="How a row becomes an instance.")
    dedicated_resources: BatchDedicatedResources | None = Field(default=None, description="Machines and replicas.")
    manual_batch_tuning_parameters: ManualBatchTuningParameters | None = Field(
        default=None, description="How rows are grouped."
    )
    service_account: str | None = Field(default=None, description="Service account that the container runs as.")
    labels: dict[str, str] | None = Field(default=None, description="Labels to find and to bill by.")
    encryption_spec: EncryptionSpec | None = Field(default=None, description="Customer-managed key.")
    disable_container_logging: bool | None = Field(
        default=None, description="Keep the container's output out of Cloud Logging."
    )
    generate_explanation: bool | None = Field(default=None, description="Add feature attributions to the output.")
    state: Annotated[JobState | str, Field(union_mode="left_to_right")] | None = output()
    error: Status | None = output()
    partial_failures: list[Status] | None = output()
    completion_stats: CompletionStats | None = output()
    output_info: OutputInfo | None = output()
    resources_consumed: ResourcesConsumed | None = output()
    model_version_id: str | None = output()
    create_time: str | None = output()
    start_time: str | None = output()
    end_time: str | None = output()
    update_time: str | None = output()

    @property
    def ended(self) -> bool:
        """Whether the job will never run again."""
        return isinstance(self.state, JobState) and self.state.ended

    @property
    def output_location(self) -> str:
        """``gs://`` folder or ``bq://`` table of its output; empty while there is none."""
        info = self.output_info
        if info is None:
            return ""
        if info.gcs_output_directory or not info.bigquery_output_dataset:
            return info.gcs_output_directory or ""
        dataset = info.bigquery_output_dataset.removeprefix("bq://")
        return f"bq://{dataset}.{info.bigquery_output_table or 'predictions'}"

    @property
    def needs_v1beta1(self) -> bool:
        """Whether a field is set that v1 does not have."""
        resources = self.dedicated_resources
        return self.endpoint is not None or bool(resources and (resources.spot or resources.flex_start))


class ListBatchPredictionJobsResponse(Page):
    """A page of jobs."""

    batch_prediction_jobs: list[BatchPredictionJob] = Field(default_factory=list)
