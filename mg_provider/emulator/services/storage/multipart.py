"""Uploads of metadata and content in one body: ``multipart/related`` (RFC 2387), as Google's upload paths take it."""

from __future__ import annotations

import io
import re
from typing import IO, Any

from mg_provider.emulator.core.routing import Call
from mg_provider.emulator.google import errors
from mg_provider.emulator.payload import read_json

Json = dict[str, Any]

# gcloud puts the boundary in single quotes, others in double ones or in none.
_BOUNDARY = re.compile(r"""boundary=(?:"([^"]+)"|'([^']+)'|([^\s;]+))""")


def parts_of(call: Call) -> tuple[Json, IO[bytes]]:
    """The metadata, with the content's type, and the content. ApiError when the body has no such two parts."""
    match = _BOUNDARY.search(call.headers.get("Content-Type", ""))
    if match is None:
        raise errors.ApiError("INVALID_ARGUMENT", "Multipart content type needs a boundary.", reason="badContent")
    boundary = next(group for group in match.groups() if group)
    pieces = re.split(rb"\r?\n--" + re.escape(boundary.encode()), b"\r\n" + call.media.read())
    if len(pieces) != 4 or not pieces[3].startswith(b"--"):
        raise errors.ApiError("INVALID_ARGUMENT", "Multipart upload needs two parts.", reason="badContent")
    (_, described), (kind, content) = _split_part(pieces[1]), _split_part(pieces[2])
    return {**kind, **read_metadata(described)}, io.BytesIO(content)


def _split_part(piece: bytes) -> tuple[Json, bytes]:
    """The content type of a part and what follows its headers."""
    separator = b"\r\n\r\n" if b"\r\n\r\n" in piece else b"\n\n"
    head, _, content = piece.partition(separator)
    match = re.search(rb"(?im)^content-type:\s*([^\r\n]+)", head)
    return ({"contentType": match[1].decode().strip()} if match else {}), content


def read_metadata(content: bytes) -> Json:
    """Metadata as an object. ApiError when it is not one."""
    try:
        parsed = read_json(content or b"{}")
    except ValueError as error:
        raise errors.ApiError("INVALID_ARGUMENT", f"Metadata part is not JSON: {error}", reason="parseError") from error
    if not isinstance(parsed, dict):
        raise errors.ApiError("INVALID_ARGUMENT", "Metadata part is not a JSON object.", reason="parseError")
    return parsed
