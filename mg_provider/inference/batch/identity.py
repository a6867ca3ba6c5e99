"""Which row a line of input or output is: its id, and what it asks in one spelling of the same JSON."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from mg_provider.api.batch.rows import NotReadable, OutputLine, id_of, read_line

_EXACT = 2**53
_encode = msgspec.json.Encoder(order="sorted").encode


class RowKey(msgspec.Struct, gc=False):
    """What identifies a row, without the rest of the line."""

    custom_id: Any = None
    key: Any = None
    instance: msgspec.Raw = msgspec.Raw()
    body: msgspec.Raw = msgspec.Raw()


_DECODE = msgspec.json.Decoder(RowKey).decode


def canonical(value: Any) -> bytes:
    """One spelling of the same JSON: sorted keys, no spaces, whole numbers as such."""
    try:
        return _encode(_plain(value))
    except RecursionError:
        # So deep that only the same spelling of numbers counts as the same.
        return _encode(value)


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
        answered: Whether there is an answer.
    """

    id: str | None
    asks: bytes | None
    row: bytes
    said: bytes
    answered: bool = False


def identity_of(text: bytes) -> Identity:
    """The marks of a line; of one that is nested too deeply, those of its spelling."""
    try:
        return _identity(read_line(text))
    except (NotReadable, RecursionError):
        whole = digest(text)
        return Identity(request_of(text).id, whole, whole, whole)


def _identity(line: OutputLine) -> Identity:
    row = {name: value for name, value in line.row.items() if name not in _NOT_PASSED}
    body = row.get("body")
    asks = None if body is None else digest(canonical_body(body))
    if body is not None:
        row["body"] = msgspec.Raw(canonical_body(body))
    return Identity(line.name, asks, digest(canonical(row)), digest(canonical(_said(line))), line.failure is None)


@dataclass(frozen=True, slots=True)
class Request:
    """What a line says of its request, without its answer.

    Attributes:
        id: Its ``custom_id`` or ``key``; None without one.
        custom_id: Its ``custom_id`` alone; None without one.
        given: What is asked, as the line spells it; None where the line does not say.
    """

    id: str | None
    custom_id: str | None
    given: msgspec.Raw | None

    @property
    def body(self) -> bytes | None:
        """What is asked, in one spelling; None where the line does not say."""
        if self.given is None:
            return None
        try:
            return canonical_body(msgspec.json.decode(self.given))
        except (msgspec.MsgspecError, RecursionError):
            return bytes(self.given)


def request_of(text: bytes) -> Request:
    """What a line of input or output says of its request."""
    row = _DECODE(text)
    inner = _DECODE(row.instance) if bytes(row.instance)[:1] == b"{" else row
    name = id_of(row.custom_id, row.key, inner.custom_id, inner.key)
    given = inner.body if inner.body and bytes(inner.body) != b"null" else None
    return Request(name, id_of(row.custom_id, inner.custom_id), given)


def named_by(column: str, text: bytes) -> Identity:
    """The marks of a row whose id is in another column."""
    try:
        name = id_of(read_line(text).record.get(column))
    except NotReadable:
        name = None
    return replace(identity_of(text), id=name)


def by_columns(asked: list[bytes], said: list[bytes]) -> tuple[list[Identity], list[Identity]] | None:
    """Marks of lines that ask the same, by the columns that the answers have; None where a key may be two columns."""
    questions, answers = [read_line(each) for each in asked], [read_line(each) for each in said]
    passed = {name for each in answers for name in each.row}
    keys = {each.name for each in answers if each.name is not None}
    marks = []
    for each in questions:
        named = {id_of(value) for name, value in each.record.items() if name != "body"} & keys
        if len(named) > 1:
            return None
        marks.append(_identity_by(named.pop() if named else None, each, passed))
    found = [_identity_by(each.name, each, passed) for each in answers]
    # The rows may have more columns, so that no answer has all of a row.
    return marks, [replace(each, row=each.asks or b"") for each in found]


def _identity_by(name: str | None, line: OutputLine, passed: set[str]) -> Identity:
    row = {column: value for column, value in line.row.items() if column in passed and value is not None}
    body = row.pop("body", None)
    mark = digest(canonical([row, msgspec.Raw(canonical_body(body))]))
    return replace(_identity(line), id=name, asks=mark)


_NOT_PASSED = frozenset({"method", "url"})
_OF_A_CALL = frozenset({"id", "created", "usage", "system_fingerprint", "request_id"})


def _said(line: OutputLine) -> Any:
    """The answer without what differs from call to call."""
    answer = line.answer
    if isinstance(answer, dict):
        return {name: value for name, value in answer.items() if name not in _OF_A_CALL}
    return line.failure if answer is None else answer


def digest(text: bytes) -> bytes:
    """A short mark of a text."""
    return hashlib.blake2b(text, digest_size=16).digest()
