"""BigQuery v2: datasets, tables and rows. Queries are in ``bigquery_jobs.py``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from mg_provider.emulator.core.clock import moment, timestamp
from mg_provider.emulator.core.ledger import Entry, counts_data
from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.core.world import World
from mg_provider.emulator.google import errors
from mg_provider.emulator.services.bigquery.state import IDENTIFIER, BigQueryState, Dataset, Table, create_table
from mg_provider.emulator.services.bigquery.values import ValueRefusedError, read_row, write_row

Json = dict[str, Any]

PAGE_ROWS = 10_000
_DATASET_DETAILS = ("description", "friendlyName", "labels", "defaultTableExpirationMs")
_TABLE_DETAILS = ("description", "friendlyName", "labels", "expirationTime", "timePartitioning", "clustering")


def bigquery_state(world: World) -> BigQueryState:
    """The datasets of this emulator."""
    return world.part(BigQueryState)


def link_base(call: Call) -> str:
    """What links begin with: clients follow them, so they lead to where the client asked."""
    return f"{call.base_url}/bigquery/v2"


def milliseconds(seconds: float) -> str:
    """A moment as BigQuery writes it: milliseconds since 1970."""
    return str(int(moment(seconds).timestamp() * 1000))


def invalid(message: str, reason: str = "invalid") -> errors.ApiError:
    """The request is wrong, in BigQuery's words."""
    return errors.ApiError("INVALID_ARGUMENT", message, reason=reason)


def find_table(world: World, project: str, dataset: str, name: str) -> Table:
    """A table. ApiError NOT_FOUND when it or its dataset is not there."""
    table = bigquery_state(world).find_table(project, dataset, name)
    if table is None:
        find_dataset(world, project, dataset)
        raise errors.not_found(f"Not found: Table {project}:{dataset}.{name}")
    return table


def find_dataset(world: World, project: str, name: str) -> Dataset:
    """A dataset. ApiError NOT_FOUND when it is not there."""
    dataset = bigquery_state(world).datasets.get((project, name))
    if dataset is None:
        raise errors.not_found(f"Not found: Dataset {project}:{name}")
    return dataset


def _dataset(call: Call) -> Dataset:
    return find_dataset(call.world, call.project_id, call.path["datasetsId"])


def _table(call: Call) -> Table:
    return find_table(call.world, call.project_id, call.path["datasetsId"], call.path["tablesId"])


def _dataset_body(call: Call, dataset: Dataset) -> Json:
    return {
        **dataset.details,
        "kind": "bigquery#dataset",
        "id": f"{dataset.project}:{dataset.name}",
        "selfLink": f"{link_base(call)}/projects/{dataset.project}/datasets/{dataset.name}",
        "datasetReference": {"projectId": dataset.project, "datasetId": dataset.name},
        "location": dataset.location,
        "creationTime": milliseconds(dataset.created),
        "lastModifiedTime": milliseconds(dataset.created),
        "etag": f"{dataset.name}==",
        "type": "DEFAULT",
    }


def _table_body(call: Call, table: Table) -> Json:
    return {
        **table.details,
        **_table_summary(table),
        "selfLink": f"{link_base(call)}/projects/{table.project}/datasets/{table.dataset}/tables/{table.name}",
        "schema": {"fields": list(table.schema_fields)},
        "numRows": str(len(table.rows)),
        "numBytes": str(sum(len(json.dumps(row)) for row in table.rows)),
        "lastModifiedTime": milliseconds(table.created),
        "location": table.location,
        "etag": f"{table.name}-{len(table.rows)}==",
    }


def _table_summary(table: Table) -> Json:
    return {
        "kind": "bigquery#table",
        "id": f"{table.project}:{table.dataset}.{table.name}",
        "tableReference": {"projectId": table.project, "datasetId": table.dataset, "tableId": table.name},
        "type": "TABLE",
        "creationTime": milliseconds(table.created),
    }


@handles("bigquery.datasets.insert")
def insert_dataset(call: Call) -> Answer:
    """Make a dataset; its location holds for its tables and never changes."""
    name = call.body.get("datasetReference", {}).get("datasetId", "")
    if not IDENTIFIER.fullmatch(name):
        raise invalid(f'Invalid dataset ID "{name}". Dataset IDs must be alphanumeric (plus underscores).')
    datasets = bigquery_state(call.world).datasets
    if (call.project_id, name) in datasets:
        raise errors.ApiError("ALREADY_EXISTS", f"Already Exists: Dataset {call.project_id}:{name}", reason="duplicate")
    details = {key: call.body[key] for key in _DATASET_DETAILS if key in call.body}
    dataset = Dataset(call.project_id, name, call.body.get("location", "US"), call.world.now(), details)
    datasets[call.project_id, name] = dataset
    return Answer(_dataset_body(call, dataset))


@handles("bigquery.datasets.get")
def get_dataset(call: Call) -> Answer:
    """A dataset, its location among others."""
    return Answer(_dataset_body(call, _dataset(call)))


@handles("bigquery.datasets.list")
def list_datasets(call: Call) -> Answer:
    """The project's datasets."""
    found = [each for (project, _), each in bigquery_state(call.world).datasets.items() if project == call.project_id]
    shown = ("kind", "id", "datasetReference", "location", "labels", "friendlyName")
    bodies = [{key: value for key, value in _dataset_body(call, each).items() if key in shown} for each in found]
    return _page(call, "bigquery#datasetList", "datasets", bodies)


