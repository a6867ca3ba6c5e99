"""Arguments that name something in the cloud: a resource name and nothing else, no path, query or other host."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator

from mg_provider.api.names import ADDRESS, ENDPOINT, NETWORK, PEERED_NETWORK, SUBNETWORK, ResourceName
from mg_provider.api.texts import shown
from mg_provider.resources.model.identity import COMPUTE_NAME

_IPV4: Final = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!$)|$)){4}")

# No subnetwork of Google Cloud has these, its own public ones among them (VPC: valid IPv4 ranges, 2026-11). Beside the
# private ones (RFC 1918, RFC 6598) it may have other public ones, those for documentation, and 240.0.0.0/4.
_NEVER: Final = (
    ("0.0.0.0/8", "stands for this network"),
    ("169.254.0.0/16", "is link-local"),
    ("224.0.0.0/4", "is for multicast"),
    ("255.255.255.255/32", "is for broadcast"),
    ("8.8.4.0/24", "belongs to Google's public services"),
    ("8.8.8.0/24", "belongs to Google's public services"),
    ("199.36.153.4/30", "belongs to Google's public services"),
    ("199.36.153.8/30", "belongs to Google's public services"),
)


def _named(name: ResourceName, *, alone: bool = False) -> AfterValidator:
    """Holds an argument to being such a name, or with ``alone`` also its last part."""

    def check(value: str) -> str:
        if alone and COMPUTE_NAME.fullmatch(value):
            return value
        if problem := name.problem(value):
            raise ValueError(f"{problem}, or only the {{name}}" if alone else problem)
        return value

    return AfterValidator(check)


EndpointName = Annotated[str, _named(ENDPOINT)]
NetworkName = Annotated[str, _named(NETWORK, alone=True)]
SubnetworkName = Annotated[str, _named(SUBNETWORK, alone=True)]
PeeredNetworkName = Annotated[str, _named(PEERED_NETWORK)]


def ip_problem(address: str) -> str | None:
    """Why a text is not an IPv4 address that a subnetwork can have, with what to write."""
    if not _IPV4.fullmatch(address):
        return f"{shown(address)} is not a valid IPv4 address: write one such as 10.0.0.5"
    for block, why in _NEVER:
        if _is_in(address, block):
            return f"{address} {why}, so no subnetwork has it: write an internal address such as 10.0.0.5"
    return None


def loopback_problem(address: str) -> str | None:
    """Why an address could be that of an emulator's network only; None if it is not loopback."""
    if not _IPV4.fullmatch(address) or not _is_in(address, "127.0.0.0/8"):
        return None
    return (
        f"{address} stands for the machine itself, so no subnetwork has it: write an internal address such as 10.0.0.5"
    )


def _is_in(address: str, block: str) -> bool:
    first, bits = block.split("/")
    return _number(address) >> (32 - int(bits)) == _number(first) >> (32 - int(bits))


def _number(address: str) -> int:
    return int.from_bytes(bytes(map(int, address.split("."))), "big")


def _address(value: str) -> str:
    if COMPUTE_NAME.fullmatch(value) or ADDRESS.match(value):
        return value
    if not value[:1].isdigit():
        raise ValueError(
            f"{shown(value)} is neither an IPv4 address nor a reserved one: write 10.0.0.5, a name or {ADDRESS.form}"
        )
    if problem := ip_problem(value):
        raise ValueError(problem)
    return value


AddressName = Annotated[str, AfterValidator(_address)]
"""An internal IPv4 address, or the name of one that is reserved."""
