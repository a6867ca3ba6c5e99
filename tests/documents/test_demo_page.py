"""What docs/demo.md shows of the demo, compared with what a demo said. `tests/demo/` asks this of its own run."""

import re

from tests.documents.markdown import code_blocks, part, read

LEFT_OUT = "…"


def normal(line):
    """A line without what differs from run to run: durations, hashes, numbers, the width of columns."""
    line = re.sub(r"\s*\((\d+m)?\d+ ?s\)", "", line)
    line = re.sub(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b", "#", line)
    return " ".join(re.sub(r"\d+(\.\d+)*", "#", line).split())


def shown():
    """The lines of the demo that the page shows."""
    (block,) = code_blocks(part(read("docs/demo.md"), "demo"), "text")
    return [line for line in block.splitlines() if line.strip()]


def first_missing(lines, output):
    """The first of ``lines`` that does not follow the others in ``output``; None if all do."""
    said = iter([normal(line) for line in output.splitlines()])
    for line in lines:
        if line.strip() != LEFT_OUT and normal(line) not in said:
            return line
    return None


def test_the_page_shows_every_chapter_of_the_demo():
    lines = [line for line in shown() if line.strip() != LEFT_OUT]
    assert len(lines) >= 20
    assert [line[0] for line in lines if re.match(r"\d\. ", line)] == ["1", "2", "3", "4", "5", "6", "7", "8"]


def test_a_line_that_the_demo_does_not_say_is_found():
    said = "one 3 s\ntwo 0123abcd (1m02s)\nthree\n"
    assert first_missing(["one 12 s", "…", "two deadbeef1", "three"], said) is None
    assert first_missing(["one 12 s", "four"], said) == "four"
    assert first_missing(["three", "two ab12cd34"], said) == "two ab12cd34"
