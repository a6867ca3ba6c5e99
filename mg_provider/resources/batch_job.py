"""``BatchJob``: one batch prediction run, from input to collected output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import pulumi
from pydantic import Field

from mg_provider.api.errors import ConnectionFailed, MgError, NotFound
from mg_provider.resources.batch_rules import BATCH_RULES
from mg_provider.resources.dynamic_host import DynamicProvider, DynamicResource
from mg_provider.resources.endpoint_args import fresh_id
from mg_provider.resources.fields import (
    UNKNOWN,
    Changes,
    Computed,
    Derived,
    Local,
    Replaces,
    Rule,
    State,
)
from mg_provider.resources.identity import Labels, ownership_labels
from mg_provider.resources.inputs import (
    EncryptionSpecInput,
    FlexStartInput,
    InputConfigInput,
    InstanceConfigInput,
    MachineSpecInput,
    ManualBatchTuningParametersInput,
    OutputConfigInput,
    TimeoutsInput,
    UnmanagedContainerModelInput,
)
from mg_provider.resources.lifecycle import CloudArgs, Context, Incomplete, Lifecycle, Reading, kept
from mg_provider.wire.batch import (
    BatchPredictionJob,
    InputConfig,
    InstanceConfig,
    JobState,
    ManualBatchTuningParameters,
    OutputConfig,
    UnmanagedContainerModel,
)
from mg_provider.wire.encryption import EncryptionSpec
from mg_provider.wire.machine import BatchDedicatedResources, FlexStart, MachineSpec

CREATE_SECONDS = 24 * 3600.0
DELETE_SECONDS = 1800.0
RUN_LABEL = "mg-run"

_FIXED = "a job cannot be changed, so another one runs"
_SEEDS = (
    "model",
    "unmanaged_container_model",
    "endpoint",
    "input_config",
    "output_config",
    "machine_spec",
    "starting_replica_count",
    "max_replica_count",
    "spot",
    "flex_start",
    "instance_config",
    "model_parameters",
    "manual_batch_tuning_parameters",
    "service_account",
    "encryption_spec",
    "disable_container_logging",
    "triggers",
)


class BatchJobArgs(CloudArgs):
    """What a user says of a batch prediction run."""

    display_name: Annotated[str, Replaces(_FIXED), Computed()] = Field(
        default="", max_length=128, description="Name for people. Default: the resource's name."
    )
    model: Annotated[str, Replaces(_FIXED)] = Field(
        default="", description="publishers/{publisher}/models/{model}@{version}, or a Model's resource name."
    )
    unmanaged_container_model: Annotated[UnmanagedContainerModel | None, Replaces(_FIXED)] = Field(
        default=None, description="A model that is not in the registry instead."
    )
    endpoint: Annotated[str, Replaces(_FIXED)] = Field(
        default="",
        pattern=r"^projects/[^/]+/locations/[^/]+/endpoints/[^/]+$",
        description="Endpoint that computes the predictions instead.",
    )
    input_config: Annotated[InputConfig, Replaces(_FIXED)] = Field(description="What the job reads.")
    output_config: Annotated[OutputConfig, Replaces(_FIXED)] = Field(description="Where the job writes.")
    machine_spec: Annotated[MachineSpec | None, Replaces(_FIXED)] = Field(
        default=None, description="Machine of one replica."
    )
    starting_replica_count: Annotated[int | None, Replaces(_FIXED)] = Field(
        default=None, ge=1, description="Replicas that the job starts with."
    )
    max_replica_count: Annotated[int, Replaces(_FIXED)] = Field(
        default=1, ge=1, description="Most replicas that the job may use. Google's own default is 10."
    )
    spot: Annotated[bool, Replaces(_FIXED)] = Field(default=False, description="Use Spot VMs.")
    flex_start: Annotated[FlexStart | None, Replaces(_FIXED)] = Field(
        default=None, description="Queue for capacity instead of failing at once."
    )
    instance_config: Annotated[InstanceConfig | None, Replaces(_FIXED)] = Field(
        default=None, description="How a row becomes an instance."
    )
    model_parameters: Annotated[dict[str, object] | None, Replaces(_FIXED)] = Field(
        default=None, description="Parameters sent with every instance."
    )
    manual_batch_tuning_parameters: Annotated[ManualBatchTuningParameters | None, Replaces(_FIXED)] = Field(
        default=None, description="How rows are grouped."
    )
    service_account: Annotated[str, Replaces(_FIXED)] = Field(
        default="",
        pattern=r"^[a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com$",
        description="Service account that the container runs as.",
    )
    encryption_spec: Annotated[EncryptionSpec | None, Replaces(_FIXED)] = Field(
        default=None, description="Customer-managed key."
    )
    disable_container_logging: Annotated[bool, Replaces(_FIXED)] = Field(
        default=False, description="Keep the container's output out of Cloud Logging."
    )
    labels: Annotated[Labels, Local("a job's labels are fixed; the next run has the new ones")] = Field(
        default={}, description="Labels of the job."
    )
    triggers: Annotated[dict[str, str], Replaces("the program asks for another run")] = Field(
        default={}, description="Any values; another run when one changes, such as an object's generation."
    )
    wait: Annotated[bool, Local("used by the next call")] = Field(
        default=True, description="Wait until the job has ended; otherwise `refresh` picks up its state."
    )
    run: Annotated[str, Derived(), Local("follows from the arguments")] = Field(
        default="", description="Name of this run: the label mg-run."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        *CloudArgs.rules,
        *BATCH_RULES,
    )

    @property
    def parent(self) -> str:
        """``projects/{project}/locations/{region}``."""
        return f"projects/{self.project}/locations/{self.region}"

    def own_labels(self) -> dict[str, str]:
        """The labels that say whose the job is and which run."""
        return {**ownership_labels(self.owner, self.resource), RUN_LABEL: self.run}

    def wire(self) -> BatchPredictionJob:
        """The request of ``batchPredictionJobs.create``."""
        machines = BatchDedicatedResources(
            machine_spec=self.machine_spec,
            starting_replica_count=self.starting_replica_count,
            max_replica_count=self.max_replica_count,
            spot=self.spot or None,
            flex_start=self.flex_start,
        )
        return BatchPredictionJob(
            display_name=self.display_name,
            model=self.model or None,
            unmanaged_container_model=self.unmanaged_container_model,
            endpoint=self.endpoint or None,
            input_config=self.input_config,
            output_config=self.output_config,
            dedicated_resources=machines if self.machine_spec else None,
            instance_config=self.instance_config,
            model_parameters=self.model_parameters,
            manual_batch_tuning_parameters=self.manual_batch_tuning_parameters,
            service_account=self.service_account or None,
            encryption_spec=self.encryption_spec,
            disable_container_logging=self.disable_container_logging or None,
            labels={**self.labels, **self.own_labels()},
        )


class BatchJobState(State):
    """What the cloud says of the run."""

    batch_prediction_job: str = Field(default="", description="Resource name of the job.")
    job_state: str = Field(default="", description="JOB_STATE_SUCCEEDED, JOB_STATE_RUNNING, ….")
    successful_count: int = Field(default=0, description="Rows that were answered.")
    failed_count: int = Field(default=0, description="Rows that failed.")
    output_location: str = Field(default="", description="gs:// folder or bq:// table with the output.")
    replica_hours: float = Field(default=0.0, description="Replica hours used.")
    first_errors: list[str] = Field(default=[], description="The first failures, in the service's words.")


class BatchJobLifecycle(Lifecycle[BatchJobArgs, BatchJobState]):
    """Starts one job for one set of arguments and stays with it.

    IAM: ``aiplatform.batchPredictionJobs.*`` (create, get, list, cancel, delete); the job itself reads and writes as
    Vertex AI's service agent or the given service account.
    """

    args_type = BatchJobArgs
    state_type = BatchJobState

    def name(self, args: BatchJobArgs, old: BatchJobArgs | None) -> BatchJobArgs:
        """Name the run after everything that makes another run."""
        if not args.display_name:
            args = args.with_values(display_name=kept(old, args, "display_name") or args.resource)
        fresh = fresh_id(args, ("display_name", *_SEEDS))
        return args.with_values(run=kept(old, args, "run") or fresh or UNKNOWN)

    def create(self, args: BatchJobArgs, context: Context) -> tuple[str, BatchJobState]:
        """Start the job, or stay with the one that an interrupted run of ours started."""
        return self._id(args), self._converge(args, BatchJobState(), context)

    def read(
        self, id: str, args: BatchJobArgs, state: BatchJobState, context: Context
    ) -> Reading[BatchJobArgs, BatchJobState] | None:
        """The job as it is."""
        job = self._find(args, state, context)
        return None if job is None else Reading(args, _state(job))

    def update(
        self,
        id: str,
        old: BatchJobArgs,
        state: BatchJobState,
        new: BatchJobArgs,
        changes: Changes,
        context: Context,
    ) -> BatchJobState:
        """Go on waiting for the job, or start it again if it did not succeed."""
        return self._converge(new, state, context)

    def delete(self, id: str, args: BatchJobArgs, state: BatchJobState, context: Context) -> None:
        """Cancel a running job, wait until it has stopped, delete it. Its output stays."""
        limit = context.limit(args.timeouts.delete, DELETE_SECONDS)
        for job in self._runs(args, state, context):
            name = job.name or ""
            try:
                if not job.ended:
                    context.progress("cancelling the job")
                    context.clients.vertex.cancel_batch_prediction_job(name)
                    context.clients.operations.wait_job(job, timeout=limit, cancelled=context.cancelled)
                context.progress("deleting the job; its output stays")
                context.wait(context.clients.vertex.delete_batch_prediction_job(name), limit, "deleting the job")
            except NotFound:
                continue

    def _converge(self, args: BatchJobArgs, state: BatchJobState, context: Context) -> BatchJobState:
        job = self._usable(args, state, context)
        if job is None:
            job = self._start(args, state, context)
        else:
            context.progress("staying with the job that is there already")
        if not args.wait:
            return _state(job)
        try:
            job = context.clients.operations.wait_job(
                job,
                timeout=context.limit(args.timeouts.create, CREATE_SECONDS),
                on_progress=lambda progress: context.progress(f"the job is {progress.stage}"),
                cancelled=context.cancelled,
            )
        except MgError as error:
            error.exists = [job.name or ""]
            raise Incomplete(error, self._id(args), args, _state(job)) from error
        if job.state not in (JobState.SUCCEEDED, JobState.PARTIALLY_SUCCEEDED):
            raise Incomplete(_failure(job, args), self._id(args), args, _state(job))
        return _state(job)

    def _start(self, args: BatchJobArgs, state: BatchJobState, context: Context) -> BatchPredictionJob:
        """Call create once. If the answer is lost, the job is looked for instead."""
        context.progress("starting the job")
        try:
            return context.clients.vertex.create_batch_prediction_job(args.parent, args.wire())
        except ConnectionFailed:
            job = self._usable(args, state, context)
            if job is None:
                raise
            return job

    def _usable(self, args: BatchJobArgs, state: BatchJobState, context: Context) -> BatchPredictionJob | None:
        """A job of this run that succeeded or still may."""
        lost = (JobState.FAILED, JobState.CANCELLED, JobState.CANCELLING, JobState.EXPIRED)
        return next((job for job in self._runs(args, state, context) if job.state not in lost), None)

    def _runs(self, args: BatchJobArgs, state: BatchJobState, context: Context) -> list[BatchPredictionJob]:
        """Every job of this run: the one in the stack's state, and those found by their labels.

        A job's labels are fixed, so one that ran before the stack was renamed has the old ones.
        """
        own = args.own_labels()
        found = context.clients.vertex.list_batch_prediction_jobs(
            args.parent, " AND ".join(f"labels.{key}={value}" for key, value in sorted(own.items()))
        )
        jobs = [job for job in found if own.items() <= (job.labels or {}).items()]
        known = self._get(state.batch_prediction_job, context)
        return jobs if known is None or known.name in [job.name for job in jobs] else [known, *jobs]

    def _find(self, args: BatchJobArgs, state: BatchJobState, context: Context) -> BatchPredictionJob | None:
        if not state.batch_prediction_job:
            return next(iter(self._runs(args, state, context)), None)
        return self._get(state.batch_prediction_job, context)

    def _get(self, name: str, context: Context) -> BatchPredictionJob | None:
        try:
            return context.clients.vertex.get_batch_prediction_job(name) if name else None
        except NotFound:
            return None

    def _id(self, args: BatchJobArgs) -> str:
        return f"{args.parent}/runs/{args.run}"


def _state(job: BatchPredictionJob) -> BatchJobState:
    stats, info = job.completion_stats, job.output_info
    errors = [status.message or "" for status in job.partial_failures or []]
    if job.error is not None:
        errors.insert(0, job.error.message or "")
    table = info.bigquery_output_table if info else None
    dataset = info.bigquery_output_dataset if info else None
    location = (info.gcs_output_directory if info else None) or (f"{dataset}.{table}" if table else dataset)
    return BatchJobState(
        batch_prediction_job=job.name or "",
        job_state=str(job.state or ""),
        successful_count=(stats.successful_count if stats else 0) or 0,
        failed_count=(stats.failed_count if stats else 0) or 0,
        output_location=location or "",
        replica_hours=(job.resources_consumed.replica_hours if job.resources_consumed else 0.0) or 0.0,
        first_errors=errors[:10],
    )


def _failure(job: BatchPredictionJob, args: BatchJobArgs) -> MgError:
    told = job.error.message if job.error else "no reason was given"
    return MgError(
        f"the job ended as {job.state}: {told}",
        resource=args.resource,
        hint="mend the cause and run `pulumi up` again, which starts a new job",
        exists=[job.name or ""],
    )


class BatchJobProvider(DynamicProvider):
    """Serves ``BatchJob``. Its path is in the state of every stack and never changes."""

    lifecycle = BatchJobLifecycle


class BatchJob(DynamicResource, module="mg", name="BatchJob"):
    """One batch prediction run.

    Args:
        name: The resource's name in the program.
        input_config: What the job reads.
        output_config: Where the job writes.
        model: publishers/{publisher}/models/{model}@{version}, or a Model's resource name.
        unmanaged_container_model: A model that is not in the registry instead.
        endpoint: Endpoint that computes the predictions instead.
        display_name: Name for people; default the resource's name.
        machine_spec: Machine of one replica.
        starting_replica_count: Replicas that the job starts with.
        max_replica_count: Most replicas that the job may use; default 1.
        spot: Use Spot VMs.
        flex_start: Queue for capacity instead of failing at once.
        instance_config: How a row becomes an instance.
        model_parameters: Parameters sent with every instance.
        manual_batch_tuning_parameters: How rows are grouped.
        service_account: Service account that the container runs as.
        encryption_spec: Customer-managed key.
        disable_container_logging: Keep the container's output out of Cloud Logging.
        labels: Labels of the job.
        triggers: Any values; another run when one changes.
        wait: Wait until the job has ended; default yes.
        project: Project id; default from configuration.
        region: Region; default from configuration.
        timeouts: Seconds to wait: create, update, delete.
        opts: Pulumi's options.
    """

    provider_type = BatchJobProvider

    batch_prediction_job: pulumi.Output[str]
    job_state: pulumi.Output[str]
    successful_count: pulumi.Output[int]
    failed_count: pulumi.Output[int]
    output_location: pulumi.Output[str]
    replica_hours: pulumi.Output[float]
    first_errors: pulumi.Output[Sequence[str]]

    def __init__(
        self,
        name: str,
        *,
        input_config: pulumi.Input[InputConfigInput],
        output_config: pulumi.Input[OutputConfigInput],
        model: pulumi.Input[str] | None = None,
        unmanaged_container_model: pulumi.Input[UnmanagedContainerModelInput] | None = None,
        endpoint: pulumi.Input[str] | None = None,
        display_name: pulumi.Input[str] | None = None,
        machine_spec: pulumi.Input[MachineSpecInput] | None = None,
        starting_replica_count: pulumi.Input[int] | None = None,
        max_replica_count: pulumi.Input[int] | None = None,
        spot: pulumi.Input[bool] | None = None,
        flex_start: pulumi.Input[FlexStartInput] | None = None,
        instance_config: pulumi.Input[InstanceConfigInput] | None = None,
        model_parameters: pulumi.Input[Mapping[str, object]] | None = None,
        manual_batch_tuning_parameters: pulumi.Input[ManualBatchTuningParametersInput] | None = None,
        service_account: pulumi.Input[str] | None = None,
        encryption_spec: pulumi.Input[EncryptionSpecInput] | None = None,
        disable_container_logging: pulumi.Input[bool] | None = None,
        labels: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        triggers: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        wait: pulumi.Input[bool] | None = None,
        project: pulumi.Input[str] | None = None,
        region: pulumi.Input[str] | None = None,
        timeouts: pulumi.Input[TimeoutsInput] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, locals(), opts)
