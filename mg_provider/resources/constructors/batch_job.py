"""The constructor and the outputs of ``BatchJob``.

Generated from its arguments and outputs by `make generate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pulumi import Input, Output, ResourceOptions

from mg_provider.resources.dynamic.resource import DynamicResource
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


class BatchJobConstructor(DynamicResource):
    """What a program passes to ``BatchJob`` and reads of it."""

    project: Output[str]
    """Project id. Default: `mg:project`, else `gcp:project`, else GOOGLE_CLOUD_PROJECT."""
    region: Output[str]
    """Region, for example us-central1. Default: `mg:region`, else `gcp:region`."""
    display_name: Output[str]
    """Name for people. Default: the resource's name."""
    run: Output[str]
    """Name of this run: the label mg-run."""
    batch_prediction_job: Output[str]
    """Resource name of the job."""
    job_state: Output[str]
    """JOB_STATE_SUCCEEDED, JOB_STATE_RUNNING, …."""
    machine_type: Output[str]
    """Machine type that the job runs on, also where Google chose it."""
    accelerator_type: Output[str]
    """Accelerator of that machine, such as NVIDIA_L4."""
    accelerator_count: Output[int]
    """Accelerators of one machine."""
    successful_count: Output[int]
    """Rows that were answered; an error in the place of an answer does not count."""
    failed_count: Output[int]
    """Rows that failed, also where the service counts them as answered."""
    incomplete_count: Output[int]
    """Rows that were not looked at; -1 where that is not known."""
    output_location: Output[str]
    """gs:// folder or bq:// table with the output."""
    replica_hours: Output[float]
    """Replica hours used."""
    first_errors: Output[list[str]]
    """Why the job failed, then the first rows that failed, by custom_id, and why."""
    passed_over: Output[list[str]]
    """Jobs that found no machine, after which another choice of machine_spec was tried."""

    def __init__(
        self,
        name: str,
        *,
        input_config: Input[InputConfigInput],
        output_config: Input[OutputConfigInput],
        display_name: Input[str | None] = None,
        model: Input[str | None] = None,
        unmanaged_container_model: Input[UnmanagedContainerModelInput | None] = None,
        endpoint: Input[str | None] = None,
        machine_spec: Input[MachineSpecInput | Sequence[Input[MachineSpecInput]] | None] = None,
        starting_replica_count: Input[int | None] = None,
        max_replica_count: Input[int | None] = None,
        spot: Input[bool | None] = None,
        flex_start: Input[FlexStartInput | None] = None,
        instance_config: Input[InstanceConfigInput | None] = None,
        model_parameters: Input[Mapping[str, Input[object]] | None] = None,
        manual_batch_tuning_parameters: Input[ManualBatchTuningParametersInput | None] = None,
        service_account: Input[str | None] = None,
        encryption_spec: Input[EncryptionSpecInput | None] = None,
        disable_container_logging: Input[bool | None] = None,
        labels: Input[Mapping[str, Input[str]] | None] = None,
        triggers: Input[Mapping[str, Input[str]] | None] = None,
        wait: Input[bool | None] = None,
        allow_partial: Input[float | None] = None,
        delete_output: Input[bool | None] = None,
        preflight: Input[bool | None] = None,
        project: Input[str | None] = None,
        region: Input[str | None] = None,
        timeouts: Input[TimeoutsInput | None] = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Register it with the engine.

        Args:
            name: The resource's name in the program.
            input_config: What the job reads. Required.
            output_config: Where the job writes. Required.
            display_name: Name for people. Default: the resource's name.
            model: publishers/{publisher}/models/{model}@{version}, or a Model's resource name.
            unmanaged_container_model: A model that is not in the registry instead.
            endpoint: Endpoint that computes the predictions instead.
            machine_spec: Machine of one replica, or a list of choices: where a job finds no machine, another job tries
                the next. Default: Google's verified one for the model.
            starting_replica_count: Replicas that the job runs on and that are paid for, from its start to its end.
                Default: 1.
            max_replica_count: Sent, but Vertex AI adds no replica to a running job: set starting_replica_count instead.
                Default: `1`.
            spot: Use Spot VMs. Default: `False`.
            flex_start: Queue for capacity instead of failing at once.
            instance_config: How a row becomes an instance.
            model_parameters: Parameters sent with every instance.
            manual_batch_tuning_parameters: How rows are grouped.
            service_account: Service account that the container runs as.
            encryption_spec: Customer-managed key.
            disable_container_logging: Keep the container's output out of Cloud Logging. Default: `False`.
            labels: Labels of the job.
            triggers: Any values; another run when one changes, such as an object's generation.
            wait: Wait until the job has ended; otherwise the next `up` or `refresh` sees how far it is. Default:
                `True`.
            allow_partial: Share of rows that may fail, 0 to 1; with more, a job that partially succeeded is an error.
                Default: `0.0`.
            delete_output: Delete the output of this run together with its job. Otherwise it stays. Default: `False`.
            preflight: Check the input and the output's place before a job is started. Default: `True`.
            project: Project id. Default: `mg:project`, else `gcp:project`, else GOOGLE_CLOUD_PROJECT.
            region: Region, for example us-central1. Default: `mg:region`, else `gcp:region`.
            timeouts: Seconds to wait: create, update, delete.
            opts: Pulumi's options.
        """
        super().__init__(
            name,
            {
                "input_config": input_config,
                "output_config": output_config,
                "display_name": display_name,
                "model": model,
                "unmanaged_container_model": unmanaged_container_model,
                "endpoint": endpoint,
                "machine_spec": machine_spec,
                "starting_replica_count": starting_replica_count,
                "max_replica_count": max_replica_count,
                "spot": spot,
                "flex_start": flex_start,
                "instance_config": instance_config,
                "model_parameters": model_parameters,
                "manual_batch_tuning_parameters": manual_batch_tuning_parameters,
                "service_account": service_account,
                "encryption_spec": encryption_spec,
                "disable_container_logging": disable_container_logging,
                "labels": labels,
                "triggers": triggers,
                "wait": wait,
                "allow_partial": allow_partial,
                "delete_output": delete_output,
                "preflight": preflight,
                "project": project,
                "region": region,
                "timeouts": timeouts,
            },
            opts,
        )
