"""Keeps secrets, and text of unknown length, out of errors and logs."""

from __future__ import annotations

import re
from typing import Any

LIMIT = 512
"""Most characters of somebody else's text that an error carries."""

_SECRETS = re.compile(
    r"(?P<bearer>\bBearer\s+)[^\s\"',]+"
    r"|\bya29\.[\w.-]+"
    r"|\bhf_\w{4,}"
    r"|(?P<parameter>\b(?:access_token|refresh_token|id_token|huggingFaceToken|huggingFaceAccessToken"
    r"|hugging_face_access_token|client_secret)\b[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,}]+",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """The text without bearer tokens, Google access tokens and Hugging Face tokens."""
    return _SECRETS.sub(lambda match: f"{match['bearer'] or match['parameter'] or ''}[redacted]", text)


# What a program may print of its own configuration; errors of Google's never look like it.
_PRINTED = re.compile(
    r"(?P<name>\b[\w-]*(?:token|secret|password|passwd|api[_-]?key|authorization|credential)s?\b[\"']?\s*[=:]\s*"
    r"(?:\w+\s+)?[\"']?)[^\s\"',;}]{6,}|\bAIza[\w-]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY-----.*",
    re.IGNORECASE,
)


def redact_log_line(line: str, limit: int = 300) -> str:
    """A line that somebody else's program wrote, redacted more eagerly than Google's own texts, and cut."""
    return excerpt(_PRINTED.sub(lambda match: f"{match['name'] or ''}[redacted]", line), limit)


def excerpt(text: str, limit: int = LIMIT) -> str:
    """The text on one line, redacted, at most ``limit`` characters long."""
    line = redact(" ".join(text.split()))
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def redact_data(data: Any) -> Any:
    """The same data with every text in it redacted and cut."""
    if isinstance(data, str):
        return excerpt(data)
    if isinstance(data, dict):
        return {str(key): redact_data(value) for key, value in data.items()}
    if isinstance(data, list):
        return [redact_data(item) for item in data]
    return data
