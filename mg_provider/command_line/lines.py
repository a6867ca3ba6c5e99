"""Lines that fit a terminal. What is piped stays as it is, so that it can be searched line by line."""

from __future__ import annotations

import re
import shutil
import textwrap
from typing import IO, Any, Final

_LEAST: Final = 40
_INDENT: Final = re.compile(r"\s*(?:do: |error: |exists: |- )?")


def columns_of(stream: IO[str]) -> int | None:
    """The width of the terminal that a stream goes to; None where it goes to none."""
    return max(_LEAST, shutil.get_terminal_size().columns) if stream.isatty() else None


def fit(text: str, columns: int | None) -> str:
    """A text, its lines wrapped between words. No id, address or command is cut in the middle.

    Args:
        text: Lines of prose.
        columns: Of the terminal; None leaves the text as it is.
    """
    if columns is None:
        return text
    return "".join(_fitting(line, columns) for line in text.splitlines(keepends=True))


def _fitting(line: str, columns: int) -> str:
    content = line.rstrip("\n")
    if len(content) <= columns:
        return line
    begin = _INDENT.match(content)
    indent = " " * len(begin[0]) if begin else ""
    rest = content.lstrip()
    wrapped = textwrap.wrap(
        rest,
        columns,
        initial_indent=content[: len(content) - len(rest)],
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(wrapped) + line[len(content) :]


class FittedStream:
    """A terminal that takes prose of any length.

    Args:
        stream: The terminal.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text; its lines are wrapped."""
        self._stream.write(fit(text, columns_of(self._stream)))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        """All else is the terminal's own."""
        return getattr(self._stream, name)
