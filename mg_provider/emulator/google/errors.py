"""Errors named by meaning, and the one place that writes Google's error bodies.

Two body shapes: that of Vertex AI (``status`` and typed ``details``), and the older one of Compute Engine, Cloud
Storage and BigQuery (``errors[]`` with a ``reason``).
"""

from __future__ import annotations

import re
from typing import Any

# google.rpc.Code: name -> (number, HTTP status, reason in the older shape)
CODES: dict[str, tuple[int, int, str]] = {
    "CANCELLED": (1, 499, "cancelled"),
    "UNKNOWN": (2, 500, "backendError"),
    "INVALID_ARGUMENT": (3, 400, "invalid"),
    "DEADLINE_EXCEEDED": (4, 504, "timeout"),
    "NOT_FOUND": (5, 404, "notFound"),
    "ALREADY_EXISTS": (6, 409, "alreadyExists"),
    "PERMISSION_DENIED": (7, 403, "forbidden"),
    "RESOURCE_EXHAUSTED": (8, 429, "rateLimitExceeded"),
    "FAILED_PRECONDITION": (9, 400, "failedPrecondition"),
    "ABORTED": (10, 409, "conflict"),
    "OUT_OF_RANGE": (11, 400, "outOfRange"),
    "UNIMPLEMENTED": (12, 501, "notImplemented"),
    "INTERNAL": (13, 500, "backendError"),
    "UNAVAILABLE": (14, 503, "backendError"),
    "UNAUTHENTICATED": (16, 401, "authError"),
}
_BY_HTTP = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class ApiError(Exception):
    """What a handler raises to answer with an error.

    Attributes:
        status: HTTP status.
        code: google.rpc.Code name.
        message: text for the user.
        details: ``google.rpc`` messages, each with ``@type``.
        reason: the older shape's reason, such as ``notFound``.
        domain: the older shape's domain.
        headers: more response headers, such as ``Retry-After``.
        raw: the whole body, where it is not one of Google's errors.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int | None = None,
        details: list[dict[str, Any]] | None = None,
        reason: str | None = None,
        domain: str = "global",
        headers: dict[str, str] | None = None,
        raw: str | None = None,
    ) -> None:
        super().__init__(message)
        _, default_status, default_reason = CODES[code]
        self.code = code
        self.message = message
        self.status = status or default_status
        self.details = details or []
        self.reason = reason or default_reason
        self.domain = domain
        self.headers = headers or {}
        self.raw = raw

    @property
    def number(self) -> int:
        """The google.rpc.Code number, as an operation's ``error.code`` has it."""
        return CODES[self.code][0]

    def operation_status(self) -> dict[str, Any]:
        """The ``google.rpc.Status`` of a failed operation."""
        body: dict[str, Any] = {"code": self.number, "message": self.message}
        return {**body, "details": self.details} if self.details else body

    @property
    def compute_code(self) -> str:
        """What an operation of Compute Engine calls it: the older shape's reason in capitals."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.reason).upper()

    def body(self, legacy: bool) -> dict[str, Any]:
        """The response body, in the older shape if ``legacy``."""
        error: dict[str, Any] = {"code": self.status, "message": self.message}
        if legacy:
            error["errors"] = [{"message": self.message, "domain": self.domain, "reason": self.reason}]
        else:
            error["status"] = self.code
        if self.details:
            error["details"] = self.details
        return {"error": error}


def code_of_http(status: int) -> str:
    """The usual google.rpc.Code name of an HTTP status."""
    return _BY_HTTP.get(status, "UNKNOWN")


def not_found(message: str) -> ApiError:
    """The named resource does not exist."""
    return ApiError("NOT_FOUND", message)


def no_page(path: str) -> ApiError:
    """What Google's front end answers where no service has the path: a page, and no error of an API."""
    page = (
        "<!DOCTYPE html>\n<html lang=en>\n  <title>Error 404 (Not Found)!!1</title>\n"
        "  <p><b>404.</b> <ins>That&rsquo;s an error.</ins>\n"
        f"  <p>The requested URL <code>{path}</code> was not found on this server.  "
        "<ins>That&rsquo;s all we know.</ins>\n"
    )
    return ApiError("NOT_FOUND", "no such path", headers={"Content-Type": "text/html; charset=UTF-8"}, raw=page)


def already_exists(message: str) -> ApiError:
    """The id is taken."""
    return ApiError("ALREADY_EXISTS", message)


def aborted(message: str) -> ApiError:
    """Somebody else changed it: a stale etag."""
    return ApiError("ABORTED", message)


def failed_precondition(message: str) -> ApiError:
    """The resource is not in a state that allows this."""
    return ApiError("FAILED_PRECONDITION", message)


def permission_denied(message: str, reason: str = "IAM_PERMISSION_DENIED") -> ApiError:
    """The caller may not."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "aiplatform.googleapis.com",
    }
    return ApiError("PERMISSION_DENIED", message, details=[info])


def invalid_argument(message: str, *violations: tuple[str, str]) -> ApiError:
    """The request is wrong; ``violations`` are pairs of field and description."""
    listed = [{"field": field, "description": text} if field else {"description": text} for field, text in violations]
    details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": listed}] if listed else []
    return ApiError("INVALID_ARGUMENT", message, details=details)


def quota_exceeded(quota: str) -> ApiError:
    """A project's quota for ``quota`` does not cover the request."""
    return ApiError("RESOURCE_EXHAUSTED", f"The following quotas are exceeded: {quota}")


def stockout() -> ApiError:
    """The region has no such machines at the moment (PerfKitBenchmarker looks for this text in the operation)."""
    return ApiError(
        "UNAVAILABLE", "Machine type temporarily unavailable, please deploy with a different machine type or retry."
    )


def not_emulated(what: str) -> ApiError:
    """The API has it, this emulator does not."""
    return ApiError("UNIMPLEMENTED", f"{what} is not emulated; see mg_provider/emulator/COVERAGE.md.")
