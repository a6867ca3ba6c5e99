"""What can go wrong in a rehearsal."""

from __future__ import annotations


class RehearsalError(Exception):
    """A user's mistake or a limit of the rehearsal engine, in words; nothing has been changed by it."""


class StepError(Exception):
    """One operation on one resource failed.

    Args:
        message: what the provider said.
        corrupt: whether it is unknown if the resource exists now.
        partial: what exists although the operation failed, where the provider could tell.
    """

    def __init__(self, message: str, *, corrupt: bool = False, partial: Partial | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.corrupt = corrupt
        self.partial = partial


class Partial:
    """A resource that exists but is not ready, as reported by ``ErrorResourceInitFailed``.

    Args:
        identifier: its provider-assigned id.
        outputs: its outputs so far.
        inputs: its inputs as read, where the failed operation was a read.
        reasons: why it is not ready.
    """

    def __init__(
        self,
        identifier: str,
        outputs: dict[str, object],
        inputs: dict[str, object] | None,
        reasons: list[str],
    ) -> None:
        self.identifier = identifier
        self.outputs = outputs
        self.inputs = inputs
        self.reasons = reasons


class ProtectedError(StepError):
    """A protected resource was to be deleted."""


class StoppedError(Exception):
    """The deployment stops: an operation failed or the user asked for it; nothing new is started."""
