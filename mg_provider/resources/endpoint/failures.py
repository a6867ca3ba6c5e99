"""Why a deployment failed, in words that its reader can act on: stage, Google's words, the container's, what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mg_provider.api.errors import CloudError, MgError, OperationFailed, PermissionDenied, QuotaExceeded
from mg_provider.api.reading.agents import ADDRESS, DEPLOYING_ROLE, agent_of, says_being_provisioned, says_nothing
from mg_provider.api.reading.shortage import says_quota_exceeded, says_stock_out
from mg_provider.api.redaction import redact_log_line

if TYPE_CHECKING:
    from mg_provider.resources.model.lifecycle import Context

MOST_LINES = 12

_STORAGE = re.compile(r"storage\.objects|storage\.buckets|gs://|bucket", re.IGNORECASE)
_REFUSED = re.compile(r"permission|does not have|denied|forbidden|cannot be read|access", re.IGNORECASE)
_DEPLOY = re.compile(r"projects/(\d+)/locations/[^/]+/operations/")
_NUMBER = re.compile(r"projects/(\d+)/")


def lacks_capacity(error: MgError) -> bool:
    """Whether an error says that machines or quota are short, so that another machine may do.

    An answer of too many calls in a minute, or that Google cannot answer now, is another class, and passes with time.
    """
    if isinstance(error, QuotaExceeded):
        return True
    if not isinstance(error, OperationFailed):
        return False
    return error.reason == "RESOURCE_EXHAUSTED" or says_stock_out(error.message) or says_quota_exceeded(error.message)


def explain_failure(
    error: MgError,
    endpoint: str,
    context: Context,
    *,
    secrets: tuple[str, ...] = (),
    allowlist: tuple[str, ...] = (),
) -> MgError:
    """The same error with the container's last lines and, for known traps, a better hint. Call it before cleaning up.

    Only an operation that failed is looked into. What cannot be learnt is left out: this never raises.

    Permission: logging.logEntries.list (roles/logging.viewer) of the caller; without it the error says so.

    Args:
        error: What went wrong.
        endpoint: ``projects/{project}/locations/{region}/endpoints/{id}``.
        context: Of the call.
        secrets: Texts that must not be shown although a container may write them.
        allowlist: The project_allowlist of the endpoint; empty where there is none.
    """
    if not isinstance(error, OperationFailed) or says_being_provisioned(error.message):
        return error
    bare = _bare_hint(error, allowlist)
    error.hint = bare or _agent_hint(error) or error.hint
    if not bare and not lacks_capacity(error):
        error.log = _last_lines(error, endpoint, context, secrets)
    return error


def _bare_hint(error: OperationFailed, allowlist: tuple[str, ...]) -> str | None:
    """What an internal error without a word means of Model Garden's deploy, whose operation is the location's own."""
    place = _DEPLOY.match(error.operation)
    if place is None or error.reason != "INTERNAL" or not says_nothing(error.message):
        return None
    listed = f". Each entry of project_allowlist has to be the id of a project: {', '.join(allowlist)}"
    return (
        f"grant {agent_of(place[1])} the role {DEPLOYING_ROLE} on its project, then run the same command again: "
        "without it, Model Garden's deploy ends so within seconds, as the agent may not upload the Model or make the "
        "endpoint" + (listed if allowlist else "")
    )


def _agent_hint(error: OperationFailed) -> str | None:
    """Which service agent may not read the weights, by name."""
    number = _NUMBER.match(error.operation)
    may_be_the_agent = error.reason in ("PERMISSION_DENIED", "FAILED_PRECONDITION", "INVALID_ARGUMENT", "NOT_FOUND")
    if not may_be_the_agent or number is None or ADDRESS.search(error.message):
        return None
    if not (_STORAGE.search(error.message) and _REFUSED.search(error.message)):
        return None
    return f"grant {agent_of(number[1])} the role roles/storage.objectViewer on the bucket with the weights"


def _last_lines(error: OperationFailed, endpoint: str, context: Context, secrets: tuple[str, ...]) -> list[str]:
    parts = endpoint.split("/")
    try:
        lines = context.clients.logging.last_lines(parts[1], parts[-1], count=MOST_LINES, since=error.started)
    except PermissionDenied:
        return ["the container's log is not readable: grant roles/logging.viewer to the caller to see it here"]
    except CloudError as trouble:
        return [f"the container's log is not readable: {trouble.message}"]
    except MgError:
        return ["the container's log is not readable: Cloud Logging did not answer"]
    return [_shown(line, secrets) for line in lines]


def _shown(line: str, secrets: tuple[str, ...]) -> str:
    for secret in filter(None, secrets):
        line = line.replace(secret, "[redacted]")
    return redact_log_line(line)
