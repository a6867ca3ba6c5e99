"""Quotas as Cloud Quotas and Cloud Monitoring tell of them, before anything is deployed."""

from __future__ import annotations

import pytest

INFOS = "projects/my-project/locations/global/services/aiplatform.googleapis.com/quotaInfos"
L4 = "CustomModelServingL4GPUsPerProjectPerRegion"


def limit(client, region, quota=L4):
    told = client.ok("GET", f"{INFOS}/{quota}", version="v1")["dimensionsInfos"]
    (value,) = (each["details"]["value"] for each in told if each["applicableLocations"] == [region])
    return int(value)


def used(client, region="us-central1"):
    terms = {
        "metric.type": "serviceruntime.googleapis.com/quota/allocation/usage",
        "metric.label.quota_metric": "aiplatform.googleapis.com/custom_model_serving_nvidia_l4_gpus",
        "resource.label.location": region,
    }
    asked = " AND ".join(f'{name}="{value}"' for name, value in terms.items())
    query = {"filter": asked, "interval.endTime": "2026-11-01T00:00:00Z"}
    series = client.ok("GET", "projects/my-project/timeSeries", version="v3", **query).get("timeSeries")
    return int(series[0]["points"][0]["value"]["int64Value"]) if series else 0


def test_a_limit_is_told_by_region(client, emulator):
    emulator.set_quota({"my-project/us-central1/NVIDIA_L4": 6, "other-project/us-west1/NVIDIA_L4": 3})
    assert limit(client, "us-central1") == 6
    assert limit(client, "us-west1") > 100
    assert limit(client, "us-central1", "CustomModelServingH100GPUsPerProjectPerRegion") > 100


def test_what_is_deployed_counts_with_its_most_replicas(client, emulator):
    assert used(client) == 0
    client.deployed()
    assert used(client) == 6  # 2 GPUs in each of 3
    assert used(client, "europe-west4") == 0


@pytest.mark.parametrize("place", [f"{INFOS}/CustomModelServingCPUsPerProjectPerRegion", INFOS.replace("ai", "x") + L4])
def test_a_quota_that_is_not_known_is_not_found(client, place):
    assert client.call("GET", place, version="v1").status_code == 404
