"""Which hosts are called, and which of them get a token: the one place that makes a host of a text, and that decides.

A token goes to Google's hosts, to the endpoints in the configuration, and to an address that the user named. A
rehearsal calls this machine only, without a token, whatever is configured.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

from mg_provider.api.errors import UserError
from mg_provider.api.http.settings import DEFAULT_UNIVERSE, Settings
from mg_provider.api.texts import shown
from mg_provider.loopback import is_loopback

PRIVATE_DOMAIN: Final = ".prediction.p.vertexai.goog"
"""The domain of the names of private endpoints; a DNS zone of the user's own resolves them."""

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_LOCATION: Final = re.compile(r"[a-z]+(?:-[a-z]+)*[0-9]{0,2}")
_PREDICTION: Final = re.compile(rf"(?:{_LABEL}\.)+prediction\.(?:p\.)?vertexai\.goog")
_MULTI_REGIONS: Final = frozenset({"us", "eu"})


def vertex_base(location: str, universe_domain: str = DEFAULT_UNIVERSE) -> str:
    """Base URL of Vertex AI in a region, a multi-region or ``global``, in the cloud whose APIs have that domain.

    Raises:
        UserError: It is not a location.
    """
    if not _LOCATION.fullmatch(location):
        raise UserError(
            f"{shown(location)} is not a location of Vertex AI",
            property="region",
            hint="write a region such as us-central1, or us, eu or global",
        )
    if location in _MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.{universe_domain}"
    if location == "global":
        return f"https://aiplatform.{universe_domain}"
    return f"https://{location}-aiplatform.{universe_domain}"


def dedicated_base(dns: str) -> str:
    """Base URL of an endpoint at its own DNS name.

    Raises:
        UserError: The name is not in a domain of Google's.
    """
    if not _PREDICTION.fullmatch(dns):
        raise UserError(
            f"{shown(dns)} is not a name in prediction.vertexai.goog, so it gets no access token",
            property="address",
            hint="if it is your own name for the endpoint, give it as address= (--address on the command line)",
        )
    return f"https://{dns}"


def refuse_foreign_address(address: str) -> None:
    """Refuse an address that came from somebody else: it gets a token only if it is surely in the user's network.

    Raises:
        UserError: It is neither a private IP address nor a name in Google's domain of private endpoints.
    """
    host = urlsplit(address if "://" in address else f"//{address}").hostname or ""
    if not (is_loopback(f"//{host}") or is_private_host(host)):
        raise UserError(
            f"{shown(address)} is not a private address, so it gets no access token",
            property="address",
            hint="if it is your own address of the endpoint, give it as address= (--address on the command line)",
        )


def is_private_host(host: str) -> bool:
    """Whether it is an IP address in a private network, or a private endpoint's name."""
    if host.endswith(PRIVATE_DOMAIN):
        return bool(_PREDICTION.fullmatch(host))
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def takes_token(url: str, settings: Settings, *, named: bool = False) -> bool:
    """Whether a call of this URL carries a token.

    Args:
        url: What is to be called.
        settings: Whether this is a rehearsal, and the endpoints that the user configured.
        named: Whether the user named the host.

    Raises:
        UserError: It may not be called at all.
    """
    parts = urlsplit(url)
    host, local = parts.hostname or "", is_loopback(url)
    if settings.rehearsal:
        if not local:
            raise UserError(
                f"a rehearsal talks to this machine only, and {host} is elsewhere: nothing was sent",
                hint="start `mg emulator` and set mg:emulator to its address",
            )
        return False
    if local:
        return parts.scheme == "https"
    if named or (parts.scheme == "https" and (_is_googles(host, settings) or parts.netloc in _configured(settings))):
        return True
    raise UserError(
        f"{shown(host)} is neither a host of Google's nor configured, so it gets no access token: nothing was sent",
        property="address",
        hint="if it is your own address of the endpoint, give it as address= (--address on the command line)",
    )


def _is_googles(host: str, settings: Settings) -> bool:
    """Whether it is a host of the cloud that is configured, or an endpoint's name in Google's domain."""
    domain = re.escape(settings.universe_domain)
    return bool(_PREDICTION.fullmatch(host) or re.fullmatch(rf"(?:{_LABEL}\.)+{domain}", host))


def _configured(settings: Settings) -> set[str]:
    """Hosts and ports of the endpoints that the user set."""
    endpoints = (
        settings.vertex_custom_endpoint,
        settings.compute_custom_endpoint,
        settings.storage_custom_endpoint,
        settings.big_query_custom_endpoint,
        settings.logging_custom_endpoint,
    )
    return {urlsplit(endpoint).netloc for endpoint in endpoints if endpoint}
