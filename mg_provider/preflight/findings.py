"""What a check of a folder of weights ends with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]

SHOWN = 3
"""How many of many names a message lists."""

LONGEST = 120
"""Characters of a name that a message shows."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or may be.

    Attributes:
        severity: ``error`` if a deployment would fail, ``warning`` if it may, or would be slow or costly.
        code: A short name of the kind of finding, for programs; it does not change.
        message: What is wrong and what to do.
        object: URI of the object that it is about, if it is about one.
    """

    severity: Severity
    code: str
    message: str
    object: str | None = None


@dataclass
class WeightsReport:
    """What a folder of weights holds, and what is wrong with it.

    Attributes:
        gcs_uri: The folder, without a slash at its end.
        base_model: The listed base model or models that it has the shape of, or None.
        architecture: The first of ``architectures`` in config.json, or None.
        parameter_bytes: Bytes of all tensors; for PyTorch files, bytes of the files.
        shards: Number of weight files.
        headers_read: Of how many safetensors files the whole header was read.
        headers_by_end: Of how many more only the length and the last entry were read, to stay within the byte budget.
        bytes_read: Bytes of objects that were read to find this out.
        seconds: Time that it took.
        findings: What is wrong, errors first.
    """

    gcs_uri: str
    base_model: str | None = None
    architecture: str | None = None
    parameter_bytes: int = 0
    shards: int = 0
    headers_read: int = 0
    headers_by_end: int = 0
    bytes_read: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    @property
    def errors(self) -> list[Finding]:
        """The findings for which a deployment would fail."""
        return [finding for finding in self.findings if finding.severity == "error"]

    @property
    def warnings(self) -> list[Finding]:
        """The other findings."""
        return [finding for finding in self.findings if finding.severity == "warning"]

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not self.errors


def error(code: str, message: str, object: str | None = None) -> Finding:
    """A finding for which a deployment would fail."""
    return Finding("error", code, message, object)


def warning(code: str, message: str, object: str | None = None) -> Finding:
    """A finding that need not make a deployment fail."""
    return Finding("warning", code, message, object)


def shown(text: str) -> str:
    """A text from somebody's file, fit for a message: escaped if it cannot be printed, and not too long."""
    printable = text if text.isprintable() else ascii(text)
    return printable if len(printable) <= LONGEST else f"{printable[: LONGEST - 1]}…"


def some(names: Iterable[str]) -> str:
    """The first of many names, and how many more there are."""
    listed = [shown(name) for name in names]
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
