"""Resource names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeVar
from urllib.parse import quote

from pydantic.alias_generators import to_camel

from mg_provider.api.errors import ProviderBug, UserError
from mg_provider.api.texts import shown

T = TypeVar("T")

_PROJECT: Final = r"[a-z][a-z0-9-]{0,62}(?:[.:][a-z0-9-]{1,62})*|[0-9]{1,19}"
_PLACE: Final = r"[a-z][a-z0-9-]{0,62}"
_COMPUTE: Final = r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
# Google's hosts, and those of its other clouds (`compute.apis-….goog`). No call goes there: only the name is used.
_UNIVERSE: Final = r"apis(?:-[a-z0-9-]+)?\.(?:[a-z0-9-]+\.)?[a-z]+"
_COMPUTE_URL: Final = rf"(?:https://(?:(?:www|compute)\.googleapis\.com|compute\.{_UNIVERSE})/compute/v1/)?"


@dataclass(frozen=True)
class ResourceName:
    """What the resource name of one kind of thing looks like.

    Attributes:
        what: The kind of thing.
        form: The name, with a word in braces for each part that differs.
        parts: A regular expression for each word; a project, location, region or zone needs none.
        compute: Whether it is one of Compute Engine's, whose URLs are names as well.
    """

    what: str
    form: str
    parts: Mapping[str, str] = field(default_factory=dict)
    compute: bool = False

    @cached_property
    def pattern(self) -> str:
        """A regular expression for the whole name, without anchors."""
        parts = {"project": _PROJECT, **dict.fromkeys(("location", "region", "zone"), _PLACE), **self.parts}
        whole = re.sub(r"\{(\w+)\}", lambda word: f"(?P<{word[1]}>{parts[word[1]]})", self.form)
        return f"{_COMPUTE_URL if self.compute else ''}{whole}"

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def match(self, name: str) -> re.Match[str] | None:
        """The name's parts by their words; None if it is not such a name."""
        return self._compiled.fullmatch(name)

    def problem(self, name: str) -> str | None:
        """Why a text is not such a name, with what to write."""
        if self.match(name):
            return None
        return f"{shown(name)} is not the name of {self.what}: write {self.form}"


ENDPOINT: Final = ResourceName(
    "an endpoint",
    "projects/{project}/locations/{region}/endpoints/{id}",
    {"id": r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?|[0-9]{1,19}"},
)
MODEL: Final = ResourceName(
    "a model",
    "projects/{project}/locations/{region}/models/{id}",
    # A version by its number or alias may follow.
    {"id": r"(?:[a-z_][a-z0-9_-]{0,62}|[0-9]{1,19})(?:@[a-zA-Z0-9][a-zA-Z0-9_-]{0,127})?"},
)
NETWORK: Final = ResourceName(
    "a network", "projects/{project}/global/networks/{name}", {"name": _COMPUTE}, compute=True
)
PEERED_NETWORK: Final = ResourceName(
    "a network", "projects/{number}/global/networks/{name}", {"number": r"[0-9]{1,19}", "name": _COMPUTE}
)
SUBNETWORK: Final = ResourceName(
    "a subnetwork", "projects/{project}/regions/{region}/subnetworks/{name}", {"name": _COMPUTE}, compute=True
)
ADDRESS: Final = ResourceName(
    "an address", "projects/{project}/regions/{region}/addresses/{name}", {"name": _COMPUTE}, compute=True
)
SERVICE_ATTACHMENT: Final = ResourceName(
    "a service attachment",
    "projects/{project}/regions/{region}/serviceAttachments/{name}",
    {"name": _COMPUTE},
    compute=True,
)
RESERVATION: Final = ResourceName(
    "a reservation", "projects/{project}/zones/{zone}/reservations/{name}", {"name": _COMPUTE}
)
KMS_KEY: Final = ResourceName(
    "a Cloud KMS key",
    "projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key}",
    {"ring": r"[a-zA-Z0-9_-]{1,63}", "key": r"[a-zA-Z0-9_-]{1,63}"},
)
ENDPOINT_NAME: Final = ENDPOINT.pattern
"""What the resource name of an endpoint looks like, as a regular expression."""


def location_of(name: str) -> str:
    """The location in a resource name ``projects/{project}/locations/{location}…``.

    Raises:
        ProviderBug: there is none.
    """
    parts = name.split("/")
    if len(parts) < 4 or parts[0] != "projects" or parts[2] != "locations":
        raise ProviderBug(f"{name!r} is not below a location")
    return parts[3]


def segment(text: str) -> str:
    """One path segment, slashes escaped."""
    return quote(text, safe="")


def path(name: str) -> str:
    """A resource name as a path: slashes and the separators of versions and methods stay.

    Raises:
        UserError: A part is ``.`` or ``..``, which would lead to something else.
    """
    if {".", ".."} & set(name.split("/")):
        raise UserError(f"{shown(name)} is not the name of a resource", hint="take . and .. out of it")
    return quote(name, safe="/@:")


def mask(paths: Sequence[str]) -> str:
    """A field mask in JSON: camelCase paths, joined by commas."""
    return ",".join(".".join(to_camel(part) for part in each.split(".")) for each in paths)
