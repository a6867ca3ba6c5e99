"""A folder in Cloud Storage: what lies in it, and reading parts of it while counting the bytes."""

from __future__ import annotations

import codecs
import json
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mg_provider.api.storage.client import StorageClient
from mg_provider.preflight.findings import Finding, error

T = TypeVar("T")
R = TypeVar("R")

WORKERS = 32
"""Reads under way at once."""

MAX_JSON_BYTES = 64_000_000
"""Longest JSON file that is read; the index of a model of 700 GB has 9 MB."""

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""How a file begins that stands for one in Git LFS."""

MAX_POINTER_BYTES = 1024
"""Longest Git LFS pointer (its specification)."""

_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


@dataclass
class Folder:
    """The files directly in a folder, and its subfolders.

    Attributes:
        storage: Where it is read from.
        bucket: The bucket.
        prefix: Empty, or ending with a slash.
        sizes: Bytes by file name, without the prefix.
        subfolders: Names, without prefix and slash.
        bytes_read: Bytes of objects read so far.
    """

    storage: StorageClient
    bucket: str
    prefix: str
    sizes: dict[str, int]
    subfolders: list[str]
    bytes_read: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def listed(cls, storage: StorageClient, bucket: str, prefix: str) -> Folder:
        """List a folder; one call for each thousand files.

        Raises:
            CloudError: NotFound if there is no such bucket.
        """
        listing = storage.list_folder(bucket, prefix)
        names = {str(found.name).removeprefix(prefix): found.size or 0 for found in listing.objects}
        # The console makes an empty object that stands for the folder itself.
        sizes = {name: size for name, size in names.items() if name}
        return cls(storage, bucket, prefix, sizes, [name.removeprefix(prefix).rstrip("/") for name in listing.prefixes])

    @property
    def uri(self) -> str:
        """The folder's URI, without a slash at its end."""
        return f"gs://{self.bucket}/{self.prefix}".rstrip("/")

    def object(self, name: str) -> str:
        """URI of a file in it."""
        return f"gs://{self.bucket}/{self.prefix}{name}"

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """Bytes of a file; fewer than ``length`` if it ends before, none if it ends before ``start``.

        Raises:
            CloudError: the file cannot be read.
        """
        size = self.sizes[name]
        if start >= size:
            return b""
        content = self.storage.read_object(self.bucket, f"{self.prefix}{name}", start=start, length=length)
        with self._lock:
            self.bytes_read += len(content)
        return content

    def each(self, items: Iterable[T], work: Callable[[T], R]) -> list[R]:
        """Do something for each of many items, up to 32 at once; results come in the items' order."""
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="preflight") as pool:
            return list(pool.map(work, items))


class NotJson(Exception):
    """A file that should be a JSON object is not one; the finding says what it is instead."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def read_json(folder: Folder, name: str) -> dict[str, Any]:
    """A JSON object in a file.

    Raises:
        NotJson: it is not one.
        CloudError: the file cannot be read.
    """
    size = folder.sizes[name]
    if size > MAX_JSON_BYTES:
        raise NotJson(
            error(
                "not_json",
                f"{name} has {size} bytes, too many for what it should be: upload it again",
                folder.object(name),
            )
        )
    content = folder.read(name)
    if disguise := disguised(folder, name, content):
        raise NotJson(disguise)
    if content.startswith(_MARKS):
        message = (
            f"{name} begins with a byte order mark, and model servers cannot read it: save it as UTF-8 without one and "
            "upload it again"
        )
        raise NotJson(error("not_json", message, folder.object(name)))
    try:
        parsed = json.loads(content.decode())
    except (ValueError, RecursionError) as problem:
        message = f"{name} is not JSON ({str(problem)[:100]}): upload it again"
        raise NotJson(error("not_json", message, folder.object(name))) from problem
    if not isinstance(parsed, dict):
        raise NotJson(error("not_json", f"{name} is not a JSON object: upload it again", folder.object(name)))
    return parsed


def disguised(folder: Folder, name: str, head: bytes) -> Finding | None:
    """What a file is that was saved in another's place: nothing at all, a Git LFS pointer, a web page.

    Args:
        folder: The folder.
        name: The file.
        head: Its first bytes; some hundred suffice.
    """
    if not folder.sizes[name]:
        return error("empty_file", f"{name} is empty: upload it again", folder.object(name))
    if head.startswith(LFS_POINTER):
        message = f"{name} is a Git LFS pointer, not the file itself: run `git lfs pull` and upload it again"
        return error("lfs_pointer", message, folder.object(name))
    if head[:200].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        message = f"{name} is a web page, probably that of a failed download: download the file and upload it again"
        return error("web_page", message, folder.object(name))
    return None
