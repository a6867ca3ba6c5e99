"""What a model runs on: machines, replicas, autoscaling."""

from __future__ import annotations

from pydantic import Field

from mg_provider.wire.base import Duration, WireModel


class ReservationAffinity(WireModel):
    """Which Compute Engine reservations the machines may consume."""

    reservation_affinity_type: str = Field(
        description="NO_RESERVATION, ANY_RESERVATION or SPECIFIC_RESERVATION.",
    )
    key: str | None = Field(
        default=None,
        description="Label key of a specific reservation: compute.googleapis.com/reservation-name.",
    )
    values: list[str] | None = Field(
        default=None,
        description="Full resource names of the reservations, projects/{project}/zones/{zone}/reservations/{name}.",
    )


class MachineSpec(WireModel):
    """One machine of a deployment."""

    machine_type: str | None = Field(default=None, description="Compute Engine machine type, such as g2-standard-12.")
    accelerator_type: str | None = Field(default=None, description="Accelerator on the machine, such as NVIDIA_L4.")
    accelerator_count: int | None = Field(default=None, description="Number of accelerators used by one replica.")
    gpu_partition_size: str | None = Field(
        default=None, description="Size of one GPU partition, such as 1g.10gb; the accelerator count is then 1."
    )
    tpu_topology: str | None = Field(default=None, description="Shape of a TPU slice, such as 2x2.")
    multihost_gpu_node_count: int | None = Field(
        default=None, description="Number of nodes that make up one replica when it spans several GPU hosts."
    )
    min_gpu_driver_version: str | None = Field(
        default=None, description="Lowest GPU driver version that the container works with."
    )
    reservation_affinity: ReservationAffinity | None = Field(
        default=None, description="Reservations that the machines consume."
    )


class AutoscalingMetricSpec(WireModel):
    """A metric that drives the number of replicas."""

    metric_name: str = Field(
        description="Metric, such as aiplatform.googleapis.com/prediction/online/accelerator/duty_cycle.",
    )
    target: int | None = Field(
        default=None, description="Value that autoscaling holds: percent for utilization metrics; 60 when left out."
    )
    monitored_resource_labels: dict[str, str] | None = Field(
        default=None, description="Labels that select the monitored resource, for metrics outside Vertex AI."
    )


class ScaleToZeroSpec(WireModel):
    """When a deployment may go down to no replica at all."""

    says_something_empty = True

    min_scaleup_period: Duration | None = Field(
        default=None, description="Time that a deployment stays up after scaling up, 300s to 28800s; 3600s if absent."
    )
    idle_scaledown_period: Duration | None = Field(
        default=None,
        description="Time without requests before scaling to zero, 300s to 28800s; 3600s when absent.",
    )


class FlexStart(WireModel):
    """Waits for capacity in Dynamic Workload Scheduler instead of failing at once."""

    says_something_empty = True

    max_runtime_duration: Duration | None = Field(
        default=None, description="Time after which the deployment is taken down, at most seven days (604800s)."
    )


class DedicatedResources(WireModel):
    """Machines that serve one deployed model alone."""

    machine_spec: MachineSpec | None = Field(default=None, description="The machine of one replica.")
    min_replica_count: int | None = Field(
        default=None, description="Replicas that always run; 0 only together with scale_to_zero_spec."
    )
    max_replica_count: int | None = Field(
        default=None, description="Most replicas under load; quota is charged on it. The minimum when absent."
    )
    required_replica_count: int | None = Field(
        default=None, description="Replicas that must be available for the deployment to count as a success."
    )
    initial_replica_count: int | None = Field(
        default=None, description="Replicas started when the deployment scales up from zero."
    )
    autoscaling_metric_specs: list[AutoscalingMetricSpec] | None = Field(
        default=None, description="Metrics that drive the number of replicas, each with its target."
    )
    scale_to_zero_spec: ScaleToZeroSpec | None = Field(
        default=None, description="Lets the deployment go down to no replica when it is idle."
    )
    spot: bool | None = Field(default=None, description="Use Spot VMs, which are cheaper and may be taken away.")
    flex_start: FlexStart | None = Field(
        default=None, description="Queue for capacity with Dynamic Workload Scheduler instead of failing at once."
    )


class AutomaticResources(WireModel):
    """Machines that Vertex AI chooses by itself."""

    says_something_empty = True

    min_replica_count: int | None = Field(default=None, description="Replicas that always run; 1 when absent.")
    max_replica_count: int | None = Field(default=None, description="Most replicas under load.")


class BatchDedicatedResources(WireModel):
    """Machines of one batch prediction job."""

    machine_spec: MachineSpec | None = Field(default=None, description="The machine of one replica; required.")
    starting_replica_count: int | None = Field(
        default=None, description="Replicas that the job runs on, from its start to its end."
    )
    max_replica_count: int | None = Field(
        default=None, description="Sent, but Vertex AI adds no replica to a running job."
    )
    spot: bool | None = Field(default=None, description="Use Spot VMs, which are cheaper and may be taken away.")
    flex_start: FlexStart | None = Field(
        default=None, description="Queue for capacity with Dynamic Workload Scheduler instead of failing at once."
    )
