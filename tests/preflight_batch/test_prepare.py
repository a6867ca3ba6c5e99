"""`mg batch prepare`: prompts of any form become input that the check accepts."""

import csv
import json
import os

import duckdb
import pytest

from mg_provider.cli import app
from mg_provider.preflight.batch import input_files
from tests.support.running.command_line import CliRunner
from tests.support.samples.batch import DATASETS, make_table, tables
from tests.support.samples.weights import BUCKET, call, put

PROMPTS = ["What is 1, 2 and 3?", 'She said "hello"\nand left', "Wie heißt du? 😀"]


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def user_prompts(rows):
    return [row["body"]["messages"][-1]["content"] for row in rows]


def put_csv(path, rows, header=("key", "prompt")):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def test_prompts_in_csv_become_rows(mg, tmp_path):
    source, output = tmp_path / "in.csv", tmp_path / "out.jsonl"
    put_csv(source, [(f"k{number}", prompt) for number, prompt in enumerate(PROMPTS)])
    options = ("--id-column", "key", "--system", "Be brief.", "--max-tokens", 50, "--temperature", 0.5)
    assert mg(source, output, *options).stdout == f"{output}: 3 rows\n"
    rows = read(output)
    assert rows[0] == {
        "custom_id": "k0",
        "body": {
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": PROMPTS[0]}],
            "max_tokens": 50,
            "temperature": 0.5,
        },
    }
    assert user_prompts(rows) == PROMPTS


def test_json_lines_of_texts_or_objects_become_rows_with_numbers(mg, tmp_path):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps(PROMPTS[0]) + "\n\n" + json.dumps({"question": PROMPTS[1], "more": 1}))
    mg(source, output, "--prompt-column", "question")
    assert [row["custom_id"] for row in read(output)] == ["row-1", "row-2"]
    assert user_prompts(read(output)) == PROMPTS[:2]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_file_that_is_one_json_array_becomes_rows(mg, tmp_path, indent):
    source, output = tmp_path / "in.json", tmp_path / "out.jsonl"
    entries = [PROMPTS[0], {"prompt": PROMPTS[1]}, {"messages": [{"role": "user", "content": PROMPTS[2]}]}]
    source.write_text("\ufeff\n" + json.dumps(entries, indent=indent))
    assert mg(source, output).stdout == f"{output}: 3 rows\n"
    assert user_prompts(read(output)) == PROMPTS
    source.write_text(json.dumps([*entries, 7], indent=indent))
    assert "the entry is neither an object nor text" in mg(source, output, "--overwrite", code=1).stderr
    source.write_text(json.dumps(entries, indent=indent)[:-2])
    assert "begins as one JSON array, and is not valid JSON at" in mg(source, output, "--overwrite", code=1).stderr
    assert user_prompts(read(output)) == PROMPTS


