"""The whole demo stack, with the engine killed at several moments: one set of resources, and none after destroy."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.stacks.folder import APIS, copy_program
from tests.support.samples.weights import make_bucket, put, put_weights

MG = Path(sys.executable).parent / "mg"
ONE_SET = {
    "aiplatform.BatchPredictionJob": 1,
    "aiplatform.DeployedModel": 5,
    "aiplatform.Endpoint": 4,
    "aiplatform.Model": 3,
    "compute.Address": 2,
    "compute.ForwardingRule": 2,
}
MOMENTS = ("locations.deploy", "compute.forwardingRules.insert", "endpoints.deployModel")


@pytest.fixture
def mg(emulator, tmp_path, virtualenv):
    copy_program(tmp_path, virtualenv)
    make_bucket(emulator, "demo-weights", "US")
    make_bucket(emulator, "demo-weights-eu", "EU")
    for bucket in ("demo-weights", "demo-weights-eu"):
        put_weights(emulator, "llama-toy/v1", bucket)
    rows = json.dumps({"body": {"messages": [{"role": "user", "content": "Hello"}]}})
    put(emulator, "questions/one.jsonl", rows.encode(), "demo-weights")
    endpoints = [f"mg:{name}CustomEndpoint={emulator.url}" for name in APIS]
    # What a killed run leaves is taken up where somebody has said who owns it.
    config = [part for entry in (*endpoints, "mg:owner=demo") for part in ("-c", entry)]

    def start(operation):
        python = [Path(virtualenv) / "bin" / "python", "-u", MG]
        command = [*python, "rehearse", operation, tmp_path, "-s", "demo", "--state", tmp_path / "state.json", *config]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    return start


def finish(process):
    told = process.communicate(timeout=100)[0]
    assert process.returncode == 0, told
    return told


@pytest.mark.timeout(200)
def test_a_stack_whose_engine_is_killed_again_and_again_ends_as_one_set(emulator, mg):
    emulator.set_speed(600)
    pause = threading.Event()
    for moment in MOMENTS:
        process = mg("up")
        while not any(entry["rpc"].endswith(moment) for entry in emulator.requests()):
            pause.wait(0.05)
            assert process.poll() is None, process.stdout.read()
        process.send_signal(signal.SIGKILL)
        process.communicate()
    emulator.set_speed(6000)
    finish(mg("up"))
    assert emulator.ledger()["counts"] == ONE_SET
    assert "12 unchanged" in finish(mg("preview"))
    finish(mg("destroy"))
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]
