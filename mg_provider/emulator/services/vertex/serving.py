"""How a deployed model comes to an endpoint and leaves it: stages, GPUs, quota, service attachment.

Stage names: the ``DeploymentStage`` enum of google-cloud-aiplatform 2.7.0. Their durations are made up; together they
are the twenty minutes that deployments of small models take.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mg_provider.emulator.core.machines import DEFAULT_SPEC, complete_spec, quota_name
from mg_provider.emulator.core.meter import Machines
from mg_provider.emulator.core.operations import Stage
from mg_provider.emulator.core.world import World
from mg_provider.emulator.google.errors import failed_precondition, invalid_argument, quota_exceeded, stockout
from mg_provider.emulator.services.compute.names import LINK_BASE
from mg_provider.emulator.services.container_log import STARTING, last_words, write_lines
from mg_provider.emulator.services.vertex.rules import check_metrics, check_scale_to_zero
from mg_provider.emulator.services.vertex.state import (
    Claim,
    Endpoint,
    Json,
    Key,
    publish_attachment,
    touch,
    vertex,
    withdraw_attachment,
)

DURATIONS = {
    "STARTING_DEPLOYMENT": 20.0,
    "PREPARING_MODEL": 160.0,
    "CREATING_SERVING_CLUSTER": 240.0,
    "ADDING_NODES_TO_CLUSTER": 240.0,
    "GETTING_CONTAINER_IMAGE": 180.0,
    "STARTING_MODEL_SERVER": 300.0,
    "FINISHING_UP": 60.0,
}
_AUTOMATED = ipaddress.IPv4Address("127.255.0.1")


def stage(world: World, name: str, finish: Any = None) -> Stage:
    """A deployment stage with its usual duration, unless the test set another."""
    return Stage(name, world.duration(name, DURATIONS[name]), finish)


def complete_resources(resources: Json) -> Json:
    """Dedicated resources with what Vertex AI fills in.

    Raises:
        ApiError: INVALID_ARGUMENT for replica counts or a machine that cannot be.
    """
    low = resources.get("minReplicaCount", 0)
    high = resources.get("maxReplicaCount", low or 1)
    path = "dedicated_resources.min_replica_count"
    if low < 1 and not (low == 0 and resources.get("scaleToZeroSpec") is not None):
        text = "min_replica_count must be at least 1."
        raise invalid_argument(text, (path, text))
    if high < low:
        text = f"max_replica_count {high} must not be less than min_replica_count {low}."
        raise invalid_argument(text, ("dedicated_resources.max_replica_count", text))
    if not 0 <= resources.get("requiredReplicaCount", 0) <= low:
        text = "required_replica_count must not be more than min_replica_count."
        raise invalid_argument(text, ("dedicated_resources.required_replica_count", text))
    check_scale_to_zero(resources, low, int(high or 1))
    check_metrics(resources.get("autoscalingMetricSpecs", []))
    machine = complete_spec(resources.get("machineSpec") or DEFAULT_SPEC)
    return {**resources, "machineSpec": machine, "minReplicaCount": low, "maxReplicaCount": high}


@dataclass
class ModelDeployment:
    """One deployed model on its way to an endpoint, which need not exist yet.

    Attributes:
        world: all state.
        key: of the endpoint.
        deployed: the DeployedModel as it will be shown.
        query_id: what chat/completions takes as ``model``.
        split: the traffic split from then on, or empty to leave it; "0" is this one.
        writes: whether its container runs and its output goes to Cloud Logging.
    """

    world: World
    key: Key
    deployed: Json
    query_id: str
    split: dict[str, int]
    writes: bool = False

    def __post_init__(self) -> None:
        vertex(self.world).busy.setdefault(self.key, []).append(self.id)

    @property
    def id(self) -> str:
        """Of the deployed model."""
        return str(self.deployed["id"])

    @property
    def meter_key(self) -> str:
        """What the GPU meter and quota know it by."""
        return meter_key(self.key, self.id)

    @property
    def previous(self) -> str:
        """The deployed model that this one replaces replica by replica, if it is such a deployment."""
        return str(self.deployed.get("rolloutOptions", {}).get("previousDeployedModel", ""))

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint. ApiError NOT_FOUND when it is not there."""
        return vertex(self.world).endpoint(self.key)

    def stages(self) -> list[Stage]:
        """From the first node to the last traffic percent."""
        world = self.world
        return [
            stage(world, "CREATING_SERVING_CLUSTER"),
            stage(world, "ADDING_NODES_TO_CLUSTER", self.add_machines),
            stage(world, "GETTING_CONTAINER_IMAGE", self.start_container),
            stage(world, "STARTING_MODEL_SERVER", self.appear),
            stage(world, "FINISHING_UP", self.finish),
        ]

    def claim_quota(self, at: float) -> None:
        """Reserve quota for the most replicas. ApiError RESOURCE_EXHAUSTED."""
        claim_quota(self.world, self.key, self.deployed)

    def add_machines(self, at: float) -> None:
        """Machines are up from here on, and cost money. ApiError UNAVAILABLE when there are none."""
        machine = self.deployed.get("dedicatedResources", {}).get("machineSpec", {}).get("machineType", "")
        region = self.key[1]
        if f"{region}/{machine}" in self.world.behaviours["stockouts"]:
            raise stockout()
        meter(self.world, self.key, self.deployed, first_replicas(self.deployed), at)

    def start_container(self, at: float) -> None:
        """The container runs from here on, and writes."""
        self.writes = bool(
            self.deployed.get("enableContainerLogging", not self.deployed.get("disableContainerLogging"))
        )
        self._write(at, "INFO", STARTING)

    def _write(self, at: float, severity: str, lines: Iterable[str]) -> None:
        if self.writes:
            write_lines(self.world, self.key, self.deployed, at, severity, lines)

    def appear(self, at: float) -> None:
        """The deployed model shows on the endpoint, with its service attachment; it gets no traffic yet."""
        endpoint = self.endpoint
        self.deployed["createTime"] = self.world.timestamp(at)
        self.deployed["status"] = {**self._replicas(), "lastUpdateTime": self.world.timestamp(at)}
        if endpoint.private is not None:
            attach(self.world, endpoint)
            self.deployed["privateEndpoints"] = {"serviceAttachment": endpoint.attachment}
        endpoint.deployed.append(self.deployed)
        endpoint.query_ids[self.id] = self.query_id
        touch(self.world, endpoint, at)

    def _replicas(self) -> Json:
        """How many came up, and why not all. ApiError UNAVAILABLE for fewer than it requires."""
        wanted = first_replicas(self.deployed)
        short = int(self.world.behaviours["replicas_short"].get(self.key[2], 0))
        if not short:
            return {"availableReplicaCount": wanted}
        required = self.deployed.get("dedicatedResources", {}).get("requiredReplicaCount") or wanted
        if wanted - short < required:
            raise stockout()
        return {"availableReplicaCount": wanted - short, "message": stockout().message}

    def finish(self, at: float) -> None:
        """It gets its traffic."""
        endpoint = self.endpoint
        if self.split and not self.previous:
            endpoint.resource["trafficSplit"] = {self.id if key == "0" else key: n for key, n in self.split.items()}
        touch(self.world, endpoint, at)
        self._no_longer_busy()
        if self.previous:
            replace_previous(self.world, endpoint, self.previous, self.id, at)

    def give_up(self, at: float) -> None:
        """It failed: machines and quota are given back, the endpoint stays as it was before."""
        self._no_longer_busy()
        self._write(at, "ERROR", [*last_words(self.deployed), *self.world.behaviours["container_lines"]])
        endpoint = vertex(self.world).endpoints.get(self.key)
        held = float(self.world.behaviours["failed_deploy_holds_seconds"])
        claim = vertex(self.world).claims.get(self.meter_key)
        release(self.world, self.key, self.id, at)
        if held > 0 and claim:
            _hold(self.world, self.meter_key, claim, at + held)
        if endpoint and any(deployed["id"] == self.id for deployed in endpoint.deployed):
            take_off(self.world, endpoint, self.id, at)

    def _no_longer_busy(self) -> None:
        busy = vertex(self.world).busy.get(self.key, [])
        if self.id in busy:
            busy.remove(self.id)


