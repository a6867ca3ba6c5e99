"""What can go wrong, in one tree.

    MgError
    ├── UserError                    an argument or a setting is wrong; nothing was called
    ├── CloudError                   Google answered with an error
    │   ├── InvalidArgument          400
    │   ├── FailedPrecondition       400, the state of something forbids it
    │   ├── AgentsNotReady           400, a new project's service agents are being made
    │   ├── Unauthenticated          401
    │   ├── PermissionDenied         403
    │   ├── PolicyViolated           400 or 412, an organization policy forbids it
    │   ├── NotFound                 404; the only error that means gone
    │   ├── NotReached               404 of which Google does not mean that the resource is gone
    │   ├── AlreadyExists            409
    │   ├── Aborted                  409, or 412: somebody changed it in between
    │   ├── QuotaExceeded            403 or 429, asking again will not help
    │   │   └── OutOfCapacity        no machine of the kind is free, whatever the status
    │   ├── RateLimited              403 or 429, asking again later will
    │   ├── Unavailable              5xx
    │   └── OperationFailed          an operation ended with an error
    ├── StillRunning                 an operation goes on, and nobody waits for it any more
    │   ├── OperationTimeout         we stopped waiting
    │   └── OperationCancelled       the user stopped waiting
    ├── OperationLost                an operation is not known any more; how it ended is unknown
    ├── ConnectionFailed             no answer; whether the call took effect is unknown unless it says otherwise
    │   ├── NothingListens           at an address of this machine, as after an emulator has ended
    │   └── CertificateNotTrusted    nobody vouches for the server; nothing was sent
    └── ProviderBug                  our mistake

Data is in attributes, text in ``str()``: what happened, then what exists now, then what to do. Texts of others are cut
to 512 characters and redacted; the original error is chained as the cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from mg_provider.api.policies import what_it_forbids
from mg_provider.api.redaction import excerpt, redact_data
from mg_provider.command_line.errors import StatedError
from mg_provider.command_line.exits import USAGE


class MgError(StatedError):
    """Something went wrong in the cloud, on the way to it, or before."""

    def add_existing(self, *names: str) -> None:
        """Name more of what exists, each once."""
        self.exists += [name for name in names if name and name not in self.exists]


class UserError(MgError):
    """An argument or a setting is wrong. Nothing was called.

    Attributes:
        property: The path of the argument or setting, such as ``machine_spec.accelerator_count``.
    """

    exit_code = USAGE

    def __init__(self, summary: str, *, hint: str, property: str | None = None, resource: str | None = None) -> None:
        super().__init__(f"{property}: {summary}" if property else summary, resource=resource, hint=hint)
        self.property = property


class CloudError(MgError):
    """Google answered with an error.

    Attributes:
        status: HTTP status, or 0 where the error did not come as an HTTP answer.
        reason: Name of the google.rpc.Code, such as ``PERMISSION_DENIED``.
        message: Google's own text, cut and redacted.
        details: google.rpc.Status details, redacted.
        method: HTTP method of the call.
        url: URL of the call without its query.
    """

    otherwise = "correct what Google names, then run the same command again"

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        details: Iterable[Mapping[str, Any]] = (),
        method: str = "",
        url: str = "",
        resource: str | None = None,
        hint: str | None = None,
        exists: Iterable[str] = (),
    ) -> None:
        self.status = status
        self.reason = reason
        self.message = excerpt(message)
        self.details: list[dict[str, Any]] = [redact_data(dict(detail)) for detail in details]
        self.method = method
        self.url = url.split("?")[0]
        super().__init__(self._sentence(), resource=resource, hint=hint, exists=exists)

    def _sentence(self) -> str:
        parts = [str(self.status) if self.status else "", self.reason]
        label = " ".join(part for part in parts if part)
        place = urlsplit(self.url)
        call = f" to {self.method} {place.path}" if self.url else ""
        # Only this machine's own loopback is asked without TLS.
        who = f"http://{place.netloc}" if place.scheme == "http" else "Google"
        return f"{who} answered {label}{call}: {self.message or 'no message'}"


class InvalidArgument(CloudError):
    """A value in the request is not acceptable, whatever the state of the cloud."""


class FailedPrecondition(CloudError):
    """The state of something forbids the call, such as deleting an endpoint that still serves a model."""


class AgentsNotReady(CloudError):
    """The service agents of a new project are being made; the same call fares better in a few minutes."""


class Unauthenticated(CloudError):
    """The caller's credentials are missing, expired or wrong."""

    otherwise = "run `gcloud auth application-default login`, or set GOOGLE_OAUTH_ACCESS_TOKEN"


