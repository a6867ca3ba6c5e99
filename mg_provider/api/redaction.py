"""Keeps secrets, and text of unknown length, out of errors and logs."""

from __future__ import annotations

import re
from typing import Any

LIMIT = 512
"""Most characters of somebody else's text that an error carries."""

_VALUE = r"[^\s\"'&,;<>}]+"
_NAMES = (
    r"access_token|refresh_token|id_token|huggingFaceToken|huggingFaceAccessToken|hugging_face_access_token"
    r"|client_secret|X-Goog-Signature|X-Goog-Security-Token|X-Amz-Signature|X-Amz-Security-Token"
)

_WORD = r"(?:password|passwd|pwd|passphrase)"

# What stands before a secret is kept: it says what was there.
_SECRETS = re.compile(
    # A private key, also one that was cut off, or whose line ends are written out.
    r"(?P<key>-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----)(?:(?!-----END ).)*(?:-----END [A-Z0-9 ]*PRIVATE KEY-----)?"
    r"|(?P<scheme>\bBearer\s+|\bAuthorization[\"']?\s*[=:]\s*[\"']?(?:(?:Basic|Digest|Bearer|OAuth|Token)\s+)?)"
    rf"{_VALUE}"
    rf"|(?P<parameter>\b(?:{_NAMES})\b[\"']?\s*[=:]\s*[\"']?){_VALUE}"
    # With a colon only as JSON has it: a sentence may go on after "password:". In quotes it may have spaces.
    rf"|(?P<quoted>{_WORD}(?:\s*=\s*|\\?[\"']\s*[=:]\s*)(?P<mark>\\?[\"']))(?:(?!(?P=mark))(?:\\.|.))*"
    rf"|(?P<password>{_WORD}\s*=\s*){_VALUE}"
    rf"|(?P<signed>[?&](?:Signature|sig|key)=){_VALUE}"
    r"|(?P<login>://[^\s/:@]*:)[^\s/@]+(?=@)"
    r"|\bya29\.[\w.-]+|\b1//[\w-]{20,}|\bAIza[\w-]{20,}|\bGOCSPX-[\w-]{10,}|\bhf_\w{4,}"
    r"|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*",
    re.IGNORECASE | re.DOTALL,
)
_KEPT = ("key", "scheme", "parameter", "quoted", "password", "signed", "login")


def redact(text: str) -> str:
    """The text without tokens, API keys, private keys, passwords and the signatures of signed URLs."""
    return _SECRETS.sub(lambda match: f"{next(filter(None, map(match.group, _KEPT)), '')}[redacted]", text)


# What a program may print of its own configuration; errors of Google's never look like it.
_PRINTED = re.compile(
    r"(?P<name>\b[\w-]*(?:token|secret|password|passwd|api[_-]?key|authorization|credential)s?\b[\"']?\s*[=:]\s*"
    r"(?:\w+\s+)?[\"']?)[^\s\"',;}]{6,}",
    re.IGNORECASE,
)
# A line in the middle of a key: nothing but base64, and longer than any name or digest in one case is mixed.
_BASE64_LINE = re.compile(r"\s*(?=\S*[a-z])(?=\S*[A-Z])(?=\S*[0-9+/])[A-Za-z0-9+/]{60,}={0,2}\s*")


def redact_log_line(line: str, limit: int = 300) -> str:
    """A line that somebody else's program wrote, redacted more eagerly than Google's own texts, and cut."""
    if _BASE64_LINE.fullmatch(line):
        return "[redacted]"
    return excerpt(_PRINTED.sub(lambda match: f"{match['name']}[redacted]", line), limit)


def excerpt(text: str, limit: int = LIMIT) -> str:
    """The text on one line, redacted, at most ``limit`` characters long."""
    line = redact(" ".join(text.split()))
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


_SECRET_KEY = re.compile(rf"(?:{_NAMES}|.*(?:password|passwd|private_?key|api_?key))", re.IGNORECASE)


def redact_data(data: Any) -> Any:
    """The same data with every text in it redacted and cut."""
    if isinstance(data, str):
        return excerpt(data)
    if isinstance(data, dict):
        secret = {key for key, value in data.items() if isinstance(value, str) and _SECRET_KEY.fullmatch(str(key))}
        return {str(key): "[redacted]" if key in secret else redact_data(value) for key, value in data.items()}
    if isinstance(data, list):
        return [redact_data(item) for item in data]
    return data
