"""Which cloud a stack's resources are in: an emulator has an identity, and the state remembers it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

from mg_provider.rehearsal.errors import RehearsalError

_IDENTITY: Final = "/_mg/identity"
_PATIENCE: Final = 5.0
_OWN: Final = "the stack's own emulator"


@dataclass(frozen=True)
class Cloud:
    """An emulator.

    Attributes:
        identity: What no other emulator has; empty where none is known, as of one that does not answer.
        address: Where it answers; empty for the stack's own.
    """

    identity: str
    address: str

    def __str__(self) -> str:
        return f"the emulator at {self.address}" if self.address else _OWN


def cloud_at(url: str, *, own: bool) -> Cloud:
    """The cloud that answers at an address of this machine."""
    try:
        place = urlsplit(url)
        connection = HTTPConnection(place.hostname or "", place.port or 80, timeout=_PATIENCE)
        connection.request("GET", _IDENTITY)
        answered: object = json.loads(connection.getresponse().read())
        connection.close()
    except (OSError, ValueError, HTTPException):
        answered = None  # Whether one has to answer is asked elsewhere; another server than ours has no identity.
    identity = answered.get("identity") if isinstance(answered, dict) else None
    return Cloud(str(identity or ""), "" if own else url)


def remembered(document: Mapping[str, Any]) -> Cloud | None:
    """The cloud that a state file names; None in one that was written before clouds had identities."""
    written = document.get("cloud")
    if not isinstance(written, dict) or not written.get("identity"):
        return None
    return Cloud(str(written["identity"]), str(written.get("address") or ""))


def require_same(former: Cloud, now: Cloud, resources: Iterable[str], *, refresh: bool, named_by: str) -> None:
    """Refuse to run on another cloud than the one that has the stack's resources.

    A refresh may forget what was in an emulator that is gone: another one answers where it did. Then it can find
    nothing there. One that answers elsewhere proves nothing about the former.

    Args:
        former: The cloud that has them.
        now: The cloud of this run.
        resources: Their names.
        refresh: Whether the run is a refresh.
        named_by: What says where this run's cloud is, such as ``--emulator``.

    Raises:
        RehearsalError: It is another one.
    """
    there = ", ".join(resources)
    if not there or former.identity == now.identity:
        return
    if former.address == now.address:
        if not refresh:
            raise RehearsalError(
                f"{former} is not the one that has resources of this stack ({there}): another one has taken its place",
                hint=f"bring that one back, or run `{_refresh(now)}`, which forgets what is gone, then this again",
            )
    elif former.address:
        port = urlsplit(former.address).port or 80
        raise RehearsalError(
            f"resources of this stack are in {former}, and this run is on {now} ({there})",
            hint=f"add --emulator {former.address}; if that emulator is gone, start another one there with "
            f"`mg emulator --port {port}`, and run `{_refresh(former)}`, which forgets what is gone",
        )
    else:
        raise RehearsalError(
            f"resources of this stack are in {former}, and this run is on {now} ({there})",
            hint=f"run this without {named_by}; to move to the other one, run `mg rehearse destroy` without it first",
        )


def _refresh(cloud: Cloud) -> str:
    return "mg rehearse refresh" + (f" --emulator {cloud.address}" if cloud.address else "")