def test_a_source_and_an_output_in_cloud_storage(mg, emulator, tmp_path, monkeypatch):
    monkeypatch.setattr(input_files, "OBJECT_PIECE", 7)
    put(emulator, "in/a.csv", "\ufeffprompt\r\neins\r\nzwei ä\r\n".encode())
    put(emulator, "in/b.csv", b"prompt\r\ndrei\r\n")
    output = f"gs://{BUCKET}/made/in.jsonl"
    emulator.fail(rpc="storage.objects.insert", fault="status", status=503)
    assert mg(f"gs://{BUCKET}/in/*.csv", output).stdout == f"{output}: 3 rows\n"
    copy = tmp_path / "copy.jsonl"
    mg(f"gs://{BUCKET}/made/in.jsonl", copy, "--prompt-column", "custom_id")
    assert user_prompts(read(copy)) == ["row-1", "row-2", "row-3"]
    assert "is there already" in mg(f"gs://{BUCKET}/in/*.csv", output, code=2).stderr
    mg(f"gs://{BUCKET}/in/a.csv", output, "--overwrite")


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("in.csv", 'prompt\none\n\n""\ntwo\n', "in.csv:4: error: there is no prompt, or it is empty"),
        ("in.csv", "question\none\n", "there is no column prompt; there is question"),
        ("in.csv", 'prompt\n"one\n', "it is not CSV: unexpected end of data"),
        ("in.csv", "", "there is no column prompt; there is none"),
        ("in.jsonl", '"one"\n{"prompt": 7}\n', "in.jsonl:2: error: there is no prompt"),
        ("in.jsonl", "one\n", "in.jsonl:1: error: the line is not valid JSON"),
        ("in.jsonl", "[]\n", "one JSON array without entries"),
        ("in.jsonl", "7\n", "the line is neither an object nor text"),
        ("in.jsonl", "", "error: the file is empty"),
        ("none.csv", None, "there is no such file"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(mg, tmp_path, name, content, text):
    source = tmp_path / name
    if content is not None:
        source.write_text(content)
    result = mg(source, tmp_path / "out.jsonl", code=1)
    assert text in result.stderr
    assert f"nothing was written to {tmp_path / 'out.jsonl'}" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ([name] if content is not None else [])


def test_an_output_that_is_there_stays_unless_the_user_says_otherwise(mg, tmp_path):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('"one"')
    output.write_text("precious")
    assert "is there already" in mg(source, output, code=2).stderr
    assert output.read_text() == "precious"
    mg(source, output, "--overwrite")
    assert user_prompts(read(output)) == ["one"]


def test_a_source_of_unknown_form_asks_what_it_is(mg, tmp_path):
    assert "--from" in mg(tmp_path / "in.txt", tmp_path / "out.jsonl", code=2).stderr


CONVERSATION = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]
FORMS = {
    "messages": {"messages": CONVERSATION},
    "messages with other columns": {"id": 7, "prompt": None, "messages": CONVERSATION, "source": "x"},
    "a prompt that is a conversation": {
        "prompt": CONVERSATION,
        "completion": [{"role": "assistant", "content": "So."}],
    },
    "ShareGPT": {"conversations": [{"from": "system", "value": "Be brief."}, {"from": "human", "value": "Why?"}]},
    "fields that are null": {"messages": [{**each, "name": None, "tool_calls": None} for each in CONVERSATION]},
}


@pytest.mark.parametrize("row", FORMS.values(), ids=list(FORMS))
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_conversations_become_rows_as_they_are(mg, tmp_path, row, form):
    source, output = tmp_path / f"in.{form}", tmp_path / "out.jsonl"
    (tmp_path / "rows.json").write_text(json.dumps(row))
    if form == "jsonl":
        source.write_text(json.dumps(row))
    else:
        duckdb.sql(f"COPY (SELECT * FROM read_json('{tmp_path / 'rows.json'}')) TO '{source}' (FORMAT parquet)")
    mg(source, output, "--system", "never said", "--max-tokens", 9)
    assert read(output) == [{"custom_id": "row-1", "body": {"messages": CONVERSATION, "max_tokens": 9}}]


def test_instructions_go_before_a_conversation_that_has_none(mg, tmp_path):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps({"messages": CONVERSATION[1:]}))
    mg(source, output, "--system", "Be brief.")
    assert read(output)[0]["body"]["messages"] == CONVERSATION


def test_a_conversation_that_ends_with_its_answer_is_told_once(mg, tmp_path):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    row = json.dumps({"messages": [*CONVERSATION, {"role": "assistant", "content": "So."}]})
    source.write_text(f"{row}\n{row}\n")
    told = mg(source, output).stderr
    assert told.count("ends with an answer of the assistant") == 1
    assert len(read(output)[1]["body"]["messages"]) == 3


