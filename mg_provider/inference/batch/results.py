"""The answers of a batch prediction job, one by one, wherever the job wrote them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from mg_provider.api.batch.output import BatchOutput
from mg_provider.api.batch.rows import NotReadable, OutputLine, read_line
from mg_provider.api.clients import Clients
from mg_provider.api.completions import why_no_words, words_of
from mg_provider.api.errors import MgError, UserError
from mg_provider.api.http.settings import Settings
from mg_provider.api.redaction import excerpt
from mg_provider.clock import SystemClock
from mg_provider.inference.batch.identity import request_of
from mg_provider.inference.batch.join import DiskJoin, Pair
from mg_provider.inference.batch.sources import Join, input_blocks, sources_of
from mg_provider.inference.batch.spool import LineReader, UnreadableLine
from mg_provider.inference.batch.ties import NOT_THERE, OTHER_REQUEST, TIED
from mg_provider.wire.vertex.batch import BatchPredictionJob

_JOB = "batchPredictionJobs"
_NO_ANSWER = {
    NOT_THERE: "the output says nothing of it",
    TIED: "cannot be distinguished from another row: their ids and requests are the same and the answers are not; give "
    "each row a custom_id of its own",
    OTHER_REQUEST: "the output has this custom_id with another request: is this the input that the job was given?",
}


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of one row.

    Attributes:
        custom_id: The row's name, where the input has one.
        row: The row: of the input where that was joined, otherwise what the output passed through of it.
        response: The answer, for a chat request an OpenAI ``chat.completion``; None if there is none.
        error: Why there is none, in the service's words; None if there is one.
    """

    custom_id: str | None
    row: Mapping[str, Any]
    response: Any
    error: str | None

    @property
    def text(self) -> str | None:
        """The words of the answer to a chat request or prompt; None for other answers."""
        return self.response if isinstance(self.response, str) else words_of(self.response)

    @property
    def no_words(self) -> str | None:
        """Why an answer to a chat request or prompt has no words; None if it has some, or there is no answer."""
        return why_no_words(self.response)


def batch_results(
    job: str,
    *,
    join: Join | None = None,
    clients: Clients | None = None,
    config: Mapping[str, str] | None = None,
) -> Iterator[BatchResult]:
    """Every row of a job that has ended, whether it was answered or failed, in memory that does not grow with them.

    Permissions: aiplatform.batchPredictionJobs.get; storage.objects.list and get, or bigquery.tables.get and getData.

    Args:
        job: Name of the job, or its id in the configured project and region; or its output, ``gs://`` or ``bq://``.
        join: The input, as a file, ``gs://bucket/pattern`` or ``bq://project.dataset.table``, or several of them: then
            the results come in its order, each with its row, matched by ``custom_id`` and what was asked. Without it
            they come as the job wrote them.
        clients: API clients; by default made from ``config`` and the environment.
        config: Settings by full config key, such as ``mg:project``.

    Raises:
        MgError: the job has not ended, or wrote nothing.
        CloudError: Google could not be asked.
    """
    with ExitStack() as held:
        if clients is None:
            settings = Settings.from_config((config or {}).get, os.environ)
            clients = Clients.from_settings(settings, SystemClock())
            held.callback(clients.close)
        yield from BatchResults(job, clients, join)


