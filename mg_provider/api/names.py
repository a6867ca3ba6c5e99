"""Resource names and the hosts that they are served from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar
from urllib.parse import quote

from pydantic.alias_generators import to_camel

from mg_provider.api.errors import ProviderBug

T = TypeVar("T")

ENDPOINT_NAME: Final = r"projects/[^/\s]+/locations/[^/\s]+/endpoints/[^/\s]+"
"""What the resource name of an endpoint looks like, as a regular expression."""

MULTI_REGIONS = frozenset({"us", "eu"})
"""Locations that span regions and have hosts of their own form."""


def location_of(name: str) -> str:
    """The location in a resource name ``projects/{project}/locations/{location}…``.

    Raises:
        ProviderBug: there is none.
    """
    parts = name.split("/")
    if len(parts) < 4 or parts[0] != "projects" or parts[2] != "locations":
        raise ProviderBug(f"{name!r} is not below a location")
    return parts[3]


def vertex_host(location: str) -> str:
    """Base URL of Vertex AI in a region, a multi-region or ``global``."""
    if location in MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    if location == "global":
        return "https://aiplatform.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


def segment(text: str) -> str:
    """One path segment, slashes escaped."""
    return quote(text, safe="")


def path(name: str) -> str:
    """A resource name as a path: slashes and the separators of versions and methods stay."""
    return quote(name, safe="/@:")


def mask(paths: Sequence[str]) -> str:
    """A field mask in JSON: camelCase paths, joined by commas."""
    return ",".join(".".join(to_camel(part) for part in each.split(".")) for each in paths)


def pages(fetch: Callable[[str | None], tuple[Iterable[T], str | None]]) -> Iterator[T]:
    """Walk through a listing. ``fetch`` takes a page token and answers the items and the next token."""
    token: str | None = None
    while True:
        items, token = fetch(token)
        yield from items
        if not token:
            return
