"""What one line of a batch prediction job's output says: whose answer it is, the answer, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

_SAID = frozenset({"id", "response", "prediction", "error", "errors", "key", "instance"})


@dataclass(frozen=True, slots=True)
class OutputLine:
    """A line of output. Which fields there are depends on the model and on ``instance_config``.

    Attributes:
        record: The line: the columns of the input that were passed through, with ``response`` (or ``prediction``) or
            ``error`` (``errors`` in a table).
    """

    record: dict[str, Any]

    @property
    def name(self) -> str | None:
        """What the row is called: ``custom_id``, or ``key`` where ``instance_config.key_field`` named the column."""
        instance = self.record.get("instance")
        inner = instance.get("custom_id") if isinstance(instance, dict) else None
        places = (self.record.get("custom_id"), self.record.get("key"), inner)
        told = next((each for each in places if each is not None), None)
        return None if told is None else told if isinstance(told, str) else msgspec.json.encode(told).decode()

    @property
    def row(self) -> dict[str, Any]:
        """The columns of the input, as far as they were passed through."""
        instance = self.record.get("instance")
        if isinstance(instance, dict):
            return instance
        return {name: value for name, value in self.record.items() if name not in _SAID}

    @property
    def answer(self) -> Any:
        """The answer; None if there is none."""
        if self.failure is not None:
            return None
        response = self.record.get("response")
        return self.record.get("prediction") if response is None else response

    @property
    def failure(self) -> str | None:
        """Why there is no answer, in the service's words; None if there is one."""
        response = self.record.get("response")
        told = self.record.get("error") or self.record.get("errors")
        if not told and isinstance(response, dict) and "choices" not in response:
            told = response.get("error")
        if told:
            return _words(told)
        missing = response is None and self.record.get("prediction") is None
        return "the output has neither an answer nor an error for it" if missing else None


def _words(told: Any) -> str:
    """The text of an error: its ``message`` where it is an object."""
    if isinstance(told, list):
        told = told[0]
    if isinstance(told, dict):
        told = told.get("message") or told
    return told if isinstance(told, str) else msgspec.json.encode(told).decode()


_DECODER = msgspec.json.Decoder(dict[str, Any])


def read_line(line: bytes) -> OutputLine:
    """One line. What is no JSON object counts as a row that failed."""
    try:
        return OutputLine(_DECODER.decode(line))
    except msgspec.MsgspecError as problem:
        return OutputLine({"error": f"the output has a line that is no JSON object: {problem}"})
