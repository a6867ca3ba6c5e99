"""Tables, and files of any size, are checked by BigQuery: it finds what the check of files finds."""

import json

import pytest

from mg_provider.api.errors import UserError
from mg_provider.preflight.batch.fault_query import SAMPLES
from tests.preflight_batch.test_rows import SOUND, WRONG, body
from tests.support.samples.batch import COLUMNS, DATASETS, chat, make_table
from tests.support.samples.weights import BUCKET, call

TABLE = "bq://my-project.prompts.input"
REQUEST = {"method": "POST", "url": "/v1/chat/completions"}
ROWS = [{"body": row["body"]} for row in SOUND]
# In a table, the row itself cannot be wrong.
WRONG_BODIES = [
    (code, row["body"])
    for code, row, _ in WRONG
    if isinstance(row, dict) and code != "reserved_key" and row.get("body") is not None
]


def put_table(emulator, rows, **more):
    make_table(emulator, [{"custom_id": f"r{number}", **REQUEST, **row} for number, row in enumerate(rows)], **more)


def make_columns(emulator, columns, location="us-central1"):
    place = {"projectId": "my-project", "datasetId": "prompts"}
    call(f"{emulator.url}{DATASETS}", {"datasetReference": place, "location": location})
    fields = {"tableReference": {**place, "tableId": "input"}, "schema": {"fields": columns}}
    call(f"{emulator.url}{DATASETS}/prompts/tables", fields)


def rpcs(emulator):
    return [each["rpc"] for each in emulator.requests() if each["rpc"].startswith("bigquery.job")]


def test_a_sound_table_has_no_findings_and_is_never_read_row_by_row(batch):
    put_table(batch.emulator, ROWS)
    before = len(rpcs(batch.emulator))
    report = batch.check(TABLE, region="us-central1")
    assert (report.findings, report.rows, report.sources) == ([], len(ROWS), [TABLE])
    assert report.bytes > 0
    assert rpcs(batch.emulator)[before:] == [
        "bigquery.jobs.insert",
        "bigquery.jobs.insert",
        "bigquery.jobs.getQueryResults",
    ]
    assert not any(each["rpc"] == "bigquery.tabledata.list" for each in batch.emulator.requests())


def test_each_fault_in_a_table_is_found_and_counted(batch):
    put_table(batch.emulator, [*({"body": each} for _, each in WRONG_BODIES), *ROWS])
    report = batch.check(TABLE)
    expected = {}
    for code, _ in WRONG_BODIES:
        expected[code] = expected.get(code, 0) + 1
    assert dict(report.counts) == expected
    assert (report.errors, report.wrong_rows) == (len(WRONG_BODIES), len(WRONG_BODIES))
    assert report.rows == len(WRONG_BODIES) + len(ROWS)
    image = next(finding for finding in report.findings if finding.code == "image")
    assert "custom_id r" in image.message


def test_of_many_wrong_rows_a_few_are_shown(batch):
    put_table(batch.emulator, [{"body": {"messages": []}}] * 20 + [chat("fine")])
    [finding] = batch.check(TABLE).findings
    assert finding.code == "no_messages"
    assert "20 rows, such as custom_id r" in finding.message
    assert finding.message.count("custom_id") == SAMPLES


def test_custom_ids_that_come_again_are_counted(batch):
    put_table(batch.emulator, [{"body": body(), "custom_id": "a"}] * 3 + [{"body": body(), "custom_id": "b"}])
    report = batch.check(TABLE)
    [finding] = report.findings
    assert (finding.severity, finding.code, report.counts["duplicate_custom_id"]) == (
        "warning",
        "duplicate_custom_id",
        2,
    )
    assert report.rows == 4


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ([each for each in COLUMNS if each["name"] != "body"], [("missing_column", "no column body (JSON)")]),
        (COLUMNS[3:], [("missing_column", name) for name in ("custom_id", "method", "url")]),
        ([*COLUMNS[:3], {"name": "body", "type": "STRING"}], [("wrong_type", "body is STRING, not JSON")]),
        ([*COLUMNS[:3], {**COLUMNS[3], "mode": "REPEATED"}], [("wrong_type", "body is a list of JSON")]),
        (
            [*COLUMNS, {"name": "response", "type": "JSON"}, {"name": "ID", "type": "STRING"}],
            [("reserved_column", "'response'"), ("reserved_column", "'id'"), ("empty", "no rows")],
        ),
    ],
)
def test_wrong_columns_are_named(batch, columns, found):
    make_columns(batch.emulator, columns)
    report = batch.check(TABLE)
    assert [finding.code for finding in report.findings] == [code for code, _ in found]
    assert all(text in finding.message for finding, (_, text) in zip(report.findings, found, strict=True))


