"""What Vertex AI refuses of networks, timeouts and metrics, as its protos and pages say it."""

from __future__ import annotations

import re
from typing import Any

from mg_provider.emulator.google.errors import failed_precondition, invalid_argument

Json = dict[str, Any]

LONGEST_TIMEOUT = 3600
SHORTEST_IDLE, LONGEST_IDLE = 300, 28800
_NETWORK = re.compile(r"projects/[0-9]+/global/networks/[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_AUTOMATED_NETWORK = re.compile(r"projects/[a-z][a-z0-9.:-]*/global/networks/[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_PERCENT_METRICS = (
    "aiplatform.googleapis.com/prediction/online/cpu/utilization",
    "aiplatform.googleapis.com/prediction/online/accelerator/duty_cycle",
    "prometheus.googleapis.com/vertex_dcgm_fi_dev_gpu_util",
    "prometheus.googleapis.com/vertex_vllm_gpu_cache_usage_perc",
)


def check_network(name: str) -> None:
    """ApiError INVALID_ARGUMENT for a peered network that is not named with its project's number."""
    if name and not _NETWORK.fullmatch(name):
        text = f"Invalid network {name}: it must be projects/{{project number}}/global/networks/{{network}}."
        raise invalid_argument(text, ("endpoint.network", text))


def check_automation(config: Json) -> None:
    """ApiError INVALID_ARGUMENT for automation into a network of a project that may not connect."""
    for entry in config.get("pscAutomationConfigs", []):
        project, network = entry.get("projectId", ""), entry.get("network", "")
        path = "private_service_connect_config.psc_automation_configs"
        if project not in config.get("projectAllowlist", []):
            text = f"The project {project} of psc_automation_configs is not in project_allowlist."
            raise invalid_argument(text, (path, text))
        if not _AUTOMATED_NETWORK.fullmatch(network):
            text = f"Invalid network {network}: it must be projects/{{project id}}/global/networks/{{network}}."
            raise invalid_argument(text, (path, text))


def check_timeout(config: Json) -> None:
    """ApiError INVALID_ARGUMENT for a timeout of requests that is not between a second and an hour."""
    timeout = str(config.get("inferenceTimeout", "600s"))
    if not 1 <= float(timeout.removesuffix("s")) <= LONGEST_TIMEOUT:
        text = f"inference_timeout must be between 1s and {LONGEST_TIMEOUT}s, not {timeout}."
        raise invalid_argument(text, ("client_connection_config.inference_timeout", text))


def check_metrics(specs: list[Json]) -> None:
    """ApiError INVALID_ARGUMENT for autoscaling metrics with two entries, or a target that cannot be."""
    path = "dedicated_resources.autoscaling_metric_specs"
    names = [spec.get("metricName", "") for spec in specs]
    for name in names:
        if names.count(name) > 1:
            text = f"Duplicate autoscaling metric {name}."
            raise invalid_argument(text, (path, text))
    for spec in specs:
        target = spec.get("target", 60)
        if spec.get("metricName") in _PERCENT_METRICS and not 0 <= target <= 100:
            text = f"The target of {spec['metricName']} must be between 0 and 100, not {target}."
            raise invalid_argument(text, (path, text))
        if target < 0:
            text = f"The target of {spec['metricName']} must not be negative."
            raise invalid_argument(text, (path, text))


def check_scale_to_zero(resources: Json, low: int, high: int) -> None:
    """Replicas at the start and idle periods, which go with a deployment that scales to zero. ApiError."""
    initial = resources.get("initialReplicaCount")
    if initial and (low or not 1 <= initial <= high):
        text = f"initial_replica_count must be between 1 and max_replica_count, with min_replica_count 0: {initial}."
        raise invalid_argument(text, ("dedicated_resources.initial_replica_count", text))
    spec = resources.get("scaleToZeroSpec")
    if spec is None:
        return
    if low:
        text = "scale_to_zero_spec needs min_replica_count 0."
        raise invalid_argument(text, ("dedicated_resources.scale_to_zero_spec", text))
    if resources.get("machineSpec", {}).get("multihostGpuNodeCount", 1) > 1:
        text = "scale_to_zero_spec is not supported for multi-host deployments."
        raise invalid_argument(text, ("dedicated_resources.scale_to_zero_spec", text))
    for name in ("minScaleupPeriod", "idleScaledownPeriod"):
        seconds = float(spec.get(name, "3600s").removesuffix("s"))
        if not SHORTEST_IDLE <= seconds <= LONGEST_IDLE:
            text = f"{name} must be between {SHORTEST_IDLE} and {LONGEST_IDLE} seconds."
            raise invalid_argument(text, ("dedicated_resources.scale_to_zero_spec", text))


def check_alone_at_zero(deployed: Json, others: list[Json], dedicated: bool) -> None:
    """A deployment that scales to zero is the endpoint's only one, and not at the shared domain. ApiError."""
    if not any(each.get("dedicatedResources", {}).get("scaleToZeroSpec") is not None for each in (deployed, *others)):
        return
    if others:
        raise failed_precondition("An Endpoint with scale to zero can have only one DeployedModel.")
    if not dedicated:
        raise failed_precondition("Scale to zero is not supported on shared public endpoints.")
