"""A streamed chat completion, read to its end; a whole answer or an error in its place is read as what it is.

Source: OpenAI's chat completions with ``stream``: server-sent events, each a ``chat.completion.chunk``, then a
``[DONE]``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mg_provider.api.completions import error_words, is_error, problem_of_completion, unwrapped
from mg_provider.api.errors import ConnectionFailed, MgError

_END = "[DONE]"
_FIELDS = ("data", "event", "id", "retry", "")
_LAST_WORDS = 40
_AGAIN = "ask again; the words so far are not the whole answer"


class StreamFailed(MgError):
    """A stream is an error, or turned into one, or ended before its answer did."""


class CompletionStream:
    """The chunks of one stream.

    Args:
        lines: The lines of the answer as they come.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self._pieces = 0
        self._words = ""
        self._finished = False

    def chunks(self) -> Iterator[dict[str, Any]]:
        """Each chunk; a whole answer that came instead is one.

        Raises:
            StreamFailed: It is an error, or broke off.
            ConnectionFailed: The connection broke before the first word.
        """
        whole: list[str] = []
        for line in self._whole_lines():
            name, _, content = line.partition(":")
            if not whole and name.strip() in _FIELDS:
                content = content.strip()
                if content == _END:
                    return
                if name == "data" and content:
                    yield self._chunk(_read(content))
            elif line.strip():
                whole.append(line)
        if whole:
            yield _chunk_of_whole("\n".join(whole))
        elif not self._finished:
            raise StreamFailed(f"the answer broke off {self._how_far()}: it ended without a finish reason", hint=_AGAIN)

    def _whole_lines(self) -> Iterator[str]:
        try:
            yield from self._lines
        except ConnectionFailed as problem:
            if not self._pieces:
                raise
            raise StreamFailed(
                f"the answer broke off {self._how_far()}: the connection broke", hint=_AGAIN
            ) from problem

    def _chunk(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise StreamFailed("the stream broke off: it has an event that is not a JSON object", hint=_AGAIN)
        if is_error(data.get("error")) or data.get("object") == "error":
            words = error_words(data.get("error") or data) or json.dumps(data)
            raise StreamFailed(f"the stream broke off {self._how_far()}: {words}", hint=_AGAIN)
        self._note(data)
        return data

    def _note(self, chunk: Mapping[str, Any]) -> None:
        """Remember how far it has come."""
        for choice in chunk.get("choices") or []:
            if not isinstance(choice, Mapping):
                continue
            self._finished = self._finished or bool(choice.get("finish_reason"))
            delta = choice.get("delta")
            if isinstance(delta, Mapping) and isinstance(delta.get("content"), str):
                self._pieces += 1
                self._words = (self._words + delta["content"])[-_LAST_WORDS:]

    def _how_far(self) -> str:
        if not self._pieces:
            return "before its first word"
        return f"after {self._pieces:,} {'piece' if self._pieces == 1 else 'pieces'}, at the words {self._words!r}"


def _chunk_of_whole(text: str) -> dict[str, Any]:
    """An answer that is not streamed, as one chunk."""
    data = _read(text)
    if not isinstance(data, dict):
        raise StreamFailed(f"the answer is not a stream: it begins with {text[:80]!r}", hint="check the address")
    data = unwrapped(data)
    if problem := problem_of_completion(data):
        raise StreamFailed(f"the answer is an error: {problem}", hint=_AGAIN)
    return as_chunk(data)


def as_chunk(completion: Mapping[str, Any]) -> dict[str, Any]:
    """A whole chat completion as the one chunk that says all of it."""
    choices = [each for each in completion.get("choices") or [] if isinstance(each, Mapping)]
    deltas = [{**each, "delta": each.get("message") or {"content": each.get("text")}} for each in choices]
    return {**completion, "object": "chat.completion.chunk", "choices": deltas}


def _read(content: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
