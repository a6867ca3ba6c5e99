"""BigQuery, as far as batch input and output need it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from mg_provider.wire.base import Int64, Page, WireModel, output


class DatasetReference(WireModel):
    """A dataset's address."""

    project_id: str | None = None
    dataset_id: str | None = None


class Dataset(WireModel):
    """A dataset. ``location`` is a region or a multi-region."""

    id: str | None = output()
    dataset_reference: DatasetReference | None = None
    friendly_name: str | None = None
    description: str | None = None
    location: str | None = None
    labels: dict[str, str] | None = None
    etag: str | None = output()
    self_link: str | None = output()


class TableReference(WireModel):
    """A table's address."""

    project_id: str | None = None
    dataset_id: str | None = None
    table_id: str | None = None


class TableFieldSchema(WireModel):
    """A column. mode: NULLABLE, REQUIRED or REPEATED."""

    name: str | None = None
    type: str | None = None
    mode: str | None = None
    description: str | None = None
    fields_: list[TableFieldSchema] | None = Field(default=None, alias="fields")


class TableSchema(WireModel):
    """The columns of a table."""

    fields_: list[TableFieldSchema] = Field(default_factory=list, alias="fields")


class Table(WireModel):
    """A table. ``table_type``: TABLE, VIEW, EXTERNAL, MATERIALIZED_VIEW or SNAPSHOT."""

    id: str | None = output()
    table_reference: TableReference | None = None
    # pydantic owns the name schema.
    table_schema: TableSchema | None = Field(default=None, alias="schema")
    table_type: str | None = Field(default=None, alias="type", json_schema_extra={"readOnly": True})
    description: str | None = None
    location: str | None = output()
    num_rows: Int64 | None = output()
    num_bytes: Int64 | None = output()
    labels: dict[str, str] | None = None
    etag: str | None = output()
    self_link: str | None = output()


class TableCell(WireModel):
    """One value."""

    v: Any = None


class TableRow(WireModel):
    """One row."""

    f: list[TableCell] = Field(default_factory=list)


class TableDataList(Page):
    """A page of a table's rows."""

    rows: list[TableRow] = Field(default_factory=list)
    total_rows: Int64 | None = None
    # BigQuery has a name of its own for it.
    next_page_token: str | None = Field(default=None, alias="pageToken")


class JobReference(WireModel):
    """A job's address."""

    project_id: str | None = None
    job_id: str | None = None
    location: str | None = None


class ErrorProto(WireModel):
    """One reason of a failed job."""

    reason: str | None = None
    message: str | None = None
    location: str | None = None


class CsvOptions(WireModel):
    """How text files are read; a delimiter that never comes and no quote leave each line whole."""

    field_delimiter: str | None = None
    quote: str | None = None


class ExternalDataConfiguration(WireModel):
    """A table over objects in Cloud Storage. ``source_format`` is CSV, NEWLINE_DELIMITED_JSON and others."""

    source_uris: list[str] = Field(default_factory=list)
    source_format: str | None = None
    # pydantic owns the name schema.
    table_schema: TableSchema | None = Field(default=None, alias="schema")
    csv_options: CsvOptions | None = None


class JobConfigurationQuery(WireModel):
    """A query of a job; ``table_definitions`` are external tables that exist for it alone, by name."""

    query: str | None = None
    use_legacy_sql: bool | None = None
    table_definitions: dict[str, ExternalDataConfiguration] | None = None


class JobConfiguration(WireModel):
    """What a job does. ``dry_run``: only say what it would process."""

    query: JobConfigurationQuery | None = None
    dry_run: bool | None = None


class JobStatus(WireModel):
    """How far a job is: PENDING, RUNNING or DONE, well or with ``error_result``."""

    state: str | None = None
    error_result: ErrorProto | None = None
    errors: list[ErrorProto] | None = None


class JobStatistics(WireModel):
    """What a job processed, in bytes."""

    total_bytes_processed: Int64 | None = None


class Job(WireModel):
    """A job."""

    job_reference: JobReference | None = None
    configuration: JobConfiguration | None = None
    status: JobStatus | None = None
    statistics: JobStatistics | None = None


class QueryRequest(WireModel):
    """A query; ``request_id`` makes a repeat detectable for 15 minutes."""

    query: str
    use_legacy_sql: bool = False
    dry_run: bool | None = None
    location: str | None = None
    max_results: int | None = None
    timeout_ms: int | None = None
    request_id: str | None = None


class QueryResponse(WireModel):
    """The answer to a query."""

    job_complete: bool | None = None
    job_reference: JobReference | None = None
    # pydantic owns the name schema.
    table_schema: TableSchema | None = Field(default=None, alias="schema")
    rows: list[TableRow] = Field(default_factory=list)
    total_rows: Int64 | None = None
    total_bytes_processed: Int64 | None = None
    page_token: str | None = None
    errors: list[ErrorProto] | None = output()
