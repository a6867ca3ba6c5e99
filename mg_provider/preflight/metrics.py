"""Which metrics can drive the number of replicas, and what their targets mean.

Source: the reference of AutoscalingMetricSpec and the guide on autoscaling of online inference, 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from mg_provider.api.texts import shown
from mg_provider.spelling import nearest
from mg_provider.wire.vertex.machine import AutoscalingMetricSpec

_ONLINE: Final = "aiplatform.googleapis.com/prediction/online/"
_PROMETHEUS: Final = "prometheus.googleapis.com/"
_PERCENT: Final = 100
_API_MOST: Final = 2**31 - 1
_OTHER: Final = re.compile(r"[a-z][a-z0-9-]*\.googleapis\.com(?:/[A-Za-z0-9_-]+(?:[.:][A-Za-z0-9_-]+)*)+")

# The highest target of each: percent of what there is, or how many.
_MOST: Final = {
    f"{_ONLINE}cpu/utilization": _PERCENT,
    f"{_ONLINE}accelerator/duty_cycle": _PERCENT,
    f"{_PROMETHEUS}vertex_dcgm_fi_dev_gpu_util": _PERCENT,
    f"{_PROMETHEUS}vertex_vllm_gpu_cache_usage_perc": _PERCENT,
    f"{_ONLINE}request_count": _API_MOST,
    f"{_PROMETHEUS}vertex_vllm_num_requests_waiting": _API_MOST,
    "pubsub.googleapis.com/subscription/num_undelivered_messages": _API_MOST,
}


def metrics_problem(specs: Sequence[AutoscalingMetricSpec]) -> str | None:
    """Why Vertex AI would refuse these metrics, which it does only when it deploys; None if nothing is known.

    Metrics that are not Vertex AI's own are let through: it may take more of them than this table has.
    """
    seen: set[str] = set()
    for spec in specs:
        name = spec.metric_name
        if problem := _name_problem(name) or _target_problem(spec):
            return problem
        if name in seen:
            return f"has {name} twice: keep one entry for each metric"
        seen.add(name)
    return None


def _name_problem(name: str) -> str | None:
    if name in _MOST:
        return None
    if _OTHER.fullmatch(name) and not name.startswith("aiplatform."):
        return None
    return f"has the unknown metric {shown(name)}: {_meant(name)}"


def _meant(name: str) -> str:
    """The metric that was probably meant, by its last words."""
    ends = {known.rpartition("/")[2]: known for known in _MOST}
    ends |= {known.removeprefix(_ONLINE): known for known in _MOST}
    near = nearest(name.removeprefix(_ONLINE), ends) or nearest(name[-100:].rpartition("/")[2], ends)
    return f"did you mean {ends[near]}?" if near else f"use one such as {_ONLINE}accelerator/duty_cycle"


def _target_problem(spec: AutoscalingMetricSpec) -> str | None:
    name, target, most = spec.metric_name, spec.target, _MOST.get(spec.metric_name, _API_MOST)
    if target is None or 1 <= target <= most:
        return None
    allowed = "1 to 100, as its target is in percent" if most == _PERCENT else "at least 1"
    return f"has the target {target} for {name}: use {allowed}"
