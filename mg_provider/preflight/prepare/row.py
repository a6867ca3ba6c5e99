"""How a prompt becomes a row of batch input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

METHOD, URL = "POST", "/v1/chat/completions"
"""What a table's columns of these names hold; the job ignores and drops them."""


@dataclass(frozen=True)
class Shape:
    """What the rows have in common.

    Attributes:
        prompt_column: Column, or key, of the prompt.
        id_column: Column, or key, of ``custom_id``; without one, rows are numbered.
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

    def row(self, name: str, prompt: str) -> dict[str, Any]:
        """A row of JSON lines."""
        messages = [{"role": "system", "content": self.system}] if self.system else []
        messages.append({"role": "user", "content": prompt})
        return {"custom_id": name, "body": {"messages": messages, **self.parameters()}}
