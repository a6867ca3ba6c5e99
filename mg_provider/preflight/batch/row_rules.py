"""What is wrong with one row of batch input, in words. `row_shapes.py` accepts most rows before they come here.

Sources: "Get batch predictions from a self-deployed Model Garden model" (read 2026-11): the form of a row, text only,
reserved and ignored fields. OpenAI's reference of chat completions and completions: the form of ``body``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

from mg_provider.preflight.batch.surrogates import half_character_words
from mg_provider.preflight.findings import Severity, shown

RESERVED = ("response", "id")
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
IMAGES = ("image_url", "image", "input_image")

DEEPEST = 500
"""Levels of lists and objects: BigQuery reads no more, and no row of a conversation comes near it."""

_TOO_DEEP = f"has lists and objects nested too deeply to be read: more than {DEEPEST} levels"
# A text that does not end goes on to the end of the line.
_STEPS = re.compile(r'"(?:\\.|[^"\\])*"?|[\[{]|[\]}]')
_LONGEST_NUMBER = 4000
"""Digits; Python reads no longer whole numbers."""


class RowProblem(NamedTuple):
    """One thing that is wrong with a row. Severity, code and message as in a finding."""

    severity: Severity
    code: str
    message: str


class ReadRow(NamedTuple):
    """A row that was read the slow way: what is wrong with it, which ignored fields it has, and its custom_id."""

    problems: list[RowProblem]
    ignored: frozenset[str] = frozenset()
    custom_id: Any = None


class NotARow(ValueError):
    """A line that cannot be read; its text says why.

    Attributes:
        code: A short name of the reason, as in a finding.
        message: The reason, to stand after what it is about.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"the line {message}")
        self.code = code
        self.message = message


