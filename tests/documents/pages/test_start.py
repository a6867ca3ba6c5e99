"""Who follows "Start here" gets what the page shows: its commands are run in order, in a new folder."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mg_provider import cli
from mg_provider.api.redaction import redact
from mg_provider.cloud.seeding import apply_seed
from mg_provider.command_line.running import run_app
from tests.documents.markdown import code_blocks, read
from tests.documents.pages.test_demo_page import first_missing
from tests.support.google.canary import canary_proxy, only_this_machine  # noqa: F401 - for every test here

PAGE = read("docs/start.md")
OFFLINE, _, ENGINE = PAGE.partition("\n## 6. ")
# Commands by the machine's own means.
NOT_HERE = ("WHEEL=", "python3", "pip", "mkdir")
FAILING = 'sed -i \'s/"llama",/"chat",/\' __main__.py'


def steps():
    """Each command of the page with the output that the page shows after it."""
    found = []
    for language, block in re.findall(r"^```(sh|text)\n(.*?)^```$", OFFLINE, flags=re.M | re.S):
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


def test_its_commands_do_what_it_shows_in_the_order_that_it_shows(folder, virtualenv, capfd):
    before, stopped = "", 0
    for line, shown in steps():
        if line.startswith("sed "):
            subprocess.run(shlex.split(line), check=True)
        elif line.startswith("cd "):
            os.chdir(line.removeprefix("cd "))
            Path(".venv").unlink()
            Path(".venv").symlink_to(virtualenv)
        else:
            assert line.startswith("mg "), line
            code = run_app(cli.app, shlex.split(line)[1:], redact)
            out, err = capfd.readouterr()
            assert code == (before == FAILING), f"{line}\n{out}{err}"
            stopped += code
            assert first_missing(shown, without_durations(out + err)) is None, f"{line}\n{out}{err}"
        before = line
    assert stopped == 1


def test_the_same_project_runs_on_the_real_engine_with_the_commands_of_the_page(folder, emulator, capfd):
    if shutil.which("pulumi") is None:
        pytest.skip("there is no pulumi command on PATH, so the commands of the page for it did not run")
    assert run_app(cli.app, ["init"], redact) == 0
    apply_seed(folder / "emulator.yaml", emulator.url, print)
    before = yaml.safe_load((folder / "Pulumi.dev.yaml").read_text())
    starting, using, leaving = code_blocks(ENGINE.partition("\n## ")[0], "sh")
    assert "mg emulator --seed emulator.yaml" in starting
    assert "http://127.0.0.1:8085" in using
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI")}
    environment = kept | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_SKIP_CONFIRMATIONS": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    script = f"set -e\n{using}{leaving}".replace("http://127.0.0.1:8085", emulator.url)
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "+ 3 created" in done.stdout
    assert "safe: nothing changes" in done.stdout
    assert yaml.safe_load((folder / "Pulumi.dev.yaml").read_text()) == before
    assert emulator.ledger()["leftovers"] == []
