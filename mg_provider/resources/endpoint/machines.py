"""The machines that serve a model: what a user says of them, and what would contradict itself."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from mg_provider.preflight.metrics import metrics_problem
from mg_provider.resources.endpoint.capacity import MachineChoice, accepts, choices_of, choices_problem
from mg_provider.resources.endpoint.scale_to_zero import several_hosts_problem
from mg_provider.resources.model.args import Rule
from mg_provider.resources.model.marks import InPlace, NotInDeploy, ReadBack, RollsOut, SetLike
from mg_provider.resources.model.meaning import Costs, Exposure, Service
from mg_provider.resources.model.nested_rules import flex_start_problem, idle_problem
from mg_provider.resources.model.standing import Stands, Unseen, asked_for, fixed_while_running, seen, standing
from mg_provider.resources.model.unknown import UNKNOWN, Unknown
from mg_provider.wire.base import nested, same, value_at
from mg_provider.wire.form import Form
from mg_provider.wire.vertex.deployed_model import DeployedModel
from mg_provider.wire.vertex.machine import (
    AutoscalingMetricSpec,
    DedicatedResources,
    FlexStart,
    MachineSpec,
    ScaleToZeroSpec,
)

_NEW_DEPLOYMENT = "a new deployment, as a running one cannot be changed in this"
MUTATE = "endpoints.mutateDeployedModel"
SERVICE_ACCOUNT = Form(
    r"[a-z0-9-]+@([a-z0-9-]+\.)+gserviceaccount\.com",
    "the email address of a service account, NAME@PROJECT.iam.gserviceaccount.com",
)
MOST_REPLICAS = 10_000
"""More than any project's quota: a higher number is a slip."""


class Machines(BaseModel):
    """Machines, their number, and how that number follows the load."""

    model_config = ConfigDict(extra="forbid", defer_build=True)
    # As of Args.
    always_in_ids: ClassVar[frozenset[str]] = frozenset(
        {"machine_spec", "spot", "flex_start", "service_account", "fast_tryout_enabled"}
    )

    machine_spec: Annotated[
        MachineChoice | None,
        RollsOut("a new deployment, unless the machine in use is still a choice"),
        Costs("machine"),
        Stands("deployment", "dedicated_resources.machine_spec"),
    ] = Field(
        default=None,
        description="Machine of one replica, or a list of choices: each is tried in turn while capacity or quota is "
        "short. Default: the one that Model Garden recommends for the weights, else Google's for the model.",
    )
    min_replica_count: Annotated[
        int,
        InPlace(MUTATE),
        Costs("fewest"),
        Stands("deployment", "dedicated_resources.min_replica_count", always=True),
    ] = Field(
        default=1,
        ge=0,
        le=MOST_REPLICAS,
        description="Replicas that always run; 0 only together with scale_to_zero_spec.",
    )
    max_replica_count: Annotated[
        int | None,
        InPlace(MUTATE),
        Costs("most"),
        Stands("deployment", "dedicated_resources.max_replica_count"),
        ReadBack(),
    ] = Field(
        default=None,
        ge=1,
        le=MOST_REPLICAS,
        description="Most replicas under load; quota is charged on it. Default: the minimum.",
    )
    required_replica_count: Annotated[
        int | None, InPlace(MUTATE), Stands("deployment", "dedicated_resources.required_replica_count")
    ] = Field(
        default=None,
        ge=0,
        le=MOST_REPLICAS,
        description="Replicas that must be up for the deployment to count as a success.",
    )
    initial_replica_count: Annotated[
        int | None, InPlace(MUTATE), Stands("deployment", "dedicated_resources.initial_replica_count")
    ] = Field(
        default=None,
        ge=1,
        le=MOST_REPLICAS,
        description="Replicas started when scaling up from zero: 1 to max_replica_count; min_replica_count is 0.",
    )
    autoscaling_metric_specs: Annotated[
        list[AutoscalingMetricSpec],
        InPlace(MUTATE),
        Service("how the replicas follow the load"),
        SetLike(),
        Stands("deployment", "dedicated_resources.autoscaling_metric_specs"),
    ] = Field(default=[], description="Metrics that drive the number of replicas.")
    scale_to_zero_spec: Annotated[
        ScaleToZeroSpec | None,
        InPlace(MUTATE),
        Service("going down to no replica when idle"),
        Stands("deployment", "dedicated_resources.scale_to_zero_spec"),
    ] = Field(
        default=None,
        description="Let the deployment go down to no replica when idle. A request is then answered 429 and wakes it. "
        "After 30 idle days Google undeploys it: `pulumi up --refresh` deploys it again. It is the endpoint's one "
        "model, at an address of its own, and rolled out by recreate.",
    )
    spot: Annotated[
        bool,
        RollsOut(_NEW_DEPLOYMENT),
        Costs("spot"),
        Stands("deployment", "dedicated_resources.spot", always=True),
    ] = Field(default=False, description="Use Spot VMs: cheaper, and they may be taken away.")
    flex_start: Annotated[
        FlexStart | None,
        RollsOut(_NEW_DEPLOYMENT),
        Costs("queued"),
        Stands("deployment", "dedicated_resources.flex_start"),
    ] = Field(default=None, description="Queue for capacity instead of failing at once.")
    service_account: Annotated[
        str,
        RollsOut(_NEW_DEPLOYMENT),
        Exposure("the service account that the container runs as"),
        Stands("deployment", "service_account"),
        # No published client sends one with it: the container might run as another one.
        NotInDeploy(),
        SERVICE_ACCOUNT,
    ] = Field(default="", description="Service account that the container runs as.")
    fast_tryout_enabled: Annotated[
        bool,
        RollsOut(_NEW_DEPLOYMENT),
        Stands("deployment", "faster_deployment_config.fast_tryout_enabled"),
        Unseen("Google does not promise to show it for what Model Garden deployed", sent=True),
    ] = Field(default=False, description="Deploy quickly on shared capacity, for trying a model out.")
    enable_access_logging: Annotated[
        bool,
        RollsOut(_NEW_DEPLOYMENT),
        Stands("deployment", "enable_access_logging", always=True),
        NotInDeploy(needed=True),
    ] = Field(default=False, description="Log the time and the latency of each request to Cloud Logging, at its price.")

    @property
    def autoscales(self) -> bool:
        """Whether the number of replicas follows the load."""
        return (self.max_replica_count or 1) > max(self.min_replica_count, 1)

    def choices(self) -> list[MachineSpec]:
        """The machines in the order in which they are tried; empty if none was given."""
        return choices_of(self.machine_spec)

    def on(self, machine: MachineSpec) -> Self:
        """The same on one machine."""
        return self.model_copy(update={"machine_spec": machine})

    def resources(self) -> DedicatedResources:
        """The machines and their number, as the API takes them; of several machines the first."""
        return self.deployed().dedicated_resources or DedicatedResources()

    def deployed(self, **more: Any) -> DeployedModel:
        """The deployment that gives this, whichever call makes it; of several machines on the first.

        Args:
            more: What only the resource knows: model, id, names; ``enable_container_logging`` where the program leaves
                that open.
        """
        asked = {
            **asked_for(self, "deployment"),
            "dedicated_resources.machine_spec": next(iter(self.choices()), None),
            "dedicated_resources.max_replica_count": self.max_replica_count or max(self.min_replica_count, 1),
        }
        return DeployedModel(**{**more, **nested(asked)})


