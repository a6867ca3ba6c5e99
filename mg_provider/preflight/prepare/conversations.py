"""The prompt or conversation in a row, in the forms that data sets have."""

from __future__ import annotations

from typing import Any

import msgspec

from mg_provider.preflight.batch.input_report import InputReport
from mg_provider.preflight.findings import shown
from mg_provider.preflight.prepare.row import Prompt, Shape

_MESSAGES = "messages"
_CONVERSATIONS = (_MESSAGES, "conversations", "conversation")
_PARAMETERS = (
    *("tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "response_format"),
    *(
        "max_tokens",
        "max_completion_tokens",
        "min_tokens",
        "stop",
        "n",
        "seed",
        "logit_bias",
        "logprobs",
        "top_logprobs",
    ),
    *("temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty"),
    *("reasoning_effort", "chat_template_kwargs", "stream"),
)
"""What a request of OpenAI's or vLLM's form has beside its messages."""
_INSTRUCTIONS = ("system", "system_prompt")
# ShareGPT's names for who speaks.
_ROLES = {"human": "user", "gpt": "assistant", "chatgpt": "assistant", "bing": "assistant", "bot": "assistant"}
# The names of Alpaca and of many data sets of questions.
_KNOWN = ("instruction", "question", "query", "text")
_FEW = 20


class NoPrompt(ValueError):
    """A row that asks nothing; its text says what it has instead."""


def prompt_of(row: dict[str, Any], shape: Shape, report: InputReport, source: str, line: int) -> Prompt | None:
    """What a row asks; None where its column is empty, or neither text nor messages.

    A column of the given name wins. Without it, ``messages`` or ``conversations`` is taken; where no name was given,
    also a column that data sets have for it, which is then noted.

    Raises:
        NoPrompt: There is no such column.
    """
    name = shape.prompt_column
    if row.get(name) is None:
        name = next((each for each in _CONVERSATIONS if row.get(each)), name)
    given = row.get(name)
    if isinstance(given, str) and (messages := _messages_in(given)) is not None:
        if name in _CONVERSATIONS:
            given = messages
        else:
            message = (
                f"{name} is the JSON of messages, in this row or more, and is sent as text: name the column "
                f"{_MESSAGES} if it is the conversation"
            )
            _once(report, "conversation_as_text", message, source, line)
    if isinstance(given, str):
        return given
    if isinstance(given, list) and given:
        return _conversation(given, report, source, line)
    if given is None and shape.prompt_column == Shape.prompt_column and (asked := _known_column(row)):
        message = f"rows without a prompt use {asked[0]} instead: --prompt-column names another column"
        _once(report, "prompt_column", message, source, line)
        return asked[1]
    if given is None and shape.prompt_column not in row:
        columns = ", ".join(shown(str(name)) for name in list(row)[:_FEW]) or "nothing"
        raise NoPrompt(
            f"the row has neither {shape.prompt_column} nor messages, but {columns}: name one with --prompt-column"
        )
    return None


def parameters_of(
    row: dict[str, Any], prompt: Prompt | None, report: InputReport, source: str, line: int
) -> dict[str, Any]:
    """What a row says of its request. Beside ``messages`` it is kept; beside a prompt it may mean anything."""
    given = {name: row[name] for name in (*_PARAMETERS, *_INSTRUCTIONS) if row.get(name) not in (None, "")}
    kept: dict[str, Any] = {}
    if isinstance(prompt, list) and row.get(_MESSAGES):
        kept = {name: _read_text(value) for name, value in given.items() if name in _PARAMETERS}
    if left := [name for name in given if name not in kept]:
        message = (
            f"{', '.join(left)} of this row or more is not taken: parameters are taken beside messages, instructions "
            "in them; for all rows give --system, --max-tokens or --temperature"
        )
        _once(report, "left_out", message, source, line)
    return kept


def _once(report: InputReport, code: str, message: str, source: str, line: int) -> None:
    """Warn of the first row of a kind."""
    if not report.counts[code]:
        report.add("warning", code, message, source, line)


def _read_text(given: Any) -> Any:
    """A value that a column of text holds as JSON; other text as such."""
    try:
        return msgspec.json.decode(given) if isinstance(given, str) else given
    except (msgspec.MsgspecError, RecursionError):
        return given


def _messages_in(text: str) -> list[Any] | None:
    """The messages that a text is the JSON of; None where it is other text."""
    found = _read_text(text) if text.lstrip().startswith("[") else None
    if not isinstance(found, list) or not found:
        return None
    return found if all(isinstance(each, dict) and ("role" in each or "from" in each) for each in found) else None


def _known_column(row: dict[str, Any]) -> tuple[str, str] | None:
    """The name and text of a column that data sets have for what is asked; None without one."""
    for name in _KNOWN:
        if isinstance(text := row.get(name), str) and text:
            more = row.get("input") if name == "instruction" else None
            if isinstance(more, str) and more.strip():
                return "instruction with input", f"{text}\n\n{more}"
            return name, text
    return None


def _conversation(given: list[Any], report: InputReport, source: str, line: int) -> Prompt:
    messages = [_message(each) for each in given]
    if messages[-1].get("role") == "assistant":
        message = (
            "the conversation ends with an answer of the assistant, in this row or more: it is sent unchanged, and the "
            "model adds another answer; remove the last message if the model is to give it"
        )
        _once(report, "ends_with_answer", message, source, line)
    return messages


def _message(given: Any) -> dict[str, Any]:
    """A message in OpenAI's form; what is not a message is left for the check to name."""
    if not isinstance(given, dict):
        return {"content": given}
    if "from" in given and "value" in given and "role" not in given:
        speaker = str(given["from"])
        return {"role": _ROLES.get(speaker, speaker), "content": given["value"]}
    # Tables have every field in every message, and null where a message has none.
    return {name: value for name, value in given.items() if value is not None or name == "content"}
