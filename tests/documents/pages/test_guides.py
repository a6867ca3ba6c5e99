"""The programs and commands in docs/ are real ones."""

import contextlib
import re
import shlex

import pytest
import typer

from mg_provider import cli
from mg_provider.command_line.running import built
from tests.documents.markdown import ROOT, code_blocks, read
from tests.documents.rehearsal import Rehearsal
from tests.support.google.canary import canary_proxy, nothing_leaves  # noqa: F401 - for every test here
from tests.support.lives.endpoints import Hand
from tests.support.samples.weights import call, make_bucket, put, put_weights
from tools.pages import reference

PAGES = ["README.md", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))]
# A page of a resource opens with a program, and its examples go on from there: together they are one.
REFERENCE = set(reference.PAGES.values())
PROGRAMS = [
    pytest.param(block, id=f"{name} {number}")
    for name in PAGES
    if name != "README.md" and name not in REFERENCE
    for number, block in enumerate(code_blocks(read(name), "python"), 1)
    # That of the components has a test of its own.
    if "import pulumi" in block and "RegionalFleet" not in block
]
PROGRAMS += [
    pytest.param(
        "\n".join(block for block in code_blocks(read(name), "python") if "from mg_provider" in block), id=name
    )
    for name in sorted(REFERENCE)
]


def inline_commands():
    """Each command of ``mg`` that running text shows, without placeholders in brackets; test_blocks.py has others."""
    for name in PAGES:
        for line in re.findall(r"`(mg [^`|]+)`", read(name)):
            if "[" not in line and not {"COMMAND", "SHELL"} & set(line.split()):
                yield pytest.param(line, id=f"{name}: {line}")


def understood(words):
    """Whether mg takes these words after its name: its commands, options and arguments."""
    command, line = built(cli.app), shlex.join(words)
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        assert words[0] in command.commands, line
        command, words = command.commands[words[0]], words[1:]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    # Running text names a command, or an option of one, without the rest.
    if words and words[-1] not in options:
        with contextlib.suppress(typer.Exit):
            command.make_context(command.name, words)


@pytest.mark.parametrize("line", list(inline_commands()))
def test_a_command_that_running_text_shows_is_one_that_mg_understands(line):
    words = shlex.split(line.partition(" > ")[0], comments=True)[1:]
    # What depends on the case may be a number.
    understood(["1" if word == "…" else word for word in words])


@pytest.fixture
def cloud(emulator):
    make_bucket(emulator, "my-weights")
    put_weights(emulator, "llama-3.1-8b-tuned", "my-weights")
    make_bucket(emulator, "my-data")
    put(emulator, "questions.jsonl", b'{"body": {"messages": [{"role": "user", "content": "Hello"}]}}\n', "my-data")
    table = f"{emulator.url}/bigquery/v2/projects/my-project/datasets"
    call(table, {"datasetReference": {"datasetId": "batch"}, "location": "us-central1"})
    columns = [{"name": name, "type": "STRING"} for name in ("custom_id", "method", "url")]
    columns.append({"name": "body", "type": "JSON"})
    reference = {"projectId": "my-project", "datasetId": "batch", "tableId": "questions"}
    call(f"{table}/batch/tables", {"tableReference": reference, "schema": {"fields": columns}})
    row = {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions"}
    body = '{"messages": [{"role": "user", "content": "Hello"}]}'
    call(f"{table}/batch/tables/questions/insertAll", {"rows": [{"json": {**row, "body": body}}]})
    return emulator


ADOPTED = re.compile(r'(\w+)\(\n    "adopted",[^)]*adopt="([^"]*)"')


def with_what_it_takes_over(program, cloud):
    """The program with the name of an endpoint that somebody made by hand, where it takes one over."""
    found = ADOPTED.search(program)
    if not found:
        return program
    hand = Hand(cloud)
    name = hand.make_endpoint(dedicatedEndpointEnabled=True)
    if found[1] == "CustomWeightsModel":
        hand.deploy(
            name, hand.upload("by-hand", "llama-3.1-8b-tuned", "my-weights"), {"0": 100}, enableContainerLogging=True
        )
    return program.replace(found[2], name)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_that_a_page_shows_comes_up_and_goes_down(program, cloud, tmp_path):
    program = with_what_it_takes_over(program, cloud)
    rehearsal = Rehearsal(tmp_path, program, cloud.url)
    rehearsal("up")
    rehearsal("destroy")
    assert cloud.ledger()["leftovers"] == []
