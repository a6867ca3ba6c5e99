"""GPU quotas as Cloud Quotas and Cloud Monitoring report them, which gcloud reads before it deploys.

Source: ``command_lib/ai/model_garden_utils.py`` of gcloud 528.
"""

from __future__ import annotations

import re
from typing import Any

from mg_provider.emulator.core.machines import ACCELERATORS, quota_metric, quota_name
from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.google import errors
from mg_provider.emulator.services.vertex.serving import quota_limit
from mg_provider.emulator.services.vertex.state import vertex

Json = dict[str, Any]

SERVICE = "aiplatform.googleapis.com"
UNLIMITED = 1000
"""What is reported where the emulator has no limit; a real project always has one."""
_REGIONS = ("us-central1", "us-east4", "us-west1", "europe-west4", "asia-southeast1")
_USAGE = "serviceruntime.googleapis.com/quota/allocation/usage"
_TERM = re.compile(r'([\w.]+)\s*=\s*"([^"]*)"')


@handles("cloudquotas.projects.locations.services.quotaInfos.get")
def get_quota_info(call: Call) -> Answer:
    """The limits of an accelerator, by region."""
    quota = call.path["quotaInfosId"]
    accelerator = next((each for each in ACCELERATORS if quota_name(each) == quota), None)
    if call.path["servicesId"] != SERVICE or accelerator is None:
        raise errors.not_found(f"Quota info {quota} of {call.path['servicesId']} is not found.")
    limits = {region: quota_limit(call.world, call.number, region, accelerator) for region in _regions(call)}
    return Answer(
        {
            "name": f"projects/{call.project}/locations/global/services/{SERVICE}/quotaInfos/{quota}",
            "quotaId": quota,
            "metric": f"{SERVICE}/{quota_metric(accelerator)}",
            "service": SERVICE,
            "isPrecise": True,
            "containerType": "PROJECT",
            "dimensions": ["region"],
            "dimensionsInfos": [
                {
                    "dimensions": {"region": region},
                    "details": {"value": str(UNLIMITED if limit is None else limit)},
                    "applicableLocations": [region],
                }
                for region, limit in limits.items()
            ],
        }
    )


def _regions(call: Call) -> list[str]:
    """Some of Vertex AI's, and those that the test set a limit in."""
    return sorted({*_REGIONS, *(name.split("/")[1] for name in call.world.quota)})


@handles("monitoring.projects.timeSeries.list")
def list_time_series(call: Call) -> Answer:
    """How much of a GPU quota is used; nothing where it is not used at all."""
    terms = dict(_TERM.findall(call.query.get("filter", "")))
    if terms.get("metric.type") != _USAGE:
        raise errors.not_emulated("a time series other than the use of Vertex AI's GPU quotas")
    if "interval.endTime" not in call.query:
        raise errors.invalid_argument("Field interval.endTime had an invalid value: it is required.")
    metric, region = terms.get("metric.label.quota_metric", ""), terms.get("resource.label.location", "")
    used = sum(
        claim.gpus
        for claim in vertex(call.world).claims.values()
        if (claim.project, claim.region) == (call.number, region)
        and f"{SERVICE}/{quota_metric(claim.accelerator)}" == metric
    )
    if not used:
        return Answer({})
    interval = {"startTime": call.query["interval.endTime"], "endTime": call.query["interval.endTime"]}
    series = {
        "metric": {"type": _USAGE, "labels": {"quota_metric": metric}},
        "resource": {
            "type": "consumer_quota",
            "labels": {"project_id": call.project_id, "location": region, "service": SERVICE},
        },
        "metricKind": "GAUGE",
        "valueType": "INT64",
        "points": [{"interval": interval, "value": {"int64Value": str(used)}}],
    }
    return Answer({"timeSeries": [series]})
