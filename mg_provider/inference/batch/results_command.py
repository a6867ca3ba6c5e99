"""`mg batch results`: the answers of a job on standard output, those that failed apart."""

from __future__ import annotations

import io
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import BinaryIO

from mg_provider.api.clients import Clients
from mg_provider.api.errors import end_with
from mg_provider.api.http.settings import Settings
from mg_provider.api.redaction import excerpt
from mg_provider.clock import SystemClock
from mg_provider.command_line.errors import Refusal, StatedError
from mg_provider.command_line.exits import FAILED, FINE
from mg_provider.command_line.whole_file import whole_file
from mg_provider.inference.batch.formats import ResultsFormat
from mg_provider.inference.batch.results import BatchResult, BatchResults, joined_result
from mg_provider.inference.batch.sources import Join, sources_of
from mg_provider.inference.batch.writers import error_line, quick_line, writer

SHOWN_ERRORS = 5
_TIED = (
    "cannot be distinguished and got no answer: ids and requests are the same, answers are not; give each row its "
    "own custom_id"
)
_SAME = "without a custom_id, with the request of an earlier row that has none"
_AGAIN = "to rows that are answered twice or more: the first one is given, and an error only where nothing else is"


def run(
    job: str,
    *,
    form: ResultsFormat = ResultsFormat.jsonl,
    join: Join | None = None,
    errors: Path | None = None,
    config: Mapping[str, str] | None = None,
    output: BinaryIO | None = None,
    complain: Callable[[str], object] | None = None,
) -> int:
    """Write the answers of a job, in memory that does not grow with them.

    Args:
        job: As for :func:`mg_provider.inference.batch_results`.
        form: JSON lines, CSV with a header, or text for people.
        join: The input, one source or several; the answers then come in its order.
        errors: File for the rows that failed, as JSON lines; it is replaced at the end. Without it only the first are
            shown.
        config: Settings by full config key, such as ``mg:project``.
        output: Takes the answers; by default standard output.
        complain: Takes what failed; by default standard error.

    Returns:
        0, also if rows failed; 1 if the results cannot be read, or not all of them could be given to their rows, or a
        line cannot be read; 2 if an argument is wrong.
    """
    output, complain = output or sys.stdout.buffer, complain or sys.stderr.write
    clients = None
    try:
        clients = Clients.from_settings(Settings.from_config((config or {}).get, os.environ), SystemClock())
        results = BatchResults(job, clients, join)
        with ExitStack() as held:
            apart = held.enter_context(_failures(errors, join, output)) if errors else None
            collector = _Collector(form, output, apart)
            collector.collect(results, joined=bool(join))
        collector.tell(complain, errors)
        return _report_what_is_left(results, complain)
    except StatedError as problem:
        return end_with(problem, complain, f"the results of {job} cannot be read")
    finally:
        if clients:
            clients.close()


def _failures(errors: Path, join: Join | None, output: BinaryIO) -> AbstractContextManager[BinaryIO]:
    """The file for the rows that failed.

    Raises:
        Refusal: It has the input, or takes the answers.
    """
    if any(errors.exists() and Path(each).exists() and errors.samefile(each) for each in sources_of(join)):
        raise Refusal(f"--errors {errors} is the input that --join names", hint="name another file")
    if _goes_to(output, errors):
        raise Refusal(f"--errors {errors} is the file that takes the answers", hint="name another file")
    return whole_file(errors)


def _goes_to(output: BinaryIO, path: Path) -> bool:
    """Whether what is written to ``output`` goes to this file."""
    try:
        return path.is_file() and os.path.samestat(path.stat(), os.fstat(output.fileno()))
    except io.UnsupportedOperation:
        return False


class _Collector:
    """Writes what comes, and counts."""

    def __init__(self, form: ResultsFormat, output: BinaryIO, apart: BinaryIO | None) -> None:
        self._header, self._line_of = writer(form)
        self._as_it_is = form is ResultsFormat.jsonl
        self._output = output
        self._apart = apart
        self._answered = self._failed = 0
        self._first: list[str] = []
        self._no_words: Counter[str] = Counter()

    def collect(self, results: BatchResults, *, joined: bool) -> None:
        """Write all results."""
        self._output.write(self._header)
        if not joined:
            for result in results:
                self._take(result)
        else:
            for question, answer in results.matches():
                line = quick_line(question, answer) if self._as_it_is and isinstance(answer, bytes) else None
                if line is None:
                    self._take(joined_result(question, answer))
                else:
                    self._answered += 1
                    self._output.write(line)
        self._output.flush()

    def _take(self, result: BatchResult) -> None:
        if result.error is None:
            self._answered += 1
            self._output.write(self._line_of(result))
            if reason := result.no_words:
                self._no_words[reason] += 1
            return
        self._failed += 1
        if self._apart:
            self._apart.write(error_line(result))
        if len(self._first) < SHOWN_ERRORS:
            self._first.append(f"  {result.custom_id or '(no custom_id)'}: {excerpt(result.error, 200)}\n")

    def tell(self, complain: Callable[[str], object], errors: Path | None) -> None:
        """Say how many there were, and which failed first."""
        where = f", see {errors}" if errors and self._failed else ""
        complain(f"{self._answered:,} {_plural('answer', self._answered)}, ")
        complain(f"{self._failed:,} {_plural('row', self._failed)} failed{where}\n")
        for text in self._first:
            complain(text)
        for reason, number in self._no_words.most_common():
            complain(f"{number:,} {_plural('answer', number)} without words: {reason}\n")


def _report_what_is_left(results: BatchResults, complain: Callable[[str], object]) -> int:
    """Say what could not be given to its row; returns the exit code."""
    for number, what, reason in (
        (results.repeated, "row", "with a custom_id that an earlier row has: matched by what they ask"),
        (results.repeated_requests, "row", _SAME),
        (results.again, "answer", _AGAIN),
        (results.tied, "row", _TIED),
        (results.other_requests, "row", "without an answer, as the output has the custom_id with another request"),
        (results.unmatched, "answer", "without a row in the input: is it the one that the job was given?"),
    ):
        if number:
            complain(f"{number:,} {_plural(what, number)} {reason}\n")
    if results.left_out:
        complain(f"{results.left_out:,} {_plural('line', results.left_out)} cannot be read:\n")
        for line in results.unreadable[:SHOWN_ERRORS]:
            complain(f"  {line}\n")
    lost = results.tied or results.other_requests or results.unmatched or results.left_out
    return FAILED if lost else FINE


def _plural(word: str, number: int) -> str:
    return word if number == 1 else f"{word}s"
