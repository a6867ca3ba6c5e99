"""Calls to an emulated Compute Engine, for the networks that a rehearsed stack makes: they are to exist there too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from mg_provider.clock import Clock
from mg_provider.loopback import is_loopback
from mg_provider.rehearsal.errors import RehearsalError, StepError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_SECONDS: Final = 10
_NOT_FOUND: Final = 404
_POLL_SECONDS: Final = 0.05
_POLLS: Final = 1200
_API: Final = "/compute/v1/"
_CORRECT: Final = "correct the resource in the program, or what the emulator has"


class EmulatedCompute:
    """Compute Engine at a loopback address.

    Args:
        endpoint: its base URL, with or without the API's path.
        clock: time between polls.

    Raises:
        RehearsalError: the address is not on this machine.
    """

    def __init__(self, endpoint: str, clock: Clock) -> None:
        if not is_loopback(endpoint):
            raise RehearsalError(
                f"{endpoint} is not on this machine, and a rehearsal talks to no other",
                hint="write an address such as http://127.0.0.1:8085",
            )
        from urllib3 import PoolManager

        parts = urlsplit(endpoint)
        self._base = f"{parts.scheme}://{parts.netloc}{_API}"
        self._clock = clock
        # Straight to this machine: no proxy of the environment, no login of ~/.netrc.
        self._http = PoolManager(timeout=_SECONDS, retries=False)

    def get(self, path: str) -> dict[str, Any] | None:
        """A resource; None when there is none. StepError when the call fails otherwise."""
        response = self._request("GET", path)
        if response.status == _NOT_FOUND:
            return None
        return self._answer(response)

    def insert(self, collection: str, body: dict[str, Any]) -> None:
        """Make a resource and wait until it is there."""
        self._wait(self._answer(self._request("POST", collection, body)))

    def delete(self, path: str) -> None:
        """Delete a resource and wait until it is gone; gone already is fine."""
        response = self._request("DELETE", path)
        if response.status != _NOT_FOUND:
            self._wait(self._answer(response))

    def _request(self, verb: str, path: str, body: dict[str, Any] | None = None) -> BaseHTTPResponse:
        from urllib3.exceptions import HTTPError

        try:
            return self._http.request(verb, self._base + path, json=body, redirect=False)
        except HTTPError as error:
            raise StepError(
                f"the emulated Compute Engine at {self._base} did not answer: {error}",
                hint="see whether that emulator still runs, then run the same command again",
            ) from error

    def _answer(self, response: BaseHTTPResponse) -> dict[str, Any]:
        if response.status < 400:
            answer: dict[str, Any] = response.json()
            return answer
        try:
            message = response.json()["error"]["message"]
        except (ValueError, KeyError, TypeError):
            message = response.data.decode(errors="replace")
        raise StepError(f"googleapi: Error {response.status}: {message}", hint=_CORRECT)

    def _wait(self, operation: dict[str, Any]) -> None:
        path = operation["selfLink"].partition(_API)[2]
        for _ in range(_POLLS):
            if operation.get("status") == "DONE":
                break
            self._clock.sleep(_POLL_SECONDS)
            operation = self._answer(self._request("GET", path))
        else:
            raise StepError(
                f"operation {path} did not end in {_POLLS * _POLL_SECONDS:g} s",
                hint="start a faster emulator (`mg emulator --speed`), then run the same command again",
            )
        for error in operation.get("error", {}).get("errors", ()):
            raise StepError(f"{error['code']}: {error['message']}", hint=_CORRECT)
