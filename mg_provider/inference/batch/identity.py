"""Which row a line of input or output is: its id, and what it asks in one spelling of the same JSON."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from mg_provider.api.batch.rows import OutputLine

_EXACT = 2**53
_encode = msgspec.json.Encoder(order="sorted").encode


class RowKey(msgspec.Struct, gc=False):
    """What identifies a row, without the rest of the line."""

    custom_id: Any = None
    key: Any = None
    instance: msgspec.Raw = msgspec.Raw()
    body: msgspec.Raw = msgspec.Raw()


def id_of(custom_id: Any, key: Any = None) -> str | None:
    """An id as text, as a table has it; an empty one counts as none."""
    given = key if custom_id in (None, "") else custom_id
    return None if given in (None, "") else given if isinstance(given, str) else canonical(given).decode()


def canonical(value: Any) -> bytes:
    """One spelling of the same JSON: sorted keys, no spaces, whole numbers as such."""
    return _encode(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _EXACT else value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _EXACT:
        return _rounded(value)
    return value


def _rounded(value: int) -> float | str:
    """A number as tables keep it."""
    try:
        return float(value)
    except OverflowError:
        return str(value)


def canonical_body(body: Any) -> bytes:
    """One spelling of the same request: what is null is as if it were left out."""
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if value is not None}
    return canonical(body)


def same_body(one: msgspec.Raw, other: msgspec.Raw) -> bool:
    """Whether two texts of JSON are the same request."""
    if bytes(one) == bytes(other):
        return True
    return canonical_body(msgspec.json.decode(one)) == canonical_body(msgspec.json.decode(other))


@dataclass(frozen=True, slots=True)
class Identity:
    """Which row a line is, from the weakest mark to the strongest; each a digest.

    Attributes:
        id: Its ``custom_id`` or ``key``; None without one.
        asks: What is asked; None where the line does not say.
        row: All columns that a job passes through.
        said: The answer, or why there is none; of a line of input nothing.
    """

    id: str | None
    asks: bytes | None
    row: bytes
    said: bytes


def identity_of(line: OutputLine) -> Identity:
    """The marks of a line."""
    row = {name: value for name, value in line.row.items() if name not in _NOT_PASSED}
    body = row.get("body")
    asks = None if body is None else _digest(canonical_body(body))
    if body is not None:
        row["body"] = msgspec.Raw(canonical_body(body))
    return Identity(line.name, asks, _digest(canonical(row)), _digest(canonical(_said(line))))


_NOT_PASSED = frozenset({"method", "url"})
_OF_A_CALL = frozenset({"id", "created", "usage", "system_fingerprint", "request_id"})


def _said(line: OutputLine) -> Any:
    """The answer without what differs from call to call."""
    answer = line.answer
    if isinstance(answer, dict):
        return {name: value for name, value in answer.items() if name not in _OF_A_CALL}
    return line.failure if answer is None else answer


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).digest()
