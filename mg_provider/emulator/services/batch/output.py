"""Writing a batch job's answers to the emulated buckets and tables.

Names of directories, files, datasets and tables are those of ``BatchPredictionJob.outputConfig`` in the aiplatform
discovery document of 2026-11-06.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from typing import Any

from mg_provider.emulator.core.clock import moment
from mg_provider.emulator.services.batch.input import (
    INVALID_ARGUMENT,
    NOT_FOUND,
    parse_table_uri,
    place_in_bucket,
    refuse_other_region,
)
from mg_provider.emulator.services.batch.job import JobFailedError
from mg_provider.emulator.services.batch.rows import DROPPED_COLUMNS, Answered
from mg_provider.emulator.services.bigquery.state import BigQueryState, Dataset, Table, create_table
from mg_provider.emulator.services.storage.state import StorageState

Json = dict[str, Any]

ALREADY_EXISTS = 6
ROWS_PER_FILE = 1000
_STATUS_FIELDS = [{"name": "code", "type": "INTEGER"}, {"name": "message", "type": "STRING"}]


def write_files(
    prefix: str, region: str, model: str, answers: Sequence[Answered], storage: StorageState, at: float
) -> Json:
    """Predictions and errors as JSONL in a new directory below ``prefix``; the job's ``outputInfo``."""
    bucket, folder = place_in_bucket(prefix, f"the output {prefix}", region, storage)
    stamp = moment(at).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    directory = "/".join(part for part in (folder.rstrip("/"), f"prediction-{model}-{stamp}") if part)
    succeeded = [answered.record for answered in answers if not answered.error]
    failed = [answered.record for answered in answers if answered.error]
    for kind, records in (("predictions", succeeded), ("errors", failed)):
        for number, start in enumerate(range(0, len(records), ROWS_PER_FILE), 1):
            lines = [json.dumps(record, ensure_ascii=False) for record in records[start : start + ROWS_PER_FILE]]
            content = storage.contents.keep(io.BytesIO(("\n".join(lines) + "\n").encode()))
            name = f"{directory}/{kind}_{number:04d}.jsonl"
            storage.put(bucket, name, content, at, {"contentType": "application/octet-stream"})
    return {"gcsOutputDirectory": f"gs://{bucket}/{directory}"}


class TableOutput:
    """A BigQuery destination: ``bq://project``, ``bq://project.dataset`` or ``bq://project.dataset.table``."""

    def __init__(self, uri: str, region: str, model: str, bigquery: BigQueryState) -> None:
        self._uri = uri
        self._region = region
        self._model = re.sub(r"\W", "_", model)
        self._bigquery = bigquery

    def write(self, answers: Sequence[Answered], source: Table | None, at: float) -> Json:
        """Create the tables and fill them; the job's ``outputInfo``. JobFailedError when the destination is unfit."""
        stamp = moment(at).strftime("%Y_%m_%dT%H_%M_%S_%f")[:-3] + "Z"
        project, *rest = parse_table_uri(self._uri)
        if not rest:
            dataset = self._new_dataset(project, f"prediction_{self._model}_{stamp}", at)
            predictions, errors = "predictions", "errors"
        else:
            dataset = self._existing_dataset(project, rest[0])
            predictions, errors = f"predictions_{stamp}", f"errors_{stamp}"
        if len(rest) == 2:
            # The one table that was asked for holds all rows; no source says how it shows those that failed.
            predictions, errors = rest[1], ""
        if predictions in dataset.tables:
            raise JobFailedError(ALREADY_EXISTS, f"Already Exists: Table {project}:{dataset.name}.{predictions}")
        fields = _passed_fields(answers, source)
        good = [answered.record for answered in answers if not answered.error]
        bad = [answered.record for answered in answers if answered.error]
        added = [{"name": "response", "type": "JSON"}, {"name": "id", "type": "STRING"}]
        table = create_table(dataset, predictions, [*fields, *added], at)
        table.rows.extend(_fitted(good, fields, "response", "id"))
        if bad and not errors:
            failed = [{**record, "response": {"error": record["error"]}} for record in bad]
            table.rows.extend(_fitted(failed, fields, "response", "id"))
        elif bad:
            column = {"name": "errors", "type": "RECORD", "fields": _STATUS_FIELDS}
            failed = [{**record, "errors": record["error"]} for record in bad]
            create_table(dataset, errors, [*fields, column], at).rows.extend(_fitted(failed, fields, "errors"))
        return {"bigqueryOutputDataset": f"bq://{project}.{dataset.name}", "bigqueryOutputTable": predictions}

    def _new_dataset(self, project: str, name: str, at: float) -> Dataset:
        name = name.replace("-", "_")
        dataset = Dataset(project, name, self._region, at)
        self._bigquery.datasets[(project, name)] = dataset
        return dataset

    def _existing_dataset(self, project: str, name: str) -> Dataset:
        dataset = self._bigquery.datasets.get((project, name))
        if dataset is None:
            raise JobFailedError(NOT_FOUND, f"The BigQuery dataset {project}.{name} does not exist.")
        refuse_other_region(dataset.location, self._region, self._uri)
        return dataset


def _passed_fields(answers: Sequence[Answered], source: Table | None) -> list[Json]:
    """The input's columns that the output keeps; a JSONL input has those of its rows."""
    if source is not None:
        return [dict(entry) for entry in source.schema_fields if entry["name"].lower() not in DROPPED_COLUMNS]
    names = dict.fromkeys(name for answered in answers for name in answered.record)
    kept = [name for name in names if name not in ("id", "response", "error")]
    if wrong := [name for name in kept if not re.fullmatch(r"[A-Za-z_]\w*", name)]:
        raise JobFailedError(INVALID_ARGUMENT, f"{wrong[0]!r} is not a valid name for a BigQuery column.")
    return [{"name": name, "type": "STRING" if name == "custom_id" else "JSON"} for name in kept]


def _fitted(records: Sequence[Json], fields: Sequence[Json], *added: str) -> list[Json]:
    names = [entry["name"] for entry in fields]
    return [{name: record.get(name) for name in (*names, *added)} for record in records]
