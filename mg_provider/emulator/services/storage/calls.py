"""Cloud Storage JSON API: buckets, listings, metadata, content and deletion. Uploads are in ``storage_upload.py``."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mg_provider.emulator.core.admin import administers
from mg_provider.emulator.core.clock import timestamp
from mg_provider.emulator.core.ledger import Entry, counts_data
from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.core.world import World
from mg_provider.emulator.google import errors
from mg_provider.emulator.services.storage.content import SparseContent
from mg_provider.emulator.services.storage.state import Bucket, ListOptions, StorageState, StoredObject

Json = dict[str, Any]

PAGE_ITEMS = 1000
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def storage_state(world: World) -> StorageState:
    """The buckets of this emulator."""
    return world.part(StorageState)


def existing_bucket(call: Call) -> Bucket:
    """The bucket in the path. ApiError when there is none."""
    bucket = storage_state(call.world).buckets.get(call.path["bucket"])
    if bucket is None:
        raise errors.not_found("The specified bucket does not exist.")
    return bucket


def object_body(base_url: str, stored: StoredObject) -> Json:
    """An object's metadata as ``storage.v1`` shows it; clients follow its links, so they lead to where they asked."""
    path = f"b/{stored.bucket}/o/{_one_segment(stored.name)}"
    body: Json = {
        "contentType": "application/octet-stream",
        **stored.details,
        "kind": "storage#object",
        "id": f"{stored.bucket}/{stored.name}/{stored.generation}",
        "selfLink": f"{base_url}/storage/v1/{path}",
        "mediaLink": f"{base_url}/download/storage/v1/{path}?generation={stored.generation}&alt=media",
        "name": stored.name,
        "bucket": stored.bucket,
        "generation": str(stored.generation),
        "metageneration": str(stored.metageneration),
        "storageClass": "STANDARD",
        "size": str(stored.content.size),
        "crc32c": stored.crc32c,
        "etag": stored.etag,
        "timeCreated": timestamp(stored.created),
        "updated": timestamp(stored.created),
        "timeFinalized": timestamp(stored.created),
        "timeStorageClassUpdated": timestamp(stored.created),
    }
    return body if stored.md5 is None else {**body, "md5Hash": stored.md5}


def check_preconditions(call: Call, stored: StoredObject | None) -> None:
    """Hold ``ifGenerationMatch`` and its like against the live object.

    Raises:
        ApiError: 412 ``conditionNotMet``, or 304 where a ``NotMatch`` is met on reading.
    """
    live = {
        "Generation": stored.generation if stored else 0,
        "Metageneration": stored.metageneration if stored else 0,
    }
    for name, value in live.items():
        wanted, unwanted = call.query.get(f"if{name}Match"), call.query.get(f"if{name}NotMatch")
        if (wanted is not None and int(wanted) != value) or (unwanted is not None and int(unwanted) == value):
            message = "At least one of the pre-conditions you specified did not hold."
            raise errors.ApiError("FAILED_PRECONDITION", message, status=412, reason="conditionNotMet")


def _one_segment(name: str) -> str:
    return "".join(
        character if re.fullmatch(r"[\w.~-]", character, re.ASCII) else _percent(character) for character in name
    )


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def _bucket_body(call: Call, bucket: Bucket) -> Json:
    body: Json = {
        "kind": "storage#bucket",
        "id": bucket.name,
        "selfLink": f"{call.base_url}/storage/v1/b/{bucket.name}",
        "projectNumber": bucket.project_number,
        "name": bucket.name,
        "location": bucket.location,
        "locationType": "multi-region" if bucket.location in {"US", "EU", "ASIA"} else "region",
        "storageClass": bucket.storage_class,
        "metageneration": "1",
        "etag": "CAE=",
        "timeCreated": timestamp(bucket.created),
        "updated": timestamp(bucket.created),
    }
    return {**body, "labels": dict(bucket.labels)} if bucket.labels else body


@handles("storage.buckets.insert")
def insert_bucket(call: Call) -> Answer:
    """Make a bucket; its name is taken for everybody."""
    state, name = storage_state(call.world), call.body.get("name", "")
    if not _BUCKET_NAME.fullmatch(name):
        raise errors.ApiError("INVALID_ARGUMENT", f"Invalid bucket name: '{name}'")
    if "project" not in call.query:
        raise errors.ApiError("INVALID_ARGUMENT", "Required parameter: project", reason="required")
    if name in state.buckets:
        raise errors.ApiError(
            "ALREADY_EXISTS",
            "Your previous request to create the named bucket succeeded and you already own it.",
            reason="conflict",
        )
    bucket = Bucket(
        name=name,
        location=str(call.body.get("location", "US")).upper(),
        project_number=call.world.project_number(call.query["project"]),
        created=call.world.now(),
        storage_class=call.body.get("storageClass", "STANDARD"),
        labels=call.body.get("labels", {}),
    )
    state.buckets[name] = bucket
    return Answer(_bucket_body(call, bucket))


