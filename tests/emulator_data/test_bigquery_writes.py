"""Jobs of BigQuery that write: loads of uploaded rows, and queries with a destination and with parameters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator_data.client import BIGQUERY, PROJECT, Client

WORDS = [{"name": "word", "type": "STRING", "mode": "REQUIRED"}, {"name": "count", "type": "INTEGER"}]


@pytest.fixture
def words(client: Client) -> Client:
    client.make_table("d", "words", WORDS)
    client.insert_rows("d", "words", [{"word": "one", "count": 1}])
    return client


def reference(table: str) -> dict[str, str]:
    return {"projectId": PROJECT, "datasetId": "d", "tableId": table}


def load(client: Client, table: str, lines: list[str], **options: Any) -> dict[str, Any]:
    asked = {"sourceFormat": "NEWLINE_DELIMITED_JSON", "destinationTable": reference(table), **options}
    described = json.dumps({"configuration": {"load": asked}})
    head = "--b\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n"
    body = head + described + "\r\n--b\r\ncontent-type: */*\r\n\r\n" + "\n".join(lines) + "\r\n--b--"
    kind = {"Content-Type": 'multipart/related; boundary="b"'}
    return client.ok("POST", f"/upload{BIGQUERY}/jobs?uploadType=multipart", data=body.encode(), headers=kind)


def query(client: Client, text: str, **options: Any) -> dict[str, Any]:
    configuration = {"query": {"query": text, "useLegacySql": False, **options}}
    return client.ok("POST", f"{BIGQUERY}/jobs", {"configuration": configuration})


def problem(job: dict[str, Any]) -> str:
    return str(job["status"].get("errorResult", {}).get("message", ""))


def test_a_load_adds_rows_to_a_table(words: Client) -> None:
    job = load(words, "words", ['{"word": "two", "count": 2}', "", '{"word": "three"}'])
    assert problem(job) == ""
    assert job["statistics"]["load"]["outputRows"] == "2"
    assert [row["word"] for row in words.table_rows("d", "words")] == ["one", "two", "three"]
    again = words.ok("GET", f"{BIGQUERY}/jobs/{job['jobReference']['jobId']}", params={"location": "us-central1"})
    assert again["configuration"]["jobType"] == "LOAD"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"word": "two", "count": "many"}', "Cannot convert value to integer"),
        ('{"count": 2}', "Missing required field: word"),
        ('{"word": "two", "more": 2}', "no such field: more"),
        ('{"word": ', "JSON parsing error in row starting at position 17"),
    ],
)
def test_one_bad_row_stops_a_load(words: Client, line: str, told: str) -> None:
    job = load(words, "words", ['{"word": "good"}', line])
    assert told in problem(job)
    assert len(words.table_rows("d", "words")) == 1


def test_a_load_replaces_a_table_or_leaves_it_as_it_is_told(words: Client) -> None:
    line = ['{"name": "new", "sizes": [1, 2], "at": {"city": "Taipei"}}']
    assert "Already Exists: Table" in problem(load(words, "words", line, writeDisposition="WRITE_EMPTY"))
    assert "Not found: Table" in problem(load(words, "nothing", line, createDisposition="CREATE_NEVER"))
    assert "No schema specified" in problem(load(words, "nothing", line))
    assert problem(load(words, "words", line, writeDisposition="WRITE_TRUNCATE", autodetect=True)) == ""
    fields = words.ok("GET", f"{BIGQUERY}/datasets/d/tables/words")["schema"]["fields"]
    assert [(each["name"], each["type"], each["mode"]) for each in fields] == [
        ("name", "STRING", "NULLABLE"),
        ("sizes", "INTEGER", "REPEATED"),
        ("at", "RECORD", "NULLABLE"),
    ]


def test_a_load_takes_any_value_for_a_json_column(client: Client) -> None:
    client.make_table("d", "bodies", [{"name": "body", "type": "JSON"}])
    assert problem(load(client, "bodies", ['{"body": {"messages": []}}', '{"body": "text"}'])) == ""
    assert [row["body"] for row in client.table_rows("d", "bodies")] == ['{"messages":[]}', '"text"']


def test_a_query_keeps_its_answer_where_it_is_told_to(words: Client) -> None:
    more = {"destinationTable": reference("out")}
    assert problem(query(words, "SELECT word FROM d.words", **more)) == ""
    assert "Already Exists: Table" in problem(query(words, "SELECT word FROM d.words", **more))
    assert problem(query(words, "SELECT 'two' AS word", writeDisposition="WRITE_APPEND", **more)) == ""
    wrong = query(words, "SELECT 1 AS other", writeDisposition="WRITE_APPEND", **more)
    assert "Provided Schema does not match Table" in problem(wrong)
    assert [row["word"] for row in words.table_rows("d", "out")] == ["one", "two"]


def test_parameters_are_values_and_nothing_else(words: Client) -> None:
    def given(name: str, kind: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
        return {"name": name, "parameterType": kind, "parameterValue": value}

    text = "SELECT @word AS word, ARRAY_LENGTH(@all) AS n, @none AS nothing"
    parameters = [
        given("word", {"type": "STRING"}, {"value": "' OR 1=1 --"}),
        given("all", {"type": "ARRAY", "arrayType": {"type": "INT64"}}, {"arrayValues": [{"value": "1"}] * 3}),
        given("none", {"type": "INT64"}, {}),
    ]
    body = {"query": text, "useLegacySql": False, "queryParameters": parameters}
    (row,) = words.ok("POST", f"{BIGQUERY}/queries", body)["rows"]
    assert [cell["v"] for cell in row["f"]] == ["' OR 1=1 --", "3", None]
    unnamed = {**body, "query": "SELECT ? + ?", "queryParameters": [given("", {"type": "INT64"}, {"value": "2"})] * 2}
    assert words.ok("POST", f"{BIGQUERY}/queries", unnamed)["rows"][0]["f"][0]["v"] == "4"
    error = words.refused(400, "POST", f"{BIGQUERY}/queries", {**body, "queryParameters": parameters[1:]})
    assert error["message"] == "Query parameter 'word' not found"
