"""A rehearsal in a process of its own, which a test can stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.conformance.engines import RehearsalWorld

DRIVER = (
    "import sys; from pathlib import Path; from mg_provider.rehearsal.command import rehearse; "
    "sys.exit(rehearse('up', 'test', Path(sys.argv[1]), Path(sys.argv[2]), as_json=len(sys.argv) > 3))"
)


def run_apart(world: RehearsalWorld, *options: str) -> subprocess.Popen[str]:
    """An `up` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(world.folder), str(world.state_file), *options],
        env=os.environ | world.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def await_call(world: RehearsalWorld, call: str, process: subprocess.Popen[str]) -> None:
    """Until the cloud has received a call."""
    journal = world.cloud / "journal"
    for _ in range(600):
        if journal.exists() and call in journal.read_text(encoding="utf-8").splitlines():
            return
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail(f"{call} was never called")


def killed_at(world: RehearsalWorld, call: str) -> None:
    """An up whose engine is killed while a call runs; it leaves no process."""
    with run_apart(world) as process:
        await_call(world, call, process)
        process.kill()
        process.wait()
        # The pipe ends only when no child of the engine holds it any more.
        assert process.stdout is not None
        process.stdout.read()


def stopped_twice_at(world: RehearsalWorld, call: str) -> str:
    """An up that gets Ctrl-C twice while a call runs; what it says after the second."""
    with run_apart(world) as process:
        await_call(world, call, process)
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        while "stopping" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        said = process.stdout.read()
        assert process.wait(20) == -signal.SIGINT
    return said
