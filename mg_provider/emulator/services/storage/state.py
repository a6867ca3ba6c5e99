"""Buckets and objects, as Cloud Storage keeps them: names, generations, listings. No HTTP here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mg_provider.emulator.core.clock import moment
from mg_provider.emulator.services.storage.content import Content, ContentStore

_CONTINENTS = {"US": "us-", "NAM": "us-", "EU": "europe-", "ASIA": "asia-"}

Json = dict[str, Any]


@dataclass
class StoredObject:
    """One live generation of an object."""

    bucket: str
    name: str
    generation: int
    content: Content
    created: float
    crc32c: str
    md5: str | None
    metageneration: int = 1
    details: Mapping[str, Any] = field(default_factory=dict)
    """What the uploader said: contentType, metadata, cacheControl and the like."""

    @property
    def etag(self) -> str:
        """Changes with every generation."""
        return f"CM{self.generation}="


@dataclass
class Bucket:
    """A bucket with its objects."""

    name: str
    location: str
    project_number: str
    created: float
    storage_class: str = "STANDARD"
    labels: Mapping[str, str] = field(default_factory=dict)
    objects: dict[str, StoredObject] = field(default_factory=dict)


@dataclass(frozen=True)
class ListOptions:
    """What a listing asks for; every field as in ``storage.objects.list``."""

    prefix: str = ""
    delimiter: str = ""
    match_glob: str = ""
    start_offset: str = ""
    end_offset: str = ""
    include_trailing_delimiter: bool = False


class StorageState:
    """All buckets; their names are global, as in the real service."""

    def __init__(self) -> None:
        self.buckets: dict[str, Bucket] = {}
        self.contents = ContentStore()
        self._last_generation = 0

    def next_generation(self, now: float) -> int:
        """Microseconds since 1970, and always more than the last one."""
        self._last_generation = max(self._last_generation + 1, int(moment(now).timestamp() * 1_000_000))
        return self._last_generation

    def put(self, bucket: str, name: str, content: Content, now: float, details: Mapping[str, Any]) -> StoredObject:
        """Store a new generation of ``bucket``/``name``; the bucket must exist."""
        crc32c, md5 = content.checksums()
        stored = StoredObject(
            bucket=bucket,
            name=name,
            generation=self.next_generation(now),
            content=content,
            created=now,
            crc32c=crc32c,
            md5=md5,
            details=dict(details),
        )
        before = self.buckets[bucket].objects.get(name)
        self.buckets[bucket].objects[name] = stored
        if before is not None:
            before.content.discard()
        return stored

    def find(self, bucket: str, name: str) -> StoredObject | None:
        """The live object, or nothing when bucket or object is not there."""
        holder = self.buckets.get(bucket)
        return holder.objects.get(name) if holder else None

    def read(self, bucket: str, name: str) -> bytes | None:
        """The whole content, for services that read their input from a bucket."""
        stored = self.find(bucket, name)
        return None if stored is None else b"".join(stored.content.read(0, stored.content.size))

    def names(self, bucket: str, options: ListOptions) -> tuple[list[str], list[str]]:
        """Object names and, with a delimiter, the common prefixes; each in the order of their UTF-8 bytes."""
        names = sorted(self.buckets[bucket].objects, key=str.encode)
        pattern = re.compile(glob_expression(options.match_glob)) if options.match_glob else None
        items, prefixes = [], dict[str, None]()
        for name in _inside(names, options):
            if pattern is not None and not pattern.fullmatch(name):
                continue
            group = _group(name, options)
            if group is None:
                items.append(name)
            else:
                prefixes[group] = None
                if options.include_trailing_delimiter and name == group:
                    items.append(name)
        return items, list(prefixes)


def _inside(names: list[str], options: ListOptions) -> Iterator[str]:
    for name in names:
        if not name.startswith(options.prefix) or name < options.start_offset:
            continue
        if options.end_offset and name >= options.end_offset:
            continue
        yield name


def _group(name: str, options: ListOptions) -> str | None:
    """The common prefix that ``name`` falls under, if a delimiter follows the asked prefix."""
    if not options.delimiter:
        return None
    head, delimiter, _ = name[len(options.prefix) :].partition(options.delimiter)
    return f"{options.prefix}{head}{delimiter}" if delimiter else None


_GLOB_TOKEN = re.compile(r"\*\*|\*|\?|\[!?[^\]]+\]|\{[^{}]*\}|.", re.DOTALL)


def glob_expression(glob: str) -> str:
    """A regular expression for a Cloud Storage glob: ``*`` stays in a folder, ``**`` does not, ``{a,b}`` is either."""
    parts = []
    for symbol in _GLOB_TOKEN.findall(glob):
        if symbol == "**":
            parts.append(".*")
        elif symbol == "*":
            parts.append("[^/]*")
        elif symbol == "?":
            parts.append("[^/]")
        elif len(symbol) > 1 and symbol[0] == "[":
            parts.append("[^" + symbol[2:] if symbol[1] == "!" else symbol)
        elif len(symbol) > 1 and symbol[0] == "{":
            parts.append("(?:" + "|".join(glob_expression(choice) for choice in symbol[1:-1].split(",")) + ")")
        else:
            parts.append(re.escape(symbol))
    return "".join(parts)


def is_around(location: str, region: str) -> bool:
    """Whether a bucket's location is a region, or several regions around it.

    Multi-regions and dual-regions by how their names begin: "Bucket locations", cloud.google.com, read 2026-11.
    """
    place = location.upper()
    if "-" in place:
        return place == region.upper()
    return any(place.startswith(name) and region.startswith(begin) for name, begin in _CONTINENTS.items())
