"""Findings about single resources; the same on several of them becomes one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mg_provider.review.model import Reason, Section, Severity
from mg_provider.review.reading.compare import Subject

GATES: Final = {
    "preview-error": "the preview itself has errors",
    "rename": "a resource gets another name without an alias, so that the live one is deleted",
    "exposure": "more can reach something, or data goes elsewhere",
    "address-change": "clients lose an id, a DNS name, an IP or a model's name",
    "unprotected-delete": "something that serves is deleted, and was not protected",
    "downtime": "nothing serves, if only for a while",
    "safety-net": "a check or a safeguard goes off",
    "weights": "other weights, another container or model answers",
    "cost": "it costs more",
    "unprobed": "a new deployment gets traffic without a probe",
    "capacity": "fewer replicas serve, or machines that may be taken away",
    "batch-run": "a batch run is started, and paid",
    "unknown-price": "something without a known price runs",
    "traffic": "requests go elsewhere",
    "perimeter": "network, DNS, IAM, a service attachment or a perimeter changes",
    "drift": "something was changed in the cloud",
    "unknown": "what matters is known only after up",
    "other": "a resource that this version does not know is deleted or replaced",
    "change": "anything else changes",
}
"""What can be about a change, the most important first, and what --fail-on takes."""
_RANKS: Final = {gate: rank for rank, gate in enumerate(GATES)}
_SEVERITIES: Final = {"stop": 0, "look": 1, "note": 2}


@dataclass(frozen=True)
class Finding:
    """One thing about one resource.

    Attributes:
        also: Other gates that it fails.
        detail: What is particular to this resource; the text is what others may share.
        alike: The text for several that differ only in what follows from their regions.
    """

    gate: str
    severity: Severity
    section: Section
    resource: str
    text: str
    region: str = ""
    also: tuple[str, ...] = ()
    detail: str = ""
    follows: bool = False
    """Whether it only follows from another resource's change."""
    alike: str = ""


def about(
    subject: Subject,
    gate: str,
    severity: Severity,
    section: Section,
    text: str,
    *,
    also: tuple[str, ...] = (),
    detail: str = "",
    label: str = "",
    follows: bool = False,
    alike: str = "",
) -> Finding:
    """A finding about a resource of ours."""
    return Finding(gate, severity, section, label or subject.label, text, subject.region, also, detail, follows, alike)


def merged(findings: Iterable[Finding]) -> list[Reason]:
    """One reason for what is the same, the most important first."""
    groups: dict[tuple[str, Severity, Section, str, tuple[str, ...]], list[Finding]] = {}
    for finding in findings:
        key = (finding.gate, finding.severity, finding.section, finding.alike or finding.text, finding.also)
        groups.setdefault(key, []).append(finding)
    found = [(_reason(members), all(member.follows for member in members)) for members in groups.values()]
    return [reason for reason, _ in sorted(found, key=_order)]


def _reason(members: list[Finding]) -> Reason:
    first = members[0]
    resources = sorted({member.resource for member in members})
    several, differ = len(resources) > 1, len({member.text for member in members}) > 1
    own = [(member.resource, text) for member in members for text in (member.detail, member.text if differ else "")]
    details = sorted({f"{resource}: {text}" if several else text for resource, text in own if text})
    return Reason(
        gate=first.gate,
        severity=first.severity,
        resource=", ".join(resources),
        text=first.alike if differ else first.text,
        also=list(first.also),
        section=first.section,
        resources=resources,
        regions=sorted({member.region for member in members if member.region}),
        details=details,
    )


def _order(found: tuple[Reason, bool]) -> tuple[int, int, bool, int, str, str]:
    reason, follows = found
    return (
        _SEVERITIES[reason.severity],
        _RANKS[reason.gate],
        follows,
        -len(reason.resources),
        reason.resource,
        reason.text,
    )
