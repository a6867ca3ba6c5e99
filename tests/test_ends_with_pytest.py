"""What the tests start ends with them, also where they are killed: provider hosts, servers that fork, workers."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.running.processes import descendants, running, until

ROOT = Path(__file__).parents[1]
PLUGINS = 'pytest_plugins = ["tests.conftest", "tests.resources.conftest"]\n'
TEST = """
import threading
from pathlib import Path
from tests.resources.conftest import config
from tests.support.lives.host import OWN_INTERPRETER, Host

def test_that_waits(emulator, session_host, virtualenv):
    Host(config(emulator))
    Host(config(emulator), launcher=OWN_INTERPRETER)
    Path("ready").touch()
    threading.Event().wait()
"""
STARTED = ("tests.support.running.hurried", "tests/support/running/forks.py", "sys.stdin.readline")
pytestmark = pytest.mark.skipif(shutil.which("ps") is None, reason="there is no ps command to look for processes with")


def test_killed_tests_leave_no_process(tmp_path):
    (tmp_path / "conftest.py").write_text(PLUGINS)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "test_that_waits.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-n", "1", "-p", "no:cacheprovider", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = tmp_path / "said"
    with said.open("w") as output, subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=output) as process:
        until(lambda: (tmp_path / "ready").exists() or process.poll() is not None, 60)
        started = descendants(process.pid)
        process.send_signal(signal.SIGKILL)
    # A worker, a host with an interpreter of its own, and a server with the process that forks and two hosts.
    assert [len([each for each in started.values() if part in each]) for part in STARTED] == [1, 4, 1], (
        started,
        said.read_text(),
    )
    assert until(lambda: not running(set(started)), 30), {pid: started[pid] for pid in running(set(started))}
