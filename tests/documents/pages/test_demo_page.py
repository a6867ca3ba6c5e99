"""The recording of the demo, compared with what a demo said. `tests/demo/` asks this of its own run."""

import re

from tests.documents.markdown import read
from tools.recording import PICTURE, lines

# How to go on, and what differs from engine to engine.
_OF_A_RUN = ("$ ", "   engine: ", "   cloud: ")


def normal(line):
    """A line without what differs from run to run: durations, hashes, numbers, the width of columns."""
    line = re.sub(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b", "#", line)
    return " ".join(re.sub(r"\d[\d,]*(\.\d+)*", "#", line).split())


def shown():
    """The lines of the demo that the README shows."""
    return [line for line in lines(read(PICTURE)) if line.strip() and not line.startswith(_OF_A_RUN)]


def first_missing(lines, output):
    """The first of ``lines`` that does not follow the others in ``output``; None if all do."""
    said = iter([normal(line) for line in output.splitlines()])
    return next((line for line in lines if normal(line) not in said), None)


def test_the_readme_shows_every_chapter_of_the_demo_and_loads_nothing():
    assert f"]({PICTURE})" in read("README.md")
    assert "](demo.svg)" in read("docs/demo.md")
    found = shown()
    assert [line[0] for line in found if re.match(r"\d\. ", line)] == ["1", "2", "3", "4", "5", "6", "7"]
    assert found[-1].startswith("Everything was as claimed, in ")
    assert "url(http" not in read(PICTURE)


def test_a_line_that_the_demo_does_not_say_is_found():
    said = "one 3 s\ntwo 0123abcd\nthree\n"
    assert first_missing(["one 12 s", "two deadbeef1", "three"], said) is None
    assert first_missing(["one 12 s", "four"], said) == "four"
    assert first_missing(["three", "two ab12cd34"], said) == "two ab12cd34"
