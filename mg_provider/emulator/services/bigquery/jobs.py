"""BigQuery jobs: `sql.py` says which queries, `engine.py` runs them; `bigquery_load.py` loads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mg_provider.emulator.core.routing import Answer, Call, handles
from mg_provider.emulator.google import errors
from mg_provider.emulator.google.validation import request_body
from mg_provider.emulator.services.bigquery.calls import (
    bigquery_state,
    find_table,
    invalid,
    link_base,
    milliseconds,
    rows_page,
)
from mg_provider.emulator.services.bigquery.engine import Output, QueryFailedError, Rows, run_statement
from mg_provider.emulator.services.bigquery.external import ExternalTable, read_definition
from mg_provider.emulator.services.bigquery.load import LoadResult, load
from mg_provider.emulator.services.bigquery.sql import Reference, Statement, StatementRefusedError, parse_statement
from mg_provider.emulator.services.bigquery.state import Table, create_table
from mg_provider.emulator.services.bigquery.values import columns, write_row
from mg_provider.emulator.services.bigquery.writes import Target
from mg_provider.emulator.services.storage.calls import storage_state
from mg_provider.emulator.services.storage.multipart import parts_of

Json = dict[str, Any]

_SHOWN = (
    "query",
    "useLegacySql",
    "defaultDataset",
    "tableDefinitions",
    "destinationTable",
    "writeDisposition",
    "createDisposition",
    "parameterMode",
    "queryParameters",
)
MISSING = (
    "This emulator answers queries with DuckDB and sqlglot, and {library} is not installed: "
    "install mg-provider[emulator]"
)


@dataclass
class QueryResult:
    """A finished query: what it gave, or why it gave nothing."""

    job_id: str
    location: str
    query: Json
    created: float
    schema: Json = field(default_factory=lambda: {"fields": []})
    rows: list[Json] = field(default_factory=list)
    bytes_processed: int = 0
    error: errors.ApiError | None = None

    @property
    def configuration(self) -> Json:
        """As the job shows it."""
        asked = {key: self.query[key] for key in _SHOWN if key in self.query}
        return {"jobType": "QUERY", "query": asked, "dryRun": bool(self.query.get("dryRun"))}

    @property
    def statistics(self) -> Json:
        """What is special to this kind of job."""
        processed = str(self.bytes_processed)
        shown = {"totalBytesProcessed": processed, "cacheHit": False, "schema": self.schema}
        return {"totalBytesProcessed": processed, "query": shown}


class Jobs:
    """Finished jobs, by project and id."""

    def __init__(self) -> None:
        self.results: dict[tuple[str, str], QueryResult | LoadResult] = {}


class _Run:
    """One query on its way."""

    def __init__(self, call: Call, query: Json, location: str | None, job_id: str | None) -> None:
        self.call = call
        self.query = query
        self.asked = location
        self.dry = bool(query.get("dryRun"))
        self.storage = storage_state(call.world)
        new_id = job_id or bigquery_state(call.world).next_job_id()
        self.result = QueryResult(new_id, location or "US", query, call.world.now())

    def run(self) -> QueryResult:
        """Run the query. ApiError for what is wrong with it."""
        if self.query.get("useLegacySql", True):
            raise invalid("Legacy SQL is not emulated: set useLegacySql to false.", reason="invalidQuery")
        definitions = self.query.get("tableDefinitions", {})
        statement = self._parse(frozenset(definitions))
        if statement.target is not None:
            self._refuse_target(statement)
        asked = self.query.get("destinationTable")
        target = Target(self.call, asked, self.query, "WRITE_EMPTY") if asked else None
        tables = {name: self._find(reference, definitions) for reference, name in statement.tables.items()}
        self._settle_location(statement, tables, target)
        output = self._execute(statement, tables)
        result = self.result
        result.bytes_processed = sum(map(_size, tables.values()))
        result.schema = {"fields": output.schema_fields}
        if statement.target is None:
            read = columns(output.schema_fields)
            result.rows = [write_row(read, row) for row in output.rows]
        elif not self.dry:
            self._store(statement.target, output)
        if target is not None and not self.dry:
            target.write(output.schema_fields, output.rows)
        return result

    def _parse(self, temporary: frozenset[str]) -> Statement:
        default = self.query.get("defaultDataset", {}).get("datasetId")
        try:
            given = self.query.get("queryParameters", [])
            return parse_statement(self.query.get("query", ""), self.call.project_id, default, temporary, given)
        except StatementRefusedError as error:
            raise invalid(str(error), reason="invalidQuery") from error
        except ModuleNotFoundError as error:
            raise errors.ApiError("UNIMPLEMENTED", MISSING.format(library=error.name)) from error

    def _find(self, reference: Reference, definitions: Mapping[str, Json]) -> Table | ExternalTable:
        if not reference.project:
            return read_definition(reference.table, definitions[reference.table], self.storage)
        return find_table(self.call.world, reference.project, reference.dataset, reference.table)

    def _refuse_target(self, statement: Statement) -> None:
        target = statement.target
        assert target is not None
        state = bigquery_state(self.call.world)
        if (target.project, target.dataset) not in state.datasets:
            raise errors.not_found(f"Not found: Dataset {target.project}:{target.dataset}")
        if state.find_table(target.project, target.dataset, target.table) and not statement.replace:
            name = f"{target.project}:{target.dataset}.{target.table}"
            raise errors.ApiError("ALREADY_EXISTS", f"Already Exists: Table {name}", reason="duplicate")

    def _settle_location(
        self, statement: Statement, tables: Mapping[str, Table | ExternalTable], asked: Target | None
    ) -> None:
        """A query runs where its tables are, and all of them are in one place."""
        places = {table.location.lower(): table.location for table in tables.values()}
        if asked is not None:
            places[asked.dataset.location.lower()] = asked.dataset.location
        if statement.target is not None:
            target = bigquery_state(self.call.world).datasets[statement.target.project, statement.target.dataset]
            places[target.location.lower()] = target.location
        if self.asked and places.keys() - {self.asked.lower()}:
            named = [each for each in tables.values() if isinstance(each, Table)]
            if named:
                name = f"{named[0].project}:{named[0].dataset}"
                raise errors.not_found(f"Not found: Dataset {name} was not found in location {self.asked}")
        if len(places) > 1 or (self.asked and places.keys() - {self.asked.lower()}):
            source, destination = sorted({*places.values(), *([self.asked] if self.asked else [])})[:2]
            raise invalid(f"Cannot read and write in different locations: source: {source}, destination: {destination}")
        if places:
            self.result.location = next(iter(places.values()))

    def _execute(self, statement: Statement, tables: Mapping[str, Table | ExternalTable]) -> Output:
        given = {
            name: table.rows(self.storage) if isinstance(table, ExternalTable) else Rows(table.columns, table.rows)
            for name, table in tables.items()
        }
        try:
            return run_statement(statement, given, dry=self.dry)
        except QueryFailedError as error:
            raise invalid(str(error), reason="invalidQuery") from error
        except ModuleNotFoundError as error:
            raise errors.ApiError("UNIMPLEMENTED", MISSING.format(library=error.name)) from error

    def _store(self, target: Reference, output: Output) -> None:
        dataset = bigquery_state(self.call.world).datasets[target.project, target.dataset]
        made = create_table(dataset, target.table, output.schema_fields, self.call.world.now())
        made.rows.extend(output.rows)


def _size(table: Table | ExternalTable) -> int:
    return table.size if isinstance(table, ExternalTable) else sum(len(json.dumps(row)) for row in table.rows)


def _keep(call: Call, result: QueryResult | LoadResult) -> None:
    if not result.configuration.get("dryRun"):
        call.world.part(Jobs).results[call.project_id, result.job_id] = result


@handles("bigquery.jobs.query")
def run_query(call: Call) -> Answer:
    """Run a query and answer its first page, or with ``dryRun`` only its schema and cost."""
    dry = bool(call.body.get("dryRun"))
    result = _Run(call, call.body, call.body.get("location"), None).run()
    _keep(call, result)
    body = _result_body(call, result, {"maxResults": call.body["maxResults"]} if "maxResults" in call.body else {}, dry)
    return Answer({**body, "kind": "bigquery#queryResponse", "location": result.location})


@handles("bigquery.jobs.getQueryResults")
def get_query_results(call: Call) -> Answer:
    """A page of a query's rows; of one that failed, its error."""
    result = _finished(call, call.path["queriesId"])
    if not isinstance(result, QueryResult):
        raise invalid(f"The job {result.job_id} is not a query job.")
    if result.error is not None:
        raise result.error
    body = _result_body(call, result, call.query, dry=False)
    return Answer({**body, "kind": "bigquery#getQueryResultsResponse", "etag": "1=="})


