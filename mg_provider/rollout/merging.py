"""Changes to what somebody else may change at the same moment: read, changed and written as one, or tried again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from mg_provider.api.errors import Aborted

T = TypeVar("T")

_MOST_ATTEMPTS: Final = 5


def merged(attempt: Callable[[], T]) -> T:
    """What an attempt returns, which reads, changes and writes; made again where somebody else wrote in between.

    Raises:
        Aborted: Somebody else keeps writing.
    """
    for _ in range(_MOST_ATTEMPTS - 1):
        try:
            return attempt()
        except Aborted:
            continue
    return attempt()
