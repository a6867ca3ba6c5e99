from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.emulator_data.client import BIGQUERY, PROJECT, Client

PROMPTS: list[dict[str, Any]] = [
    {"name": "custom_id", "type": "STRING", "mode": "REQUIRED"},
    {"name": "body", "type": "JSON"},
    {"name": "score", "type": "FLOAT"},
    {"name": "rank", "type": "INT64"},
    {"name": "live", "type": "BOOLEAN"},
    {"name": "tags", "type": "STRING", "mode": "REPEATED"},
    {"name": "origin", "type": "RECORD", "fields": [{"name": "city", "type": "STRING"}]},
]
ROW = {
    "custom_id": "r1",
    "body": '{"messages": []}',
    "score": 0.5,
    "rank": 3,
    "live": False,
    "tags": ["a", "b"],
    "origin": {"city": "Taipei"},
}


@pytest.fixture
def table(client: Client) -> str:
    client.make_table("batch", "prompts", PROMPTS)
    return f"{BIGQUERY}/datasets/batch/tables/prompts"


def query(client: Client, text: str, **more: Any) -> dict[str, Any]:
    return client.ok("POST", f"{BIGQUERY}/queries", {"query": text, "useLegacySql": False, **more})


def test_a_table_tells_its_schema_and_the_location_of_its_dataset(client: Client, table: str) -> None:
    found = client.ok("GET", table)
    assert found["location"] == "us-central1"
    assert found["type"] == "TABLE"
    assert [field["name"] for field in found["schema"]["fields"]] == [field["name"] for field in PROMPTS]
    assert client.ok("GET", f"{BIGQUERY}/datasets/batch")["location"] == "us-central1"


def test_missing_things_are_named_as_bigquery_names_them(client: Client, table: str) -> None:
    missing = client.refused(404, "GET", f"{BIGQUERY}/datasets/batch/tables/none")
    assert missing["message"] == f"Not found: Table {PROJECT}:batch.none"
    assert missing["errors"][0]["reason"] == "notFound"
    assert client.refused(404, "GET", f"{BIGQUERY}/datasets/none/tables/none")["message"].startswith(
        "Not found: Dataset"
    )


def test_a_table_and_a_dataset_exist_once(client: Client, table: str) -> None:
    body = {"tableReference": {"projectId": PROJECT, "datasetId": "batch", "tableId": "prompts"}}
    error = client.refused(409, "POST", f"{BIGQUERY}/datasets/batch/tables", body)
    assert error["errors"][0]["reason"] == "duplicate"
    reference = {"datasetReference": {"projectId": PROJECT, "datasetId": "batch"}}
    assert client.refused(409, "POST", f"{BIGQUERY}/datasets", reference)


def test_rows_come_back_as_cells_of_text(client: Client, table: str) -> None:
    client.insert_rows("batch", "prompts", [ROW, {"custom_id": "r2"}])
    rows = client.ok("GET", f"{table}/data")["rows"]
    assert rows[0]["f"] == [
        {"v": "r1"},
        {"v": '{"messages":[]}'},
        {"v": "0.5"},
        {"v": "3"},
        {"v": "false"},
        {"v": [{"v": "a"}, {"v": "b"}]},
        {"v": {"f": [{"v": "Taipei"}]}},
    ]
    assert rows[1]["f"][1:5] == [{"v": None}] * 4
    assert client.ok("GET", table)["numRows"] == "2"


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"custom_id": "a", "colour": "red"}, "no such field: colour."),
        ({"body": "{}"}, "Missing required field: custom_id."),
        ({"custom_id": "a", "rank": "third"}, "Cannot convert value to int64: third"),
        ({"custom_id": "a", "body": {"messages": []}}, "This field: body is not a record."),
        ({"custom_id": "a", "body": "{not json"}, "Cannot convert value to json"),
        ({"custom_id": "a", "live": "maybe"}, "Cannot convert value to boolean: maybe"),
    ],
)
def test_one_bad_row_stops_the_others_and_says_why(client: Client, table: str, row: dict[str, Any], text: str) -> None:
    errors = client.insert_rows("batch", "prompts", [row, ROW])["insertErrors"]
    assert text in errors[0]["errors"][0]["message"]
    assert (errors[1]["index"], errors[1]["errors"][0]["reason"]) == (1, "stopped")
    assert client.ok("GET", table)["numRows"] == "0"