def meter_key(key: Key, deployed_id: str) -> str:
    """What the GPU meter and quota know a deployed model by."""
    number, region, endpoint = key
    return f"projects/{number}/locations/{region}/endpoints/{endpoint}/deployedModels/{deployed_id}"


def first_replicas(deployed: Json) -> int:
    """How many replicas are there right after the deployment."""
    resources = deployed.get("dedicatedResources") or deployed.get("automaticResources") or {}
    count: int = max(resources.get("initialReplicaCount", 0), resources.get("minReplicaCount", 1), 1)
    return count


def claim_quota(world: World, key: Key, deployed: Json) -> None:
    """Reserve, or change the reservation of, GPUs for the most replicas. ApiError RESOURCE_EXHAUSTED."""
    resources = deployed.get("dedicatedResources", {})
    machine = resources.get("machineSpec", {})
    accelerator, count = machine.get("acceleratorType", ""), machine.get("acceleratorCount", 0)
    most = resources.get("maxReplicaCount", 1)
    counted = most if world.behaviours["quota_counts"] == "most" else first_replicas(deployed)
    wanted = Claim(key[0], key[1], accelerator, count * _nodes(machine) * counted)
    claims = vertex(world).claims
    own = meter_key(key, deployed["id"])
    used = sum(
        claim.gpus
        for name, claim in claims.items()
        if name != own and (claim.project, claim.region, claim.accelerator) == (key[0], key[1], accelerator)
    )
    limit = quota_limit(world, key[0], key[1], accelerator)
    if limit is not None and used + wanted.gpus > limit:
        raise quota_exceeded(quota_name(accelerator))
    claims[own] = wanted


