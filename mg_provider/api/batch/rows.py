"""What one line of a batch prediction job's output says: whose answer it is, the answer, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import msgspec

from mg_provider.api.completions import error_words, is_error, problem_of_completion

_SAID = frozenset({"id", "response", "prediction", "error", "errors", "key", "instance"})
_GOOD_STATUS = frozenset({"", "ok", "200", "success", "succeeded", "completed"})
_NOTHING = "the output has neither an answer nor an error for it"


@dataclass(frozen=True)
class OutputLine:
    """A line of output. Which fields there are depends on the model and on ``instance_config``.

    Attributes:
        record: The line: the columns of the input that were passed through, with ``response`` (or ``prediction``) or
            ``error`` (``errors`` in a table).
    """

    record: dict[str, Any]

    @property
    def name(self) -> str | None:
        """What the row is called: ``custom_id``, or ``key`` where ``instance_config.key_field`` named the column."""
        instance = self.record.get("instance")
        inner = instance if isinstance(instance, dict) else {}
        own = self.record
        return id_of(own.get("custom_id"), own.get("key"), inner.get("custom_id"), inner.get("key"))

    @property
    def row(self) -> dict[str, Any]:
        """The columns of the input, as far as they were passed through."""
        instance = self.record.get("instance")
        if isinstance(instance, dict):
            return instance
        return {name: value for name, value in self.record.items() if name not in _SAID}

    @property
    def answer(self) -> Any:
        """The answer, without the envelope of a call; None if there is none."""
        return self._read[0]

    @property
    def failure(self) -> str | None:
        """Why there is no answer, in the service's words; None if there is one."""
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[Any, str | None]:
        for name in ("error", "errors"):
            if is_error(self.record.get(name)):
                reported = self.record[name]
                return None, error_words(reported) or msgspec.json.encode(reported).decode()
        given = next((self.record[name] for name in _ANSWERS if self.record.get(name) is not None), None)
        answer, failure = _opened(given)
        if failure is None:
            return answer, None
        status = self.record.get("status")
        reported = "" if _is_good(status) else error_words(status)
        if given is None or failure == _EMPTY:
            failure = reported or (_NOTHING if given is None else failure)
        return None, failure


def id_of(*places: Any) -> str | None:
    """An id as text, as a table has it: the first that is there; an empty one counts as none."""
    found = next((each for each in places if each is not None and each != ""), None)
    if found is None or isinstance(found, str):
        return found
    if isinstance(found, float) and found.is_integer():
        return str(int(found))
    return msgspec.json.encode(found, order="sorted").decode()


_ANSWERS = ("response", "prediction")
_EMPTY = problem_of_completion(None)


def _opened(given: Any) -> tuple[Any, str | None]:
    """What is in an envelope ``{"status_code": 200, "body": …}``, and why it is not an answer."""
    given = _parsed(given)
    if not isinstance(given, Mapping) or "status_code" not in given:
        return given, problem_of_completion(given)
    code, body = given["status_code"], _parsed(given.get("body"))
    problem = problem_of_completion(body)
    if _is_good(code) or (isinstance(code, int) and 200 <= code < 300):
        return body, problem
    words = error_words(body)
    return None, f"{words} (status {code})" if words else f"the call ended with status {code}"


def _parsed(given: Any) -> Any:
    """A text that is JSON of an answer or error, as some tables hold it, as that."""
    if not isinstance(given, str) or not given.lstrip().startswith("{"):
        return given
    try:
        found = msgspec.json.decode(given)
    except (msgspec.MsgspecError, RecursionError):
        return given
    known = isinstance(found, dict) and ("choices" in found or "error" in found or "status_code" in found)
    return found if known else given


def _is_good(status: Any) -> bool:
    return status is None or (isinstance(status, str | int) and str(status).strip().lower() in _GOOD_STATUS)


class NotReadable(ValueError):
    """A line that is not a JSON object that can be read; the text says why."""


_DECODER = msgspec.json.Decoder(dict[str, Any])


def read_line(line: bytes) -> OutputLine:
    """One line.

    Raises:
        NotReadable: It is not a JSON object that can be read.
    """
    try:
        return OutputLine(_DECODER.decode(line))
    except RecursionError as problem:
        raise NotReadable("the line has lists and objects nested too deeply to be read") from problem
    except UnicodeDecodeError as problem:
        raise NotReadable(f"the line is not UTF-8 from byte {_first_that_is_not_utf_8(line)} on") from problem
    except msgspec.MsgspecError as problem:
        raise NotReadable(f"the line is not a JSON object that can be read: {problem}") from problem


def _first_that_is_not_utf_8(line: bytes) -> int:
    """The place of the byte, from 1; the decoder counts from the beginning of a text in the line."""
    try:
        line.decode()
    except UnicodeDecodeError as problem:
        return problem.start + 1
    return 1


class _Message(msgspec.Struct, gc=False):
    content: Annotated[str, msgspec.Meta(min_length=1)]


class _Choice(msgspec.Struct, gc=False):
    message: _Message


class _Response(msgspec.Struct, gc=False):
    choices: Annotated[tuple[_Choice, ...], msgspec.Meta(min_length=1)]
    error: None = None
    status_code: None = None


class _Answered(msgspec.Struct, gc=False):
    response: _Response
    error: None = None
    errors: None = None


_ANSWERED = msgspec.json.Decoder(_Answered).decode_lines
_RESPONSE = msgspec.json.Decoder(_Response).decode


def all_answered(text: bytes) -> int | None:
    """How many lines these are, if each is an answer in words beyond doubt; None if one may not be."""
    try:
        if not text.isascii():
            str(text, "utf-8")
        return len(_ANSWERED(text))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def is_answer_in_words(response: msgspec.Raw) -> bool:
    """Whether a response is a chat completion with words beyond doubt."""
    try:
        _RESPONSE(response)
    except msgspec.MsgspecError:
        return False
    return True