def test_bad_rows_can_be_skipped_and_unknown_values_ignored(client: Client, table: str) -> None:
    answer = client.insert_rows("batch", "prompts", [{"rank": 1}, ROW], skipInvalidRows=True)
    assert [error["index"] for error in answer["insertErrors"]] == [0]
    assert "insertErrors" not in client.insert_rows("batch", "prompts", [{**ROW, "x": 1}], ignoreUnknownValues=True)
    assert client.ok("GET", table)["numRows"] == "2"


def test_rows_come_in_pages(client: Client, table: str) -> None:
    client.insert_rows("batch", "prompts", [{"custom_id": str(number)} for number in range(5)])
    first = client.ok("GET", f"{table}/data?maxResults=3")
    rest = client.ok("GET", f"{table}/data?maxResults=3&pageToken={first['pageToken']}")
    assert [row["f"][0]["v"] for row in first["rows"] + rest["rows"]] == ["0", "1", "2", "3", "4"]
    assert (first["totalRows"], "pageToken" in rest) == ("5", False)


def test_a_query_gives_rows_and_their_number(client: Client, table: str) -> None:
    client.insert_rows("batch", "prompts", [{"custom_id": str(number)} for number in range(5)])
    answer = query(client, f"SELECT * FROM `{PROJECT}.batch.prompts` LIMIT 2")
    assert [row["f"][0]["v"] for row in answer["rows"]] == ["0", "1"]
    assert answer["jobComplete"] is True
    counted = query(client, f"select count(*) as n from `{PROJECT}.batch.prompts`")
    assert (counted["schema"]["fields"][0]["name"], counted["rows"]) == ("n", [{"f": [{"v": "5"}]}])


def test_a_dry_run_tells_the_cost_and_gives_no_rows(client: Client, table: str) -> None:
    client.insert_rows("batch", "prompts", [ROW])
    answer = query(client, f"SELECT * FROM `{PROJECT}.batch.prompts`", dryRun=True)
    assert int(answer["totalBytesProcessed"]) > 0
    assert "rows" not in answer
    assert len(answer["schema"]["fields"]) == len(PROMPTS)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT nothing FROM `my-project.batch.prompts`", "nothing"),
        ("SELEKT 1", "Syntax error"),
        ("SELECT 1; SELECT 2", "This emulator runs one query"),
        ("SELECT * FROM prompts", "must be qualified with a dataset"),
        ("DROP TABLE `my-project.batch.prompts`", "This emulator runs one query"),
        ("SELECT (", "Syntax error"),
    ],
)
def test_a_statement_that_cannot_be_run_says_why(client: Client, table: str, text: str, reason: str) -> None:
    error = client.refused(400, "POST", f"{BIGQUERY}/queries", {"query": text, "useLegacySql": False})
    assert error["errors"][0]["reason"] == "invalidQuery"
    assert reason in error["message"]


def answers(client: Client, text: str, **more: Any) -> list[list[Any]]:
    return [[cell["v"] for cell in row["f"]] for row in query(client, text, **more).get("rows", [])]


def test_conditions_groups_and_joins_are_answered(client: Client, table: str) -> None:
    rows = [{"custom_id": f"r{number}", "rank": number % 3, "score": number / 2} for number in range(6)]
    client.insert_rows("batch", "prompts", rows)
    text = (
        f"SELECT rank, COUNT(*) AS n, SUM(score) FROM `{PROJECT}.batch.prompts` WHERE rank > 0 GROUP BY rank ORDER BY 1"
    )
    assert answers(client, text) == [["1", "2", "2.5"], ["2", "2", "3.5"]]
    fields = query(client, text)["schema"]["fields"]
    assert [(field["name"], field["type"]) for field in fields] == [
        ("rank", "INTEGER"),
        ("n", "INTEGER"),
        ("f0_", "FLOAT"),
    ]
    joined = f"SELECT COUNT(*) FROM {PROJECT}.batch.prompts AS a JOIN `{PROJECT}`.batch.prompts AS b USING (rank)"
    assert answers(client, joined) == [["12"]]


