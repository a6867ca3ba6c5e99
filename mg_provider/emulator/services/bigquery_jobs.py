"""BigQuery queries: `bigquery_query.py` says which statements."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mg_provider.emulator import errors
from mg_provider.emulator.routing import Answer, Call, handles
from mg_provider.emulator.services.bigquery import API, bigquery_state, find_table, invalid, milliseconds, rows_page
from mg_provider.emulator.services.bigquery_query import StatementRefusedError, parse_statement
from mg_provider.emulator.services.bigquery_values import write_row

Json = dict[str, Any]


@dataclass
class QueryResult:
    """What a finished query gave."""

    job_id: str
    location: str
    schema: Json
    rows: list[Json]
    bytes_processed: int
    query: Json
    created: float

    def reference(self, project: str) -> Json:
        """The ``jobReference``."""
        return {"projectId": project, "jobId": self.job_id, "location": self.location}


class QueryJobs:
    """Finished queries, by project and id."""

    def __init__(self) -> None:
        self.results: dict[tuple[str, str], QueryResult] = {}


def _run(call: Call, query: Json, location: str | None, job_id: str | None) -> QueryResult:
    """Answer a query. ApiError for a statement that is not understood, a table that is missing or elsewhere."""
    if query.get("useLegacySql", True):
        raise invalid("Legacy SQL is not emulated: set useLegacySql to false.", reason="invalidQuery")
    try:
        statement = parse_statement(
            query.get("query", ""), call.project_id, query.get("defaultDataset", {}).get("datasetId")
        )
    except StatementRefusedError as error:
        raise invalid(str(error), reason="invalidQuery") from error
    table = find_table(call.world, statement.project, statement.dataset, statement.table)
    if location and location.lower() != table.location.lower():
        place = f"Dataset {table.project}:{table.dataset} was not found in location {location}"
        raise errors.not_found(f"Not found: {place}")
    if statement.count_as:
        schema: Json = {"fields": [{"name": statement.count_as, "type": "INTEGER", "mode": "NULLABLE"}]}
        rows = [{"f": [{"v": str(len(table.rows))}]}]
    else:
        schema = {"fields": list(table.schema_fields)}
        rows = [write_row(table.columns, row) for row in table.rows[: statement.limit]]
    result = QueryResult(
        job_id=job_id or bigquery_state(call.world).next_job_id(),
        location=table.location,
        schema=schema,
        rows=rows,
        bytes_processed=sum(len(json.dumps(row)) for row in table.rows),
        query=query,
        created=call.world.now(),
    )
    if not query.get("dryRun"):
        call.world.part(QueryJobs).results[call.project_id, result.job_id] = result
    return result


@handles("bigquery.jobs.query")
def run_query(call: Call) -> Answer:
    """Run a query and answer its first page, or with ``dryRun`` only its schema and cost."""
    dry = bool(call.body.get("dryRun"))
    result = _run(call, call.body, call.body.get("location"), None)
    body = _result_body(call, result, {"maxResults": call.body["maxResults"]} if "maxResults" in call.body else {}, dry)
    return Answer({**body, "kind": "bigquery#queryResponse", "location": result.location})


@handles("bigquery.jobs.getQueryResults")
def get_query_results(call: Call) -> Answer:
    """A page of a query's rows."""
    body = _result_body(call, _finished(call, call.path["queriesId"]), call.query, dry=False)
    return Answer({**body, "kind": "bigquery#getQueryResultsResponse", "etag": "1=="})


def _result_body(call: Call, result: QueryResult, query: Json, dry: bool) -> Json:
    page, token = rows_page(result.rows, query)
    body: Json = {
        "schema": result.schema,
        "jobReference": result.reference(call.project_id),
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
    """Run a query as a job; no other kind of job is emulated."""
    configuration = call.body.get("configuration", {})
    if "query" not in configuration:
        raise errors.not_emulated("a BigQuery job that is no query")
    reference = call.body.get("jobReference", {})
    if (call.project_id, reference.get("jobId")) in call.world.part(QueryJobs).results:
        message = f"Already Exists: Job {call.project_id}:{reference['jobId']}"
        raise errors.ApiError("ALREADY_EXISTS", message, reason="duplicate")
    query = {**configuration["query"], "dryRun": configuration.get("dryRun", False)}
    return Answer(_job_body(call, _run(call, query, reference.get("location"), reference.get("jobId"))))


@handles("bigquery.jobs.get")
def get_job(call: Call) -> Answer:
    """A query job, which is always done."""
    return Answer(_job_body(call, _finished(call, call.path["jobsId"])))


def _finished(call: Call, job_id: str) -> QueryResult:
    result = call.world.part(QueryJobs).results.get((call.project_id, job_id))
    if result is None:
        raise errors.not_found(f"Not found: Job {call.project_id}:{job_id}")
    return result


def _job_body(call: Call, result: QueryResult) -> Json:
    moment = milliseconds(result.created)
    asked = {key: result.query[key] for key in ("query", "useLegacySql", "defaultDataset") if key in result.query}
    processed = str(result.bytes_processed)
    return {
        "kind": "bigquery#job",
        "id": f"{call.project_id}:{result.location}.{result.job_id}",
        "selfLink": f"{API}/projects/{call.project_id}/jobs/{result.job_id}?location={result.location}",
        "jobReference": result.reference(call.project_id),
        "configuration": {"jobType": "QUERY", "query": asked, "dryRun": bool(result.query.get("dryRun"))},
        "status": {"state": "DONE"},
        "statistics": {
            "creationTime": moment,
            "startTime": moment,
            "endTime": moment,
            "totalBytesProcessed": processed,
            "query": {"totalBytesProcessed": processed, "cacheHit": False, "schema": result.schema},
        },
        "user_email": "user@example.com",
    }
