"""What a source says is in the rows that are made of it, or it is told: nothing goes in silence."""

import pytest

from tests.preflight_batch.test_prepare import read, user_prompts


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


def test_an_output_that_cannot_be_written_is_named(mg, tmp_path):
    (source := tmp_path / "in.jsonl").write_text('"one"')
    assert "is a folder\ndo: name a file in it" in mg(source, tmp_path, "--overwrite", code=2).stderr
    assert "there is no folder" in mg(source, tmp_path / "none" / "out.jsonl", code=2).stderr
