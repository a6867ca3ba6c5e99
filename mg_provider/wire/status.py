"""google.rpc.Status and the numbers it uses."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from pydantic import Field

from mg_provider.wire.base import WireModel


class Code(IntEnum):
    """google.rpc.Code: the number in a Status, with the name that Google's HTTP errors carry."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class Status(WireModel):
    """The outcome of something that failed. ``code`` is a number of :class:`Code`."""

    code: int = 0
    message: str = ""
    details: list[dict[str, Any]] = Field(default_factory=list)