class BatchResults:
    """As :func:`batch_results`; knows afterwards how well the two sides fitted.

    Attributes:
        unmatched: Answers that belong to no row of the joined input.
        again: Answers that came again for a row that has one.
        repeated: Rows of the joined input whose custom_id an earlier one has too.
        repeated_requests: Rows of it without a custom_id that ask what an earlier one asks.
        tied: Rows of it that got no answer because they cannot be distinguished.
        other_requests: Rows of it whose custom_id has an answer to another request.
    """

    def __init__(self, job: str, clients: Clients, join: Join | None = None) -> None:
        self._job = job
        self._clients = clients
        self._sources = sources_of(join)
        self._readers = [LineReader()]
        self.unmatched = self.again = self.repeated = self.repeated_requests = self.tied = self.other_requests = 0

    @property
    def unreadable(self) -> list[UnreadableLine]:
        """The first lines, of the output or of the joined input, that cannot be read."""
        return [line for reader in self._readers for line in reader.unreadable]

    @property
    def left_out(self) -> int:
        """How many lines cannot be read."""
        return sum(reader.left_out for reader in self._readers)

    def __iter__(self) -> Iterator[BatchResult]:
        """The results."""
        if not self._sources:
            for line in self.lines():
                yield result_of(line)
            return
        for question, answer in self.matches():
            yield joined_result(question, answer)

    def lines(self) -> Iterator[OutputLine]:
        """What the output says, in its own order."""
        for block in BatchOutput(find_output(self._job, self._clients).location, self._clients).blocks():
            for _, line in self._readers[0].lines(block):
                yield line

    def matches(self) -> Iterator[Pair]:
        """Each line of the joined input with its answer, or with why there is none."""
        found = find_output(self._job, self._clients)
        output = BatchOutput(found.location, self._clients)
        with tempfile.TemporaryDirectory(prefix="mg-results-") as folder:
            matching = DiskJoin(Path(folder), found.key_field)
            yield from matching.matches(input_blocks(self._sources, self._clients), output.blocks())
            self._readers = [matching.questions.reader, matching.answers.reader]
            self.unmatched, self.again = matching.unmatched, matching.again
            self.repeated, self.repeated_requests = matching.repeated, matching.repeated_requests
            self.tied, self.other_requests = matching.tied, matching.other_requests


def result_of(line: OutputLine) -> BatchResult:
    """What a line of output alone says."""
    return BatchResult(line.name, line.row, line.answer, line.failure)


def joined_result(question: bytes, answer: bytes | int) -> BatchResult:
    """What became of a line of input."""
    try:
        row = read_line(question)
        line = row if isinstance(answer, int) else read_line(answer)
    except NotReadable as problem:
        return BatchResult(request_of(question).id, {}, None, str(problem))
    if isinstance(answer, int):
        return BatchResult(row.name, row.record, None, _NO_ANSWER[answer])
    return BatchResult(row.name or line.name, row.record, line.answer, line.failure)


class Output(NamedTuple):
    """The output of a job.

    Attributes:
        location: ``gs://`` folder or ``bq://`` table.
        key_field: Column of the input whose values the output has as ``key``; None without one, or if not known.
    """

    location: str
    key_field: str | None = None


def find_output(job: str, clients: Clients) -> Output:
    """Where the output of a job is.

    Raises:
        UserError: it is not the name of a job.
        MgError: the job has not ended, or wrote nothing.
    """
    if job.startswith(("gs://", "bq://")):
        return Output(job)
    found = clients.vertex.get_batch_prediction_job(_job_name(job, clients.settings))
    if not found.ended:
        what = f"{job} has not ended: it is {found.state}{_counts(found)}"
        raise MgError(what, hint="run the same command again once it has ended")
    location = found.output_location
    if not location:
        reason = f": {excerpt(found.error.message)}" if found.error else ""
        raise MgError(
            f"{job} wrote nothing; it ended as {found.state}{reason}",
            hint="fix the cause and run the same command again",
        )
    return Output(location, found.instance_config.key_field if found.instance_config else None)


def _counts(job: BatchPredictionJob) -> str:
    stats = job.completion_stats
    return f", {(stats.successful_count or 0) + (stats.failed_count or 0):,} rows done" if stats else ""


def _job_name(job: str, settings: Settings) -> str:
    if job.isdigit() and settings.project and settings.region:
        return f"projects/{settings.project}/locations/{settings.region}/{_JOB}/{job}"
    if job.count("/") != 5 or f"/{_JOB}/" not in job:
        raise UserError(
            f"{job!r} is not a job",
            property="job",
            hint=f"write projects/{{p}}/locations/{{l}}/{_JOB}/{{id}}, its id with project and region, or its output",
        )
    return job
