"""What a source says is in the rows that are made of it, or a finding names it: nothing is lost in silence."""

import csv
import gzip
import io
import json

import duckdb
import pytest

from tests.preflight_batch.test_prepare import read, user_prompts
from tests.support.samples.batch import make_table, tables


@pytest.fixture
def made(mg, tmp_path):
    """Makes rows of a file's content; gives them and what was told."""

    def make(content, *options, name="in.csv", code=0):
        (source := tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        result = mg(source, tmp_path / "out.jsonl", *options, "--overwrite", code=code)
        return (read(tmp_path / "out.jsonl") if code == 0 else None), result.stderr

    return make


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("id,prompt\n0,ok\n1,Hello, how are you?\n", 3, "3 cells, the header has 2"),
        ("prompt\nWhat is 1,000?\n", 2, "2 cells, the header has 1"),
        ("prompt,id\nHello\nyou,1\n", 2, "1 cell, the header has 2"),
        ("prompt,id,prompt\na,1,b\n", 1, "the header has prompt more than once"),
    ],
)
def test_a_row_with_other_cells_than_the_header_is_refused(made, text, place, told):
    _, complaints = made(text, code=1)
    assert f"in.csv:{place}: error: " in complaints
    assert told in complaints


def test_a_cell_with_quotes_is_whole(made):
    rows, _ = made('id,prompt,\n1,"Hello, how\nare you?",\n')
    assert user_prompts(rows) == ["Hello, how\nare you?"]


def test_a_source_is_never_overwritten(mg, tmp_path):
    (source := tmp_path / "in.jsonl").write_text('"one"')
    (link := tmp_path / "link.jsonl").symlink_to(source)
    for output in (source, link):
        assert "is the source" in mg(source, output, "--overwrite", code=2).stderr
    assert source.read_text() == '"one"'


def test_an_output_that_cannot_be_written_is_named(mg, tmp_path):
    (source := tmp_path / "in.jsonl").write_text('"one"')
    assert "is a folder\ndo: name a file in it" in mg(source, tmp_path, "--overwrite", code=2).stderr
    assert "there is no folder" in mg(source, tmp_path / "none" / "out.jsonl", code=2).stderr


TOOLS = [{"type": "function", "function": {"name": "f"}}]
ONE = [{"role": "user", "content": "one"}]


@pytest.mark.parametrize("form", ["jsonl", "parquet", "csv"])
def test_the_id_that_a_row_has_stays(made, tmp_path, form):
    if form == "parquet":
        duckdb.sql(f"COPY (SELECT 'q-17' AS custom_id, 'x' AS prompt) TO '{tmp_path / 'made'}' (FORMAT parquet)")
    content = {"jsonl": '{"custom_id": "q-17", "prompt": "x"}', "csv": "custom_id,prompt\nq-17,x\n"}
    rows, _ = made(content[form] if form in content else (tmp_path / "made").read_bytes(), name=f"in.{form}")
    assert rows[0]["custom_id"] == "q-17"


def test_parameters_beside_messages_stay_and_go_before_those_of_all_rows(made):
    row = {"messages": ONE, "tools": TOOLS, "max_tokens": 7, "temperature": 0.1, "seed": None, "source": "x"}
    rows, told = made(json.dumps(row), "--max-tokens", 9, name="in.jsonl")
    assert rows[0]["body"] == {"messages": ONE, "tools": TOOLS, "max_tokens": 7, "temperature": 0.1}
    assert told == ""
    held = {"messages": json.dumps(ONE), "tools": json.dumps(TOOLS), "stop": "END"}
    rows, _ = made(json.dumps(held), name="in.jsonl")
    assert rows[0]["body"] == {"messages": ONE, "tools": TOOLS, "stop": "END"}


@pytest.mark.parametrize(
    ("row", "left"),
    [
        ({"prompt": "x", "max_tokens": 7, "temperature": 0.1}, "max_tokens, temperature of this row"),
        ({"prompt": "x", "system": "Be brief."}, "system of this row"),
        ({"conversations": [{"from": "human", "value": "x"}], "tools": "[]"}, "tools of this row"),
    ],
)
def test_what_a_row_says_and_is_not_taken_is_told_once(made, row, left):
    rows, told = made(f"{json.dumps(row)}\n{json.dumps(row)}\n", name="in.jsonl")
    assert user_prompts(rows) == ["x", "x"]
    assert told.count(left) == told.count("is not taken") == 1


def test_messages_that_a_text_holds_are_messages_and_in_a_prompt_they_are_told(made):
    text = json.dumps(ONE)
    for name in ("messages", "conversations"):
        assert made(json.dumps({name: text}), name="in.jsonl")[0][0]["body"]["messages"] == ONE
    with io.StringIO() as held:
        csv.writer(held).writerows([["messages"], [text]])
        assert made(held.getvalue(), "--prompt-column", "messages")[0][0]["body"]["messages"] == ONE
    rows, told = made(json.dumps({"prompt": text}), name="in.jsonl")
    assert user_prompts(rows) == [text]
    assert "prompt is the JSON of messages, in this row or more, and is sent as text" in told


@pytest.mark.parametrize(("name", "content"), [("in.csv", "prompt\nx\n"), ("in.jsonl", '{"prompt": "x"}\n')])
def test_what_is_not_text_in_utf_8_is_named(made, name, content):
    for packed in (f"{name}.gz", name):
        _, told = made(gzip.compress(content.encode()), name=packed, code=1)
        assert f"{packed}: error: the file is compressed with gzip: decompress it" in told
    _, told = made(content.encode("utf-16"), name=name, code=1)
    assert f"{name}: error: the file is UTF-16: write it in UTF-8" in told


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("UUID '14330ead-1111-2222-3333-444455556666'", "14330ead-1111-2222-3333-444455556666"),
        ("TIMESTAMP '2024-01-02 03:04:05'", "2024-01-02 03:04:05"),
        ("DATE '2024-01-02'", "2024-01-02"),
        ("12.50::DECIMAL(9, 2)", "12.50"),
        ("7", "7"),
        ("true", "true"),
        ("[1, 2]", "[1, 2]"),
    ],
)
def test_an_id_of_any_type_is_its_text(made, tmp_path, column, expected):
    path = tmp_path / "run[1].parquet"
    duckdb.sql(f"COPY (SELECT {column} AS key, 'x' AS prompt) TO '{path}' (FORMAT parquet)")
    rows, _ = made(path.read_bytes(), "--id-column", "key", name=path.name)
    assert rows[0]["custom_id"] == expected


@pytest.mark.parametrize(
    ("value", "options", "told"),
    [
        ("''", ("--prompt-column", "given"), "a row has no given, or it is empty"),
        ("''", ("--prompt-column", "url", "--id-column", "given"), "a row has no given, or it is empty"),
        ("NULL", ("--prompt-column", "url", "--id-column", "given"), "a row has no given, or it is empty"),
    ],
)
def test_a_query_is_held_to_what_files_are(mg, emulator, value, options, told):
    make_table(emulator, [{"custom_id": "a", "method": "POST", "url": "/v1", "body": {"messages": []}}])
    sql = f"SELECT {value} AS given, url FROM prompts.input"
    assert told in mg(sql, "bq://my-project.prompts.made", *options, code=1).stderr
    assert tables(emulator) == ["input"]
