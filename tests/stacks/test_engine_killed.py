"""An engine that is killed takes its provider processes with it, on both engines; the next `up` finishes the work."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.stacks.folder import custom_endpoints
from tests.support.running.processes import descendants, running, until
from tests.support.running.pulumi_environment import alone_in
from tests.support.samples.weights import make_bucket, put_weights

MG = Path(sys.executable).parent / "mg"
PROGRAM = """
from mg_provider import CustomWeightsModel
l4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
CustomWeightsModel("llama", gcs_uri="gs://weights-bucket/llama", machine_spec=l4)
"""
HOSTS = ("pulumi.dynamic", "rehearsal/program/host.py", "pulumi-resource-pulumi-python")
DEPLOY = "locations.deploy"
pytestmark = pytest.mark.skipif(shutil.which("ps") is None, reason="there is no ps command to look for processes with")


class Project:
    """A program with one model, and an engine's commands for it."""

    def __init__(self, folder, url):
        self.folder = folder
        project = {"name": "shop", "runtime": {"name": "python", "options": {"virtualenv": sys.prefix}}}
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
        (folder / "__main__.py").write_text(PROGRAM)
        place = {"mg:project": "my-project", "mg:region": "us-central1", "mg:owner": "shop-team"}
        (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": {**place, **custom_endpoints(url)}}))

    def start(self, *command, **more):
        said = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, **said, **more)

    def finish(self, process):
        told = process.communicate(timeout=150)[0]
        assert process.returncode == 0, told
        return told


class Rehearsed(Project):
    def up(self):
        return self.start(MG, "rehearse", "up", self.folder, "-s", "dev", "--state", self.folder / "state.json")

    def unlock(self):
        """The lock of a killed rehearsal is gone with it."""


class Pulumi(Project):
    def __init__(self, folder, url):
        super().__init__(folder, url)
        self.environment = {**os.environ, **alone_in(folder)}
        self.finish(self.call("stack", "init", "dev"))

    def call(self, *arguments):
        return self.start("pulumi", *arguments, "--non-interactive", env=self.environment)

    def up(self):
        return self.call("up", "--yes", "--skip-preview", "--stack", "dev")

    def unlock(self):
        self.finish(self.call("cancel", "--yes", "--stack", "dev"))


def deployments(emulator):
    return sum((entry["rpc"] or "").endswith(DEPLOY) for entry in emulator.requests())


@pytest.mark.timeout(240)
@pytest.mark.parametrize("engine", [Rehearsed, Pulumi], ids=["rehearsal", "pulumi"])
def test_a_killed_engine_leaves_no_provider_process_and_the_next_up_deploys_nothing_twice(emulator, tmp_path, engine):
    if engine is Pulumi and not shutil.which("pulumi"):
        pytest.skip("the pulumi CLI is not on PATH, so only the rehearsal engine was killed")
    make_bucket(emulator)
    put_weights(emulator)
    emulator.set_speed(1)
    project = engine(tmp_path, emulator.url)
    with project.up() as process:
        assert until(lambda: deployments(emulator) or process.poll() is not None, 60)
        below = descendants(process.pid)
        process.send_signal(signal.SIGKILL)
    hosts = {pid for pid, command in below.items() if any(name in command for name in HOSTS)}
    assert hosts, below
    assert until(lambda: not running(hosts), 5), below
    project.unlock()
    emulator.set_speed(6000)
    project.finish(project.up())
    assert deployments(emulator) == 1
    ledger = emulator.ledger()["counts"]
    assert ledger == {"aiplatform.DeployedModel": 1, "aiplatform.Endpoint": 1, "aiplatform.Model": 1}
