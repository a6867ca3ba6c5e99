"""Vertex AI's batch prediction jobs: create, get, list, cancel, delete.

A job is not a long-running operation: create returns the job itself, whose state goes on by itself (aiplatform
discovery documents of 2026-11-06).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mg_provider.emulator.core.clock import moment
from mg_provider.emulator.core.ledger import Entry, counts_resources
from mg_provider.emulator.core.meter import Machines
from mg_provider.emulator.core.operations import Plan, Stage
from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.core.world import World
from mg_provider.emulator.google import errors
from mg_provider.emulator.google.listing import page, passes
from mg_provider.emulator.google.named_errors import About, container_never_ready
from mg_provider.emulator.services.batch.input import input_table, read_input
from mg_provider.emulator.services.batch.job import (
    DEFAULT_MAX_REPLICAS,
    END_STATES,
    SHOWN_FAILURES,
    BatchJob,
    JobFailedError,
)
from mg_provider.emulator.services.batch.models import BatchModel, find_endpoint, find_model
from mg_provider.emulator.services.batch.output import TableOutput, write_files
from mg_provider.emulator.services.batch.rows import Answered, Row, fault
from mg_provider.emulator.services.bigquery.calls import bigquery_state
from mg_provider.emulator.services.names_and_labels import check_resource
from mg_provider.emulator.services.storage.calls import storage_state

Json = dict[str, Any]

DELETING_SECONDS = 5.0
PAGE_JOBS = 100
_GCS_URI = re.compile(r"gs://[a-z0-9][a-z0-9._-]+(/.*)?")
_TABLE_URI = re.compile(r"bq://[^.\s]+(\.\w+(\.[\w-]+)?)?")
_INPUT_FORMATS = {"jsonl": "gcsSource", "bigquery": "bigquerySource"}
_OUTPUT_FORMATS = {"jsonl": "gcsDestination", "bigquery": "bigqueryDestination"}


class BatchJobs:
    """All jobs, by resource name."""

    def __init__(self) -> None:
        self.jobs: dict[str, BatchJob] = {}


def _jobs(world: World) -> dict[str, BatchJob]:
    return world.part(BatchJobs).jobs


@dataclass(frozen=True)
class EmulatedData:
    """A job's input and output in the emulated buckets and tables."""

    world: World
    request: Json
    region: str
    model: str

    def read(self) -> list[Row]:
        """All rows."""
        return read_input(
            self.request["inputConfig"], self.region, storage_state(self.world), bigquery_state(self.world)
        )

    def write(self, answers: Sequence[Answered], at: float) -> Json:
        """Store the answers; the job's ``outputInfo``."""
        config = self.request["outputConfig"]
        if "gcsDestination" in config:
            prefix = config["gcsDestination"]["outputUriPrefix"]
            return write_files(prefix, self.region, self.model, self._ordered(answers), storage_state(self.world), at)
        bigquery = bigquery_state(self.world)
        output = TableOutput(config["bigqueryDestination"]["outputUri"], self.region, self.model, bigquery)
        source = self.request["inputConfig"].get("bigquerySource")
        return output.write(self._ordered(answers), input_table(source["inputUri"], bigquery) if source else None, at)

    def _ordered(self, answers: Sequence[Answered]) -> list[Answered]:
        """The answers as workers that share the rows finish them: in no order that a client could count on."""
        if self.world.behaviours["batch_output_order"] == "input":
            return list(answers)
        return [answers[place] for place in sorted(range(len(answers)), key=_scattered)]


def _scattered(place: int) -> int:
    return (place * 2654435761 + 2**31) % 2**32