def test_columns_of_parquet_are_prompts_and_ids(mg, emulator, tmp_path):
    source, output = tmp_path / "in.parquet", tmp_path / "out.jsonl"
    duckdb.sql(
        f"COPY (SELECT i AS key, 'Question ' || i AS question FROM range(3) r(i)) TO '{source}' (FORMAT parquet)"
    )
    put(emulator, "in/a.parquet", source.read_bytes())
    for each in (source, f"gs://{BUCKET}/in/a.parquet"):
        mg(each, output, "--prompt-column", "question", "--id-column", "key", "--overwrite")
        assert [row["custom_id"] for row in read(output)] == ["0", "1", "2"]
        assert user_prompts(read(output))[2] == "Question 2"


@pytest.mark.parametrize(
    ("row", "prompt", "taken"),
    [
        ({"instruction": "Translate.", "input": "Hallo", "output": "Hello"}, "Translate.\n\nHallo", "with input"),
        ({"instruction": "Name a bird.", "input": "", "output": "A wren"}, "Name a bird.", "instruction"),
        ({"id": 1, "question": "Why?", "answer": "So."}, "Why?", "question"),
    ],
)
def test_columns_that_data_sets_have_for_a_prompt_are_taken_and_told_once(mg, tmp_path, row, prompt, taken):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(f"{json.dumps(row)}\n{json.dumps(row)}\n")
    told = mg(source, output).stderr
    assert told.count("rows without a prompt use") == 1
    assert taken in told
    assert user_prompts(read(output)) == [prompt, prompt]


def test_what_has_no_prompt_says_which_columns_there_are(mg, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"title": "x", "output": "y"}')
    told = mg(source, tmp_path / "out.jsonl", code=1).stderr
    assert "in.jsonl:1: error: the row has neither prompt nor messages, but title, output" in told
    source = tmp_path / "in.parquet"
    source.write_bytes(b"PAR1 this is none PAR1")
    assert "it is not Parquet" in mg(source, tmp_path / "out.jsonl", code=1).stderr


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (rb'{"prompt": "nice \ud83d"}', r"half of a character, \ud83d at column 18"),
        (b'{"prompt": "x", "note": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'{"prompt": "\xff"}', "is not UTF-8 from byte 13"),
        (b'{"prompt": NaN}', "NaN"),
    ],
    ids=["half", "deep", "bytes", "constant"],
)
def test_a_line_that_cannot_be_read_is_told_with_its_place(mg, tmp_path, line, reason):
    source = tmp_path / "in.jsonl"
    source.write_bytes(b'{"prompt": "fine"}\n' + line + b"\n")
    told = mg(source, tmp_path / "out.jsonl", code=1).stderr
    assert f"{source}:2: error: the line " in told
    assert reason in told
    assert "nothing was written" in told


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o027, 0o640), (0o022, 0o644)])
def test_who_may_read_the_output_is_said_by_the_umask(mg, tmp_path, mask, mode):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('"one"')
    before = os.umask(mask)
    try:
        mg(source, output)
    finally:
        os.umask(before)
    assert output.stat().st_mode & 0o777 == mode


def test_a_source_that_is_listed_but_may_not_be_read_is_told(mg, emulator, tmp_path):
    put(emulator, "in/a.jsonl", b'"one"')
    emulator.fail(rpc="storage.objects.get", fault="status", status=403, times=1)
    assert "the caller may not read it" in mg(f"gs://{BUCKET}/in/*.jsonl", tmp_path / "out.jsonl", code=1).stderr


# Queries

MADE = "bq://my-project.prompts.made"
REQUEST = {"method": "POST", "url": "/v1/chat/completions", "body": {"messages": []}}


def made_rows(emulator):
    base = f"{emulator.url}{DATASETS}/prompts/tables/made"
    names = [field["name"] for field in call(base, method="GET")["schema"]["fields"]]
    return [
        dict(zip(names, (cell["v"] for cell in row["f"]), strict=True))
        for row in call(f"{base}/data", method="GET")["rows"]
    ]


