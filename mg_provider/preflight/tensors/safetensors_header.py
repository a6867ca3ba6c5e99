"""The header of a safetensors file: how many bytes it has, and what it says of the tensors behind it.

Format: safetensors documentation, "Format" (huggingface.co/docs/safetensors, read 2026-11): 8 bytes of little-endian
length, a JSON object of that length, then the tensors' bytes without holes. The parser reads what anybody may have put
into a bucket, so it answers every input with a header or with :class:`HeaderProblem`.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from mg_provider.preflight.findings import shown

LENGTH_BYTES = 8
"""Size of the length in front of a header."""

MAX_HEADER_BYTES = 25_000_000
"""Longest header that is read; huggingface_hub draws the line at the same place."""

MAX_DIMENSIONS = 64
"""Most dimensions of a tensor; numpy draws the line at the same place, models have five at most."""

BITS = {
    "BOOL": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "C64": 64,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}
"""Bits of one element by dtype (safetensors 0.8)."""

_METADATA = "__metadata__"
_OFFSETS = re.compile(rb'"data_offsets"\s*:\s*\[\s*(\d{1,20})\s*,\s*(\d{1,20})\s*\]')


class HeaderProblem(Exception):
    """A header is not one; the text says why, as the end of a sentence about the file."""


@dataclass(frozen=True)
class Tensor:
    """One tensor of a file: its dtype, its shape, and where its bytes are, counted from the end of the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Header:
    """A whole header.

    Attributes:
        tensors: By name.
        data_bytes: Bytes of all tensors.
    """

    tensors: dict[str, Tensor]
    data_bytes: int


def header_length(head: bytes, size: int) -> int:
    """Bytes of the JSON header, from the first bytes of a file.

    Args:
        head: At least the first 8 bytes.
        size: Bytes of the whole file.

    Raises:
        HeaderProblem: a file of this size cannot have such a header.
    """
    if size < LENGTH_BYTES or len(head) < LENGTH_BYTES:
        raise HeaderProblem(f"has {size} bytes, too few for a header")
    length = int.from_bytes(head[:LENGTH_BYTES], "little")
    if length > size - LENGTH_BYTES:
        raise HeaderProblem(f"says that its header has {length} bytes, but the file ends after {size}")
    if length > MAX_HEADER_BYTES:
        raise HeaderProblem(f"says that its header has {length} bytes; more than {MAX_HEADER_BYTES} are not read")
    return length


def parse_header(text: bytes, size: int) -> Header:
    """Read and check a header.

    Args:
        text: The JSON, as long as :func:`header_length` says.
        size: Bytes of the whole file.

    Raises:
        HeaderProblem: it is malformed, or does not add up to the file.
    """
    tensors = {name: _tensor(name, entry) for name, entry in _entries(text).items()}
    reached = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)):
        if tensor.begin != reached:
            raise HeaderProblem(f"has tensor {shown(name)} at {tensor.begin} where {reached} was expected")
        reached = tensor.end
    expected = LENGTH_BYTES + len(text) + reached
    if expected != size:
        what = "is cut off" if size < expected else "has bytes behind its last tensor"
        raise HeaderProblem(f"{what}: its header stands for {expected} bytes, the object has {size}")
    return Header(tensors, reached)


def tail_accounts_for(tail: bytes, length: int, size: int) -> bool:
    """Whether the last entry of a header, seen by its last bytes alone, ends where the file does.

    The safetensors library writes entries in the order of their offsets, so its headers can be checked in this way.
    False means only that the whole header has to be read.
    """
    ends = _OFFSETS.findall(tail)
    closed = tail.rstrip(b" ").endswith(b"}}")
    return closed and bool(ends) and LENGTH_BYTES + length + int(ends[-1][1]) == size


def _entries(text: bytes) -> dict[str, Any]:
    if not text.startswith(b"{"):
        raise HeaderProblem("has a header that does not begin with {")
    try:
        entries: dict[str, Any] = json.loads(text.decode("utf-8"), parse_constant=_no_constant)
        "".join(entries).encode("utf-8")
    except (ValueError, RecursionError) as problem:
        raise HeaderProblem(f"has a header that is not JSON: {str(problem)[:100]}") from problem
    metadata = entries.pop(_METADATA, None)
    if metadata is not None and not (isinstance(metadata, dict) and all(_is_text(v) for v in metadata.values())):
        raise HeaderProblem(f"has {_METADATA} that is not a map of texts")
    return entries


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _tensor(name: str, entry: Any) -> Tensor:
    fields = entry if isinstance(entry, dict) else {}
    dtype: Any = fields.get("dtype")
    shape: Any = fields.get("shape")
    offsets: Any = fields.get("data_offsets")
    if not isinstance(dtype, str) or not _counts(shape) or not _counts(offsets) or len(offsets) != 2:
        raise HeaderProblem(f"describes tensor {shown(name)} without a proper dtype, shape and data_offsets")
    if dtype not in BITS:
        raise HeaderProblem(f"has tensor {shown(name)} of the unknown dtype {shown(dtype)}")
    if len(shape) > MAX_DIMENSIONS:
        raise HeaderProblem(f"describes tensor {shown(name)} with {len(shape)} dimensions")
    begin, end = offsets
    bits = math.prod(shape) * BITS[dtype]
    if bits % 8 or end - begin != bits // 8:
        raise HeaderProblem(
            f"gives tensor {shown(name)} {end - begin} bytes, which is not what its dtype and shape need"
        )
    return Tensor(dtype, tuple(shape), begin, end)


def _counts(value: Any) -> bool:
    """Whether it is a list of natural numbers that fit into 64 bits."""
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**64 for n in value)
