"""The answers of a batch prediction job, one by one, wherever the job wrote them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mg_provider.api.batch.output import BatchOutput
from mg_provider.api.batch.rows import OutputLine, read_line
from mg_provider.api.bigquery.client import split_uri as split_table
from mg_provider.api.bigquery.rows import row_lines
from mg_provider.api.clients import Clients
from mg_provider.api.errors import MgError, UserError
from mg_provider.api.http.settings import Settings
from mg_provider.api.redaction import excerpt
from mg_provider.api.storage.client import split_uri as split_object
from mg_provider.api.storage.lines import CHUNK_BYTES, lines_of, object_lines
from mg_provider.clock import SystemClock
from mg_provider.inference.batch.join import DiskJoin
from mg_provider.wire.vertex.batch import BatchPredictionJob

_JOB = "batchPredictionJobs"


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
        choices = self.response.get("choices") if isinstance(self.response, Mapping) else None
        if not choices:
            return self.response if isinstance(self.response, str) else None
        told = (choices[0].get("message") or {}).get("content") or choices[0].get("text")
        return told if isinstance(told, str) else None


def batch_results(
    job: str,
    *,
    join: str | Path | None = None,
    clients: Clients | None = None,
    config: Mapping[str, str] | None = None,
) -> Iterator[BatchResult]:
    """Every row of a job that has ended, whether it was answered or failed, in memory that does not grow with them.

    Permissions: aiplatform.batchPredictionJobs.get; storage.objects.list and get, or bigquery.tables.get and getData.

    Args:
        job: Name of the job, or its id in the configured project and region; or its output, ``gs://`` or ``bq://``.
        join: The input, as a file, ``gs://bucket/pattern`` or ``bq://project.dataset.table``: then the results come in
            its order, each with its row, matched by ``custom_id``. Without it they come as the job wrote them.
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
        repeated: Rows of the joined input whose custom_id an earlier one has too.
    """

    def __init__(self, job: str, clients: Clients, join: str | Path | None = None) -> None:
        self._job = job
        self._clients = clients
        self._join = join
        self.unmatched = 0
        self.repeated = 0

    def __iter__(self) -> Iterator[BatchResult]:
        """The results."""
        answers = BatchOutput(find_output(self._job, self._clients), self._clients).lines()
        if self._join is None:
            for line in map(read_line, answers):
                yield BatchResult(line.name, line.row, line.answer, line.failure)
            return
        with tempfile.TemporaryDirectory(prefix="mg-results-") as folder:
            matching = DiskJoin(Path(folder))
            for question, answer in matching.pairs(input_lines(self._join, self._clients), answers):
                yield _joined(read_line(question), answer)
            self.unmatched, self.repeated = matching.unmatched, matching.repeated


def _joined(question: OutputLine, answer: bytes | None) -> BatchResult:
    if answer is None:
        return BatchResult(question.name, question.record, None, "the output says nothing of it")
    line = read_line(answer)
    return BatchResult(question.name or line.name, question.record, line.answer, line.failure)


def find_output(job: str, clients: Clients) -> str:
    """``gs://`` folder or ``bq://`` table of a job's output.

    Raises:
        UserError: it is no job's name.
        MgError: the job has not ended, or wrote nothing.
    """
    if job.startswith(("gs://", "bq://")):
        return job
    found = clients.vertex.get_batch_prediction_job(_job_name(job, clients.settings))
    if not found.ended:
        raise MgError(f"{job} has not ended: it is {found.state}{_counts(found)}", hint="come back when it has ended")
    location = found.output_location
    if not location:
        told = f": {excerpt(found.error.message)}" if found.error else ""
        raise MgError(f"{job} wrote nothing; it ended as {found.state}{told}", hint="mend the cause and run it again")
    return location


def _counts(job: BatchPredictionJob) -> str:
    stats = job.completion_stats
    return f", {(stats.successful_count or 0) + (stats.failed_count or 0):,} rows done" if stats else ""


def _job_name(job: str, settings: Settings) -> str:
    if job.isdigit() and settings.project and settings.region:
        return f"projects/{settings.project}/locations/{settings.region}/{_JOB}/{job}"
    if job.count("/") != 5 or f"/{_JOB}/" not in job:
        raise UserError(
            f"{job!r} is no job",
            property="job",
            hint=f"write projects/{{p}}/locations/{{l}}/{_JOB}/{{id}}, its id with project and region, or its output",
        )
    return job


def input_lines(source: str | Path, clients: Clients) -> Iterator[bytes]:
    """The rows of an input, as lines of JSON: a file, ``gs://`` objects by name or pattern, or a ``bq://`` table.

    Raises:
        UserError: there is nothing by that name.
    """
    text = str(source)
    if text.startswith("bq://"):
        reference = split_table(text)
        if not (reference.project_id and reference.dataset_id and reference.table_id):
            raise UserError(f"{text} is no table", property="join", hint="write bq://project.dataset.table")
        return row_lines(clients.bigquery, reference.project_id, reference.dataset_id, reference.table_id)
    if text.startswith("gs://"):
        return _object_lines(text, clients)
    if not Path(source).is_file():
        raise UserError(f"{source} is no file", property="join", hint="name the input that the job was given")
    return _file_lines(Path(source))


def _object_lines(uri: str, clients: Clients) -> Iterator[bytes]:
    bucket, pattern = split_object(uri)
    found = list(clients.storage.list_objects(bucket, match_glob=pattern))
    if not found:
        raise UserError(f"{uri} matches no object", property="join", hint="name the input that the job was given")
    for entry in found:
        yield from object_lines(clients.storage, bucket, entry.name or "", entry.size or 0)


def _file_lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        chunks: Iterable[bytes] = iter(lambda: file.read(CHUNK_BYTES), b"")
        yield from lines_of(chunks)
