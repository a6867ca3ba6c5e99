"""The checksums that Cloud Storage tells of every object: CRC32C and MD5.

CRC32C (Castagnoli) is not in the standard library. Two bytes are taken at a time from a table of 65,536 entries, which
is quick enough for weights of some megabytes; a run of zeros of any length costs a few matrix products, so that an
object of 700 GB which is mostly not there has its true checksum at once.
Source: RFC 3720 appendix B.4 (polynomial 0x1EDC6F41, reflected 0x82F63B78), read 2026-11.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from array import array
from collections.abc import Iterable
from functools import cache

_POLYNOMIAL = 0x82F63B78
_ALL_ONES = 0xFFFFFFFF


@cache
def _byte_table() -> tuple[int, ...]:
    """What each value of one byte does to the register."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return tuple(table)


@cache
def _pair_table() -> tuple[int, ...]:
    """What each value of two bytes does to the register."""
    single = _byte_table()
    firsts = [single[value & 0xFF] ^ (value >> 8) for value in range(65536)]
    return tuple(single[first & 0xFF] ^ (first >> 8) for first in firsts)


def extend_crc32c(checksum: int, data: bytes) -> int:
    """The CRC32C of what ``checksum`` covers, followed by ``data``; an empty start has checksum 0."""
    register = checksum ^ _ALL_ONES
    even = len(data) & ~1
    pairs = array("H", data[:even])
    if sys.byteorder == "big":
        pairs.byteswap()
    table = _pair_table()
    for pair in pairs:
        register = table[(register ^ pair) & 0xFFFF] ^ (register >> 16)
    for value in data[even:]:
        register = _byte_table()[(register ^ value) & 0xFF] ^ (register >> 8)
    return register ^ _ALL_ONES


def extend_crc32c_with_zeros(checksum: int, count: int) -> int:
    """The CRC32C of what ``checksum`` covers, followed by ``count`` zero bytes; takes time log ``count``."""
    register = checksum ^ _ALL_ONES
    # One zero byte is a linear map of the register; row i says where bit i goes.
    step = [_byte_table()[(1 << bit) & 0xFF] ^ ((1 << bit) >> 8) for bit in range(32)]
    while count:
        if count & 1:
            register = _apply(step, register)
        step = [_apply(step, row) for row in step]
        count >>= 1
    return register ^ _ALL_ONES


def _apply(rows: list[int], register: int) -> int:
    result = 0
    for bit, row in enumerate(rows):
        if register >> bit & 1:
            result ^= row
    return result


def encode_crc32c(checksum: int) -> str:
    """The form in JSON and in ``x-goog-hash``: base64 of the four bytes, highest first."""
    return base64.b64encode(checksum.to_bytes(4, "big")).decode("ascii")


def encoded_checksums(chunks: Iterable[bytes]) -> tuple[str, str]:
    """CRC32C and MD5 of the chunks together, both in base64."""
    checksum, digest = 0, hashlib.md5(usedforsecurity=False)
    for chunk in chunks:
        checksum = extend_crc32c(checksum, chunk)
        digest.update(chunk)
    return encode_crc32c(checksum), base64.b64encode(digest.digest()).decode("ascii")
