"""How answers are written: JSON lines, CSV, or text for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping

import msgspec

from mg_provider.api.batch.rows import is_answer_in_words
from mg_provider.api.completions import first_choice
from mg_provider.api.redaction import excerpt
from mg_provider.inference.batch.formats import ResultsFormat
from mg_provider.inference.batch.results import BatchResult

Writer = Callable[[BatchResult], bytes]

_COLUMNS = ("custom_id", "answer", "finish_reason", "prompt_tokens", "completion_tokens")
_WIDTHS = (24, 92)
_encode = msgspec.json.Encoder().encode


class _Line(msgspec.Struct, gc=False):
    response: msgspec.Raw = msgspec.Raw()
    error: None = None
    errors: None = None


_LINE = msgspec.json.Decoder(_Line).decode


def quick_line(question: bytes, answer: bytes) -> bytes | None:
    """A line of input with its answer as JSON, where that is the plainest case; None otherwise.

    It is what the slow way gives, in the spelling of the two lines.
    """
    if b'"response"' in question or question[-1:] != b"}" or len(question) < 3:
        return None
    try:
        response = _LINE(answer).response
    except msgspec.MsgspecError:
        return None
    if not is_answer_in_words(response):
        return None
    return b'%b,"response":%b}\n' % (question[:-1], response)


def writer(form: ResultsFormat) -> tuple[bytes, Writer]:
    """The header, and how one answer is written."""
    if form is ResultsFormat.csv:
        return _csv_line(_COLUMNS), lambda result: _csv_line(_cells(result))
    if form is ResultsFormat.table:
        heading = f"{'custom_id':<{_WIDTHS[0]}}  answer\n{'-' * _WIDTHS[0]}  {'-' * _WIDTHS[1]}\n"
        return heading.encode(), _table_line

    def line(result: BatchResult) -> bytes:
        named = {"custom_id": result.custom_id} if result.custom_id else {}
        return _encode({**named, **result.row, "response": result.response}) + b"\n"

    return b"", line


def error_line(result: BatchResult) -> bytes:
    """A row that failed, as JSON with its reason."""
    return _encode({**result.row, "custom_id": result.custom_id, "error": result.error}) + b"\n"


def _cells(result: BatchResult) -> tuple[object, ...]:
    response = result.response if isinstance(result.response, Mapping) else {}
    choice = first_choice(response)
    usage = response.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    answer = result.text
    if answer is None:
        answer = "" if choice else _encode(result.response).decode()
    tokens = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return result.custom_id, answer, choice.get("finish_reason"), *tokens


def _csv_line(cells: tuple[object, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def _table_line(result: BatchResult) -> bytes:
    name, answer, *_ = _cells(result)
    first = excerpt(str(name or ""), _WIDTHS[0])
    words = excerpt(str(answer), _WIDTHS[1]) if answer else f"({excerpt(result.no_words or '', _WIDTHS[1] - 2)})"
    return f"{first:<{_WIDTHS[0]}}  {words}\n".encode()
