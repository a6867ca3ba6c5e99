"""How the demo looks on a terminal, how it ends when the cloud does not do its part, and what `--keep` leaves."""

import io
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from rich.console import Console

from mg_provider.clock import ManualClock
from mg_provider.demo import story
from mg_provider.demo.narrator import Narrator
from mg_provider.demo.running import Running
from mg_provider.emulator import Emulator

ROOT = Path(__file__).parent.parent.parent
MG = Path(sys.executable).parent / "mg"
REHEARSED = (
    "   mg CustomWeightsModel llama: deploying: PREPARING_MODEL",
    "   mg CustomWeightsModel llama: deploying: STARTING_MODEL_SERVER (0m01s)",
    " + CustomWeightsModel llama: created (3 s)",
)
PULUMI = (
    " +  CustomWeightsModel llama creating (0s)",
    "    mg CustomWeightsModel llama: deploying: STARTING_MODEL_SERVER (0m01s)",
    " +  CustomWeightsModel llama created (3s)",
)


@pytest.mark.parametrize("lines", [REHEARSED, PULUMI], ids=["rehearsal", "pulumi"])
def test_what_runs_is_read_from_either_engines_lines(lines):
    clock = ManualClock()
    running = Running(clock.monotonic)
    assert running.take(lines[0])
    clock.sleep(65)
    assert running.take(lines[1])
    assert running.rows() == [("CustomWeightsModel llama", "deploying: STARTING_MODEL_SERVER", "65 s")]
    assert not running.take(lines[2])
    assert running.rows() == []


def test_a_note_and_a_failure_stay_in_the_story():
    running = Running(ManualClock().monotonic)
    assert not running.take("   mg CustomWeightsModel llama: note: the bucket is far away")
    running.take("   mg CustomWeightsModel llama: deploying")
    assert not running.take(" + CustomWeightsModel llama: create failed")
    assert running.rows() == []


@pytest.mark.parametrize(("terminal", "stages"), [(True, 0), (False, 2)], ids=["terminal", "file"])
def test_stages_are_lines_only_where_there_is_no_terminal(terminal, stages):
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, color_system=None)
    with Narrator(console, ManualClock()).watching() as take:
        for line in REHEARSED:
            take(line + "\n")
    assert out.getvalue().count("│    mg CustomWeightsModel llama: deploying") == stages
    assert "│  + CustomWeightsModel llama: created (3 s)" in out.getvalue()


@pytest.mark.timeout(120)
def test_a_deployment_that_google_refuses_ends_the_demo_with_its_words(tmp_path, monkeypatch):
    class Refusing(Emulator):
        def __enter__(self):
            emulator = super().__enter__()
            emulator.fail(
                rpc="projects.locations.deploy",
                fault="status",
                times=9,
                status=400,
                code="FAILED_PRECONDITION",
                message="The weights are of no known family.",
            )
            return emulator

    monkeypatch.setattr(story, "Emulator", Refusing)
    monkeypatch.setattr(story.tempfile, "tempdir", str(tmp_path))
    out = io.StringIO()
    console = Console(file=out, width=200)
    assert story.run("rehearsal", keep=False, speed=6000.0, console=console) == 1
    told = out.getvalue()
    assert "The weights are of no known family." in told
    assert "✗ up ended with exit code 1" in told
    assert "Everything was as claimed" not in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_what_waits_for_ctrl_c_ends_also_where_the_shell_has_it_ignored(ending):
    waits = "from mg_provider.clock import SystemClock; print(1, flush=True); SystemClock().wait_for_interrupt()"
    ignored = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); {waits}"
    with subprocess.Popen([sys.executable, "-c", ignored], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        while process.poll() is None:
            process.send_signal(ending)
            try:
                process.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
    assert process.returncode in (0, -signal.SIGTERM)


@pytest.mark.timeout(120)
def test_keep_leaves_everything_up_until_it_is_interrupted(tmp_path):
    environment = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [MG, "demo", "--engine", "rehearsal", "--keep", "--speed", "6000"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        told = []
        for line in process.stdout:
            told.append(line)
            if "mg rehearse destroy" in line:
                break
        lines = [line.strip() for line in told]
        try:
            answers = [ask(line) for line in lines if line.startswith("curl ")]
            destroyed = subprocess.run([MG, *lines[-1].split()[1:]], env=environment, capture_output=True, check=False)
        finally:
            process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 0, "".join(told) + rest
    assert [("DeployedModel" in answer, "You asked: Hello" in answer) for answer in answers] == [
        (True, False),
        (False, True),
        (False, True),
    ]
    assert destroyed.returncode == 0, destroyed.stdout
    assert "can be deleted" in rest
    assert "Traceback" not in rest


def ask(curl):
    """What a printed curl line gets, with the options that such a line has."""
    data = re.search(r"-d '([^']*)'", curl)
    host = re.search(r"-H 'Host: ([^']*)'", curl)
    headers = {"Content-Type": "application/json", **({"Host": host[1]} if host else {})}
    request = urllib.request.Request(curl.split()[-1], data=data and data[1].encode(), headers=headers)
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()
