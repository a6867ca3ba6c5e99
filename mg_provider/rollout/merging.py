"""Changes of what others change too: read, changed, written, and made again where somebody else wrote in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from mg_provider.api.errors import Aborted, MgError

T = TypeVar("T")

MOST_ATTEMPTS: Final = 5


def merged(attempt: Callable[[], T], what: str, whose: str, resource: str) -> T:
    """What an attempt returns, which reads, changes and writes; made again where somebody else wrote in between.

    Args:
        attempt: Reads, changes and writes.
        what: What it sets.
        whose: What has it, and is read and written as a whole.
        resource: The resource's name in the program.

    Raises:
        MgError: Somebody else keeps writing.
    """
    for _ in range(MOST_ATTEMPTS - 1):
        try:
            return attempt()
        except Aborted:
            continue
    try:
        return attempt()
    except Aborted as error:
        raise keeps_changing(what, whose, resource) from error


def keeps_changing(what: str, whose: str, resource: str) -> MgError:
    """The error of a change that others have kept from being written."""
    return MgError(
        f"{what} of {whose} could not be set: somebody else keeps changing it",
        resource=resource,
        exists=[whose],
        hint="find out who, then run the same command again",
    )