@handles("aiplatform.projects.locations.batchPredictionJobs.create")
def create_job(call: Call) -> Answer:
    """Queue a job."""
    request = call.body
    _check(request, call)
    model = _model(call, request)
    _check_resources(request, model)
    name = f"{call.parent}/batchPredictionJobs/{call.world.new_number()}"
    now = call.world.now()
    job = BatchJob(
        name=name,
        request=request,
        model=model.label,
        model_version=model.version,
        created=now,
        data=EmulatedData(call.world, request, call.region, model.label),
        created_seconds=int(moment(now).timestamp()),
        planned_failure=_shortage(call, request),
        detours=tuple(call.world.behaviours["batch_detours"]),
        never_ready=_never_ready(call),
        errors_as_answers=call.world.behaviours["batch_errors"] == "as_answers",
        expires=call.world.behaviours["batch_end"] == "expired",
        on_change=lambda changed, at: _meter(call.world, changed, at),
    )
    if (declared := call.operation_fault()) is not None:
        declared.met += 1
        job.stalled = declared.stalls
        if not job.stalled:
            error = declared.error(call.about)
            job.planned_failure = JobFailedError(error.number, error.message)
    _jobs(call.world)[name] = job
    job.begin(call.world.timeline)
    return Answer(call.view("BatchPredictionJob", job_body(call.world, job)))


def _model(call: Call, request: Json) -> BatchModel:
    """The model, the container that is not a registered model, or the endpoint that answers."""
    if "model" in request:
        return find_model(call, request["model"])
    if "endpoint" in request:
        return find_endpoint(call, request["endpoint"])
    if not request["unmanagedContainerModel"].get("containerSpec", {}).get("imageUri"):
        raise _wrong("unmanagedContainerModel.containerSpec.imageUri", "a container image is required")
    return BatchModel("unmanaged-container-model", "")


def _check(request: Json, call: Call) -> None:
    """What the service can tell from the request alone. ApiError INVALID_ARGUMENT."""
    for field in ("displayName", "inputConfig", "outputConfig"):
        if not request.get(field):
            raise _wrong(field, f"{field} is required")
    check_resource(call.world, request, "batch_prediction_job")
    chosen = [field for field in ("model", "unmanagedContainerModel", "endpoint") if request.get(field)]
    if len(chosen) != 1:
        raise _wrong("model", "exactly one of model, unmanaged_container_model and endpoint must be set")
    _check_place(request["inputConfig"], "inputConfig", "instancesFormat", _INPUT_FORMATS)
    _check_place(request["outputConfig"], "outputConfig", "predictionsFormat", _OUTPUT_FORMATS)
    source, target = request["inputConfig"], request["outputConfig"]
    for uri in source.get("gcsSource", {}).get("uris", ()):
        _check_uri("inputConfig.gcsSource.uris", uri, _GCS_URI)
    if "bigquerySource" in source:
        _check_uri("inputConfig.bigquerySource.inputUri", source["bigquerySource"].get("inputUri", ""), _TABLE_URI)
    if "gcsDestination" in target:
        uri = target["gcsDestination"].get("outputUriPrefix", "")
        _check_uri("outputConfig.gcsDestination.outputUriPrefix", uri, _GCS_URI)
    else:
        uri = target["bigqueryDestination"].get("outputUri", "")
        _check_uri("outputConfig.bigqueryDestination.outputUri", uri, _TABLE_URI)
    _check_tables(request)
    if "gcsSource" in source and not source["gcsSource"].get("uris"):
        raise _wrong("inputConfig.gcsSource.uris", "at least one URI is required")


def _check_place(config: Json, field: str, format_field: str, formats: dict[str, str]) -> None:
    format_ = config.get(format_field, "")
    if format_ not in formats:
        raise _wrong(f"{field}.{format_field}", f"{format_field} {format_!r} is not one of {sorted(formats)}")
    if formats[format_] not in config:
        raise _wrong(field, f"{format_field} {format_!r} needs {formats[format_]}")


def _check_tables(request: Json) -> None:
    """What goes with a table as input ("Get batch predictions from a custom trained model", read 2026-11)."""
    if "bigquerySource" not in request["inputConfig"]:
        return
    if "bigqueryDestination" not in request["outputConfig"]:
        raise _wrong("outputConfig", "a BigQuery source needs a BigQuery destination")
    if request.get("encryptionSpec", {}).get("kmsKeyName"):
        raise _wrong("encryptionSpec", "a BigQuery source does not go with a customer-managed encryption key")