@handles("storage.buckets.get")
def get_bucket(call: Call) -> Answer:
    """A bucket, its location among others."""
    return Answer(_bucket_body(call, existing_bucket(call)))


@handles("storage.buckets.getStorageLayout")
def get_storage_layout(call: Call) -> Answer:
    """Where a bucket is and whether it has folders of its own, which no emulated one has."""
    bucket = existing_bucket(call)
    shown = _bucket_body(call, bucket)
    layout: Json = {"kind": "storage#storageLayout", "bucket": bucket.name, "hierarchicalNamespace": {"enabled": False}}
    return Answer({**layout, "location": shown["location"], "locationType": shown["locationType"]})


@handles("storage.managedFolders.list")
def list_managed_folders(call: Call) -> Answer:
    """None: folders with rights of their own are not emulated."""
    existing_bucket(call)
    return Answer({"kind": "storage#managedFolders"})


@handles("storage.buckets.list")
def list_buckets(call: Call) -> Answer:
    """The project's buckets."""
    if "project" not in call.query:
        raise errors.ApiError("INVALID_ARGUMENT", "Required parameter: project", reason="required")
    number, prefix = call.world.project_number(call.query["project"]), call.query.get("prefix", "")
    buckets = storage_state(call.world).buckets
    found = [name for name in sorted(buckets) if buckets[name].project_number == number and name.startswith(prefix)]
    body: Json = {"kind": "storage#buckets"}
    return Answer({**body, "items": [_bucket_body(call, buckets[name]) for name in found]} if found else body)


@handles("storage.buckets.delete")
def delete_bucket(call: Call) -> Answer:
    """Delete an empty bucket."""
    bucket = existing_bucket(call)
    if bucket.objects:
        raise errors.ApiError("ABORTED", "The bucket you tried to delete is not empty.", reason="conflict")
    del storage_state(call.world).buckets[bucket.name]
    return Answer(status=204, content=b"")


@handles("storage.objects.list")
def list_objects(call: Call) -> Answer:
    """A page of names and common prefixes, in the order of their UTF-8 bytes."""
    bucket = existing_bucket(call)
    options = ListOptions(
        prefix=call.query.get("prefix", ""),
        delimiter=call.query.get("delimiter", ""),
        match_glob=call.query.get("matchGlob", ""),
        start_offset=call.query.get("startOffset", ""),
        end_offset=call.query.get("endOffset", ""),
        include_trailing_delimiter=call.query.get("includeTrailingDelimiter", False),
    )
    items, prefixes = storage_state(call.world).names(bucket.name, options)
    entries = sorted([(name, "item") for name in items] + [(name, "prefix") for name in prefixes])
    after = _read_page_token(call.query.get("pageToken", ""))
    entries = [entry for entry in entries if entry > after]
    size = min(int(call.query.get("maxResults", PAGE_ITEMS)), PAGE_ITEMS)
    page, rest = entries[:size], entries[size:]
    body: Json = {"kind": "storage#objects"}
    if shown := [object_body(call.base_url, bucket.objects[name]) for name, kind in page if kind == "item"]:
        body["items"] = shown
    if common := [name for name, kind in page if kind == "prefix"]:
        body["prefixes"] = common
    if rest and page:
        body["nextPageToken"] = base64.urlsafe_b64encode("\0".join(page[-1]).encode()).decode("ascii")
    return Answer(body)


def _read_page_token(token: str) -> tuple[str, str]:
    if not token:
        return "", ""
    try:
        name, kind = base64.urlsafe_b64decode(token).decode().split("\0")
    except ValueError:
        raise errors.ApiError("INVALID_ARGUMENT", f"Invalid argument: pageToken {token}") from None
    return name, kind


def _missing_object(call: Call) -> errors.ApiError:
    """Why an object is not there: its bucket is not, or it has no such object; bare text where content was asked for.

    Sources: recordings of Config Connector; errors of google-cloud-storage that users report, which show the bare text.
    """
    existing_bucket(call)
    named = f"No such object: {call.path['bucket']}/{call.path['object']}"
    if call.standard.get("alt") == "media":
        page = {"Content-Type": "text/html; charset=UTF-8"}
        return errors.ApiError("NOT_FOUND", named, raw=named, headers=page)
    by_key = call.world.behaviours["missing_object"] == "key"
    return errors.not_found("The specified key does not exist." if by_key else named)


