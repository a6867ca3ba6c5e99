"""Whatever a job writes of its rows, no row gets the answer of another, and no line of output goes in silence."""

import random

import pytest

from tests.inference.test_batch_join import joined, row


def without(line, *names):
    return {name: value for name, value in line.items() if name not in names}


OUTPUTS = {
    "all columns": lambda line: line,
    "an instance": lambda line: {"instance": line},
    "an instance without the id": lambda line: {"instance": without(line, "custom_id")},
    "an instance of the request alone": lambda line: {"instance": {"body": line["body"]}},
    "the id alone": lambda line: {"custom_id": line.get("custom_id")},
    "the id as key": lambda line: {"key": line.get("custom_id"), "instance": without(line, "custom_id")},
    "another column as key": lambda line: {"key": line["qid"], "instance": without(line, "qid", "custom_id")},
    "another column as key, and no other": lambda line: {"key": line["qid"], "instance": {"body": line["body"]}},
    "no other columns": lambda line: without(line, "qid", "team"),
}


def any_rows(chance):
    names = [chance.choice(["a", "b", "", None, 7, 1.0, f"r{at}"]) for at in range(chance.randrange(1, 6))]
    return [
        row(name, chance.choice(["x", "y", f"q{at}"]), qid=chance.choice([f"k{at}", "k", at]), team=chance.randrange(2))
        for at, name in enumerate(names)
    ]


def any_lines(chance, rows, output):
    """Lines of output, and for each row what was said to it."""
    lines, said = [], [[] for _ in rows]
    for at, each in enumerate(rows):
        for time in range(chance.choice([1, 1, 1, 1, 0, 2])):
            text = chance.choice([f"answer {at}.{time}", each["body"]["messages"][0]["content"], f"no {at}.{time}"])
            lines.append({**output(each), "error" if text.startswith("no") else "response": text})
            said[at].append(text)
    chance.shuffle(lines)
    return lines, said


@pytest.mark.parametrize("name", OUTPUTS)
def test_no_row_gets_the_answer_of_another_and_every_line_is_counted(tmp_path, name):
    chance = random.Random(name)
    given = 0
    for _ in range(60):
        rows = any_rows(chance)
        lines, said = any_lines(chance, rows, OUTPUTS[name])
        found, join = joined(tmp_path, rows, lines)
        got = [each for each in found if not isinstance(each, int)]
        assert join.unmatched + join.again + len(got) == len(lines)
        for at, text in enumerate(found):
            if not isinstance(text, int):
                same = [said[other] for other, each in enumerate(rows) if each["body"] == rows[at]["body"]]
                # The same words to the same request are the answer to each that asks it.
                alike = {words for each in same for words in each} == {text}
                own = [words for other, each in enumerate(rows) if each == rows[at] for words in said[other]]
                assert text in own or alike, f"row {at} of {rows} got {text} of {lines}"
        given += len(got)
    assert given > 60
