"""Which answer goes to which row of a batch: by id and request; none where that would be a guess."""

import json
import random

import pytest

from mg_provider.inference.batch.join import DiskJoin
from mg_provider.inference.batch.ties import NOT_THERE, OTHER_REQUEST, TIED
from tests.support.batch import chat


def row(name, text, **more):
    return chat(text, **({} if name is None else {"custom_id": name}), **more)


def joined(folder, asked, said):
    """What each question got: the text of its response, or why there is none; and the join."""
    join = DiskJoin(folder)
    lines = [[json.dumps(each).encode() for each in side] for side in (asked, said)]
    pairs = list(join.matches(*(_blocks(side) for side in lines)))
    assert [json.loads(question) for question, _ in pairs] == asked
    told = [answer if isinstance(answer, int) else json.loads(answer)["response"] for _, answer in pairs]
    return told, join


def _blocks(lines):
    from mg_provider.api.storage.lines import in_blocks

    return in_blocks("rows", lines, size=200)


def answered(question, response):
    return {**question, "id": f"batch-{response}", "response": response}


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
    "one row with two answers that differ": ([ONE], [answered(ONE, "1"), answered(ONE, "other")], [TIED]),
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
    "nothing was said": ([ONE], [], [NOT_THERE]),
}


@pytest.mark.parametrize(("asked", "said", "told"), CASES.values(), ids=list(CASES))
def test_each_row_gets_its_own_answer_or_none(tmp_path, asked, said, told):
    found, join = joined(tmp_path, asked, said)
    assert found == told
    assert join.tied == told.count(TIED)
    assert join.other_requests == told.count(OTHER_REQUEST)
    assert join.unmatched == len(said) - sum(isinstance(each, str) for each in told)


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
