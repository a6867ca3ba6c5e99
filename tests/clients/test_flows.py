"""The clients that Google and OpenAI publish, unmodified, against the emulator: all that they make is gone again.

Each script in ``scripts/`` is one process of the environment of the real clients, with its checks in the order in which
a user does them.
"""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.clients.way_out import WayOut

SCRIPTS = Path(__file__).parent / "scripts"
# Links that clients follow lead to where they asked. Those of Compute Engine are names, which no client asks for.
GOOGLES = re.compile(r"https?://[\w.-]*googleapis\.com")


@pytest.fixture
def flow(clients_python, emulator, tmp_path):
    """Runs a script to its end; what it lacks, left behind or asked elsewhere fails the test."""

    def run(script):
        with WayOut(emulator, tmp_path) as way_out:
            environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **way_out.environment()}
            # What clients have that other clients make.
            environment |= {"STORAGE_EMULATOR_HOST": emulator.url, "BIGQUERY_EMULATOR_HOST": emulator.url}
            command = [clients_python, str(SCRIPTS / script), emulator.url]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=110)
        outcomes = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        problems = [f"{each['check']}\n{each['problem']}" for each in outcomes if each["problem"]]
        assert not problems, "\n".join(problems)
        assert done.returncode == 0, done.stderr
        assert way_out.refused == []
        links = [each for each in emulator.requests() if GOOGLES.search(json.dumps(each.get("response")))]
        assert not [each["rpc"] for each in links if not each["rpc"].startswith("compute.")]
        ledger = emulator.ledger()
        assert (ledger["resources"], ledger["data"], ledger["machines"]) == ([], [], [])
        return {each["check"] for each in outcomes}

    return run


@pytest.mark.parametrize("script", ["storage_flow.py", "bigquery_flow.py", "openai_flow.py", "aiplatform_flow.py"])
def test_a_client_does_all_that_its_users_do_and_leaves_nothing(flow, script):
    assert len(flow(script)) > 3
