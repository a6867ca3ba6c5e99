"""What a check of batch input ends with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mg_provider.preflight.findings import Severity

LIMIT = 100
"""How many findings are kept in full; of the others there is a count."""


@dataclass(frozen=True, slots=True)
class InputFinding:
    """One thing that is wrong with the input, or may be.

    Attributes:
        severity: ``error`` if the row or the job would fail, ``warning`` if not, or if nobody says.
        code: A short name of the kind of finding, for programs; it does not change.
        message: What is wrong and what to do.
        source: The file, object or table that it is about; empty for the job as a whole.
        line: Number of the line, from 1; None where there are no lines.
        times: How often it was found; this is the first.
    """

    severity: Severity
    code: str
    message: str
    source: str = ""
    line: int | None = None
    times: int = 1

    @property
    def place(self) -> str:
        """Where to look: ``gs://bucket/file.jsonl:12``."""
        return f"{self.source}:{self.line}" if self.line is not None else self.source


@dataclass
class InputReport:
    """What the input holds, and what is wrong with it.

    Attributes:
        sources: Files, objects or tables that were read.
        rows: Rows that were checked, the wrong ones too.
        wrong_rows: Rows with an error.
        bytes: Bytes that were checked; for a query, bytes that it processed.
        seconds: Time that it took.
        limit: How many findings are kept in full.
        findings: The first findings: errors, then warnings, each in the order of the input. Of each kind there is one.
        counts: Number of findings by code, those beyond the limit too.
        errors: Number of errors, those beyond the limit too.
        row_errors: Of these, how many are about a row; the others are about the whole.
        warnings: Number of warnings, likewise.
        not_compared: Rows whose custom_id was only compared with earlier ones, because there were too many.
    """

    sources: list[str] = field(default_factory=list)
    rows: int = 0
    wrong_rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    limit: int = LIMIT
    findings: list[InputFinding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    errors: int = 0
    row_errors: int = 0
    warnings: int = 0
    not_compared: int = 0
    _kept: Counter[tuple[str, str]] = field(default_factory=Counter, repr=False)

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not self.errors

    @property
    def wrong_share(self) -> float:
        """Which part of the rows has an error, 0 to 1; 1 if the errors are about the whole input."""
        if self.errors > self.row_errors:
            return 1.0
        return self.wrong_rows / self.rows if self.rows else 0.0

    @property
    def omitted(self) -> int:
        """Findings beyond the limit."""
        return self.errors + self.warnings - sum(finding.times for finding in self.findings)

    def wrong_row(self, errors: int, rows: int = 1) -> None:
        """Note that some of the errors are about rows, and of how many."""
        self.row_errors += errors
        self.wrong_rows += rows

    def add(
        self, severity: Severity, code: str, message: str, source: str = "", line: int | None = None, times: int = 1
    ) -> None:
        """Note a finding; of one that was found several ``times``, the first is kept."""
        self.counts[code] += times
        if severity == "error":
            self.errors += times
        else:
            self.warnings += times
        self._keep(InputFinding(severity, code, message, source, line, times))

    def _keep(self, finding: InputFinding) -> None:
        """Keep a finding before all that are less severe; where there are too many, the least telling one goes."""
        if len(self.findings) >= self.limit and not self._makes_room(finding):
            return
        if finding.severity == "error":
            self.findings.insert(self._errors_kept, finding)
        else:
            self.findings.append(finding)
        self._kept[finding.severity, finding.code] += 1

    @property
    def _errors_kept(self) -> int:
        return sum(number for (severity, _), number in self._kept.items() if severity == "error")

    def _makes_room(self, finding: InputFinding) -> bool:
        """Whether one was dropped: a warning for an error; another of a kind that is there for one that is not."""
        if finding.severity == "error" and self.findings[-1].severity != "error":
            self._drop(len(self.findings) - 1)
            return True
        if self._kept[finding.severity, finding.code]:
            return False
        for at in reversed(range(len(self.findings))):
            last = self.findings[at]
            if last.severity == finding.severity and self._kept[last.severity, last.code] > 1:
                self._drop(at)
                return True
        return False

    def _drop(self, at: int) -> None:
        gone = self.findings.pop(at)
        self._kept[gone.severity, gone.code] -= 1