class PermissionDenied(CloudError):
    """The caller may not do this, or a perimeter forbids it. It does not mean that the resource is gone."""

    otherwise = "ask an administrator for the permission that Google names"


class PolicyViolated(CloudError):
    """A policy of the organization forbids the call. Nothing was changed, and the same call fails until it allows it.

    Attributes:
        constraint: The policy's constraint, such as ``gcp.resourceLocations``.
    """

    def __init__(self, status: int, reason: str, message: str, *, constraint: str, **more: Any) -> None:
        self.constraint = constraint
        super().__init__(status, reason, message, **more)

    def _sentence(self) -> str:
        return f"{_forbidden(self.constraint)}. {super()._sentence()}"


def _forbidden(constraint: str) -> str:
    return f"the organization policy constraints/{constraint} forbids {what_it_forbids(constraint)}"


class NotFound(CloudError):
    """The resource does not exist. No other error says so."""

    otherwise = "check the name, the project and the region"


class NotReached(CloudError):
    """A 404 that does not mean that the resource is gone: of a proxy, or of Google about something else.

    Attributes:
        answered_by: Who answered, unless it was Google: a host, and what it calls itself.
    """

    def __init__(self, status: int, reason: str, message: str, *, answered_by: str = "", **more: Any) -> None:
        self.answered_by = answered_by
        super().__init__(status, reason, message, **more)

    def _sentence(self) -> str:
        if not self.answered_by:
            return f"{super()._sentence().rstrip('.')}. This does not mean that the resource is gone"
        call = f"{self.method} {urlsplit(self.url).path}"
        return f"{self.answered_by} answered {self.status} to {call} with {self.message}: this is not Google's answer"


class AlreadyExists(CloudError):
    """The id or name is taken."""


class Aborted(CloudError):
    """Somebody changed the resource in between: the etag or fingerprint is stale."""


class QuotaExceeded(CloudError):
    """A quota is used up; the same call will fail again until quota is granted or freed."""


class OutOfCapacity(QuotaExceeded):
    """The region has no machine of the kind at the moment; another kind or region may do."""


class RateLimited(CloudError):
    """Too many calls for the moment."""

    otherwise = "run the same command again in a few minutes"


class Unavailable(CloudError):
    """Google could not answer for the moment."""

    otherwise = "run the same command again in a few minutes"


class OperationFailed(CloudError):
    """An operation ended with an error.

    Attributes:
        operation: The operation's name.
        stage: The last deployment stage that it reported, if any.
        started: When it started, in RFC 3339, if it says so.
    """

    def __init__(
        self, cause: CloudError, *, operation: str, stage: str | None = None, started: str | None = None
    ) -> None:
        self.operation = operation
        self.stage = stage
        self.started = started
        self._forbidden = cause.constraint if isinstance(cause, PolicyViolated) else ""
        super().__init__(cause.status, cause.reason, cause.message, details=cause.details, hint=cause.hint)

    def _sentence(self) -> str:
        stage = f" at {self.stage}" if self.stage else ""
        if self._forbidden:
            return f"{self.operation} failed{stage}: {_forbidden(self._forbidden)}. Google said: {self.message}"
        return f"{self.operation} failed{stage} with {self.reason}: {self.message or 'no message'}"


