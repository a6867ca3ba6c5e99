"""What would contradict itself in the arguments of a batch prediction job."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mg_provider.preflight.machine import machine_problem
from mg_provider.resources.fields import Rule
from mg_provider.resources.nested_rules import (
    BIGQUERY,
    GCS_FOLDER,
    container_problem,
    flex_start_problem,
    key_problem,
)
from mg_provider.resources.reasons import nearest

if TYPE_CHECKING:
    from mg_provider.resources.batch_job import BatchJobArgs

RUN_LABEL = "mg-run"

_MODEL = re.compile(
    r"(projects/[^/]+/locations/[^/]+/)?publishers/[^/]+/models/[^/]+|projects/[^/]+/locations/[^/]+/models/[^/]+"
)
_REGISTERED = re.compile(r"projects/[^/]+/locations/([^/]+)/models/[^/]+")
_GCS = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](/\S*)?")
_BIGQUERY_TABLE = re.compile(r"bq://[\w:.-]+\.[\w$-]+\.[\w$-]+")
_FORMATS = {
    "instances_format": ("bigquery", "csv", "file-list", "jsonl", "tf-record", "tf-record-gzip"),
    "predictions_format": ("bigquery", "csv", "jsonl"),
}


def _source_problem(args: BatchJobArgs) -> str | None:
    given = [name for name in ("model", "unmanaged_container_model", "endpoint") if getattr(args, name)]
    if len(given) != 1:
        return (
            f"exactly one of model, unmanaged_container_model, endpoint is needed, not {' and '.join(given) or 'none'}"
        )
    if args.model and not _MODEL.fullmatch(args.model):
        return (
            f"{args.model!r} is no model: write publishers/{{publisher}}/models/{{model}}@{{version}} or a Model's name"
        )
    return None


def _region_problem(args: BatchJobArgs) -> str | None:
    """A Model and its jobs are in one region. A publisher model is everywhere."""
    match = _REGISTERED.fullmatch(args.model)
    if match and args.region and match[1] != args.region:
        return f"the Model is in {match[1]} and the job in {args.region}: run the job where the Model is"
    return None


def _endpoint_problem(args: BatchJobArgs) -> str | None:
    """An endpoint answers on the machines that it has."""
    asked = [name for name in ("machine_spec", "spot", "flex_start", "starting_replica_count") if getattr(args, name)]
    if args.endpoint and asked:
        return f"answers on its own machines, so {' and '.join(asked)} would mean nothing: remove that, or name a model"
    return None


def _label_problem(args: BatchJobArgs) -> str | None:
    return f"{RUN_LABEL} is set by this provider: remove it" if RUN_LABEL in args.labels else None


def _input_problem(args: BatchJobArgs) -> str | None:
    config = args.input_config
    given = [name for name in ("gcs_source", "bigquery_source") if getattr(config, name)]
    if len(given) != 1 and not config.vertex_multimodal_dataset_source:
        return f"needs one of gcs_source and bigquery_source, not {' and '.join(given) or 'none'}"
    if not config.instances_format:
        return "needs instances_format: jsonl for Cloud Storage, bigquery for a table"
    if config.bigquery_source and not _BIGQUERY_TABLE.fullmatch(config.bigquery_source.input_uri):
        return f"{config.bigquery_source.input_uri!r} is no table: write bq://project.dataset.table"
    uris = config.gcs_source.uris if config.gcs_source else []
    if config.gcs_source and not uris:
        return "gcs_source.uris is empty: name at least one gs:// object"
    wrong = next((uri for uri in uris if not _GCS.fullmatch(uri)), None)
    if wrong:
        return f"{wrong!r} is no Cloud Storage URI: write gs://bucket/object"
    return _format_problem("instances_format", config.instances_format, bool(config.bigquery_source))


def _output_problem(args: BatchJobArgs) -> str | None:
    config = args.output_config
    given = [name for name in ("gcs_destination", "bigquery_destination") if getattr(config, name)]
    if len(given) != 1 and not config.vertex_multimodal_dataset_destination:
        return f"needs one of gcs_destination and bigquery_destination, not {' and '.join(given) or 'none'}"
    if not config.predictions_format:
        return "needs predictions_format: jsonl for Cloud Storage, bigquery for a table"
    if config.gcs_destination and not _GCS.fullmatch(config.gcs_destination.output_uri_prefix):
        return f"{config.gcs_destination.output_uri_prefix!r} is no Cloud Storage URI: write gs://bucket/folder"
    if config.bigquery_destination and not BIGQUERY.fullmatch(config.bigquery_destination.output_uri):
        return f"{config.bigquery_destination.output_uri!r} is no BigQuery URI: write bq://project.dataset.table"
    return _format_problem("predictions_format", config.predictions_format, bool(config.bigquery_destination))


def _format_problem(name: str, given: str, table: bool) -> str | None:
    """Formats, and that the one of tables is for tables only (guide of batch predictions, 2026-11)."""
    if given.startswith("vertex-"):
        return None
    if given not in _FORMATS[name]:
        return f"{name} {given} is not one Vertex AI knows: {nearest(given, _FORMATS[name])}"
    if (given == "bigquery") != table:
        fitting = "bigquery" if table else "jsonl"
        return f"{name} is {given}, which does not go with a {'table' if table else 'bucket'}: use {fitting}"
    return None


def _container_problem(args: BatchJobArgs) -> str | None:
    model = args.unmanaged_container_model
    if model is None:
        return None
    if model.artifact_uri and not GCS_FOLDER.fullmatch(model.artifact_uri):
        return f"{model.artifact_uri!r} is no folder in Cloud Storage: write gs://bucket/path"
    if model.container_spec is None:
        return "container_spec is missing: say which container serves the model"
    return container_problem(model.container_spec)


def _instance_problem(args: BatchJobArgs) -> str | None:
    config = args.instance_config
    both = config is not None and config.included_fields and config.excluded_fields
    return "takes included_fields or excluded_fields, not both: remove one of them" if both else None


def _batch_size_problem(args: BatchJobArgs) -> str | None:
    tuning = args.manual_batch_tuning_parameters
    size = tuning.batch_size if tuning else None
    return f"batch_size is {size}: use at least 1" if size is not None and size < 1 else None


def _machine_problem(args: BatchJobArgs) -> str | None:
    return machine_problem(args.machine_spec) if args.machine_spec else None


def _replica_problem(args: BatchJobArgs) -> str | None:
    start, most = args.starting_replica_count, args.max_replica_count
    if start is not None and start > most:
        return f"is {start}, more than max_replica_count {most}: raise max_replica_count or lower it"
    return None


BATCH_RULES = (
    Rule(("model", "unmanaged_container_model", "endpoint"), _source_problem),
    Rule(("model", "region"), _region_problem),
    Rule(("endpoint", "machine_spec", "spot", "flex_start", "starting_replica_count"), _endpoint_problem),
    Rule(("labels",), _label_problem),
    Rule(("input_config",), _input_problem),
    Rule(("output_config",), _output_problem),
    Rule(("machine_spec",), _machine_problem),
    Rule(("unmanaged_container_model",), _container_problem),
    Rule(("flex_start",), lambda args: flex_start_problem(args.flex_start)),
    Rule(("encryption_spec", "region"), lambda args: key_problem(args.encryption_spec, args.region)),
    Rule(("instance_config",), _instance_problem),
    Rule(("manual_batch_tuning_parameters",), _batch_size_problem),
    Rule(("starting_replica_count", "max_replica_count"), _replica_problem),
)
