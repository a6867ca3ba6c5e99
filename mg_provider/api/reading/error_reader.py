"""Reads Google's error bodies into the error tree.

Four shapes: aiplatform ``{"error": {code, message, status, details[]}}``; Compute, Cloud Storage and BigQuery
``{"error": {code, message, errors[{domain, reason, message}]}}`` (BigQuery adds ``status``); a google.rpc.Status in an
operation; and a Compute operation's ``error.errors[]{code, message}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from mg_provider.api.errors import (
    Aborted,
    AgentsNotReady,
    AlreadyExists,
    CloudError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    NotReached,
    OutOfCapacity,
    PermissionDenied,
    PolicyViolated,
    QuotaExceeded,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from mg_provider.api.policies import hint_for_constraint, violated_constraint
from mg_provider.api.reading.agents import says_being_provisioned
from mg_provider.api.reading.hints import hint_for, hint_for_not_reached
from mg_provider.api.reading.not_found import Asked, names_object, says_gone
from mg_provider.api.reading.shortage import says_stock_out
from mg_provider.api.redaction import excerpt
from mg_provider.wire.compute import ComputeOperation
from mg_provider.wire.status import Code, Status

_REASON_OF_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    412: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

# Reasons that speak of calls for each time, or at a time: errors[].reason of Compute Engine and BigQuery, the reason of
# an ErrorInfo. Compute answers them with 403 (cloud.google.com/compute/docs/api-rate-limits and operations-quota, read
# 2026-11), BigQuery too (cloud.google.com/bigquery/docs/error-messages), Vertex AI with 429.
RATE_REASONS = (
    "rateLimitExceeded",
    "userRateLimitExceeded",
    "jobRateLimitExceeded",
    "RATE_LIMIT_EXCEEDED",
    "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED",
    "RESOURCE_OPERATION_RATE_EXCEEDED",
)

# What Compute, Cloud Storage and BigQuery say in errors[].reason (or a Compute operation in code) where the HTTP status
# alone misleads.
_REASON_OF_LEGACY = {
    "alreadyExists": "ALREADY_EXISTS",
    "RESOURCE_ALREADY_EXISTS": "ALREADY_EXISTS",
    "duplicate": "ALREADY_EXISTS",
    "conflict": "ALREADY_EXISTS",  # Cloud Storage: the bucket's name is taken
    "CONDITION_NOT_MET": "ABORTED",
    "resourceInUseByAnotherResource": "FAILED_PRECONDITION",
    "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE": "FAILED_PRECONDITION",
    "resourceNotReady": "FAILED_PRECONDITION",
    "RESOURCE_NOT_READY": "FAILED_PRECONDITION",
    "RESOURCE_NOT_FOUND": "NOT_FOUND",
    "notFound": "NOT_FOUND",
    "quotaExceeded": "RESOURCE_EXHAUSTED",
    "QUOTA_EXCEEDED": "RESOURCE_EXHAUSTED",
    **dict.fromkeys(RATE_REASONS, "RESOURCE_EXHAUSTED"),
    "ZONE_RESOURCE_POOL_EXHAUSTED": "RESOURCE_EXHAUSTED",
    "PERMISSIONS_ERROR": "PERMISSION_DENIED",
    "INVALID_FIELD_VALUE": "INVALID_ARGUMENT",
    "INVALID_USAGE": "INVALID_ARGUMENT",
    "accessNotConfigured": "PERMISSION_DENIED",
}

_CLASS_OF_REASON: dict[str, type[CloudError]] = {
    "INVALID_ARGUMENT": InvalidArgument,
    "OUT_OF_RANGE": InvalidArgument,
    "FAILED_PRECONDITION": FailedPrecondition,
    "UNAUTHENTICATED": Unauthenticated,
    "PERMISSION_DENIED": PermissionDenied,
    "ALREADY_EXISTS": AlreadyExists,
    "ABORTED": Aborted,
    "INTERNAL": Unavailable,
    "UNKNOWN": Unavailable,
    "UNAVAILABLE": Unavailable,
    "DEADLINE_EXCEEDED": Unavailable,
}

# Rates by the time that they count, as Google's texts and the names of its quotas have them.
_RATE = re.compile(r"per[ _](?:\d+[ _])?(?:second|minute)s?\b|per[ _]minute|requests_per_|rate[ _]limit", re.IGNORECASE)
# What Google's front end says of any service whose calls it counts.
_RATE_QUOTA = re.compile(r"Quota exceeded for quota metric .*\bper (minute|second|\d+ seconds)\b", re.IGNORECASE)
_STAYS_USED_UP = re.compile(r"quota|capacity|resources|stockout", re.IGNORECASE)


def error_from_response(
    status: int,
    content: bytes,
    *,
    method: str,
    url: str,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> CloudError:
    """The error that an HTTP answer of 300 or more stands for, with a hint where one is known.

    Args:
        status: The answer's status.
        content: The answer's body.
        method: HTTP method of the call.
        url: URL of the call.
        body: JSON body of the call: what it names may be what does not exist.
        headers: The answer's headers, which may say who answered.
    """
    error = _error_object(content)
    legacy = [entry for entry in error.get("errors", []) if isinstance(entry, dict)]
    details = [detail for detail in error.get("details", []) if isinstance(detail, dict)]
    codes = [str(entry["reason"]) for entry in legacy if entry.get("reason")]
    message = str(error.get("message") or _plain(content))
    reason = _meant(codes, message, details) or str(error.get("status") or "") or _reason_of(status)
    if status == 404:
        asked = Asked.of(url, body)
        is_gone = reason == "NOT_FOUND" and says_gone(asked, message, details)
        if is_gone or (not error and names_object(asked, message)):
            return NotFound(status, "NOT_FOUND", message, details=details, method=method, url=url)
        return _not_reached(
            reason,
            message,
            details,
            method,
            url,
            by=None if error.get("status") or codes else _answered_by(url, headers),
        )
    return _make(status, reason, message, details=details, codes=codes, method=method, url=url)


def _not_reached(
    reason: str, message: str, details: list[dict[str, Any]], method: str, url: str, *, by: str | None
) -> NotReached:
    """The error of a 404 this answer does not come from Google that what was asked for is gone."""
    hint = hint_for(404, reason, message, details) or hint_for_not_reached(message, urlsplit(url).netloc if by else "")
    what = message if not by or message.startswith(("a ", "an ")) else f"{message!r}"
    return NotReached(404, reason, what, answered_by=by or "", details=details, method=method, url=url, hint=hint)


def _answered_by(url: str, headers: Mapping[str, str] | None) -> str:
    """Who answered in Google's place, as far as it says so."""
    servers = [f"{name} {value}" for name in ("Server", "Via") if (value := (headers or {}).get(name))]
    return excerpt(urlsplit(url).netloc + (f" ({', '.join(servers)})" if servers else ""), 120)


