"""A check of batch input in words for a terminal, and in JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from mg_provider.preflight.batch.input_report import InputFinding, InputReport

AGAIN: Final = "do: correct what each error names, then run the same command again"


def render(report: InputReport) -> Iterator[str]:
    """Lines of plain text: each finding with its place, how many there are of each kind, the verdict, what to do."""
    for finding in report.findings:
        yield describe(finding)
    if report.omitted:
        counts = ", ".join(f"{number:,} {code}" for code, number in report.counts.most_common())
        yield f"and {report.omitted:,} more; in all {counts}"
    if report.not_compared:
        yield f"{report.not_compared:,} rows were only compared with the custom_ids of the first million"
    yield (
        f"{report.rows:,} {plural('row', report.rows)} in {len(report.sources):,} "
        f"{plural('source', len(report.sources))}, {report.bytes:,} bytes, {report.seconds:.1f} s"
    )
    counted = (
        f"{report.errors:,} {plural('error', report.errors)}, {report.warnings:,} {plural('warning', report.warnings)}"
    )
    yield f"{'can be' if report.ok else 'cannot be'} predicted: {counted}"
    if not report.ok:
        yield AGAIN


def describe(finding: InputFinding) -> str:
    """One finding in a line."""
    place = f"{finding.place}: " if finding.place else ""
    return f"{place}{finding.severity}: {finding.message} [{finding.code}]"


def to_json(report: InputReport) -> dict[str, Any]:
    """The same as one JSON object; its keys do not change."""
    content = {name: value for name, value in asdict(report).items() if not name.startswith("_")}
    return {**content, "counts": dict(report.counts), "ok": report.ok, "omitted": report.omitted}


def plural(word: str, number: int) -> str:
    """The word for one, or for several."""
    return word if number == 1 else f"{word}s"