class StillRunning(MgError):
    """Nobody waits for an operation any more, and it goes on.

    Attributes:
        operation: The operation's name.
        stage: The last stage that it reported, if any.
    """

    def __init__(self, summary: str, operation: str, stage: str | None, *, hint: str) -> None:
        super().__init__(summary, hint=hint)
        self.operation = operation
        self.stage = stage


class OperationTimeout(StillRunning):
    """An operation still runs, but we stopped waiting.

    Attributes:
        waited: Seconds waited.
    """

    def __init__(self, operation: str, *, waited: float, stage: str | None = None) -> None:
        self.waited = waited
        last = f"; its last stage was {stage}" if stage else ""
        super().__init__(
            f"{operation} has not ended after {waited:.0f} s{last}",
            operation,
            stage,
            hint="it continues in the cloud: run `pulumi up` again to keep waiting, with a longer timeout if needed",
        )


class OperationCancelled(StillRunning):
    """The user stopped waiting for an operation, which goes on."""

    def __init__(self, operation: str, *, stage: str | None = None) -> None:
        super().__init__(
            f"stopped waiting for {operation}",
            operation,
            stage,
            hint="it continues in the cloud: run `pulumi up` to keep waiting, or `pulumi destroy` to remove it",
        )


class OperationLost(MgError):
    """Google does not know an operation any more that it has named before. How it ended is unknown.

    Attributes:
        operation: The operation's name.
    """

    def __init__(self, operation: str) -> None:
        self.operation = operation
        super().__init__(
            f"{operation} is not known to Google any more, so its result is unknown",
            hint="run the same command again: it looks for what the operation has made or removed",
        )


class ConnectionFailed(MgError):
    """No answer came.

    Attributes:
        sent: Whether the request may have reached Google, so that it may have taken effect.
        method: HTTP method of the call.
        url: URL of the call without its query.
        problem: Why, in a few words.
    """

    def __init__(self, problem: str, *, method: str, url: str, sent: bool) -> None:
        self.problem = excerpt(problem, 200)
        self.method = method
        self.url = url.split("?")[0]
        self.sent = sent
        effect = "it may have taken effect" if sent else "it was not sent"
        super().__init__(
            f"no answer to {method} {self.url} ({self.problem}); {effect}",
            hint="check the address, the network and proxies, then run the same command again",
        )


class NothingListens(ConnectionFailed):
    """Nothing listens at an address of this machine, as after an emulator has ended: no network can be at fault."""

    def __init__(self, problem: str, *, method: str, url: str) -> None:
        super().__init__(problem, method=method, url=url, sent=False)
        port = urlsplit(url).port or 80
        self.hint = (
            f"start what answered there again, as with `mg emulator --port {port}` and the --keep-in that it had, then "
            "run the same command again; what an emulator kept in no folder is gone"
        )


class CertificateNotTrusted(ConnectionFailed):
    """Nobody vouches for the server's certificate, so nothing was sent to it."""

    def __init__(self, problem: str, *, method: str, url: str) -> None:
        super().__init__(problem, method=method, url=url, sent=False)
        self.hint = (
            "where a proxy or a private endpoint has a certificate of its own, name its PEM file or its fingerprint; "
            "`mg certificate` shows what a server has"
        )


class ProviderBug(MgError):
    """A mistake of this provider."""

    def __init__(self, summary: str) -> None:
        super().__init__(summary, hint="please report this with the command and the provider's version")


def end_with(problem: StatedError, complain: Callable[[str], object], doing: str = "") -> int:
    """End a command with what went wrong; its exit code.

    Args:
        problem: What went wrong. A mistake in an argument speaks for itself.
        complain: Takes the text.
        doing: What could not be done because of it.
    """
    mistaken = problem.exit_code == USAGE
    complain(f"error: {problem}\n" if mistaken or not doing else f"error: {doing}: {problem}\n")
    return problem.exit_code
