"""Resources of other providers: listed by operation, and judged where they decide who reaches a model, and how."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mg_provider.review.judging.findings import Finding
from mg_provider.review.model import Severity
from mg_provider.review.reading.kinds import OURS
from mg_provider.review.reading.preview import Side, Step
from mg_provider.review.reading.values import difference, entries, leaves, name, show


@dataclass(frozen=True)
class _Area:
    """What a type is about.

    Attributes:
        gone: How grave it is when one goes.
        serves: Whether clients then get nothing.
        admits: Whether it says who may reach something.
    """

    pattern: re.Pattern[str]
    what: str
    gone: Severity = "stop"
    serves: bool = False
    admits: bool = False


_KNOWN: Final[tuple[tuple[str, str, Severity, bool, bool], ...]] = (
    (r"accesscontextmanager", "VPC Service Controls perimeter", "stop", False, True),
    (r"iam|serviceaccount/|organizations/policy|orgpolicy", "IAM or organization policy", "look", False, True),
    (r"serviceattachment", "service attachment", "stop", True, True),
    (r"dns", "DNS", "stop", True, False),
    (r"firewall|securitypolicy", "firewall", "look", False, True),
    (r"compute/.*(network|subnetwork|router|route|nat|vpn|interconnect|peering)", "network", "stop", True, False),
    (r"servicenetworking|networkconnectivity|vpcaccess", "network", "stop", True, False),
    (r"compute/.*(address|forwardingrule)", "address", "stop", True, False),
    (r"projects/service:", "API of the project", "stop", True, False),
    (r"kms", "encryption key", "stop", False, False),
    (r"storage/bucket|bigquery/(dataset|table)|secretmanager", "data", "stop", False, False),
)
_AREAS: Final = tuple(
    _Area(re.compile(pattern, re.IGNORECASE), what, gone, serves, admits)
    for pattern, what, gone, serves, admits in _KNOWN
)
_MACHINES: Final = re.compile(
    r"vertex/ai|notebooks/|workbench/|tpu/|cloudrun|container/(cluster|nodepool)|compute/.*instance|sql/databaseinstance",
    re.IGNORECASE,
)
_PROGRAMS: Final = re.compile(r"^command:|^pulumi-[a-z]+:dynamic")
_ENDPOINT: Final = re.compile(r"vertex/aiendpoint", re.IGNORECASE)
_EVERYBODY: Final = ("allUsers", "allAuthenticatedUsers", "ACCEPT_AUTOMATIC")
_OPEN: Final = ("0.0.0.0/0", "::/0")
_GOES: Final = ("delete", "replace")
_VERBS: Final = {
    "create": "new",
    "update": "changed",
    "delete": "deleted",
    "replace": "replaced",
    "import": "imported",
}
_OPERATIONS: Final = (*_VERBS, "same", "read", "refresh")


def other(step: Step, label: str) -> Iterator[Finding]:
    """What happens to a resource that is not ours."""
    if step.op == "same":
        return
    verb = _VERBS.get(step.op, step.op)
    short = step.type.rpartition(":")[2] if not step.type.startswith(OURS) else step.type
    area = next((area for area in _AREAS if area.pattern.search(step.type)), None)
    if step.type.startswith(OURS):
        text = f"of a type that this version of mg does not know ({name(short)}): {verb}"
        yield Finding("other", "look", "others", label, text)
        return
    if area is not None:
        yield from _judged(step, label, area, f"{area.what}: {name(short)} {verb}", _differences(step))
    else:
        yield from _at_large(step, label, f"{name(short)} {verb}")


def odd(step: Step, label: str) -> Iterator[Finding]:
    """An operation of an engine that is newer than this version."""
    if step.op not in _OPERATIONS:
        text = f"not understood: the engine plans {name(step.op) or 'an operation without a name'}"
        yield Finding("unknown", "look", "unknown", label, text)


def drifted(step: Step, label: str) -> Iterator[Finding]:
    """What was changed in the cloud of a resource that is not ours."""
    if step.new is None:
        yield Finding("drift", "look", "drift", label, "gone from the cloud: somebody deleted it")
    elif differences := _differences(step):
        yield Finding("drift", "look", "drift", label, f"somebody changed in the cloud: {differences}")


def _at_large(step: Step, label: str, text: str) -> Iterator[Finding]:
    """What does not decide who reaches a model: whether it serves itself, or runs machines."""
    gone, differences = step.op in _GOES, "" if step.old is None or step.new is None else _differences(step)
    if gone and _ENDPOINT.search(step.type):
        also = ("unprotected-delete", "downtime", "address-change")
        yield Finding("other", "stop", "others", label, f"{text}: clients that call it get nothing", also=also)
    elif _PROGRAMS.search(step.type):
        text = f"{text}: it runs a program of its own during up, and what that does is not in this review"
        yield Finding("other", "look", "others", label, text)
    elif _MACHINES.search(step.type) and step.op != "delete":
        text = f"{text}: what its machines cost is not in this review"
        yield Finding(
            "unknown-price", "look", "others", label, text, also=("other",) if gone else (), detail=differences
        )
    else:
        yield Finding("other", "look" if gone else "note", "others", label, text, detail=differences)


def _judged(step: Step, label: str, area: _Area, text: str, differences: str) -> Iterator[Finding]:
    new = (step.new or Side()).inputs
    old = (step.old or Side()).inputs
    for found, what in ((_EVERYBODY, "everybody"), (_OPEN, "every address")):
        if _has(new, found) and not _has(old, found) and step.op != "delete" and not _is_egress(new):
            yield Finding(
                "exposure",
                "stop",
                "others",
                label,
                f"{text}, and lets in {what}",
                also=("perimeter",),
                detail=differences,
            )
            return
    goes = step.op in _GOES
    also = ("downtime",) if goes and area.serves else ("exposure",) if area.admits and step.op != "delete" else ()
    yield Finding("perimeter", area.gone if goes else "look", "others", label, text, also=also, detail=differences)


def _has(values: Any, found: tuple[str, ...]) -> bool:
    return any(entry in found for _, leaf in leaves(values) for entry in entries(leaf) if isinstance(entry, str))


def _is_egress(values: Mapping[str, Any]) -> bool:
    return str(values.get("direction", "")).upper() == "EGRESS"


def _differences(step: Step) -> str:
    """What differs, a few values; of what is made or goes, what it is."""
    if step.old is None or step.new is None:
        return show(step.side.inputs) if step.side.inputs else ""
    differences = difference(step.old.inputs, step.new.inputs)
    return "; ".join(differences[:6]) + (f"; and {len(differences) - 6} more" if len(differences) > 6 else "")
