"""One row of a batch: is it a chat request that can be answered, and what is the answer.

Source: "Get batch predictions from a self-deployed Model Garden model", read 2026-11: a row holds an OpenAI chat
request in ``body``; prompts are text only; ``custom_id`` and other columns pass through, ``method`` and ``url`` are
dropped; ``response`` and ``id`` are reserved for the output.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mg_provider.emulator.payload import read_json

Json = dict[str, Any]

DROPPED_COLUMNS = ("method", "url")
RESERVED_COLUMNS = ("response", "id")


@dataclass(frozen=True)
class Row:
    """A row of the input: its columns as given, or why they could not be read."""

    record: Mapping[str, Any]
    unreadable: str | None = None


@dataclass(frozen=True)
class Answered:
    """What a row became: a line of the output, with the fault in words if it failed."""

    record: Json
    error: str | None = None


def rows_of_json_lines(text: str) -> list[Row]:
    """Every line that is not blank; a line that is not a JSON object fails by itself."""
    rows = []
    # Other characters that end a line of text may stand in a JSON string.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = read_json(line)
        except ValueError as error:
            rows.append(Row({}, f"line {number} is not valid JSON: {getattr(error, 'msg', error)}"))
            continue
        rows.append(row_of(record, f"line {number}"))
    return rows


def row_of(record: Any, place: str) -> Row:
    """A row that was read; what no text in UTF-8 can hold, or is nested too deeply to be written, fails by itself."""
    if not isinstance(record, dict):
        return Row({}, f"{place} is not a JSON object")
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        return Row({}, f"{place} has half of a character, {half}")
    except RecursionError:
        return Row({}, f"{place} is nested too deeply")
    return Row(record)


def fault(row: Row) -> str | None:
    """Why the row cannot be answered, or None."""
    if row.unreadable is not None:
        return row.unreadable
    body = row.record.get("body")
    if body is None:
        return "the row has no body"
    if not isinstance(body, Mapping):
        return "body is not a JSON object"
    if "prompt" in body and "messages" not in body:
        return None if isinstance(body["prompt"], str) else "body.prompt is not text"
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "body is not a chat completions request: messages is missing or empty"
    for position, message in enumerate(messages):
        if isinstance(message, Mapping) and message.get("role") == "assistant" and message.get("tool_calls"):
            continue
        if not isinstance(message, Mapping) or "role" not in message or "content" not in message:
            return f"body.messages[{position}] needs a role and content"
        if (wrong := _fault_of_content(message["content"])) is not None:
            return f"body.messages[{position}].content {wrong}"
    return None


def _fault_of_content(content: Any) -> str | None:
    if isinstance(content, str):
        return None
    if not isinstance(content, list):
        return "is neither text nor a list of parts"
    for part in content:
        if not isinstance(part, Mapping) or part.get("type") != "text":
            kind = part.get("type") if isinstance(part, Mapping) else type(part).__name__
            return f"has a part of type {kind}: batch prediction takes text-only prompts"
    return None


def answer(row: Row, index: int, model: str, created: int) -> Answered:
    """The output line of a row; ``created`` is seconds since 1970."""
    passed = {name: value for name, value in row.record.items() if name not in DROPPED_COLUMNS}
    wrong = fault(row)
    if wrong is not None:
        return Answered({**passed, "error": {"code": 3, "message": wrong}}, wrong)
    identity = hashlib.sha256(f"{model}/{index}".encode()).hexdigest()[:24]
    completion = _completion(row.record["body"], model, identity, created)
    return Answered({**passed, "id": f"batch-{identity}", "response": completion})


def as_answer(answered: Answered) -> Answered:
    """A row that failed with its error in the place of the answer, as OpenAI's batches have it."""
    if answered.error is None:
        return answered
    passed = {name: value for name, value in answered.record.items() if name != "error"}
    body = {"error": {"message": answered.error, "type": "BadRequestError", "code": 400}}
    return Answered({**passed, "id": "", "response": {"status_code": 400, "body": body}})


def _completion(body: Mapping[str, Any], model: str, identity: str, created: int) -> Json:
    messages = body.get("messages", [{"role": "user", "content": body.get("prompt", "")}])
    prompt = " ".join(_text(message.get("content")) for message in messages)
    asked = [_text(message.get("content")) for message in messages if message["role"] == "user"]
    words = f"[emulated {model}] You asked: {asked[-1] if asked else prompt}".split()
    limit = body.get("max_tokens")
    cut = isinstance(limit, int) and limit < len(words)
    kept = words[:limit] if cut else words
    return {
        "id": f"chatcmpl-{identity}",
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": " ".join(kept)},
                "finish_reason": "length" if cut else "stop",
            }
        ],
        "usage": {
            "prompt_tokens": len(prompt.split()),
            "completion_tokens": len(kept),
            "total_tokens": len(prompt.split()) + len(kept),
        },
    }


def _text(content: Any) -> str:
    return content if isinstance(content, str) else " ".join(part["text"] for part in content or [])