@handles("bigquery.datasets.delete")
def delete_dataset(call: Call) -> Answer:
    """Delete a dataset; one with tables only with ``deleteContents``."""
    dataset = _dataset(call)
    if dataset.tables and not call.query.get("deleteContents"):
        raise invalid(f"Dataset {dataset.project}:{dataset.name} is still in use", reason="resourceInUse")
    del bigquery_state(call.world).datasets[dataset.project, dataset.name]
    return Answer(status=204, content=b"")


@handles("bigquery.tables.insert")
def insert_table(call: Call) -> Answer:
    """Make an empty table."""
    dataset = _dataset(call)
    name = call.body.get("tableReference", {}).get("tableId", "")
    if not IDENTIFIER.fullmatch(name.replace("-", "_")):
        raise invalid(f'Invalid table ID "{name}".')
    if name in dataset.tables:
        message = f"Already Exists: Table {dataset.project}:{dataset.name}.{name}"
        raise errors.ApiError("ALREADY_EXISTS", message, reason="duplicate")
    try:
        table = create_table(dataset, name, call.body.get("schema", {}).get("fields", []), call.world.now())
    except ValueRefusedError as error:
        raise invalid(error.message) from error
    table.details = {key: call.body[key] for key in _TABLE_DETAILS if key in call.body}
    return Answer(_table_body(call, table))


@handles("bigquery.tables.get")
def get_table(call: Call) -> Answer:
    """A table's schema, location and size."""
    return Answer(_table_body(call, _table(call)))


@handles("bigquery.tables.list")
def list_tables(call: Call) -> Answer:
    """The dataset's tables, in short."""
    return _page(
        call, "bigquery#tableList", "tables", [_table_summary(each) for each in _dataset(call).tables.values()]
    )


@handles("bigquery.tables.delete")
def delete_table(call: Call) -> Answer:
    """Delete a table and its rows."""
    table = _table(call)
    del _dataset(call).tables[table.name]
    return Answer(status=204, content=b"")


@handles("bigquery.tabledata.insertAll")
def insert_rows(call: Call) -> Answer:
    """Stream rows in; unless ``skipInvalidRows``, one bad row stops all of them."""
    table = _table(call)
    good: list[Json] = []
    wrong: list[Json] = []
    for index, row in enumerate(call.body.get("rows", [])):
        try:
            ignore = call.body.get("ignoreUnknownValues", False)
            good.append(read_row(table.columns, row.get("json", {}), ignore_unknown=ignore))
        except ValueRefusedError as error:
            wrong.append(_row_error(index, "invalid", error.location, error.message))
    if wrong and not call.body.get("skipInvalidRows", False):
        refused = {error["index"] for error in wrong}
        rest = [index for index in range(len(call.body["rows"])) if index not in refused]
        wrong += [_row_error(index, "stopped", "", "") for index in rest]
        good = []
    table.rows.extend(good)
    body: Json = {"kind": "bigquery#tableDataInsertAllResponse"}
    return Answer({**body, "insertErrors": wrong} if wrong else body)


def _row_error(index: int, reason: str, location: str, message: str) -> Json:
    error = {"reason": reason, "location": location, "debugInfo": "", "message": message}
    return {"index": index, "errors": [error]}


@handles("bigquery.tabledata.list")
def list_rows(call: Call) -> Answer:
    """A page of rows."""
    table = _table(call)
    rows = [write_row(table.columns, row) for row in table.rows]
    page, token = rows_page(rows, call.query)
    body: Json = {"kind": "bigquery#tableDataList", "etag": f"{len(rows)}==", "totalRows": str(len(rows))}
    if page:
        body["rows"] = page
    return Answer({**body, "pageToken": token} if token else body)


def rows_page(rows: Sequence[Json], query: Json) -> tuple[list[Json], str | None]:
    """The rows from ``pageToken`` or ``startIndex`` on, at most ``maxResults``, and the next token."""
    try:
        start = int(query.get("pageToken") or query.get("startIndex") or 0)
    except ValueError:
        raise invalid(f"Invalid page token {query['pageToken']}") from None
    end = start + min(int(query.get("maxResults", PAGE_ROWS)), PAGE_ROWS)
    return list(rows[start:end]), str(end) if end < len(rows) else None


def _page(call: Call, kind: str, collection: str, bodies: Sequence[Json]) -> Answer:
    page, token = rows_page(bodies, call.query)
    answer: Json = {"kind": kind}
    if page:
        answer[collection] = page
    if collection == "tables":
        answer["totalItems"] = len(bodies)
    return Answer({**answer, "nextPageToken": token} if token else answer)


@counts_data
def _data(world: World) -> Iterable[Entry]:
    for dataset in bigquery_state(world).datasets.values():
        yield Entry("bigquery.Dataset", f"{dataset.project}.{dataset.name}", timestamp(dataset.created))
        for table in dataset.tables.values():
            name = f"{table.project}.{table.dataset}.{table.name}"
            yield Entry("bigquery.Table", name, timestamp(table.created), details={"rows": str(len(table.rows))})
