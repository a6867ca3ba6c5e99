"""Networks and their subnetworks. An address of 127.0.0.0/8 answers as such, one of a private range on a loopback port.

A network or subnetwork that nobody has made is taken to exist, with a range derived from its name, unless networks are
strict. Ranges never overlap, not even between networks, because each address is a listener of its own.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass, field
from typing import Any

from mg_provider.emulator.services.compute.names import Reference, numeric_id

LOOPBACK = ipaddress.IPv4Network("127.0.0.0/8")
RANGE_PREFIX = 24
_FIRST_BLOCK = 256
"""127.0.*.* is left alone: 127.0.0.1, 127.0.0.53 and 127.0.1.1 mean something on many machines."""


@dataclass
class Subnetwork:
    """A regional range of addresses."""

    project_number: str
    region: str
    name: str
    ip_range: ipaddress.IPv4Network
    network: str | None
    """The name of its network, None where nobody said: such a subnetwork fits any network."""

    def usable(self, address: ipaddress.IPv4Address) -> bool:
        """Inside the range and none of the four that Google reserves (first two, last two)."""
        offset = int(address) - int(self.ip_range.network_address)
        return 2 <= offset < self.ip_range.num_addresses - 2


@dataclass
class Made:
    """A network or subnetwork that was made by a call, and so can be deleted by one."""

    reference: Reference
    created: float
    details: dict[str, Any]
    busy: bool = True

    @property
    def id(self) -> str:
        """The resource's number."""
        return numeric_id(self.reference.path, self.created)


@dataclass
class Networks:
    """All networks and subnetworks of the emulator."""

    strict: bool = False
    networks: set[tuple[str, str]] = field(default_factory=set)
    subnetworks: dict[tuple[str, str, str], Subnetwork] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    """By resource name."""

    def has_network(self, project_number: str, name: str) -> bool:
        """Whether a rule may name this network."""
        return not self.strict or (project_number, name) in self.networks

    def subnetwork(self, project_number: str, region: str, name: str) -> Subnetwork | None:
        """The subnetwork; None only when networks are strict and it was not made."""
        key = (project_number, region, name)
        if key not in self.subnetworks:
            if self.strict:
                return None
            network = "default" if name == "default" else None
            self.subnetworks[key] = Subnetwork(*key, self._free_range(key), network)
        return self.subnetworks[key]

    def add(
        self, project_number: str, region: str, name: str, network: str, ip_range: ipaddress.IPv4Network | None
    ) -> Subnetwork:
        """Make a subnetwork, and its network with it. ValueError when the range is taken or public."""
        key = (project_number, region, name)
        if ip_range is not None and not ip_range.is_private:
            raise ValueError(f"{ip_range} is not a private range")
        if key in self.subnetworks:
            raise ValueError(f"subnetwork {name} exists in {region} already")
        if ip_range is not None and self._taken(ip_range):
            raise ValueError(f"{ip_range} overlaps a range that another subnetwork has")
        self.networks.add((project_number, network))
        self.subnetworks[key] = Subnetwork(*key, ip_range or self._free_range(key), network)
        return self.subnetworks[key]

    def _taken(self, ip_range: ipaddress.IPv4Network) -> bool:
        return any(ip_range.overlaps(other.ip_range) for other in self.subnetworks.values())

    def _free_range(self, key: tuple[str, str, str]) -> ipaddress.IPv4Network:
        """The range that the name hashes to, or the next one that is free."""
        blocks = 2**16 - 2 * _FIRST_BLOCK
        start = int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:4], "big") % blocks
        for step in range(blocks):
            block = _FIRST_BLOCK + (start + step) % blocks
            candidate = ipaddress.IPv4Network((int(LOOPBACK.network_address) + block * 256, RANGE_PREFIX))
            if not self._taken(candidate):
                return candidate
        raise ValueError("127.0.0.0/8 is used up")
