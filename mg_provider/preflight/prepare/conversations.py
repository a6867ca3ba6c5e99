"""The prompt or conversation in a row, in the forms that data sets have."""

from __future__ import annotations

from typing import Any

from mg_provider.preflight.batch.input_report import InputReport
from mg_provider.preflight.findings import shown
from mg_provider.preflight.prepare.row import Prompt, Shape

_CONVERSATIONS = ("messages", "conversations", "conversation")
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
    given = row.get(shape.prompt_column)
    if given is None:
        given = next((row[name] for name in _CONVERSATIONS if row.get(name)), None)
    if isinstance(given, str):
        return given
    if isinstance(given, list) and given:
        return _conversation(given, report, source, line)
    if given is None and shape.prompt_column == Shape.prompt_column and (asked := _known_column(row)):
        if not report.counts["prompt_column"]:
            message = f"rows without a prompt use {asked[0]} instead: --prompt-column names another column"
            report.add("warning", "prompt_column", message, source, line)
        return asked[1]
    if given is None and shape.prompt_column not in row:
        columns = ", ".join(shown(str(name)) for name in list(row)[:_FEW]) or "nothing"
        raise NoPrompt(
            f"the row has neither {shape.prompt_column} nor messages, but {columns}: name one with --prompt-column"
        )
    return None


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
    if messages[-1].get("role") == "assistant" and not report.counts["ends_with_answer"]:
        message = (
            "the conversation ends with an answer of the assistant, in this row or more: it is sent unchanged, and the "
            "model adds another answer; remove the last message if the model is to give it"
        )
        report.add("warning", "ends_with_answer", message, source, line)
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