def test_a_query_s_rows_become_a_table_without_leaving_bigquery(mg, emulator):
    make_table(emulator, [{"custom_id": f"k{number}", **REQUEST} for number in range(3)])
    sql = "SELECT custom_id, CONCAT('What is ', custom_id, '?') AS prompt FROM prompts.input WHERE custom_id != 'k1'"
    text = 'Be "brief"\nand \\ kind 😀'
    options = ("--id-column", "custom_id", "--system", text, "--max-tokens", 9)
    assert mg(sql, MADE, *options).stdout == f"{MADE}: 2 rows\n"
    first = next(row for row in made_rows(emulator) if row["custom_id"] == "k0")
    assert json.loads(first["body"]) == {
        "messages": [{"role": "system", "content": text}, {"role": "user", "content": "What is k0?"}],
        "max_tokens": 9,
    }
    assert (first["method"], first["url"]) == ("POST", "/v1/chat/completions")
    assert not any(each["rpc"] == "bigquery.tabledata.list" for each in emulator.requests()[:-2])
    assert "is there already" in mg(sql, MADE, code=2).stderr


def test_a_table_and_a_file_with_a_query_are_sources_too(mg, emulator, tmp_path):
    make_table(emulator, [{"custom_id": "k", **REQUEST}])
    mg("bq://my-project.prompts.input", MADE, "--prompt-column", "url")
    [row] = made_rows(emulator)
    assert len(row["custom_id"]) == 36
    path = tmp_path / "prompts.sql"
    path.write_text("SELECT url AS prompt FROM prompts.input;\n")
    mg(f"@{path}", f"{MADE}2")
    assert tables(emulator) == ["input", "made", "made2"]


ENDS = {
    "a comment": "SELECT url AS prompt FROM prompts.input -- all of them",
    "a comment after a semicolon": "SELECT url AS prompt FROM prompts.input; -- all; of them\n",
    "a comment with a sign": "SELECT url AS prompt FROM prompts.input # all of them",
    "a comment in a block": "SELECT url AS prompt /* the only; one */ FROM prompts.input; /* all; */ ;",
    "a text that looks like one": "SELECT url AS prompt FROM prompts.input WHERE url != '-- ; #'",
}


@pytest.mark.parametrize("sql", ENDS.values(), ids=list(ENDS))
def test_a_query_may_end_in_a_comment(mg, emulator, sql):
    make_table(emulator, [{"custom_id": "k", **REQUEST}])
    mg(sql, MADE)
    assert len(made_rows(emulator)) == 1


def test_a_row_without_a_prompt_stops_it_before_a_table_is_made(mg, emulator):
    make_table(emulator, [{"custom_id": "a", **REQUEST}, {**REQUEST}])
    result = mg("SELECT custom_id AS prompt FROM prompts.input", MADE, code=1)
    assert "a row has no prompt" in result.stderr
    assert tables(emulator) == ["input"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("SELECT 1", "bq://my-project.prompts"), "is not a table"),
        (("SELECT 1 AS prompt", "bq://my-project.prompts.a`b"), "is not a table"),
        (("SELECT 1", MADE, "--prompt-column", "a b"), "is not a valid column name"),
        (("@none.sql", MADE), "none.sql cannot be read"),
    ],
)
def test_a_wrong_argument_of_a_query_is_named(mg, words, text):
    assert text in mg(*words, code=2).stderr


def test_one_row_is_one_row_and_what_is_made_has_no_findings(mg, tmp_path):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"prompt": "a"}\n')
    assert mg(source, output).stdout == f"{output}: 1 row\n"
    checked = CliRunner().invoke(app, ["batch", "check", str(output)])
    assert checked.stdout.endswith("can be predicted: 0 errors, 0 warnings\n")
    source.write_text("nonsense\n")
    assert mg(source, output, "--overwrite", code=1).stderr.endswith(
        "\ndo: correct what each error names, then run the same command again\n"
    )
