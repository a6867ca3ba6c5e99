"""What one line of a batch prediction job's output says: whose answer it is, the answer, or why there is none."""

from __future__ import annotations

from typing import Any

import msgspec


class OutputLine(msgspec.Struct):
    """A line of output. Which fields there are depends on the model and on ``instance_config``.

    Attributes:
        custom_id: The row's own name, where the input had one.
        key: The same where ``instance_config.key_field`` named the column.
        body: The request, where it was passed through.
        instance: The row, for models that do not take chat requests.
        response: The answer to a chat request.
        prediction: The answer of other models.
        error: Why there is no answer: text, or an object with ``code`` and ``message``.
        errors: The same, as the table ``errors`` names it.
    """

    custom_id: Any = None
    key: Any = None
    body: Any = None
    instance: Any = None
    response: Any = None
    prediction: Any = None
    error: Any = None
    errors: Any = None

    @property
    def name(self) -> str | None:
        """What the row is called, if anything."""
        inner = self.instance.get("custom_id") if isinstance(self.instance, dict) else None
        told = next((each for each in (self.custom_id, self.key, inner) if each is not None), None)
        return None if told is None else told if isinstance(told, str) else msgspec.json.encode(told).decode()

    @property
    def answer(self) -> Any:
        """The answer, or None."""
        return self.response if self.response is not None else self.prediction

    @property
    def failure(self) -> str | None:
        """Why there is no answer, in the service's words, or None if there is one."""
        told = self.error or self.errors
        if not told and isinstance(self.response, dict) and "choices" not in self.response:
            told = self.response.get("error")
        if told:
            return error_text(told)
        return "the output has neither an answer nor an error for it" if self.answer is None else None


def error_text(told: Any) -> str:
    """The words of an error: its ``message`` where it is an object."""
    if isinstance(told, list) and told:
        told = told[0]
    if isinstance(told, dict):
        told = told.get("message") or told.get("code") or told
    return told if isinstance(told, str) else msgspec.json.encode(told).decode()


_DECODER = msgspec.json.Decoder(OutputLine)


def read_line(line: bytes) -> OutputLine:
    """One line. A line that is no JSON object is one that failed."""
    try:
        return _DECODER.decode(line)
    except msgspec.MsgspecError as problem:
        return OutputLine(error=f"the output has a line that cannot be read: {problem}")
