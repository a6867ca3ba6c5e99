"""Which answer goes to which row of a batch: by id and request; none where that would be a guess."""

import json
import random

import pytest

from mg_provider.api.storage.lines import Block, in_blocks
from mg_provider.inference.batch import groups
from mg_provider.inference.batch.join import DiskJoin
from mg_provider.inference.batch.ties import NOT_THERE, OTHER_REQUEST, TIED, settle
from tests.support.samples.batch import chat


def row(name, text, **more):
    return chat(text, **({} if name is None else {"custom_id": name}), **more)


def line_of(row):
    return json.dumps(row).encode()


def joined(folder, asked, said, key_field=None):
    """What each question got: the text of its response or error, or why there is none; and the join."""
    join = DiskJoin(folder, key_field)
    lines = [[line_of(each) for each in side] for side in (asked, said)]
    pairs = list(join.matches(*(_blocks(side) for side in lines)))
    assert [json.loads(question) for question, _ in pairs] == asked
    return [answer if isinstance(answer, int) else words_in(answer) for _, answer in pairs], join


def words_in(answer):
    line = json.loads(answer)
    return line["response"] if "response" in line else line["error"]


def _blocks(lines):
    return in_blocks("rows", lines, size=200)


def answered(question, response):
    return {**question, "id": f"batch-{response}", "response": response}


def failed(question):
    return {**question, "error": "no"}


def said(text, response, **key):
    """As ``instance_config`` makes it: what was asked, without the id."""
    return {**key, "instance": chat(text), "response": response}


