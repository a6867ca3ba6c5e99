"""An engine that is killed after a batch job was taken up and before the old record is deleted, on both engines."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mg_provider.rehearsal.command import rehearse
from tests.support.running.forks import project_file
from tests.support.running.pulumi_environment import alone_in
from tests.support.samples.batch import jobs, objects, put_questions, started
from tests.support.samples.weights import make_bucket

PULUMI = shutil.which("pulumi")
MG = Path(sys.executable).parent / "mg"
LIST = "aiplatform.projects.locations.batchPredictionJobs.list"
URN = "urn:pulumi:dev::nightly::pulumi-python:dynamic/mg:BatchJob::nightly"
PROGRAM = """
import pulumi
from mg_provider import BatchJob

BatchJob(
    "nightly",
    model="publishers/meta/models/llama3_1@llama-3.1-8b-instruct",
    machine_spec={"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1},
    input_config={"instances_format": "jsonl", "gcs_source": {"uris": ["gs://weights-bucket/in/*.jsonl"]}},
    output_config={
        "predictions_format": "jsonl",
        "gcs_destination": {"output_uri_prefix": "gs://weights-bucket/out"},
    },
    triggers={"night": pulumi.Config("nightly").require("night")},
    delete_output=True,
)
"""


class Engine:
    """A stack of one batch job. ``start`` begins a command, in a process of its own, for a value of the trigger."""

    def __init__(self, folder, emulator):
        self.folder, self.emulator = folder, emulator
        (folder / "Pulumi.yaml").write_text(project_file("nightly"))
        (folder / "__main__.py").write_text(PROGRAM)
        names = ("vertexAi", "compute", "storage", "bigQuery")
        self.config = {"mg:project": "my-project", "mg:region": "us-central1", "mg:owner": "nightly-team"}
        self.config |= {f"mg:{name}CustomEndpoint": emulator.url for name in names}

    def popen(self, command, **environment):
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, operation, night="1"):
        process = self.start(operation, night)
        told = process.communicate(timeout=200)[0]
        assert process.returncode == 0, told

    def kill_before_the_deletion(self, night, *options, records=1):
        """Start an `up` and kill it, its provider too, when the deletion of the old records has just begun to look."""
        seen = self.listings()
        self.emulator.fail(rpc=LIST, fault="delay", seconds=15, after=1, times=records)
        process = self.start("up", night, *options)
        pause = threading.Event()
        while self.listings() < seen + 1 + records:
            pause.wait(0.05)
            assert process.poll() is None, process.stdout.read()
        for pid in family(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.communicate()

    def listings(self):
        return sum(entry["rpc"] == LIST for entry in self.emulator.requests())


class Rehearsal(Engine):
    def start(self, operation, night, *options):
        config = {**self.config, "nightly:night": night}
        state = ["-s", "dev", "--state", self.folder / "state.json"]
        given = [part for key, value in config.items() for part in ("-c", f"{key}={value}")]
        return self.popen([MG, "rehearse", operation, self.folder, *state, *given])

    def run(self, operation, night="1"):
        # In this process, which is quicker to start, and has nothing of what providers know.
        said, config = [], {**self.config, "nightly:night": night}
        code = rehearse(operation, "dev", self.folder, self.folder / "state.json", config=config, write=said.append)
        assert code == 0, "".join(said)


class Pulumi(Engine):
    def __init__(self, folder, emulator):
        super().__init__(folder, emulator)
        self.environment = alone_in(folder)
        self.pulumi("stack", "init", "dev").communicate()

    def pulumi(self, *arguments):
        return self.popen([PULUMI, *arguments, "--non-interactive"], **self.environment)

    def start(self, operation, night, *options):
        self.pulumi("cancel", "--yes", "--stack", "dev").communicate()
        config = {**self.config, "nightly:night": night}
        (self.folder / "Pulumi.dev.yaml").write_text(json.dumps({"config": config}))
        return self.pulumi(operation, "--stack", "dev", "--yes", "--skip-preview", *options)


def family(root):
    """A process and all that it started."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(status.rpartition(")")[2].split()[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


@pytest.fixture
def cloud(emulator):
    emulator.set_speed(1_000_000)
    make_bucket(emulator)
    put_questions(emulator)
    return emulator


def answers(emulator):
    return [name for name in objects(emulator) if name.startswith("out/")]


def one_run(cloud, name):
    """Whether the job of that name is the only one, and has its output."""
    assert [job["name"] for job in jobs(cloud)] == [name]
    assert len(answers(cloud)) == 1


@pytest.mark.timeout(400)
def test_a_rehearsed_change_that_is_taken_back_survives_a_kill_before_each_deletion(cloud, tmp_path):
    engine = Rehearsal(tmp_path, cloud)
    engine.run("up")
    first = jobs(cloud)[0]["name"]
    engine.kill_before_the_deletion("2")
    assert len(jobs(cloud)) == 2
    engine.kill_before_the_deletion("1", records=2)
    engine.run("up")
    one_run(cloud, first)
    assert started(cloud) == 2
    engine.run("destroy")
    assert cloud.ledger()["empty"]
    assert answers(cloud) == []


@pytest.mark.skipif(PULUMI is None, reason="pulumi is not on PATH, so its `up --replace` was not tried")
@pytest.mark.timeout(400)
def test_pulumis_up_replace_survives_a_kill_before_the_deletion(cloud, tmp_path):
    engine = Pulumi(tmp_path, cloud)
    engine.run("up")
    first = jobs(cloud)[0]["name"]
    engine.kill_before_the_deletion("1", "--replace", URN)
    engine.run("up")
    one_run(cloud, first)
    engine.run("up")
    assert started(cloud) == 1
    engine.run("destroy")
    assert cloud.ledger()["empty"]
    assert answers(cloud) == []
