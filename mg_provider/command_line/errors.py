"""The one form of every error: what happened, to which resource, what exists now, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from mg_provider.command_line.exits import FAILED, USAGE


class StatedError(Exception):
    """Something went wrong, in one sentence.

    Attributes:
        exit_code: What a command ends with because of it.
        otherwise: What to do where nothing more is known than the kind of error.
        summary: One sentence that says what happened.
        resource: The resource that it happened to, by name.
        hint: One imperative sentence that says what to do about this very case, if that is known.
        exists: What exists in the cloud now because of the attempt, by resource name.
        log: What the serving container wrote last, redacted, or why it cannot be read.
    """

    exit_code: ClassVar[int] = FAILED
    otherwise: ClassVar[str] = ""

    def __init__(
        self,
        summary: str,
        *,
        resource: str | None = None,
        hint: str | None = None,
        exists: Iterable[str] = (),
        log: Iterable[str] = (),
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        self.resource = resource
        self.hint = hint
        self.exists = list(exists)
        self.log = list(log)

    def __str__(self) -> str:
        """The summary, the container's last lines, what exists, and what to do, each on a line."""
        subject = f"{self.resource}: " if self.resource else ""
        lines = [f"{subject}{self.summary}", *(f"log: {line}" for line in self.log)]
        lines += [f"exists: {name}" for name in self.exists]
        if self.advice:
            lines.append(f"do: {self.advice}")
        return "\n".join(lines)

    @property
    def advice(self) -> str:
        """What to do: about this very case, or else about errors of this kind."""
        return self.hint or self.otherwise


def unread(error: OSError | ValueError) -> str:
    """Why a file cannot be read, as text or as JSON."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return f"it is not JSON, in line {getattr(error, 'lineno', 1)}"


class Refusal(StatedError):
    """A mistake in a command, a file or a setting. Nothing was begun."""

    exit_code = USAGE

    def __init__(self, summary: str, *, hint: str) -> None:
        super().__init__(summary, hint=hint)
