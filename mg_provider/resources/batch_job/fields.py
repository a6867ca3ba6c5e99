"""The arguments of a batch prediction run, each with its marks."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from mg_provider.resources.endpoint.capacity import MachineChoice
from mg_provider.resources.endpoint.machines import MOST_REPLICAS, SERVICE_ACCOUNT
from mg_provider.resources.model.identity import Labels
from mg_provider.resources.model.lifecycle import CloudArgs
from mg_provider.resources.model.marks import Computed, Derived, FilledIn, Lines, Local, Replaces
from mg_provider.resources.model.meaning import Content, Costs, Exposure, Flow, Inner, SafetyNet
from mg_provider.resources.model.names import EndpointName
from mg_provider.resources.model.standing import Stands, Unseen
from mg_provider.wire.vertex.batch import (
    InputConfig,
    InstanceConfig,
    ManualBatchTuningParameters,
    OutputConfig,
    UnmanagedContainerModel,
)
from mg_provider.wire.vertex.encryption import EncryptionSpec
from mg_provider.wire.vertex.machine import FlexStart

_FIXED = "a job cannot be changed, so another one runs"


class BatchJobFields(CloudArgs):
    """What a user says of a batch prediction run."""

    owner: Annotated[str, Local("a job's labels are fixed"), FilledIn(), Inner()] = Field(
        default="",
        description="organization/project/stack, set by the constructor; its hash is the label mg-owner of a job that "
        "the stack started.",
    )
    display_name: Annotated[str, Replaces(_FIXED), Stands("job", "display_name"), Computed()] = Field(
        default="", max_length=128, description="Name for people. Default: the resource's name."
    )
    model: Annotated[str, Replaces(_FIXED), Content("model"), Stands("job", "model")] = Field(
        default="", description="publishers/{publisher}/models/{model}@{version}, or a Model's resource name."
    )
    unmanaged_container_model: Annotated[
        UnmanagedContainerModel | None,
        Replaces(_FIXED),
        Content("model"),
        Stands("job", "unmanaged_container_model"),
        Lines(),
    ] = Field(default=None, description="A model that is not in the registry instead.")
    endpoint: Annotated[EndpointName, Replaces(_FIXED), Content("endpoint"), Stands("job", "endpoint")] = Field(
        default="",
        description="Endpoint that computes the predictions instead.",
    )
    input_config: Annotated[InputConfig, Replaces(_FIXED), Flow("reads"), Stands("job", "input_config")] = Field(
        description="What the job reads."
    )
    output_config: Annotated[OutputConfig, Replaces(_FIXED), Flow("writes"), Stands("job", "output_config")] = Field(
        description="Where the job writes."
    )
    machine_spec: Annotated[
        MachineChoice | None,
        Replaces(_FIXED),
        Costs("machine", a_run=True),
        Stands("job", "dedicated_resources.machine_spec"),
    ] = Field(
        default=None,
        description="Machine of one replica, or a list of choices: where a job finds no machine, another job tries the "
        "next. Default: Google's verified one for the model.",
    )
    starting_replica_count: Annotated[
        int | None, Replaces(_FIXED), Costs("fewest"), Stands("job", "dedicated_resources.starting_replica_count")
    ] = Field(
        default=None,
        ge=1,
        le=MOST_REPLICAS,
        description="Replicas that the job runs on and that are paid for, from its start to its end. Default: 1.",
    )
    max_replica_count: Annotated[int, Replaces(_FIXED), Stands("job", "dedicated_resources.max_replica_count")] = Field(
        default=1,
        ge=1,
        le=MOST_REPLICAS,
        description="Sent, but Vertex AI adds no replica to a running job: set starting_replica_count instead.",
    )
    spot: Annotated[bool, Replaces(_FIXED), Costs("spot"), Stands("job", "dedicated_resources.spot")] = Field(
        default=False, description="Use Spot VMs."
    )
    flex_start: Annotated[
        FlexStart | None, Replaces(_FIXED), Costs("queued"), Stands("job", "dedicated_resources.flex_start")
    ] = Field(default=None, description="Queue for capacity instead of failing at once.")
    instance_config: Annotated[InstanceConfig | None, Replaces(_FIXED), Stands("job", "instance_config")] = Field(
        default=None, description="How a row becomes an instance."
    )
    model_parameters: Annotated[
        dict[str, object] | None, Replaces(_FIXED), Stands("job", "model_parameters"), Lines()
    ] = Field(default=None, description="Parameters sent with every instance.")
    manual_batch_tuning_parameters: Annotated[
        ManualBatchTuningParameters | None, Replaces(_FIXED), Stands("job", "manual_batch_tuning_parameters")
    ] = Field(default=None, description="How rows are grouped.")
    service_account: Annotated[
        str,
        Replaces(_FIXED),
        Exposure("the service account that the container runs as"),
        Stands("job", "service_account"),
        SERVICE_ACCOUNT,
    ] = Field(
        default="",
        description="Service account that the container runs as.",
    )
    encryption_spec: Annotated[
        EncryptionSpec | None,
        Replaces(_FIXED),
        Exposure("the key that encrypts it"),
        Stands("job", "encryption_spec"),
    ] = Field(default=None, description="Customer-managed key.")
    disable_container_logging: Annotated[bool, Replaces(_FIXED), Stands("job", "disable_container_logging")] = Field(
        default=False, description="Keep the container's output out of Cloud Logging."
    )
    labels: Annotated[
        Labels,
        Local("a job's labels are fixed; the next run has the new ones"),
        Stands("job", "labels"),
        Unseen("nobody can change a job's labels", sent=True, kept=True),
    ] = Field(default={}, description="Labels of the job.")
    triggers: Annotated[
        dict[str, str], Replaces("the program asks for another run"), Lines(), Unseen("part of the run's name")
    ] = Field(default={}, description="Any values; another run when one changes, such as an object's generation.")
    wait: Annotated[bool, Local("used by the next call")] = Field(
        default=True,
        description="Wait until the job has ended; otherwise the next `up` or `refresh` sees how far it is.",
    )
    # True and False are the whole and none.
    allow_partial: Annotated[
        float,
        BeforeValidator(lambda given: float(given) if isinstance(given, bool) else given),
        Local("used when the job has ended"),
        SafetyNet("a row that fails is an error", on=lambda share: not share),
    ] = Field(
        default=0.0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Share of rows that may fail, 0 to 1; with more, a job that partially succeeded is an error.",
    )
    delete_output: Annotated[
        bool,
        Local("used by destroy and by the next run"),
        SafetyNet("the output of a run stays", on=lambda deleted: not deleted),
    ] = Field(default=False, description="Delete the output of this run together with its job. Otherwise it stays.")
    preflight: Annotated[
        bool, Local("used when a job is started"), SafetyNet("preflight, the check of the input", on=bool)
    ] = Field(default=True, description="Check the input and the output's place before a job is started.")
    run: Annotated[str, Derived(), Local("follows from the arguments")] = Field(
        default="", description="Name of this run: the label mg-run."
    )