@handles("storage.objects.get")
def get_object(call: Call) -> Answer:
    """An object's metadata or, with ``alt=media``, its content or a range of it."""
    bucket, name = call.path["bucket"], call.path["object"]
    stored = storage_state(call.world).find(bucket, name)
    generation = call.query.get("generation")
    if stored is None or (generation is not None and int(generation) != stored.generation):
        raise _missing_object(call)
    check_preconditions(call, stored)
    return _media(call, stored) if call.standard.get("alt") == "media" else Answer(object_body(call.base_url, stored))


def _media(call: Call, stored: StoredObject) -> Answer:
    size, content_type = stored.content.size, object_body(call.base_url, stored)["contentType"]
    headers = {
        "ETag": stored.etag,
        "x-goog-generation": str(stored.generation),
        "x-goog-metageneration": str(stored.metageneration),
        "x-goog-storage-class": "STANDARD",
        "x-goog-stored-content-length": str(size),
        "x-goog-hash": f"crc32c={stored.crc32c}" + (f",md5={stored.md5}" if stored.md5 else ""),
        "Accept-Ranges": "bytes",
    }
    asked = read_range(call.headers.get("Range", ""), size)
    if asked.unsatisfiable:
        headers["Content-Range"] = f"bytes */{size}"
        text = b"Requested range not satisfiable"
        return Answer(status=416, headers=headers, content=text, content_type="text/html; charset=UTF-8")
    if asked.partial:
        headers["Content-Range"] = f"bytes {asked.start}-{asked.end - 1}/{size}"
    headers["Content-Length"] = str(asked.end - asked.start)
    return Answer(
        status=206 if asked.partial else 200,
        headers=headers,
        stream=stored.content.read(asked.start, asked.end),
        content_type=content_type,
    )


@dataclass(frozen=True)
class ByteRange:
    """What a ``Range`` header asks for: from ``start`` up to but not including ``end``."""

    start: int
    end: int
    partial: bool = True
    unsatisfiable: bool = False


def read_range(header: str, size: int) -> ByteRange:
    """Read a ``Range`` header of one range; one that cannot be read is ignored, as RFC 9110 says."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or not (match[1] or match[2]):
        return ByteRange(0, size, partial=False)
    if not match[1]:
        length = int(match[2])
        return ByteRange(max(0, size - length), size, unsatisfiable=length == 0 or size == 0)
    start = int(match[1])
    end = min(size, int(match[2]) + 1) if match[2] else size
    return ByteRange(start, end, unsatisfiable=start >= size or end <= start)


@handles("storage.objects.delete")
def delete_object(call: Call) -> Answer:
    """Delete an object; without object versioning it is gone."""
    bucket, name = existing_bucket(call), call.path["object"]
    stored = bucket.objects.get(name)
    check_preconditions(call, stored)
    if stored is None:
        raise _missing_object(call)
    del bucket.objects[name]
    stored.content.discard()
    return Answer(status=204, content=b"")


@administers("POST", "/_mg/storage/sparse")
def make_sparse(world: World, body: Json) -> Json:
    """``{"bucket", "name", "size", "head"}``: an object of ``size`` bytes: ``head`` (base64), then zeros."""
    state = storage_state(world)
    try:
        bucket, name, size = str(body["bucket"]), str(body["name"]), int(body["size"])
        head = base64.b64decode(body.get("head", ""), validate=True)
    except (KeyError, TypeError, ValueError) as error:
        raise errors.invalid_argument(f"sparse object: bucket, name, size and head (base64): {error!r}") from error
    if bucket not in state.buckets:
        raise errors.not_found("The specified bucket does not exist.")
    if size < len(head):
        raise errors.invalid_argument(f"sparse object: size {size} is less than the {len(head)} bytes of head")
    return object_body("", state.put(bucket, name, SparseContent(head, size), world.now(), body.get("details", {})))


@counts_data
def _data(world: World) -> Iterable[Entry]:
    for bucket in storage_state(world).buckets.values():
        details = {"location": bucket.location}
        yield Entry("storage.Bucket", f"gs://{bucket.name}", timestamp(bucket.created), dict(bucket.labels), details)
        for stored in bucket.objects.values():
            yield Entry("storage.Object", f"gs://{bucket.name}/{stored.name}", timestamp(stored.created))