def error_from_status(status: Status) -> CloudError:
    """The error that a google.rpc.Status in an operation or a job stands for."""
    known = status.code in Code.__members__.values()
    reason = Code(status.code).name if known else f"code {status.code}"
    return _make(0, reason, status.message, details=status.details, codes=[])


def error_from_compute_operation(operation: ComputeOperation) -> CloudError | None:
    """The error that a Compute operation ended with, or None if it has none."""
    if operation.error is None and not operation.http_error_status_code:
        return None
    errors = operation.error.errors if operation.error else []
    codes = [error.code for error in errors if error.code]
    status = operation.http_error_status_code or 0
    message = "; ".join(error.message for error in errors if error.message) or operation.http_error_message or ""
    details = [detail["errorInfo"] for error in errors for detail in error.error_details or [] if "errorInfo" in detail]
    reason = _meant(codes, message, details) or (_reason_of(status) if status else "UNKNOWN")
    return _make(status, reason, message, details=details, codes=codes)


def _make(
    status: int,
    reason: str,
    message: str,
    *,
    details: list[dict[str, Any]],
    codes: list[str],
    method: str = "",
    url: str = "",
) -> CloudError:
    if (constraint := violated_constraint(message)) is not None:
        advice = hint_for_constraint(constraint)
        return PolicyViolated(
            status, reason, message, constraint=constraint, details=details, method=method, url=url, hint=advice
        )
    kind = _CLASS_OF_REASON.get(reason, CloudError)
    if says_being_provisioned(message):
        kind = AgentsNotReady
    elif reason in ("RESOURCE_EXHAUSTED", "UNAVAILABLE") and says_stock_out(message):
        kind = OutOfCapacity
    elif reason == "RESOURCE_EXHAUSTED":
        kind = RateLimited if _passes_with_time(message, details, codes) else QuotaExceeded
    elif kind is CloudError and status >= 500 and reason != "UNIMPLEMENTED":
        kind = Unavailable
    hint = None if kind is RateLimited else hint_for(status, reason, message, details)
    return kind(status, reason, message, details=details, method=method, url=url, hint=hint)


def _passes_with_time(message: str, details: list[dict[str, Any]], codes: list[str]) -> bool:
    """Whether RESOURCE_EXHAUSTED speaks of calls for each time, and not of an allocation that stays used up."""
    return _is_rate(codes, details) or bool(_RATE.search(message)) or not _STAYS_USED_UP.search(message)


def _is_rate(codes: list[str], details: list[dict[str, Any]]) -> bool:
    """Whether a reason says that calls come too fast."""
    return not {*codes, *(str(detail.get("reason", "")) for detail in details)}.isdisjoint(RATE_REASONS)


def _meant(codes: list[str], message: str, details: list[dict[str, Any]]) -> str | None:
    """The google.rpc.Code that reasons stand for, whatever the HTTP status says."""
    if _is_rate(codes, details) or (_RATE_QUOTA.match(message)):
        return "RESOURCE_EXHAUSTED"
    return next((_REASON_OF_LEGACY[code] for code in codes if code in _REASON_OF_LEGACY), None)


def _reason_of(status: int) -> str:
    if status in _REASON_OF_STATUS:
        return _REASON_OF_STATUS[status]
    return "UNAVAILABLE" if status >= 500 else "UNKNOWN"


def _error_object(body: bytes) -> Mapping[str, Any]:
    try:
        data = json.loads(body)
    except ValueError:
        return {}
    # A streaming method wraps its error in a list.
    if isinstance(data, list) and data:
        data = data[0]
    error = data.get("error") if isinstance(data, dict) else None
    return error if isinstance(error, dict) else {}


def _plain(content: bytes) -> str:
    text = excerpt(content.decode("utf-8", "replace"))
    if not text:
        return "an empty body"
    if not text.startswith("<"):
        return text
    title = re.search(rb"<title>(.*?)</title>", content, re.IGNORECASE | re.DOTALL)
    titled = f" titled {excerpt(title[1].decode('utf-8', 'replace'), 80)!r}" if title else ""
    return f"an error page in HTML{titled}, perhaps from a proxy"
