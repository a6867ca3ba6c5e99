"""Cloud Storage."""

from __future__ import annotations

from pydantic import Field

from mg_provider.wire.base import Int64, Page, WireModel


class Bucket(WireModel):
    """A bucket. ``location`` is upper case: US-CENTRAL1, US, NAM4."""

    name: str | None = None
    id: str | None = None
    project_number: Int64 | None = None
    location: str | None = None
    location_type: str | None = None
    storage_class: str | None = None
    labels: dict[str, str] | None = None
    time_created: str | None = None
    updated: str | None = None
    etag: str | None = None
    self_link: str | None = None


class StorageObject(WireModel):
    """An object's metadata (Google's Object); ``size`` in bytes."""

    name: str | None = None
    id: str | None = None
    bucket: str | None = None
    size: Int64 | None = None
    generation: Int64 | None = None
    metageneration: Int64 | None = None
    content_type: str | None = None
    content_encoding: str | None = None
    md5_hash: str | None = None
    crc32c: str | None = Field(default=None, alias="crc32c")
    etag: str | None = None
    metadata: dict[str, str] | None = None
    storage_class: str | None = None
    time_created: str | None = None
    updated: str | None = None
    media_link: str | None = None
    self_link: str | None = None


class ObjectsPage(Page):
    """A page of a listing (Google's Objects): objects, and the folders below a delimiter."""

    items: list[StorageObject] = Field(default_factory=list)
    prefixes: list[str] = Field(default_factory=list)
