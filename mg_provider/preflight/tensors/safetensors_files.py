"""Reads the headers of a model's safetensors files, many at once and no more bytes than needed.

A header is read in one request where the index says about how long it will be. A model with very many tensors has
headers longer than all else that is read; beyond the byte budget, of the remaining files only the length and the last
entry are read, which suffices to see that nothing is cut off, and the whole header only where that does not add up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mg_provider.api.errors import NotFound, PermissionDenied
from mg_provider.preflight.findings import Finding, error, some, warning
from mg_provider.preflight.folder import Folder, disguised
from mg_provider.preflight.tensors.safetensors_header import (
    LENGTH_BYTES,
    Header,
    HeaderProblem,
    Tensor,
    header_length,
    parse_header,
    tail_accounts_for,
)
from mg_provider.preflight.tensors.shard_index import ShardIndex

SPECULATIVE_BYTES = 64 * 1024
"""First read of a file that no index speaks of."""

_ENTRY_BYTES = 90
"""An entry of a header without its tensor's name: dtype, shape, offsets, punctuation."""

_METADATA_BYTES = 256
_HEAD_BYTES = 512
_TAIL_BYTES = 512


@dataclass(frozen=True)
class ReadFile:
    """What is known of one file after reading.

    Attributes:
        name: The file.
        header: Its whole header, if that was read and is sound.
        data_bytes: Bytes of its tensors.
        findings: What is wrong.
    """

    name: str
    header: Header | None = None
    data_bytes: int = 0
    findings: tuple[Finding, ...] = ()


def read_files(folder: Folder, files: list[str], index: ShardIndex | None, byte_budget: int) -> list[ReadFile]:
    """Read every file's header.

    Args:
        folder: The folder.
        files: The safetensors files.
        index: Their index.
        byte_budget: Bytes that may be read of the folder in all.

    Raises:
        CloudError: a file cannot be read for another reason than permission or its absence.
    """
    return folder.each(list(_plan(folder, files, index, byte_budget)), lambda plan: _read(folder, *plan))


def tensors(read: list[ReadFile]) -> Iterator[tuple[str, str, Tensor]]:
    """File, name and tensor of all that was read in full."""
    for file in read:
        for name, tensor in (file.header.tensors if file.header else {}).items():
            yield file.name, name, tensor


def compare_tensors(folder: Folder, read: list[ReadFile], index: ShardIndex) -> list[Finding]:
    """Whether the tensors are in the files where the index says."""
    findings = []
    for file in read:
        if file.header is None or file.name not in index.tensors:
            continue
        indexed = set(index.tensors[file.name])
        if missing := sorted(indexed - file.header.tensors.keys()):
            message = f"{index.name} lists {some(missing)} in {file.name}, which lacks them: upload both again"
            findings.append(error("missing_tensors", message, folder.object(file.name)))
        if extra := sorted(file.header.tensors.keys() - indexed):
            message = f"{file.name} has {some(extra)}, which {index.name} does not list"
            findings.append(warning("extra_tensors", message, folder.object(file.name)))
    return findings


def _plan(folder: Folder, files: list[str], index: ShardIndex | None, budget: int) -> Iterator[tuple[str, int]]:
    """Each file with the bytes to read first; 0 where only its length and end are to be read."""
    left = budget - folder.bytes_read - len(files) * (_HEAD_BYTES + _TAIL_BYTES)
    for name in files:
        expected = _expected(index.tensors[name]) if index and name in index.tensors else SPECULATIVE_BYTES
        wanted = min(expected, folder.sizes[name])
        if wanted <= left or len(files) == 1:
            left -= wanted
            yield name, wanted
        else:
            yield name, 0


def _expected(names: list[str]) -> int:
    """Bytes that a header with these tensors has at most, most of the time."""
    return LENGTH_BYTES + _METADATA_BYTES + sum(len(name) + _ENTRY_BYTES for name in names)


def _read(folder: Folder, name: str, first: int) -> ReadFile:
    size = folder.sizes[name]
    try:
        head = folder.read(name, 0, first or _HEAD_BYTES)
        if disguise := disguised(folder, name, head):
            return ReadFile(name, findings=(disguise,))
        length = header_length(head, size)
        if not first and _tail_is_sound(folder, name, length):
            return ReadFile(name, data_bytes=size - LENGTH_BYTES - length)
        header = parse_header(_whole(folder, name, head, length), size)
    except HeaderProblem as problem:
        message = f"{name} {problem}; upload it again"
        return ReadFile(name, findings=(error("bad_safetensors", message, folder.object(name)),))
    except PermissionDenied:
        message = f"{name} may not be read: grant the caller storage.objects.get on it"
        return ReadFile(name, findings=(error("permission_denied", message, folder.object(name)),))
    except NotFound:
        message = (
            f"{name} was deleted while it was checked: wait for the upload to end, then run the same command again"
        )
        return ReadFile(name, findings=(error("missing_shards", message, folder.object(name)),))
    return ReadFile(name, header, header.data_bytes)


def _tail_is_sound(folder: Folder, name: str, length: int) -> bool:
    start = max(LENGTH_BYTES, LENGTH_BYTES + length - _TAIL_BYTES)
    tail = folder.read(name, start, LENGTH_BYTES + length - start) if length else b""
    return tail_accounts_for(tail, length, folder.sizes[name])


def _whole(folder: Folder, name: str, head: bytes, length: int) -> bytes:
    """The header's JSON: what was read of it already, and the rest."""
    text = head[LENGTH_BYTES : LENGTH_BYTES + length]
    if len(text) < length:
        text += folder.read(name, LENGTH_BYTES + len(text), length - len(text))
    return text
