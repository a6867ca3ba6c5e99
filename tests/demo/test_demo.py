"""The demo, as a user runs it: a process of its own, its output, its exit code."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from mg_provider.data.engine_values import UNKNOWN_TEXT
from mg_provider.demo import changes
from mg_provider.demo.narrator import NotAsClaimedError
from mg_provider.demo.story import Demo
from tests.documents.pages.test_demo_page import first_missing, shown
from tests.support.running.forks import put_command

ROOT = Path(__file__).parent.parent.parent
MG = Path(sys.executable).parent / "mg"
MG_ON_PATH = {"PATH": f"{MG.parent}:{os.environ['PATH']}"}
CLAIMS = (
    "✓ 4 endpoints, 3 models, 5 deployments and 1 batch run exist",
    "✓ a second preview has nothing to do",
    "✓ llama-europe-west4: connection accepted at private address",
    "You asked: Why is the sky blue?",
    "✓ each of the 3 questions has an answer",
    "min_replica_count 1 → 2",
    "✓ the rules of the private addresses are not touched",
    "✓ unchanged: 8 endpoint ids, DNS names and private addresses",
    "gcs_uri …/llama-toy/v1 → …/llama-toy/v2",
    "✓ up failed, and says that the rollout was taken back",
    "at Google's list prices the attempt costs $1.15 an hour",
    "✓ the old deployment alone serves, with 100 % of the traffic",
    "✓ unchanged: 3 names that clients use: endpoint id, DNS name, model id",
    "✓ another Model answers, and the old one is deleted",
    "an hour, $",
    "7 resources deleted in",
    "✓ nothing is left that costs money",
    "Proven",
    "hours of NVIDIA_L4 GPUs, about $",
    "Everything was as claimed",
)
MOST_LINES, MOST_COLUMNS = 60, 80


def run_demo(tmp_path, *options):
    environment = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), **MG_ON_PATH}
    return subprocess.run(
        [MG, "demo", *options], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False
    )


def holds(told):
    """The demo said everything, in its order."""
    places = [told.find(claim) for claim in CLAIMS]
    assert -1 not in places, CLAIMS[places.index(-1)] + " is not in:\n" + told
    assert places == sorted(places)
    assert "Traceback" not in told
    assert "config.json does not have the shape" not in told


@pytest.mark.timeout(240)
def test_pulumis_own_engine_keeps_the_demos_word_and_tells_everything_when_asked(tmp_path):
    if not shutil.which("pulumi"):
        pytest.skip("there is no pulumi command on PATH, so the demo ran on the rehearsal engine only")
    done = run_demo(tmp_path, "--engine", "pulumi", "--speed", "3000", "-v")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for claim in (claim for claim in CLAIMS if claim.startswith("✓")):
        assert claim in done.stdout, claim
    # The long story has the ids, the plans and the stages.
    assert "going back: probe " in done.stdout
    assert "deploys on 1 to 2 x g2-standard-12, 1 to 2 NVIDIA_L4, $1.15 to $2.30 an hour; private" in done.stdout
    assert re.search(r"assistant-us-central1 endpoint +assistant-us-central1-\w+ +assistant-us-central1-", done.stdout)
    assert list(tmp_path.glob("mg-demo-*")) == []


@pytest.fixture
def quick_mg(tmp_path, virtualenv):
    """The `mg` of an environment whose interpreter starts quickly."""
    script = tmp_path / "mg.py"
    script.write_text(f"import sys\nfrom mg_provider.cli import main\nsys.prefix = {virtualenv!r}\nmain()\n")
    return put_command(tmp_path / "mg", script)


@pytest.mark.timeout(240)
def test_the_demo_keeps_its_word_in_one_screen_and_stays_up_until_it_is_interrupted(tmp_path, quick_mg):
    """One run, as it takes long: the whole story, what `--keep` leaves, the picture in the README."""
    environment = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1", **MG_ON_PATH}
    command = [quick_mg, "demo", "--engine", "rehearsal", "--keep", "--speed", "6000"]
    told, answers = [], []
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout:
            told.append(line)
            if "Yours to look around in" in line:
                break
        looking = []
        for line in process.stdout:
            looking.append(line.strip())
            if "mg rehearse destroy" in line:
                break
        try:
            answers = [ask(line) for line in looking if line.startswith("curl ")]
            # The command of the last line works on this stack: it has this resource, and not that one.
            command = [quick_mg, *looking[-1].split()[1:], "--target", "llama-us-centra1"]
            tried = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        finally:
            process.send_signal(signal.SIGINT)
        told += process.stdout.read().splitlines(keepends=True)
    text = "".join(told)
    assert process.returncode == 0, text
    holds(text)
    # The chapter for looking around is not in the others' count.
    assert len(told) - 2 <= MOST_LINES
    assert [line for line in told if len(line.rstrip()) > MOST_COLUMNS] == []
    named = text.replace("8. Destroy", "7. Destroy")
    assert first_missing(shown(), named) is None, "docs/demo.svg shows what the demo does not say: make recording"
    assert [("DeployedModel" in answer, "You asked: Hello" in answer) for answer in answers] == [
        (True, False),
        (False, True),
        (False, True),
    ]
    assert "did you mean llama-us-central1?" in tried.stderr
    assert list(tmp_path.glob("mg-demo-*")) == []


def ask(curl):
    """What a printed curl line gets, with the options that such a line has."""
    data = re.search(r"-d '([^']*)'", curl)
    host = re.search(r"-H 'Host: ([^']*)'", curl)
    headers = {"Content-Type": "application/json", **({"Host": host[1]} if host else {})}
    request = urllib.request.Request(curl.split()[-1], data=data and data[1].encode(), headers=headers)
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()


def test_a_claim_that_does_not_hold_ends_the_demo(emulator):
    class Told:
        def chapter(self, title): ...
        def say(self, text): ...

        @contextmanager
        def watching(self):
            yield print

        def check(self, claim, holds, found=""):
            if not holds:
                raise NotAsClaimedError(claim)

    class Lazy:
        def up(self, say): ...

    with pytest.raises(NotAsClaimedError, match="4 endpoints"):
        Demo(emulator, Lazy(), Told(), None)._first_up()


def test_an_unknown_engine_is_refused(tmp_path):
    done = run_demo(tmp_path, "--engine", "terraform")
    assert done.returncode == 2
    assert "rehearsal" in done.stderr


def test_a_digest_is_told_property_by_property():
    step = {
        "op": "replace",
        "urn": "urn:pulumi:demo::p::pulumi-python:dynamic/mg:CustomWeightsModel::llama",
        "oldState": {"inputs": {"gcs_uri": "gs://a", "min_replica_count": 1.0}},
        "newState": {"inputs": {"gcs_uri": "gs://b", "service": UNKNOWN_TEXT}},
        "replaceReasons": ["gcs_uri", "endpoint_id"],
        "detailedDiff": {"gcs_uri": {}, "min_replica_count": {}, "service": {}, "endpoint_id": {}},
    }
    digest = {"steps": [step, {"op": "same", "urn": "x"}]}
    assert list(changes.in_short(digest)) == [
        "llama: gcs_uri gs://a → gs://b; min_replica_count 1 → not set; service not set → known after up"
    ]
    assert list(changes.lines(digest)) == [
        "replace CustomWeightsModel llama because of gcs_uri",
        "    gcs_uri: gs://a → gs://b",
        "    min_replica_count: 1 → not set",
        "    service: not set → known after up",
    ]


def test_the_toy_is_a_real_sharded_llama(tmp_path):
    from safetensors import safe_open

    from mg_provider.cloud.toy_model import LAYERS, SHARDS, make_folder

    files = make_folder(1)
    assert files == make_folder(1)
    assert files != make_folder(2)
    index = json.loads(files["model.safetensors.index.json"])
    total = 0
    for shard in {*index["weight_map"].values()}:
        (tmp_path / shard).write_bytes(files[shard])
        with safe_open(tmp_path / shard, "numpy") as opened:
            names = opened.keys()
            for name in names:
                assert index["weight_map"][name] == shard
                total += opened.get_tensor(name).nbytes
    assert len({*index["weight_map"].values()}) == SHARDS
    assert total == index["metadata"]["total_size"]
    layers = {int(match[1]) for name in index["weight_map"] if (match := re.search(r"layers\.(\d+)\.", name))}
    assert layers == set(range(LAYERS))
    assert json.loads(files["config.json"])["architectures"] == ["LlamaForCausalLM"]
    assert len(json.loads(files["tokenizer.json"])["model"]["vocab"]) == 256