def _result_body(call: Call, result: QueryResult, query: Json, dry: bool) -> Json:
    page, token = rows_page(result.rows, query)
    body: Json = {
        "schema": result.schema,
        "jobReference": _reference(call, result),
        "totalBytesProcessed": str(result.bytes_processed),
        "jobComplete": True,
        "cacheHit": False,
    }
    if dry:
        del body["jobReference"]["jobId"]
        return body
    body["totalRows"] = str(len(result.rows))
    if page:
        body["rows"] = page
    return {**body, "pageToken": token} if token else body


@handles("bigquery.jobs.insert")
def insert_job(call: Call) -> Answer:
    """Run a query, or load rows that come with the job. What goes wrong is in the job's ``status``."""
    described, content = parts_of(call) if call.upload else (call.body, None)
    if content is not None:
        described = request_body(call.method, {key: described[key] for key in described if key != "contentType"})
    configuration, reference = described.get("configuration", {}), described.get("jobReference", {})
    if (call.project_id, reference.get("jobId")) in call.world.part(Jobs).results:
        message = f"Already Exists: Job {call.project_id}:{reference['jobId']}"
        raise errors.ApiError("ALREADY_EXISTS", message, reason="duplicate")
    result: QueryResult | LoadResult
    if "query" in configuration:
        result = _insert_query(call, configuration, reference)
    elif "load" in configuration and content is not None:
        result = _insert_load(call, configuration["load"], reference, content.read())
    else:
        raise errors.not_emulated("a BigQuery job that is neither a query nor a load of rows that come with it")
    _keep(call, result)
    return Answer(_job_body(call, result))