def _check_uri(field: str, uri: str, pattern: re.Pattern[str]) -> None:
    if not pattern.fullmatch(uri):
        raise _wrong(field, f"{uri!r} is not a valid URI here")


def _check_resources(request: Json, model: BatchModel) -> None:
    resources = request.get("dedicatedResources")
    if model.managed and resources is None:
        return
    if resources is None:
        raise _wrong("dedicatedResources", "dedicated_resources is required for a self-deployed model")
    if not resources.get("machineSpec", {}).get("machineType"):
        raise _wrong("dedicatedResources.machineSpec", "machine_spec with a machine_type is required")
    starting = int(resources.get("startingReplicaCount", 1))
    most = int(resources.get("maxReplicaCount", DEFAULT_MAX_REPLICAS))
    if starting > most:
        raise _wrong(
            "dedicatedResources.startingReplicaCount", f"starting_replica_count {starting} is more than {most}"
        )


def _wrong(field: str, text: str) -> errors.ApiError:
    return errors.invalid_argument(text, (field, text))


def _never_ready(call: Call) -> JobFailedError | None:
    """A container that is not ready after the longest time that loading may take."""
    if call.world.behaviours["batch_end"] != "never_ready":
        return None
    error = container_never_ready(About(call.project, call.number, call.region))
    return JobFailedError(error.number, error.message)


def _shortage(call: Call, request: Json) -> JobFailedError | None:
    """Machines that the region has not got."""
    machine = request.get("dedicatedResources", {}).get("machineSpec", {}).get("machineType", "")
    if f"{call.region}/{machine}" in call.world.behaviours["stockouts"]:
        error = errors.stockout()
        return JobFailedError(error.number, error.message)
    return None


def _meter(world: World, job: BatchJob, at: float) -> None:
    """GPUs are held while the job runs."""
    if job.ended is not None:
        world.meter.stop(job.name, at)
    if job.state != "JOB_STATE_RUNNING":
        return
    machine = job.request.get("dedicatedResources", {}).get("machineSpec", {})
    accelerators = int(machine.get("acceleratorCount", 0))
    machines = Machines(machine.get("machineType", ""), machine.get("acceleratorType", ""), accelerators, job.replicas)
    if machine:
        world.meter.start(job.name, machines, at)


def job_body(world: World, job: BatchJob) -> Json:
    """The job as Vertex AI shows it."""
    body: Json = {
        **job.request,
        "name": job.name,
        "state": job.state,
        **({"modelVersionId": job.model_version} if job.model_version else {}),
        "createTime": world.timestamp(job.created),
        "updateTime": world.timestamp(job.updated),
    }
    if "dedicatedResources" in job.request:
        defaults = {"startingReplicaCount": 1, "maxReplicaCount": DEFAULT_MAX_REPLICAS}
        body["dedicatedResources"] = {**defaults, **job.request["dedicatedResources"]}
    if job.started is not None:
        body["startTime"] = world.timestamp(job.started)
    if job.ended is None:
        return {**body, **_stats_so_far(world, job)}
    body["endTime"] = world.timestamp(job.ended)
    failed = [answered.error for answered in job.answers if answered.error]
    if job.failure is not None:
        body["error"] = {"code": job.failure.code, "message": job.failure.message}
    if job.output_info:
        body["outputInfo"] = job.output_info
    body["completionStats"] = {
        "successfulCount": str(len(job.answers) - len(failed)),
        "failedCount": str(len(failed)),
        "incompleteCount": str(len(job.rows) - len(job.answers)),
    }
    if failed:
        body["partialFailures"] = [{"code": 3, "message": text} for text in failed[:SHOWN_FAILURES]]
    hours = job.running_seconds(job.ended) * job.replicas / 3600
    return {**body, "resourcesConsumed": {"replicaHours": round(hours, 6)}}