DEEP = json.loads("[" * 900 + "]" * 900)
ONE, TWO = row("r", "one"), row("r", "two")
CASES = {
    "a repeated id is matched by its request": ([ONE, TWO], [answered(TWO, "2"), answered(ONE, "1")], ["1", "2"]),
    "an empty id is none": (
        [row("", "three"), row("", "four")],
        [answered(row("", "four"), "4"), answered(row("", "three"), "3")],
        ["3", "4"],
    ),
    "no id is none": (
        [row(None, "three"), row(None, "four")],
        [answered(row(None, "four"), "4"), answered(row(None, "three"), "3")],
        ["3", "4"],
    ),
    "a null id is none": (
        [{**row(None, "a"), "custom_id": None}, {**row(None, "b"), "custom_id": None}],
        [answered(row(None, "b"), "B"), answered(row(None, "a"), "A")],
        ["A", "B"],
    ),
    "the same request is the same in another spelling": (
        [{"custom_id": "a", "body": {"prompt": "x", "max_tokens": 10, "temperature": 1, "stop": None}}],
        [{"response": "A", "body": {"temperature": 1.0, "max_tokens": 10.0, "prompt": "x"}, "custom_id": "a"}],
        ["A"],
    ),
    "an id that is a number is the text of it": ([row(7, "x")], [answered(row("7", "x"), "A")], ["A"]),
    "other columns tell rows of one request apart": (
        [row(None, "x", team=1), row(None, "x", team=2)],
        [answered(row(None, "x", team=2), "2"), answered(row(None, "x", team=1), "1")],
        ["1", "2"],
    ),
    "rows that are alike with answers that are not": (
        [ONE, ONE],
        [answered(ONE, "1"), answered(ONE, "other")],
        [TIED, TIED],
    ),
    "one row that is answered twice": ([ONE], [answered(ONE, "1"), answered(ONE, "other")], ["1"]),
    "one row that is answered twice in the same words": ([ONE], [answered(ONE, "1")] * 2, ["1"]),
    "one row without an id that is answered twice": (
        [row(None, "x")],
        [answered(row(None, "x"), "1"), answered(row(None, "x"), "other")],
        ["1"],
    ),
    "a row with an error and an answer": (
        [ONE, TWO],
        [failed(ONE), answered(ONE, "1"), answered(TWO, "2")],
        ["1", "2"],
    ),
    "a row with an error that does not repeat the request": (
        [ONE],
        [answered(ONE, "1"), {"custom_id": "r", "error": "no"}],
        ["1"],
    ),
    "a row with an answer that does not repeat the request": (
        [ONE],
        [failed(ONE), {"custom_id": "r", "response": "1"}],
        ["1"],
    ),
    "an error too many for a repeated id": (
        [ONE, TWO],
        [answered(ONE, "1"), {"custom_id": "r", "response": "2"}, {"custom_id": "r", "response": "3"}],
        ["1", TIED],
    ),
    "rows that are alike with answers that are too": ([ONE, ONE], [answered(ONE, "1")] * 2, ["1", "1"]),
    "rows that differ where the answers do not say how": (
        [row("r", "x", team=1), row("r", "x", team=2)],
        [answered(row("r", "x"), "1"), answered(row("r", "x"), "2")],
        [TIED, TIED],
    ),
    "an answer too few for rows that differ": (
        [row("r", "x", team=1), row("r", "x", team=2)],
        [answered(row("r", "x"), "1")],
        [TIED, TIED],
    ),
    "an answer too few for rows that are alike": ([ONE, ONE], [answered(ONE, "1")], ["1", NOT_THERE]),
    "the id with another request": ([ONE], [answered(TWO, "2")], [OTHER_REQUEST]),
    "a repeated id of which one was answered": ([ONE, TWO], [answered(TWO, "2")], [NOT_THERE, "2"]),
    "an answer that does not repeat the request": ([row("a", "x")], [{"custom_id": "a", "response": "A"}], ["A"]),
    "answers to one id that do not repeat the request": (
        [ONE, TWO],
        [{"custom_id": "r", "response": "1"}, {"custom_id": "r", "response": "2"}],
        [TIED, TIED],
    ),
    "an answer beside its instance": (
        [row("a", "x"), {"custom_id": "b", "prompt": "y"}, {"prompt": "z"}, {"prompt": "w"}],
        [{"instance": each, "response": name} for name, each in (("W", {"prompt": "w"}), ("Z", {"prompt": "z"}))]
        + [
            {"instance": {"custom_id": "b", "prompt": "y"}, "response": "B"},
            {"instance": row("a", "x"), "response": "A"},
        ],
        ["A", "B", "Z", "W"],
    ),
    "answers in the same words to one id that do not repeat the request": (
        [ONE, TWO],
        [{"custom_id": "r", "response": "1"}, {"custom_id": "r", "response": "1"}],
        [TIED, TIED],
    ),
    "the same to one request": ([ONE, ONE], [{"custom_id": "r", "response": "1"}] * 2, ["1", "1"]),
    "a key that is another column of the row": (
        [row(None, "x", qid="k1"), row(None, "x", qid="k2"), row("c", "y", qid=3)],
        [said("x", "2", key="k2"), said("x", "1", key="k1"), said("y", "3", key=3)],
        ["1", "2", "3"],
    ),
    "a key that no column of the row has": ([row(None, "x", qid="k1")], [said("x", "1", key="k2")], [NOT_THERE]),
    "a key that two columns of a row may be": (
        [row(None, "x", qid="k1", other="k2"), row(None, "x", qid="k2")],
        [said("x", "2", key="k2"), said("x", "1", key="k1")],
        [TIED, TIED],
    ),
    "an instance without the id": (
        [row("a", "one"), row("b", "two")],
        [said("two", "2"), said("one", "1")],
        ["1", "2"],
    ),
    "an instance without the id, for rows that ask the same": (
        [row("a", "one"), row("b", "one"), row("c", "two")],
        [said("one", "1"), said("two", "2"), said("one", "other")],
        [TIED, TIED, "2"],
    ),
    "an instance without the id, an answer too few": (
        [row("a", "one"), row("b", "one")],
        [said("one", "1")],
        [TIED, TIED],
    ),
    "an instance without the id, with another column": (
        [row("a", "one", team=1), row(None, "one", team=2), row("", "one", team=3, more=None)],
        [
            {"instance": row(None, "one", team=3), "response": "3"},
            {"instance": row(None, "one", team=1), "response": "1"},
            {"instance": row(None, "one", team=2), "response": "2"},
        ],
        ["1", "2", "3"],
    ),
    "an instance of the request, for rows of which one has no id": (
        [row("a", "one"), row(None, "one")],
        [said("one", "1"), said("one", "other")],
        [TIED, TIED],
    ),
    "a key that is the id of another row": (
        [row("1", "x", qid="2"), row("2", "y", qid="3")],
        [said("x", "1", key="2"), said("y", "2", key="3")],
        ["1", "2"],
    ),
    "other ids with the same requests": (
        [row("x1", "one"), row("x2", "two")],
        [answered(row("a", "one"), "1"), answered(row("b", "two"), "2")],
        [NOT_THERE, NOT_THERE],
    ),
    "the same request of a row that has no id": ([row(None, "x")], [answered(row("a", "x"), "1")], [NOT_THERE]),
    "an id that is a long number": (
        [row(1234567890123456789, "x"), row(1234567890123456790, "y"), row(10**30, "z")],
        [answered(row(str(number), text), text) for number, text in ((10**30, "z"), (1234567890123456790, "y"))]
        + [answered(row("1234567890123456789", "x"), "x")],
        ["x", "y", "z"],
    ),
    "an id that is a number with a point": (
        [row(1.0, "x"), row(1.0, "y"), row(2.5, "z")],
        [answered(row("2.5", "z"), "z"), answered(row("1", "y"), "y"), answered(row("1", "x"), "x")],
        ["x", "y", "z"],
    ),
    "rows of many levels with one id": (
        [row("r", "x", note=DEEP), row("r", "y", note=DEEP)],
        [answered(row("r", "y", note=DEEP), "y"), answered(row("r", "x", note=DEEP), "x")],
        ["x", "y"],
    ),
    "nothing was said": ([ONE], [], [NOT_THERE]),
}


