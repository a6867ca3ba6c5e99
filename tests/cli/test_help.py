"""`mg help`: topics from the documents, at 80 columns, and the help of commands."""

import re

import pytest

from mg_provider.cli import app
from mg_provider.command_line.running import run_app
from mg_provider.data import table
from tools.pages.help_topics import TOPICS, Part, blocks, plain


@pytest.fixture
def run(capsys):
    def run(*arguments):
        code = run_app(app, arguments, str)
        return code, *capsys.readouterr()

    return run


def test_the_list_names_every_topic(run):
    code, told, _ = run("help")
    assert code == 0
    assert re.findall(r"^  ([a-z]+) ", told, re.MULTILINE) == list(TOPICS)
    assert len(TOPICS) >= 10


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_is_short_and_fits_a_terminal(run, topic):
    code, told, _ = run("help", topic)
    assert code == 0
    assert told.startswith(TOPICS[topic][0])
    assert [line for line in told.splitlines() if len(line) > 80] == []
    assert len(told.splitlines()) <= 45
    assert not re.search(r"\]\(|\*\*|<!--|This page", told, re.MULTILINE), told


def test_a_command_may_be_asked_for_as_well(run):
    assert "--expect-no-changes" in run("help", "rehearse", "preview")[1]


@pytest.mark.parametrize(
    ("words", "right"), [(["reviw"], "review"), (["batch", "chek"], "check"), (["rehears"], "rehearse")]
)
def test_a_misspelt_topic_is_answered_with_the_right_one(run, words, right):
    code, _, complaint = run("help", *words)
    assert (code, f"did you mean {right}?" in complaint) == (2, True), complaint


def test_a_heading_that_a_topic_shows_cannot_be_lost():
    with pytest.raises(LookupError, match=r"mg help x shows 'Nonsense' of docs/commands\.md"):
        blocks("x", Part("commands.md", "Nonsense"))


def test_markdown_becomes_plain_text():
    assert plain("| a | b |\n|---|---|\n| `x` | [y](#z) |") == "  `x`: y"
    assert plain("| a | b | c |\n|---|---|---|\n| x | y | z |") == "  x; b: y; c: z"
    assert plain("```sh\nmg demo\n```") == "    mg demo"
    assert plain("* **one** two\n  three\n* see [four](five.md#six)") == "* one two three\n* see four (docs/five.md)"
    assert plain("```mermaid\nx\n```") == ""


def test_the_table_holds_what_the_documents_say():
    assert list(table("help")) == list(TOPICS)
    assert table("help")["errors"]["text"].count("Interrupted with Ctrl-C") == 1
