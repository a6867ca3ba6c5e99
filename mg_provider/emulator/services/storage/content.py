"""Where the bytes of an object are: in memory, in a temporary file, or nowhere at all but for the first few."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from mg_provider.emulator.services.storage.checksums import (
    encode_crc32c,
    encoded_checksums,
    extend_crc32c,
    extend_crc32c_with_zeros,
)

SPILL_BYTES = 8 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024


class Content(Protocol):
    """The bytes of one object."""

    @property
    def size(self) -> int:
        """Length in bytes."""

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from ``start`` up to but not including ``end``, in chunks."""

    def checksums(self) -> tuple[str, str | None]:
        """CRC32C and, where the real service would know it too, MD5; both in base64."""

    def discard(self) -> None:
        """Give back what it occupies."""


@dataclass(frozen=True)
class MemoryContent:
    """Bytes held in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.data)

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes of a range, in chunks."""
        for position in range(start, end, CHUNK_BYTES):
            yield self.data[position : min(position + CHUNK_BYTES, end)]

    def checksums(self) -> tuple[str, str | None]:
        """CRC32C and MD5."""
        return encoded_checksums([self.data])

    def discard(self) -> None:
        """Nothing to give back."""


@dataclass(frozen=True)
class FileContent:
    """Bytes held in a file of the emulator's own temporary folder."""

    path: Path
    size: int

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes of a range, in chunks."""
        with self.path.open("rb") as file:
            file.seek(start)
            while start < end and (chunk := file.read(min(CHUNK_BYTES, end - start))):
                start += len(chunk)
                yield chunk

    def checksums(self) -> tuple[str, str | None]:
        """CRC32C and MD5."""
        return encoded_checksums(self.read(0, self.size))

    def discard(self) -> None:
        """Delete the file; a reader that has it open reads on."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class SparseContent:
    """``head`` followed by zeros up to ``size``: weights of any size, without the disk that they would fill."""

    head: bytes
    size: int

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes of a range, in chunks."""
        for position in range(start, end, CHUNK_BYTES):
            length = min(CHUNK_BYTES, end - position)
            yield self.head[position : position + length].ljust(length, b"\0")

    def checksums(self) -> tuple[str, str | None]:
        """CRC32C alone, as the real service answers for an object that was put together from parts."""
        checksum = extend_crc32c(0, self.head)
        return encode_crc32c(extend_crc32c_with_zeros(checksum, self.size - len(self.head))), None

    def discard(self) -> None:
        """Nothing to give back."""


class ContentStore:
    """Decides where content goes; its temporary folder goes when the store does."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._files = 0

    def keep(self, source: IO[bytes]) -> Content:
        """Hold what is left to read in ``source``, in a file if it is large."""
        data = source.read(SPILL_BYTES + 1)
        if len(data) <= SPILL_BYTES:
            return MemoryContent(data)
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="mg-emulator-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._files += 1
        path = self._folder / f"object-{self._files}"
        with path.open("wb") as file:
            file.write(data)
            shutil.copyfileobj(source, file, CHUNK_BYTES)
        return FileContent(path, path.stat().st_size)
