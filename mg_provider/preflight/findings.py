"""What a check of a folder of weights ends with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "note"]

ORDER: tuple[Severity, ...] = ("error", "warning", "note")
"""The most severe first."""

SHOWN = 3
"""How many of many names a message lists."""

LONGEST = 120
"""Characters of a name that a message shows."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or may be.

    Attributes:
        severity: ``error`` if a deployment would fail, ``warning`` if it may, or would be slow or costly, ``note`` for
            what is good to know.
        code: A short name of the kind of finding, for programs; it does not change.
        message: What is wrong and what to do.
        object: URI of the object that it is about, if it is about one.
    """

    severity: Severity
    code: str
    message: str
    object: str | None = None

    def __post_init__(self) -> None:
        """Escape what a terminal would act on: names and values are somebody else's."""
        for name in ("message", "object"):
            object.__setattr__(self, name, _printable(getattr(self, name)))


def _printable(text: str | None) -> str | None:
    if text is None or text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


@dataclass
class WeightsReport:
    """What a folder of weights holds, and what is wrong with it.

    Attributes:
        gcs_uri: The folder, without a slash at its end.
        base_model: The listed base model or models that it has the shape of, or None.
        architecture: The first of ``architectures`` in config.json, or None.
        kind: What it is where it is not a language model, such as an embedding model; else empty.
        dtype: The number format that config.json declares, or None.
        parameter_bytes: Bytes of all tensors; for PyTorch files, bytes of the files.
        loaded_bytes: Bytes that they take in an accelerator's memory.
        context_length: Tokens of one request at most, by config.json; None if it does not say.
        cache_bytes: Bytes of memory that one token of a request takes beside the weights; None if it is not known.
        chat_template: Whether there is a chat template; None if that was not found out.
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
    kind: str = ""
    dtype: str | None = None
    parameter_bytes: int = 0
    loaded_bytes: int = 0
    context_length: int | None = None
    cache_bytes: int | None = None
    chat_template: bool | None = None
    shards: int = 0
    headers_read: int = 0
    headers_by_end: int = 0
    bytes_read: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    def add(self, findings: Iterable[Finding]) -> None:
        """Add findings, the most severe first."""
        self.findings = sorted([*self.findings, *findings], key=lambda finding: ORDER.index(finding.severity))

    @property
    def errors(self) -> list[Finding]:
        """The findings for which a deployment would fail."""
        return [finding for finding in self.findings if finding.severity == "error"]

    @property
    def warnings(self) -> list[Finding]:
        """The findings for which it may fail, or be slow or costly."""
        return [finding for finding in self.findings if finding.severity == "warning"]

    @property
    def notes(self) -> list[Finding]:
        """What is good to know."""
        return [finding for finding in self.findings if finding.severity == "note"]

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


def note(code: str, message: str, object: str | None = None) -> Finding:
    """A finding that is good to know."""
    return Finding("note", code, message, object)


def shown(text: str) -> str:
    """A text from somebody's file, fit for a message: escaped if it cannot be printed, and not too long."""
    printable = text if text.isprintable() else ascii(text)
    return printable if len(printable) <= LONGEST else f"{printable[: LONGEST - 1]}…"


def some(names: Iterable[str]) -> str:
    """The first of many names, and how many more there are."""
    listed = [shown(name) for name in names]
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