def quota_limit(world: World, number: str, region: str, accelerator: str) -> int | None:
    """GPUs that a project may use in a region; None is unlimited."""
    for name, gpus in world.quota.items():
        project, where, what = name.split("/")
        if (world.project_number(project), where, what) == (number, region, accelerator):
            return gpus
    return None


def _nodes(machine: Json) -> int:
    """The machines that make one replica."""
    count: int = max(machine.get("multihostGpuNodeCount", 1), 1)
    return count


def meter(world: World, key: Key, deployed: Json, replicas: int, at: float) -> None:
    """Count ``replicas`` machines from ``at`` on."""
    machine = deployed.get("dedicatedResources", {}).get("machineSpec", {})
    machines = Machines(
        machine.get("machineType", ""),
        machine.get("acceleratorType", ""),
        machine.get("acceleratorCount", 0),
        replicas,
        _nodes(machine),
    )
    world.meter.start(meter_key(key, deployed["id"]), machines, at)


def release(world: World, key: Key, deployed_id: str, at: float) -> None:
    """Give machines and quota back."""
    world.meter.stop(meter_key(key, deployed_id), at)
    vertex(world).claims.pop(meter_key(key, deployed_id), None)


def _hold(world: World, name: str, claim: Claim, until: float) -> None:
    """GPUs of a deployment that failed go on counting against quota for a while."""
    claims = vertex(world).claims
    claims[name] = claim

    def give_back(at: float) -> None:
        claims.pop(name, None)

    world.timeline.at(until, give_back)


