"""What can go wrong in a rehearsal."""

from __future__ import annotations

from typing import Final

from mg_provider.command_line.errors import Refusal

WITH_PULUMI: Final = "run this program with `pulumi` itself"
REPORT: Final = "please report this with the command and what `mg --version` prints"


class RehearsalError(Refusal):
    """A user's mistake or a limit of the rehearsal engine; nothing has been changed by it."""


class StepError(Exception):
    """One operation on one resource failed.

    Args:
        message: what the provider said, or what the engine found.
        hint: what to do, where the message does not say it yet.
        corrupt: whether it is unknown if the resource exists now.
        unanswered: whether the provider ended before it answered, so that what it began may go on.
        partial: what exists although the operation failed, where the provider could tell.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        corrupt: bool = False,
        unanswered: bool = False,
        partial: Partial | None = None,
    ) -> None:
        self.message = f"{message}\ndo: {hint}" if hint else message
        super().__init__(self.message)
        self.corrupt = corrupt
        self.unanswered = unanswered
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
