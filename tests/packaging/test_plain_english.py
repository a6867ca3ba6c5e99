"""Texts in the code are read once: phrases that a reader has to read twice are in no text, docstring or comment."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READ = ("mg_provider", "tools", "tests/support")
PAGES = (
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "docs/*.md", "stacks/**/*.md"),
    *("stacks/**/*.yml", "stacks/**/*.yaml", "mg_provider/data/*.json"),
    *("mg_provider/**/*.html", "mg_provider/**/*.css", "mg_provider/**/*.js", "mg_provider/templates/**/*.y*ml"),
)

PHRASES = {
    r"(?<!there )\b(?:is|are|was|were|be) (?-i:no(?:ne)?)\b(?! longer| more)": "is not a valid …, is not a …",
    r"\btold\b": "reported, shown, said",
    r"\btells\b": "says, shows, lists",
    r"\btell of\b": "report, describe",
    r"\bmend(?:s|ed|ing)?\b": "fix",
    r"\banew\b": "again",
    r"\bbe had\b": "is available, can be used",
    r"\bborne\b": "tolerated",
    r"(?:^|[.;:,] |and )answers (?:the|its|what|how|whether|None)\b": "Returns",
    r"(?<!anyone )(?<!anybody )\bwho runs\b": "anyone who runs",
    r"\bwhat is wanted\b": "what is asked for",
    r"\bwhose it is\b": "who owns it",
    r"\brun again by itself\b": "run again automatically",
    # One fault has one form.
    r"(?:\bthen|\band|[:,]) run (?:this |it )?again\b(?! automatically| with)": "run the same command again",
    r"\bis not a field of this\b|\bunknown argument\b": "is not a key that is known here, is not an argument",
    r"\bshould be a dictionary\b": "should be a mapping",
    r"\bis not a BigQuery URI\b": "is not a valid BigQuery URI",
    r"\bto 1 to 1\b": "to 1",
}
# Words that no variable, function or class is called by.
ODD_NAMES = re.compile(r"\b(?:\w*_)?(?:told|borne|bears|made_of|mended|anew|afresh)(?:_\w*)?\b", re.IGNORECASE)
BANNED = re.compile("|".join(f"(?:{phrase})" for phrase in PHRASES), re.IGNORECASE)


def found_in(code: str) -> Iterator[tuple[int, str]]:
    """Line and words of each banned phrase in the texts, docstrings and comments of a module."""
    if not BANNED.search(" ".join(code.split())) and not BANNED.search(code):
        return
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _in_text(node.value, node.lineno)
    comment, first = "", 0
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            first = first if comment else token.start[0]
            comment += f"{token.string.lstrip('# ')}\n"
        elif token.type != tokenize.NL and comment:
            yield from _in_text(comment, first)
            comment = ""


def _in_text(text: str, first: int) -> Iterator[tuple[int, str]]:
    for found in BANNED.finditer(re.sub(r"\s", " ", text)):
        yield first + text.count("\n", 0, found.start()), found.group()


@pytest.mark.parametrize("part", READ)
def test_no_text_docstring_or_comment_has_to_be_read_twice(part):
    files = sorted((ROOT / part).rglob("*.py"))
    assert files
    found = [
        f"{path.relative_to(ROOT)}:{line}: {words!r}"
        for path in files
        for line, words in found_in(path.read_text(encoding="utf-8"))
    ]
    assert found == [], f"write instead: {PHRASES}"


@pytest.mark.parametrize("part", ["mg_provider", "tools"])
def test_no_name_in_the_code_is_an_odd_word(part):
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {name}"
        for path in sorted((ROOT / part).rglob("*.py"))
        if ODD_NAMES.search(text := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        for name in (getattr(node, kind, None) for kind in ("id", "arg", "attr", "name"))
        if isinstance(name, str) and ODD_NAMES.fullmatch(name)
    ]
    assert not found


def test_no_page_has_to_be_read_twice():
    pages = [path for pattern in PAGES for path in sorted(ROOT.glob(pattern))]
    assert len(pages) > len(PAGES)
    found = [
        f"{path.relative_to(ROOT)}:{line}: {words!r}"
        for path in pages
        for line, words in _in_text(path.read_text(encoding="utf-8"), 1)
    ]
    assert found == [], f"write instead: {PHRASES}"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('x = 1\nraise E("a.b is no " f"{name}")', [(2, "is no")]),
        ('"""Fine.\n\nThe user is\ntold.\n"""', [(4, "told")]),
        ("# it can\n# be had\nx = 1", [(2, "be had")]),
        ('f"{x} is mended"', [(1, "mended")]),
        ('"There is no address, and it is no longer there; it is None. Anyone who runs it fixes it again."', []),
    ],
)
def test_a_phrase_is_found_wherever_the_line_breaks(code, found):
    assert list(found_in(code)) == found
