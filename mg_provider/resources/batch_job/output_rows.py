"""What the rows of an ended job's output say: a service may count an error among its answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from mg_provider.api.batch.rows import NotReadable, OutputLine, all_answered, read_line

if TYPE_CHECKING:
    from mg_provider.api.batch.output import BatchOutput
    from mg_provider.api.storage.lines import Block

MOST_ROWS = 1_000_000
"""Rows that are looked at; of a larger output the beginning."""


@dataclass
class OutputRows:
    """What was seen.

    Attributes:
        apart: Whether the service keeps rows that failed apart from the answers.
        failed: Rows among the answers which are errors, or cannot be read.
        looked_at: Rows among the answers that were looked at.
        whole: Whether these are all.
        first: The first rows that failed, by name, and why.
    """

    apart: bool = False
    failed: int = 0
    looked_at: int = 0
    whole: bool = True
    first: list[str] = field(default_factory=list)


def look_at_rows(output: BatchOutput, most_shown: int) -> OutputRows:
    """Read the output of a job that has ended, at most MOST_ROWS of it, in memory that does not grow with it.

    Permissions: storage.objects.list and get, or bigquery.tables.get and getData.
    """
    seen = OutputRows()
    seen.first = list(islice(_failures(output.error_blocks()), most_shown))
    seen.apart = bool(seen.first)
    for block in output.answer_blocks():
        if seen.looked_at >= MOST_ROWS:
            seen.whole = False
            break
        if (rows := all_answered(block.text)) is not None:
            seen.looked_at += rows
            continue
        seen.looked_at += sum(1 for _ in block.lines())
        for failures in _failures([block]):
            seen.failed += 1
            if len(seen.first) < most_shown:
                seen.first.append(failures)
    return seen


def _failures(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        for number, text in block.lines():
            try:
                line = read_line(text)
            except NotReadable as problem:
                yield f"{block.source}:{number}: {problem}"
            else:
                if line.failure:
                    yield _named(line)


def _named(line: OutputLine) -> str:
    return f"{line.name}: {line.failure}" if line.name else str(line.failure)
