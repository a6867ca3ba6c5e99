"""What people read fits their terminal, and what programs read is left alone."""

import os
import pty
import re
import subprocess

import pytest

from mg_provider.command_line.lines import fit

LONG = "publishers/meta/models/llama3_1@llama-3.1-8b-instruct-with-a-name-that-is-longer-than-any-terminal-is-wide"


def test_prose_is_wrapped_between_words_below_where_it_began_and_nothing_is_cut():
    text = f"error: {'a word or two ' * 9}{LONG}\ndo: {'write it ' * 12}\n  short\n"
    fitted = fit(text, 60)
    assert [line for line in fitted.splitlines() if len(line) > 60] == [f"       {LONG}"]
    assert fitted.split() == text.split()
    assert "\n       two a word" in fitted
    assert fitted.endswith("\n  short\n")
    assert fit(text, None) == text


@pytest.mark.parametrize(
    "arguments", ["models", "prices", "help", "rehearse up nosuch/" + "x" * 30, "init --qqq", "query a"]
)
def test_a_narrow_terminal_gets_lines_that_fit(arguments, quick_mg):
    ours, theirs = pty.openpty()
    environ = {**os.environ, "COLUMNS": "80", "TERM": "dumb", "MG_EMULATOR": "http://127.0.0.1:9"}
    command = [quick_mg, *arguments.split()]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environ) as process:
        os.close(theirs)
        said = b""
        while read := _read(ours):
            said += read
        process.wait(timeout=60)
    os.close(ours)
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said.decode()).replace("\r", "").splitlines()
    assert lines
    # A name without a space has a line of its own.
    assert [line for line in lines if len(line) > 80 and " " in line.strip()] == []


def _read(stream):
    try:
        return os.read(stream, 65536)
    except OSError:  # The other end is closed.
        return b""