def attach(world: World, endpoint: Endpoint) -> None:
    """Give a private endpoint its service attachment, the one it had if that is not given up yet."""
    if endpoint.recycling:
        endpoint.recycling.cancel()
        endpoint.recycling = None
    if endpoint.attachment is None:
        tenant = f"q{world.new_hex(15)}p-tp"
        region = endpoint.key[1]
        endpoint.attachment = f"projects/{tenant}/regions/{region}/serviceAttachments/gkedpm-{world.new_hex(30)}"
    publish_attachment(world, endpoint)
    _automate(world, endpoint)


def _automate(world: World, endpoint: Endpoint) -> None:
    """Make the consumer's side where the endpoint asks for it; a failure there does not fail the deployment."""
    for config in (endpoint.private or {}).get("pscAutomationConfigs", []):
        if world.behaviours["connection_policy"] == "missing":
            config["state"] = "PSC_AUTOMATION_STATE_FAILED"
            config["errorMessage"] = "CONNECTION_POLICY_MISSING"
        elif "ipAddress" not in config and endpoint.attachment:
            config["state"] = "PSC_AUTOMATION_STATE_SUCCESSFUL"
            config["ipAddress"] = _free_address(world)
            rule = f"regions/{endpoint.key[1]}/forwardingRules/sca-auto-fr-{world.new_uuid()}"
            config["forwardingRule"] = f"{LINK_BASE}projects/{config.get('projectId', '')}/{rule}"
            world.listeners.open(config["ipAddress"], endpoint.attachment)


def _free_address(world: World) -> str:
    taken = world.listeners.urls()
    address = _AUTOMATED
    while str(address) in taken:
        address += 1
    return str(address)


def replace_previous(world: World, endpoint: Endpoint, previous: str, new: str, at: float) -> None:
    """End a rolling deployment: the new one has the traffic of the previous one, which is gone or left empty.

    No source says which of both Google does.
    """
    split: dict[str, int] = dict(endpoint.resource.get("trafficSplit", {}))
    share = split.pop(previous, 0)
    if share:
        split[new] = split.get(new, 0) + share
    endpoint.resource["trafficSplit"] = split
    if world.behaviours["rolled_out_deployment"] == "undeployed":
        take_off(world, endpoint, previous, at)
    touch(world, endpoint, at)


def take_off(world: World, endpoint: Endpoint, deployed_id: str, at: float) -> None:
    """Remove a deployed model; after the last one the service attachment is given up some time later."""
    endpoint.resource["deployedModels"] = [each for each in endpoint.deployed if each["id"] != deployed_id]
    split: dict[str, int] = endpoint.resource.get("trafficSplit", {})
    split.pop(deployed_id, None)
    release(world, endpoint.key, deployed_id, at)
    if not endpoint.deployed:
        endpoint.resource["trafficSplit"] = {}
        remove_automation(world, endpoint)
        if endpoint.attachment:
            due = at + world.behaviours["attachment_recycle_seconds"]
            endpoint.recycling = world.timeline.at(due, lambda when: withdraw_attachment(world, endpoint))
    touch(world, endpoint, at)


def remove_automation(world: World, endpoint: Endpoint) -> None:
    """Without a deployed model the automated connections vanish."""
    for config in (endpoint.private or {}).get("pscAutomationConfigs", []):
        if "ipAddress" in config:
            world.listeners.close(config["ipAddress"])
        for name in ("ipAddress", "forwardingRule", "state", "errorMessage"):
            config.pop(name, None)


def check_free(world: World, key: Key) -> None:
    """ApiError FAILED_PRECONDITION when operations must not overlap and one runs.

    No source says what Google does; IndexEndpoints refuse in these words.
    """
    if world.behaviours["conflicting_operations"] != "refuse":
        return
    name = f"projects/{key[0]}/locations/{key[1]}/endpoints/{key[2]}"
    running = [operation.name for operation in world.operations.below(name) if not operation.done]
    if running or vertex(world).busy.get(key):
        text = f'There are other operations running on the Endpoint "{name}".'
        raise failed_precondition(f"{text} Operation(s) are: {', '.join(running)}." if running else text)
