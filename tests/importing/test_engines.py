"""Both engines take what `mg import` writes: the preview shows that the labels move, and nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mg_provider.rehearsal.command import rehearse
from mg_provider.rehearsal.import_command import import_file
from tests.support.lives.endpoints import Hand, kinds
from tests.support.lives.imports import PARENT, REGION, job_body, make_rule, private_endpoint, run_import, settings
from tests.support.running.pulumi_environment import alone_in
from tests.support.samples.batch import put_questions
from tests.support.samples.weights import call, put_weights

STACK = "test"
PULUMI = shutil.which("pulumi")
# A job's labels are fixed, so that nothing of it changes.
MOVES = dict.fromkeys(("chat", "private", "way"), ("update", ["owner"]))


class Rehearsal:
    """`mg rehearse`, in this process but for the program and the provider."""

    def __init__(self, folder):
        self.folder, self.state = folder, folder / "state.json"

    def take(self, file):
        said = []
        assert import_file(file, STACK, self.folder, self.state, write=said.append, complain=said.append) == 0, said
        return "".join(said)

    def preview(self):
        return json.loads("".join(self._run("preview")))["steps"]

    def run(self, operation):
        self._run(operation)

    def _run(self, operation):
        lines = []
        code = rehearse(operation, STACK, self.folder, self.state, as_json=True, write=lines.append)
        assert code == 0, "".join(lines)[-3000:]
        return lines


class Pulumi:
    """The `pulumi` command, with a backend in the folder."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {**os.environ, **alone_in(folder)}
        config = json.loads((folder / f"Pulumi.{STACK}.yaml").read_text())
        self._call("stack", "init", STACK)
        salt = (folder / f"Pulumi.{STACK}.yaml").read_text()
        (folder / f"Pulumi.{STACK}.yaml").write_text(salt if "config" in salt else f"{salt}\n{as_yaml(config)}")

    def take(self, file):
        return self._call(
            "import", "--file", str(file), "--yes", "--protect=false", "--generate-code=false", "-s", STACK
        )

    def preview(self):
        return json.loads(self._call("preview", "--json", "-s", STACK))["steps"]

    def run(self, operation):
        self._call(operation, "--yes", "--skip-preview", "-s", STACK)

    def _call(self, *arguments):
        command = [PULUMI, *arguments, "--non-interactive"]
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        return done.stdout


def as_yaml(config):
    return "\n".join(["config:", *(f"  {key}: {json.dumps(value)}" for key, value in config["config"].items())])


@pytest.fixture(
    params=[
        Rehearsal,
        pytest.param(
            Pulumi, marks=[pytest.mark.skipif(PULUMI is None, reason="pulumi is not on PATH"), pytest.mark.timeout(300)]
        ),
    ],
    ids=["rehearsal", "pulumi"],
)
def engine(request, emulator, tmp_path, virtualenv):
    emulator.set_speed(1_000_000)
    runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": virtualenv}}
    (tmp_path / "Pulumi.yaml").write_text(json.dumps({"name": "imported", "runtime": runtime}))
    (tmp_path / f"Pulumi.{STACK}.yaml").write_text(json.dumps({"config": settings(emulator)}))
    return request.param(tmp_path)


@pytest.fixture
def made(emulator):
    """What hands made: a private model with its address, an endpoint with two models, a job. Their resource names."""
    hand = Hand(emulator)
    private = private_endpoint(hand)
    make_rule(emulator, hand, private)
    chat, one, two = hand.make_endpoint(dedicatedEndpointEnabled=True), hand.upload("one"), hand.upload("two", "two")
    id = hand.deploy(chat, one, {"0": 100}, displayName="stable")
    hand.deploy(chat, two, {"0": 10, id: 90}, displayName="canary")
    put_questions(emulator)
    job = call(f"{emulator.url}/v1/{PARENT}/batchPredictionJobs", job_body())["name"]
    emulator.advance(7200)
    return [f"private={private}", f"way={REGION}/forwardingRules/way", f"chat={chat}", f"night={job}"]


def told(steps):
    """What a preview says of each resource of ours that changes: the operation, and the arguments."""
    ours = [step for step in steps if "dynamic/mg:" in step["urn"] and step["op"] != "same"]
    return {step["urn"].rpartition("::")[2]: (step["op"], sorted(step.get("detailedDiff") or {})) for step in ours}


def test_after_an_import_only_the_labels_move_and_the_rest_of_the_life_is_that_of_an_own_resource(
    emulator, engine, made, tmp_path
):
    outcome = run_import(emulator, tmp_path, *made)
    assert outcome.code == 0, outcome.said
    (tmp_path / "__main__.py").write_text(outcome.program)
    since = len(emulator.requests())
    assert "import" in engine.take(tmp_path / "import.json")
    assert told(engine.preview()) == MOVES
    assert [entry["method"] for entry in emulator.requests()[since:] if entry["method"] != "GET"] == []
    engine.run("refresh")
    assert told(engine.preview()) == MOVES
    engine.run("up")
    assert told(engine.preview()) == {}
    program = outcome.program.replace('"stable": 90', '"stable": 50').replace('"canary": 10', '"canary": 50')
    (tmp_path / "__main__.py").write_text(program.replace("gs://weights-bucket/llama", put_weights(emulator, "new")))
    engine.run("up")
    assert told(engine.preview()) == {}
    engine.run("destroy")
    # The Models that an endpoint only names are their makers'.
    assert [kind for kind in kinds(emulator) if "work" not in kind] == ["Model", "Model"]


def test_the_program_of_every_kind_type_checks(emulator, made, tmp_path):
    emulator.set_speed(1_000_000)
    outcome = run_import(emulator, tmp_path, *made)
    path = tmp_path / "program.py"
    path.write_text(outcome.program)
    root = Path(__file__).parent.parent.parent
    done = subprocess.run(
        [sys.executable, "-m", "mypy", path],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
