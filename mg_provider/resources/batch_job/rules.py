"""What would contradict itself in the arguments of a batch prediction job."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mg_provider.resources.batch_job.fields import BatchJobFields
from mg_provider.resources.batch_job.names import (
    dataset_problem,
    model_problem,
    objects_problem,
    output_table_problem,
    region_of_model,
    table_problem,
)
from mg_provider.resources.endpoint.capacity import choices_problem
from mg_provider.resources.model.args import Rule
from mg_provider.resources.model.marks import marked
from mg_provider.resources.model.meaning import Content
from mg_provider.resources.model.nested_rules import container_problem, flex_start_problem, folder_problem, key_problem
from mg_provider.resources.model.standing import standing
from mg_provider.spelling import did_you_mean
from mg_provider.wire.vertex.batch import InputConfig, OutputConfig

RUN_LABEL = "mg-run"

_FORMATS = {
    "instances_format": ("bigquery", "csv", "file-list", "jsonl", "tf-record", "tf-record-gzip"),
    "predictions_format": ("bigquery", "csv", "jsonl"),
}
_INSTANCE_TYPES = ("array", "object")
# What computes the predictions, of which a program names one; and on which machines.
_SOURCES = tuple(name for name, _ in marked(BatchJobFields, Content))
_MACHINES = tuple(
    name for name, path in standing(BatchJobFields, "job").items() if path.startswith("dedicated_resources.")
)


def _source_problem(args: BatchJobFields) -> str | None:
    given = [name for name in _SOURCES if getattr(args, name)]
    if len(given) != 1:
        return f"exactly one of {', '.join(_SOURCES)} is needed, not {' and '.join(given) or 'none'}"
    return model_problem(args.model) if args.model else None


def _region_problem(args: BatchJobFields) -> str | None:
    """A Model and its jobs are in one region. A publisher model is everywhere."""
    region = region_of_model(args.model)
    if region and args.region and region != args.region:
        return f"the Model is in {region} and the job in {args.region}: run the job where the Model is"
    return None


def _endpoint_problem(args: BatchJobFields) -> str | None:
    """An endpoint answers on the machines that it has."""
    fields = type(args).model_fields
    asked = [name for name in _MACHINES if getattr(args, name) not in (fields[name].default, None)]
    if args.endpoint and asked:
        return f"answers on its own machines, so {' and '.join(asked)} have no effect: remove that, or name a model"
    return None


def _label_problem(args: BatchJobFields) -> str | None:
    return f"{RUN_LABEL} is set by this provider: remove it" if RUN_LABEL in args.labels else None


def _input_problem(args: BatchJobFields) -> str | None:
    return _place_problem(args.input_config, "source", "instances_format", _places_read(args.input_config))


def _output_problem(args: BatchJobFields) -> str | None:
    return _place_problem(args.output_config, "destination", "predictions_format", _places_written(args.output_config))


def _place_problem(config: InputConfig | OutputConfig, end: str, form: str, wrong: Iterator[str | None]) -> str | None:
    """One place, in a form that goes with it, and nothing wrong with its name."""
    bucket, table, dataset = f"gcs_{end}", f"bigquery_{end}", f"vertex_multimodal_dataset_{end}"
    given = [name for name in (bucket, table) if getattr(config, name)]
    if len(given) != 1 and not getattr(config, dataset):
        return f"needs one of {bucket} and {table}, not {' and '.join(given) or 'none'}"
    if not getattr(config, form):
        return f"needs {form}: jsonl for Cloud Storage, bigquery for a table"
    first = next((problem for problem in wrong if problem), None)
    return first or _format_problem(form, getattr(config, form), bool(getattr(config, table)))


def _places_read(config: InputConfig) -> Iterator[str | None]:
    if config.gcs_source:
        if not config.gcs_source.uris:
            yield "gcs_source.uris is empty: name at least one gs:// object"
        yield from map(objects_problem, config.gcs_source.uris)
    if config.bigquery_source:
        yield table_problem(config.bigquery_source.input_uri)
    if config.vertex_multimodal_dataset_source:
        yield dataset_problem(config.vertex_multimodal_dataset_source.dataset_name)


def _places_written(config: OutputConfig) -> Iterator[str | None]:
    if config.gcs_destination:
        yield folder_problem(config.gcs_destination.output_uri_prefix)
    dataset = config.vertex_multimodal_dataset_destination
    for table in (config.bigquery_destination, dataset.bigquery_destination if dataset else None):
        if table:
            yield output_table_problem(table.output_uri)


def _format_problem(name: str, given: str, table: bool) -> str | None:
    """Formats, and that the one of tables is for tables only (guide of batch predictions, 2026-11)."""
    if given.startswith("vertex-"):
        return None
    if given not in _FORMATS[name]:
        return f"{name} {given} is not one Vertex AI knows: {did_you_mean(given, _FORMATS[name])}"
    if (given == "bigquery") != table:
        fitting = "bigquery" if table else "jsonl"
        return f"{name} is {given}, which does not go with a {'table' if table else 'bucket'}: use {fitting}"
    return None


def _container_problem(args: BatchJobFields) -> str | None:
    model = args.unmanaged_container_model
    if model is None:
        return None
    if model.artifact_uri and (problem := folder_problem(model.artifact_uri)):
        return problem
    if model.container_spec is None:
        return "container_spec is missing: say which container serves the model"
    return container_problem(model.container_spec)


def _instance_problem(args: BatchJobFields) -> str | None:
    config = args.instance_config
    kind = config.instance_type if config else None
    if kind is not None and kind not in _INSTANCE_TYPES:
        return f"instance_type {kind} is not one Vertex AI knows: {did_you_mean(kind, _INSTANCE_TYPES)}"
    both = config is not None and config.included_fields and config.excluded_fields
    return "takes included_fields or excluded_fields, not both: remove one of them" if both else None


def _batch_size_problem(args: BatchJobFields) -> str | None:
    tuning = args.manual_batch_tuning_parameters
    size = tuning.batch_size if tuning else None
    return f"batch_size is {size}: use at least 1" if size is not None and size < 1 else None


def _replica_problem(args: BatchJobFields) -> str | None:
    start, most = args.starting_replica_count, args.max_replica_count
    # The default is sent as the count that the job starts with.
    if start is not None and start > most > 1:
        return f"is {start}, more than max_replica_count {most}: remove max_replica_count, which adds no replicas"
    return None


def _tables_problem(args: BatchJobFields) -> str | None:
    """A table as input needs one as output (guide of batch predictions, 2026-11)."""
    reads_table = args.input_config.bigquery_source and not _input_problem(args)
    if reads_table and args.output_config.gcs_destination:
        return "is a bucket, but a job that reads a table writes to BigQuery: use bigquery_destination"
    return None


def _encrypted_table_problem(args: BatchJobFields) -> str | None:
    if args.encryption_spec and args.input_config.bigquery_source:
        return "does not go with a table as input: read files from Cloud Storage, or remove the key"
    return None


def tell_surprises(args: BatchJobFields, tell: Callable[[str], object]) -> None:
    """Say what the arguments allow and Vertex AI does otherwise than one would think."""
    if args.max_replica_count > (running := args.starting_replica_count or 1):
        tell(
            f"note: the job runs on {running} replica{'s' if running > 1 else ''} from its start to its end: "
            "max_replica_count adds none; set starting_replica_count"
        )
    kind = args.instance_config.instance_type if args.instance_config else None
    if args.input_config.bigquery_source and region_of_model(args.model) and not kind:
        tell(
            "note: a Model gets the rows of a table as arrays; where it takes objects, as a chat model does, set "
            "instance_config={'instance_type': 'object'}"
        )


BATCH_RULES = (
    Rule(_SOURCES, _source_problem),
    Rule(("model", "region"), _region_problem),
    Rule(("endpoint", *_MACHINES), _endpoint_problem),
    Rule(("labels",), _label_problem),
    Rule(("input_config",), _input_problem),
    Rule(("output_config",), _output_problem),
    Rule(("output_config", "input_config"), _tables_problem),
    Rule(("encryption_spec", "input_config"), _encrypted_table_problem),
    Rule(("machine_spec",), lambda args: choices_problem(args.machine_spec)),
    Rule(("unmanaged_container_model",), _container_problem),
    Rule(("flex_start",), lambda args: flex_start_problem(args.flex_start)),
    Rule(("encryption_spec", "region"), lambda args: key_problem(args.encryption_spec, args.region)),
    Rule(("instance_config",), _instance_problem),
    Rule(("manual_batch_tuning_parameters",), _batch_size_problem),
    Rule(("starting_replica_count", "max_replica_count"), _replica_problem),
)
