"""How the demo looks on a terminal, how it ends when the cloud does not do its part, and what `--keep` leaves."""

import contextlib
import io
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from mg_provider.clock import ManualClock
from mg_provider.demo import story
from mg_provider.demo.narrator import Narrator, NotAsClaimedError
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
def test_the_long_story_has_stages_as_lines_only_where_there_is_no_terminal(terminal, stages):
    told = watched(terminal, verbose=True)
    assert told.count("│    mg CustomWeightsModel llama: deploying") == stages
    assert "│  + CustomWeightsModel llama: created (3 s)" in told
    assert "1 resource created in 0 s" in told


def test_the_short_story_has_one_line_for_an_operation_and_every_line_of_one_that_fails():
    assert watched(False, verbose=False) == "   1 resource created in 0 s\n"
    failed = watched(False, verbose=False, fails=True)
    assert "│    mg CustomWeightsModel llama: deploying" in failed
    assert "│  + CustomWeightsModel llama: created (3 s)" in failed


def test_what_runs_is_cut_at_the_end_of_its_stage_and_nowhere_else():
    clock = ManualClock()
    running = Running(clock.monotonic)
    running.take(
        "   mg CustomWeightsModel assistant-us-central1: shifting traffic: 90 % to 4026753529406673514, 10 % to 6"
    )
    clock.sleep(65)
    shown = "".join(piece.text for piece in Console(width=80).render(running)).rstrip()
    assert shown.startswith("   │  65 s  assistant-us-central1: shifting traffic: 90 % to 40")
    assert len(shown) <= 80


def watched(terminal, *, verbose, fails=False):
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, color_system=None)
    with contextlib.suppress(NotAsClaimedError), Narrator(console, ManualClock(), verbose=verbose).watching() as take:
        for line in REHEARSED:
            take(line + "\n")
        if fails:
            raise NotAsClaimedError("up ended with exit code 1")
    return out.getvalue()


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
