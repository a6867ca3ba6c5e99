from __future__ import annotations

import json
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


def test_a_statement_that_is_not_understood_says_what_is(client: Client, table: str) -> None:
    body = {"query": "SELECT body FROM `my-project.batch.prompts` WHERE rank > 2", "useLegacySql": False}
    error = client.refused(400, "POST", f"{BIGQUERY}/queries", body)
    assert error["errors"][0]["reason"] == "invalidQuery"
    assert "SELECT COUNT(*)" in error["message"]


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