def test_json_functions_answer_as_googlesql_does(client: Client, table: str) -> None:
    body = {"messages": [{"role": "user"}, {"role": 1}], "stream": True, "nothing": None, "text": "a"}
    client.insert_rows("batch", "prompts", [{"custom_id": "1", "body": json.dumps(body)}, {"custom_id": "2"}])
    text = f"""
      SELECT JSON_TYPE(body), JSON_TYPE(JSON_QUERY(body, '$.nothing')), JSON_VALUE(body, '$.text'),
        JSON_VALUE(body, '$.messages'), JSON_VALUE(body, '$.stream'), JSON_TYPE(JSON_QUERY(body, '$.none')),
        ARRAY_LENGTH(JSON_QUERY_ARRAY(body, '$.messages')), JSON_QUERY_ARRAY(body, '$.text'),
        EXISTS(SELECT 1 FROM UNNEST(JSON_QUERY_ARRAY(body, '$.messages')) AS m
               WHERE JSON_TYPE(JSON_QUERY(m, '$.role')) != 'string')
      FROM `{PROJECT}.batch.prompts` ORDER BY custom_id"""
    first, second = answers(client, text)
    assert first == ["object", "null", "a", None, "true", None, "2", [], "true"]
    assert second == [None, None, None, None, None, None, None, [], "false"]


def test_records_and_lists_come_back_as_cells(client: Client, table: str) -> None:
    client.insert_rows("batch", "prompts", [ROW, {"custom_id": "r2"}])
    text = f"SELECT ARRAY_AGG(STRUCT(custom_id, origin) LIMIT 1) AS some FROM `{PROJECT}.batch.prompts`"
    answer = query(client, text)
    [field] = answer["schema"]["fields"]
    assert (field["type"], field["mode"], [each["name"] for each in field["fields"]]) == (
        "RECORD",
        "REPEATED",
        ["custom_id", "origin"],
    )
    assert answer["rows"][0]["f"][0]["v"] == [{"v": {"f": [{"v": "r1"}, {"v": {"f": [{"v": "Taipei"}]}}]}}]


def test_a_table_is_made_of_a_query_once(client: Client, table: str) -> None:
    client.insert_rows("batch", "prompts", [ROW])
    made = f"""CREATE TABLE `{PROJECT}.batch.made` AS SELECT custom_id, tags,
      PARSE_JSON(TO_JSON_STRING(STRUCT([STRUCT('user' AS role, custom_id AS content)] AS messages, 5 AS max_tokens)))
        AS body
      FROM `{PROJECT}.batch.prompts`"""
    query(client, made)
    fields = client.ok("GET", f"{BIGQUERY}/datasets/batch/tables/made")["schema"]["fields"]
    assert [(field["name"], field["type"], field["mode"]) for field in fields] == [
        ("custom_id", "STRING", "NULLABLE"),
        ("tags", "STRING", "REPEATED"),
        ("body", "JSON", "NULLABLE"),
    ]
    [row] = client.table_rows("batch", "made")
    assert json.loads(row["body"]) == {"messages": [{"role": "user", "content": "r1"}], "max_tokens": 5}
    error = client.refused(409, "POST", f"{BIGQUERY}/queries", {"query": made, "useLegacySql": False})
    assert error["message"] == f"Already Exists: Table {PROJECT}:batch.made"
    dry = {"query": made.replace("batch.made", "batch.other"), "useLegacySql": False, "dryRun": True}
    client.ok("POST", f"{BIGQUERY}/queries", dry)
    client.refused(404, "GET", f"{BIGQUERY}/datasets/batch/tables/other")


LINES = {
    "sourceUris": ["gs://data/in/*.jsonl"],
    "sourceFormat": "CSV",
    "schema": {"fields": [{"name": "line", "type": "STRING"}]},
    "csvOptions": {"fieldDelimiter": "\u0001", "quote": ""},
}


def external(client: Client, text: str, definition: dict[str, Any], **more: Any) -> dict[str, Any]:
    statement = {"query": text, "useLegacySql": False, "tableDefinitions": {"lines": definition}}
    return client.ok("POST", f"{BIGQUERY}/jobs", {"configuration": {"query": statement}, **more})


