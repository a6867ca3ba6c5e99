"""How a prompt becomes a row of batch input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

METHOD, URL = "POST", "/v1/chat/completions"
"""What a table's columns of these names hold; the job ignores and drops them."""

Prompt = str | list[dict[str, Any]]
"""A question, or the messages of a conversation."""


class Asked(NamedTuple):
    """What one row of a source asks.

    Attributes:
        line: Where it is, from 1.
        name: Its id; None without one.
        prompt: The question or conversation; None without one.
        parameters: What the row itself says of its request, by the name of the field.
    """

    line: int
    name: str | None
    prompt: Prompt | None
    parameters: Mapping[str, Any] = MappingProxyType({})


_INSTRUCTING = ("system", "developer")


@dataclass(frozen=True)
class Shape:
    """What the rows have in common.

    Attributes:
        prompt_column: Column, or key, of the prompt.
        id_column: Column, or key, of ``custom_id``; without one, a row's own custom_id is taken, or its number.
        system: A system message before each prompt.
        max_tokens: Longest answer; the model's own limit if absent.
        temperature: 0 and up; the model's own if absent.
    """

    prompt_column: str = "prompt"
    id_column: str | None = None
    system: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None

    def parameters(self) -> dict[str, int | float]:
        """What a body has beside its messages."""
        given = {"max_tokens": self.max_tokens, "temperature": self.temperature}
        return {name: value for name, value in given.items() if value is not None}

    def row(self, name: str, prompt: Prompt, own: Mapping[str, Any]) -> dict[str, Any]:
        """A row of JSON lines, of a question or a conversation; its own parameters go before those of all rows."""
        messages: list[dict[str, Any]] = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
        if self.system and (not messages or messages[0].get("role") not in _INSTRUCTING):
            messages = [{"role": "system", "content": self.system}, *messages]
        return {"custom_id": name, "body": {"messages": messages, **self.parameters(), **own}}
