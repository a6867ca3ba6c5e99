"""Names and URLs of Compute Engine's resources, taken apart, and the URLs that a private address has."""

from __future__ import annotations

import re

_PATH = re.compile(r"projects/(?P<project>[^/]+)/(?:global|regions/(?P<region>[^/]+))/[a-zA-Z]+/(?P<name>[^/]+)")
API_VERSION = "v1beta1"


def short(link: str) -> str:
    """A resource's name, ``projects/…``, from its name or its URL."""
    return link.rsplit("/compute/v1/", maxsplit=1)[-1]


def last(link: str) -> str:
    """The last part of a name or URL."""
    return link.rsplit("/", 1)[-1]


def project_of(link: str) -> str:
    """The project in a name or URL; empty where it has none."""
    match = _PATH.fullmatch(short(link))
    return match["project"] if match else ""


def region_of(link: str) -> str:
    """The region in a name or URL; empty where it has none."""
    match = _PATH.fullmatch(short(link))
    return (match["region"] if match else "") or ""


def urls(ip: str, endpoint: str) -> dict[str, str]:
    """The outputs that follow from an IP and the endpoint that it leads to; all empty without an IP."""
    return {
        "ip_address": ip,
        "http_url": f"http://{ip}" if ip else "",
        "https_url": f"https://{ip}" if ip else "",
        "base_url": base_url(ip, endpoint) if ip and endpoint else "",
    }


def base_url(host: str, endpoint: str) -> str:
    """The base URL for OpenAI clients, up to ``/chat/completions``."""
    return f"http://{host}/{API_VERSION}/{endpoint}"


def same_project(one: str, other: str) -> bool:
    """Whether two projects may be the same: of an id and a number nobody can tell."""
    return not one or not other or one.isdigit() != other.isdigit() or one == other