def parse_line(line: bytes) -> Any:
    """The JSON of a line.

    Raises:
        NotARow: It cannot be read, or no text in UTF-8 can hold what it says.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError as problem:
        where = f"byte {problem.start + 1} ({line[problem.start]:#04x})"
        raise NotARow("not_utf8", f"is not UTF-8 from {where} on: write the file in UTF-8") from problem
    if may_be_deep(line) and _depth(text) > DEEPEST:
        raise NotARow("too_deep", _TOO_DEEP)
    try:
        found = json.loads(text, parse_constant=_refuse, parse_int=_whole)
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}" if problem.lineno > 1 else f"column {problem.colno}"
        raise NotARow("not_json", f"is not valid JSON at {where}: {problem.msg}") from problem
    except RecursionError as problem:
        raise NotARow("too_deep", _TOO_DEEP) from problem
    except ValueError as problem:
        raise NotARow("not_json", f"is not valid JSON: {problem}") from problem
    if words := half_character_words(text):
        raise NotARow("half_character", words)
    return found


def may_be_deep(text: bytes, start: int = 0, end: int | None = None) -> bool:
    """Whether a line has as many brackets as one that is too deep: a quick look."""
    end = len(text) if end is None else end
    if end - start <= DEEPEST:
        return False
    # Brackets are rare in long rows: to look for each is quicker than to count over the whole.
    found = 0
    for bracket in (b"{", b"["):
        at = start
        while found <= DEEPEST and (at := text.find(bracket, at, end) + 1):
            found += 1
    return found > DEEPEST


def _depth(text: str) -> int:
    depth = most = 0
    for step in _STEPS.finditer(text):
        depth += (step[0] in "[{") - (step[0] in "]}")
        most = max(most, depth)
    return most


def read_row(line: bytes) -> ReadRow:
    """Say all that is wrong with a line."""
    try:
        row = parse_line(line)
    except NotARow as problem:
        return ReadRow([_error(problem.code, str(problem))])
    if not isinstance(row, dict):
        array = "; `jq -c '.[]' FILE` makes lines of a file that is one array" if row and isinstance(row, list) else ""
        message = f'the line is {_kind(row)}, not an object: write {{"body": {{…}}}}{array}'
        return ReadRow([_error("not_an_object", message)])
    body = row.get("body")
    ignored = {name for name in ("method", "url") if name in row}
    if isinstance(body, dict) and "model" in body:
        ignored.add("model")
    problems = [_error(*found) for found in _row_errors(row)]
    return ReadRow(problems, frozenset(ignored), row.get("custom_id"))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) < _LONGEST_NUMBER else float(digits)


def _error(code: str, message: str) -> RowProblem:
    return RowProblem("error", code, message)


def kind_of_id(custom_id: Any) -> str:
    """What an id that is not text is, with its article."""
    return _kind(custom_id)


Found = Iterator[tuple[str, str]]


def _row_errors(row: dict[str, Any]) -> Found:
    for name in RESERVED:
        if name in row:
            yield "reserved_key", f"{name!r} is reserved for the output: rename it"
    body = row.get("body")
    if "body" not in row:
        hint = ': put the request inside {"body": …}' if "messages" in row or "prompt" in row else ""
        yield "no_body", f"there is no body{hint}"
    elif not isinstance(body, dict):
        yield "body_not_an_object", f"body is {_kind(body)}, not an object with the request"
    else:
        yield from _body_errors(body)


def _body_errors(body: dict[str, Any]) -> Found:
    if "messages" in body and "prompt" in body:
        yield "messages_and_prompt", "body has messages and prompt: keep one of them"
    elif "messages" in body:
        yield from _messages_errors(body["messages"])
    elif "prompt" in body:
        yield from _prompt_errors(body["prompt"])
    else:
        yield "no_messages", "body has neither messages nor prompt: it is not a chat or prompt request"
    for name in ("max_tokens", "max_completion_tokens"):
        value = body.get(name)
        if value is not None and not (_is_number(value) and value >= 1 and value == int(value)):
            yield "bad_parameter", f"body.{name} is {_brief(value)}: use a whole number from 1"
    heat = body.get("temperature")
    if heat is not None and not (_is_number(heat) and heat >= 0):
        yield "bad_parameter", f"body.temperature is {_brief(heat)}: use a number from 0"
    stream = body.get("stream")
    if stream is not None and stream is not False:
        yield "stream", f"body.stream is {_brief(stream)}: an answer in a file cannot be streamed; remove it"


def _prompt_errors(prompt: Any) -> Found:
    prompts = prompt if isinstance(prompt, list) else [prompt]
    if not prompts or not all(isinstance(each, str) and each for each in prompts):
        yield "bad_prompt", "body.prompt is not text, or is empty"


def _messages_errors(messages: Any) -> Found:
    if not isinstance(messages, list) or not messages:
        yield "no_messages", f"body.messages is {_kind(messages) if messages else 'empty'}: give at least one message"
        return
    for number, message in enumerate(messages):
        where = f"body.messages[{number}]"
        if not isinstance(message, dict):
            yield "bad_message", f"{where} is {_kind(message)}, not an object with role and content"
            continue
        role = message.get("role")
        if not isinstance(role, str) or role not in ROLES:
            yield "bad_role", f"{where}.role is {_brief(role)}: use one of {', '.join(ROLES)}"
        calls = role == "assistant" and bool(message.get("tool_calls") or message.get("function_call"))
        if message.get("content") is None and calls:
            continue
        yield from _content_errors(f"{where}.content", message.get("content"))


def _content_errors(where: str, content: Any) -> Found:
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        yield "bad_content", f"{where} is {_kind(content)}: write text"
        return
    for number, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(part, dict) or not isinstance(kind, str):
            yield "bad_content", f"{where}[{number}] is not part of a message: it has no type"
        elif kind in IMAGES:
            yield "image", f"{where}[{number}] is an image: batch prediction takes text only"
        elif kind != "text":
            yield "not_text", f"{where}[{number}] is of type {shown(kind)}: batch prediction takes text only"
        elif not isinstance(part.get("text"), str):
            yield "bad_content", f"{where}[{number}] has no text"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value - value == 0


def _brief(value: Any) -> str:
    return "missing" if value is None else shown(json.dumps(value, ensure_ascii=False)[:200])


def _kind(value: Any) -> str:
    """A JSON value's kind, with its article."""
    kinds = {bool: "true or false", str: "text", list: "a list", dict: "an object", type(None): "null"}
    return kinds.get(type(value), "a number")