def test_a_table_in_another_region_is_named(batch):
    put_table(batch.emulator, [chat("fine")])
    [finding] = batch.check(TABLE, region="europe-west4").findings
    assert finding.code == "other_region"
    assert "the table is in us-central1, the job in europe-west4" in finding.message


def test_an_empty_table_and_one_that_is_not_there_are_named(batch):
    put_table(batch.emulator, [])
    assert batch.found(TABLE) == [(TABLE, "empty")]
    assert batch.found("bq://my-project.prompts.none") == [("bq://my-project.prompts.none", "not_found")]
    with pytest.raises(UserError, match="is not a table"):
        batch.check("bq://my-project.prompts")


@pytest.mark.parametrize("rpc", ["tables.get", "jobs.insert"])
def test_a_missing_permission_is_named_and_who_needs_it(batch, rpc):
    put_table(batch.emulator, [chat("fine")])
    batch.emulator.fail(rpc=f"bigquery.{rpc}", fault="status", status=403)
    [finding] = batch.check(TABLE).findings
    assert finding.code == "permission_denied"
    assert "roles/bigquery.dataViewer" in finding.message


def test_a_lost_answer_runs_the_query_once(batch):
    put_table(batch.emulator, [chat("fine")])
    batch.emulator.fail(rpc="bigquery.jobs.insert", fault="lose_answer", after=1)
    assert batch.check(TABLE).rows == 1
    assert [fault["met"] for fault in batch.emulator.faults()] == [1]


# Files of any size

LINES = [(code, json.dumps(row).encode()) for code, row, _ in WRONG] + [
    ("not_json", b'{"body": {"messages": [}'),
    ("not_json", b"banana bread"),
    ("not_utf8", b'{"note": "\xff", "body": {"prompt": "x"}}'),
]


def test_bigquery_finds_in_files_what_the_check_on_this_machine_finds(batch):
    sound = [json.dumps(row).encode() for row in SOUND]
    text = b"\n".join([*sound, *(line for _, line in LINES), b"", *sound])
    batch.put_bytes("in/a.jsonl", text)
    here, there = batch.check("in/a.jsonl"), batch.check("in/a.jsonl", engine="bigquery")
    assert there.rows == here.rows == len(LINES) + 2 * len(SOUND)
    told = {code: number for code, number in here.counts.items() if code not in ("ignored_field", "blank_line")}
    # One fault is counted of each row; here a row may have several.
    assert there.counts.keys() - {"duplicate_custom_id"} == told.keys()
    assert there.wrong_rows == here.wrong_rows == len(LINES)


def test_bigquery_is_given_the_files_of_all_patterns_and_says_in_which_the_fault_is(batch):
    batch.put("in/a.jsonl", chat("fine"))
    batch.put("in/b.jsonl", chat("fine"), {"body": 1})
    batch.put("in/deep/c.jsonl", {"body": 1})
    report = batch.check("in/*.jsonl", engine="bigquery")
    assert (report.rows, len(report.sources)) == (3, 2)
    [finding] = report.findings
    assert finding.place == f"gs://{BUCKET}/in/b.jsonl"
    assert '{"body": 1}' in finding.message


def test_what_is_no_text_is_named_before_bigquery_is_asked(batch):
    batch.put_bytes("in/a.jsonl", b"\x1f\x8b\x08")
    batch.put_bytes("in/b.jsonl", b"")
    before = len(rpcs(batch.emulator))
    assert [code for _, code in batch.found("in/*.jsonl", engine="bigquery")] == ["gzip", "empty"]
    assert rpcs(batch.emulator)[before:] == []


def test_bigquery_reads_no_files_of_this_machine(batch, tmp_path):
    with pytest.raises(UserError, match=r"BigQuery reads gs:// and bq:// only"):
        batch.check(f"{tmp_path}//in.jsonl", engine="bigquery")
