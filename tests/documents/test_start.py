"""Who follows "Start here" gets what the page shows: its commands are run in order, in a new folder."""

import re
import shlex
import subprocess

import pytest

from mg_provider import cli
from mg_provider.api.redaction import redact
from mg_provider.command_line.running import run_app
from tests.documents.markdown import read
from tests.documents.test_demo_page import first_missing
from tests.support.canary import canary_proxy, nothing_leaves  # noqa: F401 - for every test here

# Commands by the machine's own means, and those that need a cloud.
NOT_HERE = ("python3", "pip", "pulumi", "mkdir")
FAILING = 'sed -i \'s/"llama",/"chat",/\' __main__.py'


def steps():
    """Each command of the page with the output that the page shows after it."""
    found = []
    for language, block in re.findall(r"^```(sh|text)\n(.*?)^```$", read("docs/start.md"), flags=re.M | re.S):
        if language == "sh":
            found += [(line, []) for line in block.splitlines() if not line.startswith(NOT_HERE)]
        else:
            found[-1][1].extend(line for line in block.splitlines() if line.strip() != "…")
    return found


def without_durations(text):
    return re.sub(r" \((\d+m)?\d+ ?s\)", "", text)


@pytest.fixture
def folder(tmp_path, virtualenv, monkeypatch):
    made = tmp_path / "my-model"
    made.mkdir()
    (made / ".venv").symlink_to(virtualenv)
    monkeypatch.chdir(made)
    # Ten times as fast as for users, who wait two seconds for a deployment.
    monkeypatch.setattr("mg_provider.cloud.own.SPEED", 6000.0)
    return made


def test_its_commands_do_what_it_shows_in_the_order_that_it_shows(folder, capfd):
    before, stopped = "", 0
    for line, shown in steps():
        if line.startswith("sed "):
            subprocess.run(shlex.split(line), check=True)
        else:
            assert line.startswith("mg "), line
            code = run_app(cli.app, shlex.split(line)[1:], redact)
            out, err = capfd.readouterr()
            assert code == (before == FAILING), f"{line}\n{out}{err}"
            stopped += code
            assert first_missing(shown, without_durations(out + err)) is None, f"{line}\n{out}{err}"
        before = line
    assert stopped == 1