def _insert_query(call: Call, configuration: Json, reference: Json) -> QueryResult:
    query = {**configuration["query"], "dryRun": configuration.get("dryRun", False)}
    run = _Run(call, query, reference.get("location"), reference.get("jobId"))
    try:
        run.run()
    except errors.ApiError as error:
        if run.dry or error.code == "UNIMPLEMENTED":
            raise
        run.result.error = error
    return run.result


def _insert_load(call: Call, options: Json, reference: Json, content: bytes) -> LoadResult:
    job_id = reference.get("jobId") or bigquery_state(call.world).next_job_id()
    result = LoadResult(job_id, reference.get("location", ""), options, call.world.now())
    try:
        load(call, result, content)
    except errors.ApiError as error:
        if error.code == "UNIMPLEMENTED":
            raise
        result.error = error
    return result


@handles("bigquery.jobs.get")
def get_job(call: Call) -> Answer:
    """A job, which is always done."""
    return Answer(_job_body(call, _finished(call, call.path["jobsId"])))


def _finished(call: Call, job_id: str) -> QueryResult | LoadResult:
    result = call.world.part(Jobs).results.get((call.project_id, job_id))
    if result is None:
        raise errors.not_found(f"Not found: Job {call.project_id}:{job_id}")
    return result


def _reference(call: Call, result: QueryResult | LoadResult) -> Json:
    return {"projectId": call.project_id, "jobId": result.job_id, "location": result.location or "US"}


def _job_body(call: Call, result: QueryResult | LoadResult) -> Json:
    moment, reference = milliseconds(result.created), _reference(call, result)
    place = f"{link_base(call)}/projects/{call.project_id}/jobs/{result.job_id}"
    return {
        "kind": "bigquery#job",
        "id": f"{call.project_id}:{reference['location']}.{result.job_id}",
        "selfLink": f"{place}?location={reference['location']}",
        "jobReference": reference,
        "configuration": result.configuration,
        "status": _status(result.error),
        "statistics": {"creationTime": moment, "startTime": moment, "endTime": moment, **result.statistics},
        "user_email": "user@example.com",
    }


def _status(error: errors.ApiError | None) -> Json:
    if error is None:
        return {"state": "DONE"}
    shown = {"reason": error.reason or "invalid", "message": error.message}
    return {"state": "DONE", "errorResult": shown, "errors": [shown]}
