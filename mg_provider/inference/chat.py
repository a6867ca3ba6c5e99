"""Conversations as a request carries them, and the words in what comes back."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mg_provider.api.completions import first_choice, problem_of_completion, unwrapped, why_no_words, words_of
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

    @property
    def no_words(self) -> str | None:
        """Why there are no words: the model only reasoned, asks for tools, and so on; None if there are some."""
        return why_no_words(self.response)

    def __str__(self) -> str:
        """The words."""
        return self.text


class ChatStream(Iterator[str]):
    """The words of an answer piece by piece as they are made; afterwards why it ended.

    Attributes:
        finish_reason: Why it ended: ``stop``, or ``length`` where ``max_tokens`` cut it; None before the end.
        usage: Tokens of question and answer, where the request asked for them.
    """

    def __init__(self, chunks: Generator[Mapping[str, Any]]) -> None:
        self.finish_reason: str | None = None
        self.usage: Mapping[str, Any] = {}
        self._said = ""
        self._message: dict[str, Any] = {}
        self._chunks = chunks
        self._pieces = self._read()

    def __next__(self) -> str:
        """The next words."""
        return next(self._pieces)

    def close(self) -> None:
        """Hear no more of it."""
        self._pieces.close()
        self._chunks.close()

    @property
    def begun(self) -> bool:
        """Whether words have come."""
        return bool(self._said)

    @property
    def no_words(self) -> str | None:
        """Why there were no words, of an answer that has ended; None if there were some."""
        if self._said:
            return None
        message = {"content": "", **self._message}
        return why_no_words({"choices": [{"message": message, "finish_reason": self.finish_reason}]})

    def _read(self) -> Generator[str]:
        for chunk in self._chunks:
            self.usage = chunk.get("usage") or self.usage
            for choice in chunk.get("choices") or []:
                if isinstance(choice, Mapping):
                    yield from self._words(choice)

    def _words(self, choice: Mapping[str, Any]) -> Iterator[str]:
        self.finish_reason = choice.get("finish_reason") or self.finish_reason
        delta = choice.get("delta")
        if not isinstance(delta, Mapping):
            return
        self._message.update({name: value for name, value in delta.items() if value and name != "content"})
        piece = delta.get("content")
        if isinstance(piece, str) and piece:
            self._said = self._said or piece
            yield piece


def conversation_of(messages: str | Sequence[Message], system: str | None) -> list[Message]:
    """The messages that a request carries: a question is the user's, and instructions stand before all."""
    asked: list[Message] = [{"role": "user", "content": messages}] if isinstance(messages, str) else list(messages)
    return [{"role": "system", "content": system}, *asked] if system else asked


def answer_of(response: Mapping[str, Any]) -> ChatAnswer:
    """The answer in an OpenAI ``chat.completion``.

    Raises:
        MgError: It is not one.
    """
    response = unwrapped(response)
    problem = problem_of_completion(response)
    if problem or not first_choice(response):
        raise MgError(
            f"the answer is not a chat completion: {problem or 'the response has no choices'}",
            hint="ask again, or ask the container with raw_predict to see all that it answers",
        )
    finish, usage = first_choice(response).get("finish_reason"), response.get("usage")
    return ChatAnswer(words_of(response) or "", finish, usage if isinstance(usage, Mapping) else {}, response)
