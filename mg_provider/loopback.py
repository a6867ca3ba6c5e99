"""Whether an address leads to this machine: nobody else reads what goes there."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://|//", re.IGNORECASE)


def is_loopback(address: str) -> bool:
    """Whether a URL or ``host:port`` leads to this machine: 127.0.0.0/8, ::1 or localhost."""
    try:
        return _is_this_machine(urlsplit(address if _SCHEME.match(address) else f"//{address}").hostname or "")
    except ValueError:
        return False


@lru_cache(maxsize=256)
def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
