"""A checked folder of weights in words for a terminal or a log, and in JSON for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from mg_provider.data import table
from mg_provider.preflight.findings import ORDER, Finding, WeightsReport, shown
from mg_provider.preflight.machines.machine import accelerators
from mg_provider.preflight.machines.recommend import HAS_QUOTA, NO_QUOTA, Advice
from mg_provider.prices import HOURS_A_MONTH, Price, money, standard_prices

_QUOTA = {HAS_QUOTA: "quota suffices", NO_QUOTA: "quota is too small"}


def render(report: WeightsReport, advice: Advice | None = None, region: str = "") -> list[str]:
    """Lines of plain text: what the folder holds, what is recommended and costs, then each finding, errors first."""
    lines = [_what(report)]
    if report.shards:
        lines.append(
            f"{report.shards} weight {_plural('file', report.shards)}, {_size(report.parameter_bytes)}; "
            f"checked in {report.seconds:.1f} s with {_size(report.bytes_read)} read"
        )
    if report.headers_by_end:
        lines.append(
            f"of {report.headers_by_end} files only the length and end of the header were "
            "read, because all of them are very long"
        )
    findings = list(report.findings)
    if advice is not None:
        lines += _recommended(advice, region)
        findings += advice.findings
    findings.sort(key=lambda finding: ORDER.index(finding.severity))
    lines += [f"{finding.severity}: {_sentence(finding)}" for finding in findings]
    return [*lines, _verdict(report, findings)]


def to_json(report: WeightsReport, advice: Advice | None = None, region: str = "") -> dict[str, Any]:
    """The same as one JSON object; its keys do not change.

    ``recommendation`` is absent where none was asked for, and its specs are in the spelling of Google's JSON.
    """
    content: dict[str, Any] = {**asdict(report), "ok": report.ok}
    if advice is not None:
        content["recommendation"] = {
            "machine_spec": advice.machine_spec.to_wire() if advice.machine_spec else None,
            "usd_hour": price.usd if (price := _price(advice, region)) else None,
            "container_spec": advice.container_spec.to_wire() if advice.container_spec else None,
            "base_model": advice.base_model,
            "quota_state": advice.quota_state,
            "regions_that_work": advice.regions_that_work,
            "findings": [asdict(finding) for finding in advice.findings],
        }
    return content


def _what(report: WeightsReport) -> str:
    if report.architecture is None:
        return report.gcs_uri
    model = report.kind or report.base_model or _unlisted(report)
    return f"{report.gcs_uri}: {model} ({shown(report.architecture)})"


def _unlisted(report: WeightsReport) -> str:
    known = any(report.architecture in family["architectures"] for family in table("base_models")["families"])
    return f"of {'a size' if known else 'an architecture'} that custom weights do not list"


def _price(advice: Advice, region: str) -> Price | None:
    spec = advice.machine_spec
    if spec is None or spec.machine_type is None:
        return None
    kind, count = accelerators(spec)
    return standard_prices().hour(spec.machine_type, region, "on demand", kind or "", count or 0)


def _recommended(advice: Advice, region: str) -> list[str]:
    lines = []
    if advice.machine_spec is not None:
        spec = advice.machine_spec
        accelerator = f" with {spec.accelerator_count} x {spec.accelerator_type}" if spec.accelerator_type else ""
        lines.append(f"machine: {spec.machine_type}{accelerator}")
        price = _price(advice, region)
        month = (
            f"{money(price.usd)} an hour, {money(price.usd * HOURS_A_MONTH)} a month ({price.basis})" if price else ""
        )
        lines.append(f"a replica costs: {month or 'unknown'}")
    for region, state in sorted(advice.quota_state.items()):
        lines.append(f"{region}: {_QUOTA.get(state, 'quota unknown')}")
    return lines


def _sentence(finding: Finding) -> str:
    return f"{finding.message} [{finding.code}]"


def _verdict(report: WeightsReport, findings: list[Finding]) -> str:
    errors = len(report.errors)
    warnings = sum(finding.severity == "warning" for finding in findings)
    counted = f"{errors} {_plural('error', errors)}, {warnings} {_plural('warning', warnings)}"
    return f"cannot be deployed: {counted}" if errors else f"can be deployed: {counted}"


def _plural(word: str, number: int) -> str:
    return word if number == 1 else f"{word}s"


def _size(number: int) -> str:
    """Bytes in the decimal unit that keeps it readable."""
    amount = float(number)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
