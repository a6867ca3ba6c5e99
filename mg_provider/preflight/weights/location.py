"""Whether a bucket is near enough to the region that loads weights from it.

Source: Cloud Storage documentation, "Bucket locations" (read 2026-11).
"""

from __future__ import annotations

from mg_provider.api.errors import NotFound, PermissionDenied
from mg_provider.api.storage.client import StorageClient
from mg_provider.preflight.findings import Finding, warning
from mg_provider.wire.storage import Bucket

DUAL_REGIONS = {
    "ASIA1": ("asia-northeast1", "asia-northeast2"),
    "EUR4": ("europe-north1", "europe-west4"),
    "EUR5": ("europe-west1", "europe-west2"),
    "EUR7": ("europe-west2", "europe-west3"),
    "EUR8": ("europe-west3", "europe-west6"),
    "NAM4": ("us-central1", "us-east1"),
}
"""Predefined dual-regions."""

# A configurable dual-region shows one of these as its location, and in another field which regions of it.
_CONTINENTS = {
    "ASIA": ("asia-",),
    "AU": ("australia-",),
    "CA": ("northamerica-",),
    "DE": ("europe-west3", "europe-west10"),
    "EU": ("europe-",),
    "IN": ("asia-south1", "asia-south2"),
    "US": ("us-",),
}
_NOT_IN_EU = ("europe-west2", "europe-west6")


def is_around(location: str, region: str) -> bool:
    """Whether a location is the region or the multi-region around it."""
    location = location.upper()
    if location in ("US", "EU"):
        return region.startswith(_CONTINENTS[location])
    return location == region.upper()


def bucket_location(storage: StorageClient, bucket: str, region: str) -> list[Finding]:
    """A warning if the bucket is elsewhere, or if that cannot be known; nothing if there is no such bucket."""
    try:
        found = storage.get_bucket(bucket)
    except NotFound:
        return []
    except PermissionDenied:
        message = (
            f"where gs://{bucket} is cannot be seen, because the caller lacks storage.buckets.get: "
            f"make sure that it is in {region}"
        )
        return [warning("bucket_location_unknown", message, f"gs://{bucket}")]
    if is_near(found, region):
        return []
    message = (
        f"gs://{bucket} is in {found.location}, the deployment in {region}: loading takes longer and transfer is "
        f"charged at every start of a replica; copy the weights to a bucket in {region}"
    )
    return [warning("bucket_location", message, f"gs://{bucket}")]


def is_near(bucket: Bucket, region: str) -> bool:
    """Whether a bucket is in the region, or in a multi-region or dual-region that has it."""
    location = (bucket.location or "").upper()
    if location in DUAL_REGIONS:
        return region in DUAL_REGIONS[location]
    if location in _CONTINENTS:
        return region.startswith(_CONTINENTS[location]) and not (location == "EU" and region in _NOT_IN_EU)
    return location == region.upper()
