"""Where things are, and whose: as their names say, and the buckets and datasets that a preview or review.toml names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mg_provider.data import known_regions
from mg_provider.review.reading.compare import Subject
from mg_provider.review.reading.preview import Step
from mg_provider.review.reading.values import entries, leaves, name

_LOCATION: Final = re.compile(r"/(?:locations|regions)/([a-z0-9-]+)/")
_BUCKET: Final = re.compile(r"gs://([^/]+)")
_DATASET: Final = re.compile(r"bq://([^/.]+\.[^/.]+)")
_PROJECT: Final = re.compile(
    r"(?:bq://|projects/)((?:[a-z0-9.-]+:)?[a-z][a-z0-9-]*)|@([a-z][a-z0-9.-]*)\.iam\.gserviceaccount\.com"
)
_AROUND: Final = {"US": "us-", "EU": "europe-", "ASIA": "asia-"}
_EVERYWHERE: Final = ("global", "")
_TYPES: Final = {"gcp:storage/bucket:Bucket": "name", "gcp:bigquery/dataset:Dataset": "datasetId"}


@dataclass(frozen=True)
class Places:
    """Locations of buckets by name and of datasets by project.dataset, and projects of buckets."""

    locations: Mapping[str, str] = field(default_factory=dict)
    projects: Mapping[str, str] = field(default_factory=dict)

    def of(self, value: Any) -> str:
        """Where something is; empty where nobody says."""
        if not isinstance(value, str):
            return ""
        held = _BUCKET.match(value) or _DATASET.match(value)
        return (self.locations.get(held[1], "") if held else "") or _region(value)

    def foreign(self, subject: Subject, value: Any) -> str:
        """That a value is of another project than the resource, and of which."""
        own = subject.new.get("project")
        if not isinstance(own, str) or not own:
            return ""
        whose = {each for text in _texts(value) for each in self._projects(text)} - {_dotted(own)}
        return f"another project: {', '.join(map(name, sorted(whose)))}" if whose else ""

    def elsewhere(self, subject: Subject, value: Any) -> str:
        """That a value is of another project, or of a region that is not the resource's."""
        far = sorted({place for text in _texts(value) if (place := self.of(text)) and is_far(place, subject.region)})
        texts = [text for text in [self.foreign(subject, value)] if text]
        texts += [f"another region: {', '.join(map(name, far))}"] if far else []
        return f" ({'; '.join(texts)})" if texts else ""

    def _projects(self, text: str) -> Iterator[str]:
        yield from (_dotted(first or second) for first, second in _PROJECT.findall(text))
        if (bucket := _BUCKET.match(text)) and bucket[1] in self.projects:
            yield self.projects[bucket[1]]


def _texts(value: Any) -> list[str]:
    """The texts within a value."""
    return [text for _, leaf in leaves(value) for text in entries(leaf) if isinstance(text, str)]


def places_of(others: Iterable[Step], named: Mapping[str, str]) -> Places:
    """The buckets and datasets that the preview itself has, and those that the user names with their locations."""
    locations: dict[str, str] = {}
    projects: dict[str, str] = {}
    for step in others:
        if step.type not in _TYPES or step.new is None:
            continue
        values = {**step.new.outputs, **step.new.inputs}
        called, place, project = (values.get(key) for key in (_TYPES[step.type], "location", "project"))
        if not isinstance(called, str):
            continue
        is_dataset = step.type.endswith("Dataset")
        if isinstance(place, str):
            locations[f"{project}.{called}" if is_dataset else called] = place
        if isinstance(project, str) and not is_dataset:
            projects[called] = project
    return Places({**locations, **named}, projects)


def is_far(place: str, region: str) -> bool:
    """Whether a place is neither the region, nor one with several regions that may be around it."""
    if place in _EVERYWHERE or not region:
        return False
    return place.lower() != region and (
        place.lower() in known_regions() or not region.startswith(_AROUND.get(place, ""))
    )


def _dotted(project: str) -> str:
    """A project as a service account's address has it: that of a domain with its domain last."""
    domain, colon, last = project.rpartition(":")
    return f"{last}.{domain}" if colon else last


def _region(value: str) -> str:
    """The region in a name; empty where it has none."""
    if match := _LOCATION.search(value):
        return match[1]
    bucket = _BUCKET.match(value)
    found = [region for region in known_regions() if bucket and f"-{region}-" in f"-{bucket[1]}-"]
    return max(found, key=len, default="")
