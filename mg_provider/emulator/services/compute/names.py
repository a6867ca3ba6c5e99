"""Names, links and fingerprints as Compute Engine writes them."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta, timezone

from mg_provider.emulator.core.clock import moment

LINK_BASE = "https://www.googleapis.com/compute/v1/"
RESOURCE_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_REFERENCE = re.compile(
    r"(?:.*?/compute/v1/|/)?(?:projects/(?P<project>[^/]+)/)?(?:global/|regions/(?P<region>[^/]+)/)?"
    r"(?P<collection>[A-Za-z]+)/(?P<name>[^/]+)"
)
_PACIFIC = timezone(timedelta(hours=-8))


@dataclass(frozen=True)
class Reference:
    """A resource as another one points at it, from a full URL, a partial one or a bare name."""

    project: str
    region: str
    collection: str
    name: str

    @property
    def path(self) -> str:
        """``projects/…/collection/name``."""
        place = f"regions/{self.region}" if self.region else "global"
        return f"projects/{self.project}/{place}/{self.collection}/{self.name}"

    @property
    def link(self) -> str:
        """The full URL, as in answers."""
        return LINK_BASE + self.path


def parse_reference(text: str, collection: str, project: str, region: str) -> Reference | None:
    """Read ``text`` as a reference to something in ``collection``; what it leaves out comes from the request's path.

    Returns None when it names another collection or cannot be read.
    """
    if RESOURCE_NAME.fullmatch(text):
        return Reference(project, region, collection, text)
    match = _REFERENCE.fullmatch(text)
    if match is None or match["collection"] != collection:
        return None
    return Reference(
        match["project"] or project, (match["region"] or region) if region else "", collection, match["name"]
    )


def fingerprint(*parts: object) -> str:
    """Eight bytes in base64 that change with ``parts``."""
    return base64.b64encode(hashlib.sha256(repr(parts).encode()).digest()[:8]).decode("ascii")


def label_fingerprint(labels: Mapping[str, str]) -> str:
    """The fingerprint of a set of labels, whatever their order; without any, the constant that Google answers."""
    return fingerprint(sorted(labels.items())) if labels else "42WmSpB8rSM="


def numeric_id(*parts: object) -> str:
    """A 19-digit id that depends on ``parts`` alone."""
    return str(10**18 + int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big") % (8 * 10**18))


def pacific_timestamp(seconds: float) -> str:
    """A moment in Compute Engine's form: milliseconds, in Pacific standard time."""
    return moment(seconds).astimezone(_PACIFIC).isoformat(timespec="milliseconds")