@pytest.mark.parametrize(("asked", "said", "told"), CASES.values(), ids=list(CASES))
def test_each_row_gets_its_own_answer_or_none(tmp_path, asked, said, told):
    found, join = joined(tmp_path, asked, said)
    assert found == told
    assert join.tied == told.count(TIED)
    assert join.other_requests == told.count(OTHER_REQUEST)
    assert join.unmatched + join.again == len(said) - sum(isinstance(each, str) for each in told)


@pytest.mark.parametrize(
    ("asked", "said", "again"),
    [
        ([ONE], [answered(ONE, "1"), answered(ONE, "other"), failed(ONE)], 2),
        ([ONE, ONE], [answered(ONE, "1")] * 3, 1),
        ([ONE, TWO], [answered(ONE, "1")] * 2, 1),
        ([ONE, ONE], [answered(ONE, "1"), answered(ONE, "other")], 0),
        ([ONE], [answered(ONE, "1"), answered(TWO, "2")], 0),
    ],
)
def test_what_is_answered_twice_is_counted(tmp_path, asked, said, again):
    assert joined(tmp_path, asked, said)[1].again == again


def test_rows_that_come_again_are_counted_by_whether_they_have_an_id(tmp_path):
    _, join = joined(tmp_path, [ONE, TWO, ONE, row(None, "x"), row("", "x"), row("other", "x")], [])
    assert (join.repeated, join.repeated_requests) == (2, 1)


@pytest.mark.parametrize("text", [b"%b%b\n\n%b\n", b"%b%b\n   \n%b", b"\n%b%b\n%b\n"])
def test_two_rows_on_a_line_beside_a_blank_line_move_no_answer(tmp_path, text):
    rows = [row("a", "one"), row("b", "two"), row("c", "three")]
    text %= tuple(json.dumps(each).encode() for each in rows)
    said = [answered(each, each["custom_id"]) for each in (*rows, rows[2])]
    join = DiskJoin(tmp_path)
    told = list(join.matches([Block("rows", 1, text)], _blocks([json.dumps(each).encode() for each in said])))
    assert [json.loads(answer)["response"] for _, answer in told] == ["c"]
    assert (join.questions.reader.left_out, join.unmatched) == (1, 2)


