"""A streamed chat completion, read to its end; a whole answer or an error in its place is read as what it is.

Source: OpenAI's chat completions with ``stream``: server-sent events, each a ``chat.completion.chunk``, then a
``[DONE]``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mg_provider.api.completions import error_words, is_error, problem_of_completion
from mg_provider.api.errors import CloudError

_END = "[DONE]"
_FIELDS = ("data", "event", "id", "retry", "")
_LAST_WORDS = 40


class CompletionStream:
    """The chunks of one stream.

    Args:
        lines: The lines of the answer as they come.
        url: Where it comes from, for errors.
    """

    def __init__(self, lines: Iterable[str], url: str) -> None:
        self._lines = lines
        self._url = url
        self._pieces = 0
        self._words = ""
        self._finished = False

    def chunks(self) -> Iterator[dict[str, Any]]:
        """Each chunk; a whole answer that came instead is one.

        Raises:
            CloudError: It is an error, or broke off.
        """
        whole: list[str] = []
        for line in self._lines:
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
            yield self._whole("\n".join(whole))
        elif not self._finished:
            raise self._broke_off()

    def _chunk(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise self._error("an event that is not a JSON object")
        if is_error(data.get("error")) or data.get("object") == "error":
            raise self._error(error_words(data.get("error") or data) or json.dumps(data))
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

    def _whole(self, text: str) -> dict[str, Any]:
        """An answer that is not streamed, as one chunk."""
        data = _read(text)
        if not isinstance(data, dict):
            raise self._error(f"no stream came, but {text[:80]!r}", "the answer is not a stream")
        if problem := problem_of_completion(data):
            raise self._error(problem, "the answer is an error")
        return as_chunk(data)

    def _broke_off(self) -> CloudError:
        if not self._pieces:
            return self._error("it ended before the first word", "the answer broke off")
        return self._error(
            f"{self._pieces:,} pieces, which end with {self._words!r}: it ended without a finish reason",
            "the answer broke off after",
            separator=" ",
        )

    def _error(self, told: str, what: str = "the stream broke off", separator: str = ": ") -> CloudError:
        return CloudError(200, "INTERNAL", f"{what}{separator}{told}", method="POST", url=self._url)


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