def test_an_external_table_reads_the_lines_of_objects(client: Client) -> None:
    client.make_bucket("data")
    client.upload("data", "in/a.jsonl", b'{"a": 1}\r\n\n{"a": \n')
    client.upload("data", "in/deep/b.jsonl", b"\xff")
    text = "SELECT _FILE_NAME, line, SAFE.PARSE_JSON(line) IS NULL FROM lines ORDER BY 1, 2"
    job = external(client, text, LINES)
    assert job["jobReference"]["location"] == "us-central1"
    assert job["statistics"]["totalBytesProcessed"] == "19"
    rows = client.ok("GET", f"{BIGQUERY}/queries/{job['jobReference']['jobId']}")["rows"]
    assert [[cell["v"] for cell in row["f"]] for row in rows] == [
        ["gs://data/in/a.jsonl", '{"a": ', "true"],
        ["gs://data/in/a.jsonl", '{"a": 1}', "false"],
        ["gs://data/in/deep/b.jsonl", "\ufffd", "true"],
    ]


def test_a_job_that_fails_says_so_in_its_status_and_when_its_rows_are_asked_for(client: Client) -> None:
    client.make_bucket("data")
    job = external(client, "SELECT * FROM lines", LINES)
    assert "gs://data/in/*.jsonl" in job["status"]["errorResult"]["message"]
    error = client.refused(404, "GET", f"{BIGQUERY}/queries/{job['jobReference']['jobId']}")
    assert error["message"] == job["status"]["errorResult"]["message"]


def test_a_bucket_in_another_location_is_refused(client: Client) -> None:
    client.make_bucket("data")
    client.upload("data", "in/a.jsonl", b"{}")
    job = external(client, "SELECT * FROM lines", LINES, jobReference={"location": "EU"})
    assert "Cannot read and write in different locations" in job["status"]["errorResult"]["message"]


def test_a_query_without_the_libraries_says_what_to_install(
    client: Client, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    body = {"query": f"SELECT * FROM `{PROJECT}.batch.prompts`", "useLegacySql": False}
    error = client.refused(501, "POST", f"{BIGQUERY}/queries", body)
    assert "install mg-provider[emulator]" in error["message"]


def test_a_query_in_another_location_does_not_find_the_dataset(client: Client, table: str) -> None:
    body = {"query": f"SELECT * FROM `{PROJECT}.batch.prompts`", "useLegacySql": False, "location": "EU"}
    assert "not found in location EU" in client.refused(404, "POST", f"{BIGQUERY}/queries", body)["message"]


def test_a_query_job_is_read_page_by_page(client: Client, table: str) -> None:
    client.insert_rows("batch", "prompts", [{"custom_id": str(number)} for number in range(3)])
    statement = {"query": f"SELECT * FROM {PROJECT}.batch.prompts", "useLegacySql": False}
    job = client.ok("POST", f"{BIGQUERY}/jobs", {"configuration": {"query": statement}})
    job_id = job["jobReference"]["jobId"]
    assert client.ok("GET", f"{BIGQUERY}/jobs/{job_id}")["status"] == {"state": "DONE"}
    first = client.ok("GET", f"{BIGQUERY}/queries/{job_id}?maxResults=2")
    rest = client.ok("GET", f"{BIGQUERY}/queries/{job_id}?pageToken={first['pageToken']}")
    assert [row["f"][0]["v"] for row in first["rows"] + rest["rows"]] == ["0", "1", "2"]


def test_tables_are_listed_and_deleted_with_their_dataset(client: Client, table: str) -> None:
    tables = client.ok("GET", f"{BIGQUERY}/datasets/batch/tables")["tables"]
    assert [each["tableReference"]["tableId"] for each in tables] == ["prompts"]
    used = client.refused(400, "DELETE", f"{BIGQUERY}/datasets/batch")
    assert used["errors"][0]["reason"] == "resourceInUse"
    assert client.call("DELETE", f"{BIGQUERY}/datasets/batch?deleteContents=true").status_code == 204
    assert client.refused(404, "GET", table)
    assert client.emulator.ledger()["data"] == []


def test_tables_are_data_in_the_ledger(client: Client, table: str) -> None:
    ledger = client.emulator.ledger()
    assert {entry["name"] for entry in ledger["data"]} == {f"{PROJECT}.batch", f"{PROJECT}.batch.prompts"}
    assert json.dumps(ledger["resources"]) == "[]"