def test_a_row_that_goes_over_two_lines_moves_no_answer(tmp_path):
    rows = [row("a", "one"), row("b", "two")]
    text = b'{"custom_id": "x",\n"body": {}}\n%b\n%b%b\n' % tuple(map(line_of, (rows[0], row("c", ""), row("d", ""))))
    join = DiskJoin(tmp_path)
    told = list(join.matches([Block("rows", 1, text)], _blocks([line_of(answered(each, "1")) for each in rows])))
    assert [json.loads(question)["custom_id"] for question, answer in told if isinstance(answer, bytes)] == ["a"]
    assert join.questions.reader.left_out == 3


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b" \n"])
def test_lines_may_end_as_they_do_elsewhere(tmp_path, end):
    rows = [row(f"r{number}", str(number)) for number in range(5)]
    blocks = [Block("rows", 1, b"".join(line_of(each) + end for each in rows))]
    said = [Block("said", 1, b"".join(line_of(answered(each, "1")) + end for each in rows[::-1]))]
    told = list(DiskJoin(tmp_path).matches(blocks, said))
    assert [json.loads(question)["custom_id"] for question, answer in told if isinstance(answer, bytes)] == [
        each["custom_id"] for each in rows
    ]


@pytest.mark.parametrize("more", [{}, {"instance": chat("x")}], ids=["alone", "beside an instance"])
def test_a_key_is_of_the_column_that_the_job_names(tmp_path, more):
    asked = [row("1", "x", qid="2"), row("2", "x", qid=1), row("3", "x", qid=None)]
    said = [{"key": "1", "response": "second", **more}, {"key": 2, "response": "first", **more}]
    assert joined(tmp_path, asked, said, "qid")[0] == ["first", "second", NOT_THERE]
    same = [row("1", "x", qid="k"), row("2", "y", qid="k")]
    said = [{"key": "k", "response": "1"}, {"key": "k", "response": "2"}]
    assert joined(tmp_path, same, said, "qid")[0] == [TIED, TIED]
    assert joined(tmp_path, asked, [answered(each, each["custom_id"]) for each in asked], "qid")[0] == ["1", "2", "3"]


@pytest.mark.parametrize("name", ["same", None])
def test_a_key_of_very_many_rows_is_told_apart_a_few_at_a_time(tmp_path, monkeypatch, name):
    monkeypatch.setattr(groups, "MANY", 40)
    looked_at = []
    monkeypatch.setattr(groups, "settle", lambda asked, said: looked_at.append(len(asked)) or settle(asked, said))
    asked = [row(name, f"question {number % 150}", team=number) for number in range(300)]
    said = [answered(each, str(each["team"])) for each in reversed(asked)]
    found, join = joined(tmp_path, asked, said)
    assert found == [str(number) for number in range(300)]
    assert max(looked_at) <= 40
    assert join.unmatched == 0


def test_very_many_rows_that_are_alike_get_no_answer_and_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(groups, "MANY", 40)
    found, join = joined(tmp_path, [ONE] * 50 + [TWO], [answered(ONE, str(at)) for at in range(50)])
    assert found == [TIED] * 50 + [NOT_THERE]
    bare = [{"custom_id": "r", "response": str(at)} for at in range(50)]
    assert joined(tmp_path, [ONE, TWO] * 25, bare)[0] == [TIED] * 50
    assert join.tied == 50


@pytest.mark.parametrize("seed", range(4))
def test_any_mixture_of_repeated_empty_and_unique_ids_is_matched(tmp_path, seed):
    chance = random.Random(seed)
    names = [chance.choice(["", "same", None, f"row-{number}"]) for number in range(600)]
    asked = [row(name, f"question {number}") for number, name in enumerate(names)]
    said = [answered(each, each["body"]["messages"][0]["content"]) for each in asked]
    chance.shuffle(said)
    found, join = joined(tmp_path, asked, said)
    assert found == [f"question {number}" for number in range(600)]
    assert (join.unmatched, join.tied) == (0, 0)
    assert join.repeated >= names.count("same") - 1
