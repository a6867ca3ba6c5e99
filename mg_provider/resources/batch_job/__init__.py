"""``BatchJob``: one run of batch prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from mg_provider.resources.batch_job.lifecycle import BatchJobLifecycle
from mg_provider.resources.dynamic.host import DynamicProvider
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
        starting_replica_count: Replicas that the job runs on, from its start to its end; default 1.
        max_replica_count: Sent, but Vertex AI adds no replica to a running job.
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
        allow_partial: Share of rows that may fail, 0 to 1; default none. True accepts any.
        delete_output: Delete this run's output together with its job; default no.
        preflight: Check the input and the output's place before a job is started; default yes.
        project: Project id; default from configuration.
        region: Region; default from configuration.
        timeouts: Seconds to wait: create, update, delete.
        opts: Pulumi's options.
    """

    provider_type = BatchJobProvider

    batch_prediction_job: pulumi.Output[str]
    job_state: pulumi.Output[str]
    machine_type: pulumi.Output[str]
    accelerator_type: pulumi.Output[str]
    accelerator_count: pulumi.Output[int]
    successful_count: pulumi.Output[int]
    failed_count: pulumi.Output[int]
    incomplete_count: pulumi.Output[int]
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
        allow_partial: pulumi.Input[float] | None = None,
        delete_output: pulumi.Input[bool] | None = None,
        preflight: pulumi.Input[bool] | None = None,
        project: pulumi.Input[str] | None = None,
        region: pulumi.Input[str] | None = None,
        timeouts: pulumi.Input[TimeoutsInput] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, locals(), opts)
