"""Cloud Storage v1 (JSON API)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mg_provider.api.errors import UserError
from mg_provider.api.http.answers import pages, parse
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.transport import Call, Transport
from mg_provider.api.names import segment
from mg_provider.api.storage.spellings import uri_hint
from mg_provider.wire.storage import Bucket, ObjectsPage, StorageObject

_PATTERN = frozenset("*?[{")


@dataclass(frozen=True)
class Listing:
    """What lies below a prefix: objects, and the folders if a delimiter was given."""

    objects: list[StorageObject]
    prefixes: list[str]


def split_object_uri(uri: str) -> tuple[str, str]:
    """Bucket and object name of ``gs://bucket/object``; the object may be empty.

    Raises:
        UserError: it is not such a URI.
    """
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    if not uri.startswith("gs://") or not bucket:
        raise UserError(f"{uri!r} is not a Cloud Storage URI", hint=uri_hint(uri))
    return bucket, name


def is_pattern(name: str) -> bool:
    """Whether the name of an object is a pattern that several may match."""
    return not _PATTERN.isdisjoint(name)


class StorageClient:
    """Calls of Cloud Storage.

    Every method may raise any :class:`~mg_provider.api.errors.CloudError`, and
    :class:`~mg_provider.api.errors.ConnectionFailed`; NotFound means that the bucket or object does not exist.
    """

    def __init__(self, transport: Transport, settings: Settings) -> None:
        self._transport = transport
        base = settings.storage_custom_endpoint or settings.service("storage")
        self._base = f"{base}/storage/v1"
        self._upload = f"{base}/upload/storage/v1"

    def get_bucket(self, bucket: str) -> Bucket:
        """``GET b/{bucket}``. Permission: storage.buckets.get."""
        return parse(Bucket, self._json("GET", f"b/{segment(bucket)}"))

    def insert_bucket(self, project: str, bucket: Bucket) -> Bucket:
        """``POST b?project=``. Permission: storage.buckets.create.

        Raises:
            AlreadyExists: the name is taken.
        """
        return parse(Bucket, self._json("POST", "b", {"project": project}, bucket.to_wire()))

    def list_objects(
        self, bucket: str, *, prefix: str | None = None, match_glob: str | None = None
    ) -> Iterator[StorageObject]:
        """``GET b/{bucket}/o``: every object below a prefix or matching a glob. Permission: storage.objects.list."""
        for page in pages(lambda token: self._page(bucket, prefix=prefix, matchGlob=match_glob, pageToken=token)):
            yield from page.items

    def list_folder(self, bucket: str, prefix: str) -> Listing:
        """``GET b/{bucket}/o?delimiter=/``: the objects and folders directly below. Permission: storage.objects.list.

        Args:
            bucket: The bucket.
            prefix: Folder, ending with ``/``, or empty for the bucket itself.
        """
        found = list(pages(lambda token: self._page(bucket, prefix=prefix or None, delimiter="/", pageToken=token)))
        return Listing(
            [item for page in found for item in page.items], [name for page in found for name in page.prefixes]
        )

    def list_page(self, bucket: str, prefix: str, match_glob: str) -> list[str]:
        """``GET b/{bucket}/o?matchGlob=``: names of objects below a prefix. Permission: storage.objects.list.

        One page, whatever more there is.
        """
        page = self._page(bucket, prefix=prefix or None, matchGlob=match_glob)
        return [str(item.name) for item in page.items]

    def get_object(self, bucket: str, name: str) -> StorageObject:
        """``GET b/{bucket}/o/{name}``: an object's metadata. Permission: storage.objects.get."""
        return parse(StorageObject, self._json("GET", _object(bucket, name)))

    def read_object(self, bucket: str, name: str, *, start: int = 0, length: int | None = None) -> bytes:
        """``GET b/{bucket}/o/{name}?alt=media``: bytes of an object. Permission: storage.objects.get.

        Args:
            bucket: The bucket.
            name: The object.
            start: First byte.
            length: Number of bytes; to the end when absent. Fewer come if the object ends before.

        Raises:
            CloudError: with status 416 if ``start`` is past the end.
        """
        headers = {}
        if start or length is not None:
            end = "" if length is None else start + length - 1
            headers = {"Range": f"bytes={start}-{end}"}
        call = Call("GET", f"{self._base}/{_object(bucket, name)}", query={"alt": "media"}, headers=headers)
        return self._transport.send(call).content

    def upload_object(
        self,
        bucket: str,
        name: str,
        content: bytes,
        *,
        content_type: str = "application/octet-stream",
        if_generation_match: int | None = None,
    ) -> StorageObject:
        """``POST upload/storage/v1/b/{bucket}/o?uploadType=media``: a small object in one call.

        Writing the same bytes twice is the same as once, so it is repeated on failure. Permission:
        storage.objects.create, and storage.objects.delete to overwrite.

        Args:
            bucket: The bucket.
            name: The object.
            content: All bytes.
            content_type: Media type.
            if_generation_match: Only if the object has this generation; 0 means only if there is none.

        Raises:
            Aborted: the generation is another one.
        """
        call = Call(
            "POST",
            f"{self._upload}/b/{segment(bucket)}/o",
            query={"uploadType": "media", "name": name, "ifGenerationMatch": if_generation_match},
            content=content,
            headers={"Content-Type": content_type},
            repeatable=if_generation_match is None,
        )
        return parse(StorageObject, self._transport.json(call))

    def upload_file(
        self, bucket: str, name: str, path: Path, *, content_type: str = "application/octet-stream"
    ) -> StorageObject:
        """``POST upload/storage/v1/b/{bucket}/o?uploadType=media``: a file of any size, read as it is sent.

        The object is whole or not there. Repeated on failure. Permission: storage.objects.create, and
        storage.objects.delete to overwrite.
        """
        call = Call(
            "POST",
            f"{self._upload}/b/{segment(bucket)}/o",
            query={"uploadType": "media", "name": name},
            file=path,
            headers={"Content-Type": content_type},
            repeatable=True,
        )
        return parse(StorageObject, self._transport.json(call))

    def delete_object(self, bucket: str, name: str) -> None:
        """``DELETE b/{bucket}/o/{name}``. Permission: storage.objects.delete."""
        self._json("DELETE", _object(bucket, name))

    def _page(self, bucket: str, **query: str | None) -> ObjectsPage:
        return parse(ObjectsPage, self._json("GET", f"b/{segment(bucket)}/o", query))

    def _json(
        self,
        method: str,
        place: str,
        query: Mapping[str, str | int | bool | None] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        return self._transport.json(Call(method, f"{self._base}/{place}", query=query, body=body))


def _object(bucket: str, name: str) -> str:
    return f"b/{segment(bucket)}/o/{segment(name)}"
