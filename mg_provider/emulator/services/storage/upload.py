"""Uploads to Cloud Storage: in one piece, metadata and content together, or resumable in chunks.

Source: "Uploads and downloads" of the Cloud Storage documentation, read 2026-11: ``uploadType`` media, multipart and
resumable; a session is addressed by ``upload_id`` and answers 308 with the range it has until the last chunk.
"""

from __future__ import annotations

import re
import weakref
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from urllib.parse import quote

from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.google import errors
from mg_provider.emulator.services.storage.calls import check_preconditions, existing_bucket, object_body, storage_state
from mg_provider.emulator.services.storage.content import SPILL_BYTES, Content
from mg_provider.emulator.services.storage.multipart import parts_of, read_metadata

Json = dict[str, Any]

CHUNK_MULTIPLE = 256 * 1024
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
_SETTABLE = {
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "contentType",
    "customTime",
    "metadata",
}


@dataclass
class Session:
    """A resumable upload that has begun."""

    bucket: str
    name: str
    details: Json
    received: IO[bytes] = field(default_factory=lambda: SpooledTemporaryFile(max_size=SPILL_BYTES))  # noqa: SIM115
    size: int = 0
    finished: Json | None = None

    def __post_init__(self) -> None:
        weakref.finalize(self, self.received.close)


class UploadSessions:
    """Resumable uploads, by ``upload_id``."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}


@handles("storage.objects.insert")
def insert_object(call: Call) -> Answer:
    """Upload an object, or begin or go on with a resumable upload."""
    kind = call.standard.get("uploadType", "")
    if not call.upload or kind not in {"media", "multipart", "resumable"}:
        raise errors.ApiError("INVALID_ARGUMENT", "uploadType is media, multipart or resumable.", reason="required")
    existing_bucket(call)
    if kind == "resumable":
        upload_id = call.standard.get("upload_id")
        return _continue(call, upload_id) if upload_id else _begin(call)
    if kind == "multipart":
        details, content = parts_of(call)
    else:
        details, content = {"contentType": call.headers.get("Content-Type", "application/octet-stream")}, call.media
    name = _object_name(call, details)
    check_preconditions(call, storage_state(call.world).find(call.path["bucket"], name))
    return _store(call, name, storage_state(call.world).contents.keep(content), details)


def _object_name(call: Call, details: Json) -> str:
    name = call.query.get("name") or details.get("name")
    if not name:
        raise errors.ApiError("INVALID_ARGUMENT", "Required parameter: name", reason="required")
    return str(name)


def _store(call: Call, name: str, content: Content, details: Json) -> Answer:
    kept = {key: value for key, value in details.items() if key in _SETTABLE}
    if "crc32c" in details or "md5Hash" in details:
        for key, checksum in zip(("crc32c", "md5Hash"), content.checksums(), strict=True):
            if details.get(key, checksum) != checksum:
                message = f"Provided {key} {details[key]!r} doesn't match calculated {checksum!r}."
                raise errors.ApiError("INVALID_ARGUMENT", message, reason="invalid")
    stored = storage_state(call.world).put(call.path["bucket"], name, content, call.world.now(), kept)
    return Answer(object_body(call.base_url, stored))


def _begin(call: Call) -> Answer:
    details = read_metadata(call.media.read())
    if "X-Upload-Content-Type" in call.headers:
        details.setdefault("contentType", call.headers["X-Upload-Content-Type"])
    name = _object_name(call, details)
    check_preconditions(call, storage_state(call.world).find(call.path["bucket"], name))
    upload_id = call.world.new_hex()
    call.world.part(UploadSessions).sessions[upload_id] = Session(call.path["bucket"], name, details)
    place = f"{call.base_url}/upload/storage/v1/b/{quote(call.path['bucket'])}/o"
    location = f"{place}?uploadType=resumable&name={quote(name, safe='')}&upload_id={upload_id}"
    return Answer(headers={"Location": location, "X-GUploader-UploadID": upload_id}, content=b"")


def _continue(call: Call, upload_id: str) -> Answer:
    session = call.world.part(UploadSessions).sessions.get(upload_id)
    if session is None:
        raise errors.not_found("Upload session not found or expired.")
    if session.finished is not None:
        return Answer(session.finished)
    chunk = call.media.read()
    header = call.headers.get("Content-Range")
    match = _CONTENT_RANGE.fullmatch(header.strip()) if header else None
    if header and match is None:
        raise errors.ApiError("INVALID_ARGUMENT", f"Cannot read Content-Range: {header}", reason="badRequest")
    if match is None:
        _append(session, chunk, session.size)
        return _finish(call, session)
    total = None if match[3] == "*" else int(match[3])
    if match[1] is not None:
        start = int(match[1])
        if start + len(chunk) != total and len(chunk) % CHUNK_MULTIPLE:
            message = f"Chunks but the last are multiples of {CHUNK_MULTIPLE} bytes."
            raise errors.ApiError("INVALID_ARGUMENT", message, reason="invalid")
        _append(session, chunk, start)
    if session.size == total:
        return _finish(call, session)
    headers = {"Range": f"bytes=0-{session.size - 1}"} if session.size else {}
    return Answer(status=308, headers=headers, content=b"")


def _append(session: Session, chunk: bytes, start: int) -> None:
    """Add a chunk; what the session has already is skipped, as after an answer that was lost."""
    if start > session.size:
        raise errors.ApiError("UNAVAILABLE", f"Chunk starts at {start}, the upload has {session.size} bytes.")
    fresh = chunk[session.size - start :]
    session.received.seek(session.size)
    session.received.truncate()
    session.received.write(fresh)
    session.size += len(fresh)


def _finish(call: Call, session: Session) -> Answer:
    session.received.seek(0)
    content = storage_state(call.world).contents.keep(session.received)
    session.received.close()
    answer = _store(call, session.name, content, session.details)
    session.finished = answer.body
    return answer