def _stats_so_far(world: World, job: BatchJob) -> Json:
    """Counts of a running job; no source says whether Google shows them before the end."""
    shown = world.behaviours["batch_completion_stats"]
    if job.started is None or not job.rows or shown == "at_end":
        return {}
    done = job.rows_done(world.now())
    failed = sum(fault(row) is not None for row in job.rows[:done])
    incomplete = -1 if shown == "unknown_total" else len(job.rows) - done
    counts = {"successfulCount": done - failed, "failedCount": failed, "incompleteCount": incomplete}
    return {"completionStats": {name: str(count) for name, count in counts.items()}}


def _find(call: Call) -> BatchJob:
    name = f"{call.parent}/batchPredictionJobs/{call.path['batchPredictionJobsId']}"
    if name not in _jobs(call.world):
        raise errors.not_found("The BatchPredictionJob does not exist.")
    return _jobs(call.world)[name]


@handles("aiplatform.projects.locations.batchPredictionJobs.get")
def get_job(call: Call) -> Answer:
    """A job as it is now."""
    return Answer(call.view("BatchPredictionJob", job_body(call.world, _find(call))))


_FILTERED = {name: name for name in ("displayName", "state", "createTime")} | {
    "display_name": "displayName",
    "create_time": "createTime",
}
_FURTHER_OPERATORS = {
    **dict.fromkeys(("display_name", "displayName"), (":",)),
    **dict.fromkeys(("create_time", "createTime"), (">", ">=", "<", "<=")),
}


def _filtered(body: Json) -> dict[str, str]:
    """What ``batchPredictionJobs.list`` filters by, beside labels; times are in RFC 3339."""
    return {name: body[key] for name, key in _FILTERED.items()}


@handles("aiplatform.projects.locations.batchPredictionJobs.list")
def list_jobs(call: Call) -> Answer:
    """The location's jobs, newest first."""
    prefix = f"{call.parent}/batchPredictionJobs/"
    listed = call.world.now() - call.world.behaviours["batch_listed_after"]
    jobs = [job for name, job in _jobs(call.world).items() if name.startswith(prefix) and job.created <= listed]
    bodies = [job_body(call.world, job) for job in jobs]
    asked = call.query.get("filter", "")
    found = [body for body in reversed(bodies) if passes(asked, body, _filtered(body), _FURTHER_OPERATORS)]
    size = min(int(call.query.get("pageSize") or PAGE_JOBS), PAGE_JOBS)
    shown = [call.view("BatchPredictionJob", body) for body in found]
    return Answer(page("batchPredictionJobs", shown, {**call.query, "pageSize": size}))


@handles("aiplatform.projects.locations.batchPredictionJobs.cancel")
def cancel_job(call: Call) -> Answer:
    """Ask a job to stop; it does so a little later, and its output so far stays."""
    _find(call).cancel(call.world.timeline, call.world.now())
    return Answer({})


@handles("aiplatform.projects.locations.batchPredictionJobs.delete")
def delete_job(call: Call) -> Answer:
    """Delete a job that has ended."""
    job = _find(call)
    if job.state not in END_STATES:
        raise errors.failed_precondition(
            f"BatchPredictionJob {job.name} is in state {job.state}; {call.world.behaviours['batch_delete_refusal']}"
        )

    def forget(_: float) -> None:
        _jobs(call.world).pop(job.name, None)

    plan = Plan(
        metadata_type="DeleteOperationMetadata",
        stages=[Stage("", DELETING_SECONDS, forget)],
        response=lambda: ("google.protobuf.Empty", {}),
    )
    return call.operation_answer(call.start_operation(call.parent, plan))


@counts_resources
def _resources(world: World) -> Iterable[Entry]:
    for job in _jobs(world).values():
        created = world.timestamp(job.created)
        labels = dict(job.request.get("labels", {}))
        details = {
            "state": job.state.removeprefix("JOB_STATE_").lower(),
            "rows": str(len(job.rows)),
            "model": job.model,
        }
        yield Entry("aiplatform.BatchPredictionJob", job.name, created, labels, details)
