"""Who may call: programs on this machine. A page in a browser may not, wherever it comes from.

A page reaches a port of this machine by an address of its own (then it says its origin), or by a name of its own that
it lets lead here (then the request's host is that name).
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from mg_provider.emulator.google.errors import ApiError
from mg_provider.emulator.web.request import Request

# Names of Google's, which clients that are led here by a custom endpoint go on to say, and those that a network gives
# to its private addresses; no web site can own them.
_KNOWN: Final = re.compile(r"(?:[a-z0-9-]+\.)+(?:googleapis\.com|vertexai\.goog|internal)")
_FOREIGN: Final = frozenset({"cross-site", "same-site"})


def refuse_browsers(request: Request) -> None:
    """Refuse what a web page may have sent.

    Raises:
        ApiError: PERMISSION_DENIED.
    """
    host = request.host.lower()
    if not _is_here(host):
        raise _refused(f"The emulator does not answer for the host {host!r}: ask 127.0.0.1, ::1 or localhost.")
    if "Origin" in request.headers or request.headers.get("Sec-Fetch-Site", "none") in _FOREIGN:
        raise _refused("The emulator does not answer web pages: the request has an Origin.")


def require_json(request: Request) -> None:
    """Refuse a change that is not declared as JSON, which a form of a web page can never be.

    Raises:
        ApiError: INVALID_ARGUMENT with status 415.
    """
    if request.method == "POST" and request.media_type != "application/json":
        raise ApiError("INVALID_ARGUMENT", "The emulator's own routes take application/json only.", status=415)


@lru_cache(maxsize=256)
def _is_here(host: str) -> bool:
    try:
        parts = urlsplit(f"//{host}")
        name = parts.hostname or ""
        if parts.path or "@" in host or parts.port == 0:
            return False
        return name == "localhost" or bool(_KNOWN.fullmatch(name)) or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _refused(message: str) -> ApiError:
    return ApiError("PERMISSION_DENIED", message)