RUNS_ON = fixed_while_running(Machines)
"""The arguments that are fixed while a deployment runs: another value is another deployment."""

M = TypeVar("M", bound=Machines)


def with_most_replicas(machines: M) -> M:
    """With the most replicas written down, so that leaving them out and writing the minimum are the same."""
    if isinstance(machines, Unknown) or machines.max_replica_count is not None:
        return machines
    minimum: int | Unknown = machines.min_replica_count
    most = UNKNOWN if isinstance(minimum, Unknown) else max(minimum, 1)
    return machines.model_copy(update={"max_replica_count": most})


def _machine(machines: Machines) -> str | None:
    return choices_problem(machines.machine_spec)


def _initial(machines: Machines) -> str | None:
    initial, most = machines.initial_replica_count, machines.max_replica_count or max(machines.min_replica_count, 1)
    if initial is None:
        return None
    if machines.min_replica_count != 0:
        return f"is {initial}, which only has an effect with min_replica_count 0: remove it"
    return f"is {initial}, more than max_replica_count {most}: use 1 to {most}" if initial > most else None


def _replicas(machines: Machines) -> str | None:
    minimum, maximum, required = machines.min_replica_count, machines.max_replica_count, machines.required_replica_count
    if minimum == 0 and machines.scale_to_zero_spec is None:
        return "is 0: set scale_to_zero_spec as well, or at least 1"
    if machines.scale_to_zero_spec is not None and minimum != 0:
        return f"is {minimum}, but scale_to_zero_spec needs 0: change one of them"
    if maximum is not None and maximum < max(minimum, 1):
        return f"is {minimum}, more than max_replica_count {maximum}: raise max_replica_count or lower it"
    if required is not None and required > minimum:
        return f"is {minimum}, less than required_replica_count {required}: lower required_replica_count"
    if minimum < 18 and any(spec.machine_type == "a4x-highgpu-4g" for spec in machines.choices()):
        return f"is {minimum}, but a4x-highgpu-4g needs at least 18"
    return None


MACHINE_RULES = (
    Rule(("machine_spec",), _machine),
    Rule(("initial_replica_count", "min_replica_count", "max_replica_count"), _initial),
    Rule(("autoscaling_metric_specs",), lambda machines: metrics_problem(machines.autoscaling_metric_specs)),
    Rule(("scale_to_zero_spec",), lambda machines: idle_problem(machines.scale_to_zero_spec)),
    Rule(("machine_spec", "scale_to_zero_spec"), several_hosts_problem),
    Rule(("flex_start",), lambda machines: flex_start_problem(machines.flex_start)),
    Rule(
        ("min_replica_count", "max_replica_count", "required_replica_count", "scale_to_zero_spec", "machine_spec"),
        _replicas,
    ),
)


def unlike(wanted: Machines, deployed: DeployedModel) -> list[str]:
    """The arguments that are fixed while a deployment runs, of which this one has another value."""
    paths = standing(Machines, "deployment")
    actual = {name: value_at(deployed, paths[name]) for name in RUNS_ON}
    return [
        name
        for name, value in actual.items()
        if not (accepts(wanted.machine_spec, value) if name == "machine_spec" else same(getattr(wanted, name), value))
    ]


def observed_deployment(wanted: Machines, deployed: DeployedModel) -> dict[str, object]:
    """The arguments that would give a deployment. Each of the machines to choose from is the right one."""
    actual = seen(type(wanted), "deployment", deployed)
    if accepts(wanted.machine_spec, actual["machine_spec"]):
        actual["machine_spec"] = wanted.machine_spec
    return actual
