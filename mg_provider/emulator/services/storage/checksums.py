"""The checksums that Cloud Storage gives for every object: CRC32C and MD5.

CRC32C (Castagnoli) is not in the standard library. Data is cut into rows that take their steps together, in the few
functions of the standard library that work on long numbers and texts: some tens of megabytes a second. A run of zeros
of any length costs a few matrix products, so that an object of 700 GB which is mostly not there has its true checksum
at once.
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
_ROW = 256
_BLOCK = 4096 * _ROW


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
def _planes() -> tuple[bytes, ...]:
    """The four bytes of the register, lowest first, after each value of one byte: tables for ``bytes.translate``."""
    return tuple(bytes(value >> shift & 0xFF for value in _byte_table()) for shift in (0, 8, 16, 24))


@cache
def _past_a_row() -> tuple[tuple[int, ...], ...]:
    """What each value of each byte of the register becomes after as many zeros as a row has."""
    step = _zeros(_ROW)
    return tuple(tuple(_apply(step, value << shift) for value in range(256)) for shift in (0, 8, 16, 24))


def extend_crc32c(checksum: int, data: bytes) -> int:
    """The CRC32C of what ``checksum`` covers, followed by ``data``; an empty start has checksum 0."""
    register = checksum ^ _ALL_ONES
    whole = len(data) - len(data) % _ROW
    low, second, third, high = _past_a_row()
    for start in range(0, whole, _BLOCK):
        for own in _registers_of_rows(data[start : min(start + _BLOCK, whole)]):
            past = low[register & 0xFF] ^ second[register >> 8 & 0xFF] ^ third[register >> 16 & 0xFF]
            register = past ^ high[register >> 24] ^ own
    for value in data[whole:]:
        register = _byte_table()[(register ^ value) & 0xFF] ^ (register >> 8)
    return register ^ _ALL_ONES


def _registers_of_rows(block: bytes) -> array[int]:
    """The register after each row, from an empty one: all rows take a step together, as one long number."""
    rows = len(block) // _ROW
    planes = [0, 0, 0, 0]
    for column in range(_ROW):
        index = (planes[0] ^ int.from_bytes(block[column::_ROW], "little")).to_bytes(rows, "little")
        made = [int.from_bytes(index.translate(table), "little") for table in _planes()]
        planes = [own ^ above for own, above in zip(made, [*planes[1:], 0], strict=True)]
    registers = bytearray(4 * rows)
    for place, plane in enumerate(planes):
        registers[place::4] = plane.to_bytes(rows, "little")
    numbers = array("I", bytes(registers))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def extend_crc32c_with_zeros(checksum: int, count: int) -> int:
    """The CRC32C of what ``checksum`` covers, followed by ``count`` zero bytes; takes time log ``count``."""
    return _apply(_zeros(count), checksum ^ _ALL_ONES) ^ _ALL_ONES


def _zeros(count: int) -> list[int]:
    """What so many zero bytes do to the register: a linear map, whose row i says where bit i goes."""
    step = [_byte_table()[(1 << bit) & 0xFF] ^ ((1 << bit) >> 8) for bit in range(32)]
    whole = [1 << bit for bit in range(32)]
    while count:
        if count & 1:
            whole = [_apply(step, row) for row in whole]
        step = [_apply(step, row) for row in step]
        count >>= 1
    return whole


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
