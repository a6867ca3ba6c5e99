"""Where Vertex AI reads from and writes to."""

from __future__ import annotations

from pydantic import Field

from mg_provider.wire.base import WireModel


class GcsSource(WireModel):
    """Files in Cloud Storage."""

    uris: list[str] = Field(description="gs:// URIs of the files; wildcards are allowed.")


class GcsDestination(WireModel):
    """A folder in Cloud Storage."""

    output_uri_prefix: str = Field(description="gs:// folder; the job makes a new directory in it.")


class BigQuerySource(WireModel):
    """A BigQuery table to read."""

    input_uri: str = Field(description="Table, bq://{project}.{dataset}.{table}.")


class BigQueryDestination(WireModel):
    """A place in BigQuery to write to."""

    output_uri: str = Field(description="bq://{project}, bq://{project}.{dataset} or bq://{project}.{dataset}.{table}.")


class VertexMultimodalDatasetSource(WireModel):
    """A multimodal dataset to read."""

    dataset_name: str = Field(description="Dataset, projects/{project}/locations/{location}/datasets/{dataset}.")


class VertexMultimodalDatasetDestination(WireModel):
    """A multimodal dataset to write."""

    display_name: str | None = Field(default=None, description="Name of the new dataset for people.")
    bigquery_destination: BigQueryDestination | None = Field(
        default=None, description="BigQuery table that holds the dataset's rows."
    )
