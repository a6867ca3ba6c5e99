"""Private addresses that really answer: one more socket for each, as long as the address exists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Listener(Protocol):
    """A socket that answers."""

    url: str

    def stop(self) -> None:
        """Stop answering."""


@dataclass
class _Private:
    target: str
    listener: Listener


class Listeners:
    """The private addresses in use, and the service attachment behind each."""

    def __init__(self, opener: Callable[[str], Listener]) -> None:
        self._opener = opener
        self._private: dict[str, _Private] = {}

    def open(self, address: str, service_attachment: str) -> None:
        """Let ``address`` (127.x.y.z) answer for ``service_attachment``; opening it again changes the target."""
        known = self._private.get(address)
        if known:
            known.target = service_attachment
        else:
            self._private[address] = _Private(service_attachment, self._opener(address))

    def close(self, address: str) -> None:
        """Let ``address`` answer no more; if it does not, this does nothing."""
        known = self._private.pop(address, None)
        if known:
            known.listener.stop()

    def close_all(self) -> None:
        """Let no private address answer."""
        for address in list(self._private):
            self.close(address)

    def target(self, address: str) -> str | None:
        """The service attachment behind ``address``."""
        known = self._private.get(address)
        return known.target if known else None

    def urls(self) -> dict[str, str]:
        """Each private address with the URL that answers for it."""
        return {address: private.listener.url for address, private in sorted(self._private.items())}
