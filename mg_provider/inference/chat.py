"""Conversations as a request carries them, and the words in what comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mg_provider.api.errors import MgError

Message = Mapping[str, Any]


@dataclass(frozen=True)
class ChatAnswer:
    """The answer to a conversation.

    Attributes:
        text: The words.
        finish_reason: Why it ends: ``stop``, or ``length`` where ``max_tokens`` cut it.
        usage: Tokens of question and answer.
        response: The whole OpenAI ``chat.completion``.
    """

    text: str
    finish_reason: str | None
    usage: Mapping[str, Any]
    response: Mapping[str, Any]

    def __str__(self) -> str:
        """The words."""
        return self.text


def conversation_of(messages: str | Sequence[Message], system: str | None) -> list[Message]:
    """The messages that a request carries: a question is the user's, and instructions stand before all."""
    asked: list[Message] = [{"role": "user", "content": messages}] if isinstance(messages, str) else list(messages)
    return [{"role": "system", "content": system}, *asked] if system else asked


def answer_of(response: Mapping[str, Any]) -> ChatAnswer:
    """The answer in an OpenAI ``chat.completion``.

    Raises:
        MgError: It is none.
    """
    choices = response.get("choices")
    if not isinstance(choices, list) or not choices:
        raise MgError("the answer is no chat completion: it has no choices", hint="ask the container with raw_predict")
    text = choices[0].get("message", {}).get("content")
    return ChatAnswer(str(text or ""), choices[0].get("finish_reason"), response.get("usage") or {}, response)


def pieces_of(chunk: Mapping[str, Any]) -> Iterator[str]:
    """The words in an OpenAI ``chat.completion.chunk``."""
    for choice in chunk.get("choices") or []:
        piece = (choice.get("delta") or {}).get("content")
        if piece:
            yield str(piece)
