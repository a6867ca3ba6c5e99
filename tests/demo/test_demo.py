"""The demo, as a user runs it: a process of its own, its output, its exit code."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from mg_provider.demo import changes
from mg_provider.demo.narrator import NotAsClaimedError
from mg_provider.demo.story import Demo
from tests.documents.test_demo_page import first_missing, shown

ROOT = Path(__file__).parent.parent.parent
MG = Path(sys.executable).parent / "mg"
CLAIMS = (
    "✓ 4 endpoints, 3 models, 5 deployments and 1 batch run exist",
    "✓ a second preview has nothing to do",
    "✓ the producer accepted the connection of llama-europe-west4",
    "You asked: Why is the sky blue?",
    "✓ each of the 3 questions has an answer",
    "min_replica_count: 1 → 2",
    "✓ the rules of the private addresses are not touched",
    "✓ endpoint ids, DNS name and private addresses are the same",
    "deploys on 1 x g2-standard-12, 1 NVIDIA_L4, $1.15 an hour; public, under its own DNS name → shift: deploys beside",
    "going back: probe ",
    "✓ up failed, and says that the rollout was taken back",
    "at Google's list prices each hour of the attempt costs $1.15 beside what serves",
    "✓ the old deployment alone serves, with all of the traffic",
    "✓ all that clients call it by is the same: endpoint id, DNS name, model id",
    "✓ the Model behind it is another",
    "✓ the old Model is deleted",
    "at Google's list prices these machines cost $",
    "they would save $",
    "✓ nothing is left that costs money",
    "GPU time used, emulated:",
    "Everything was as claimed",
)


def run_demo(tmp_path, *options):
    environment = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    return subprocess.run(
        [MG, "demo", *options], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False
    )


@pytest.mark.timeout(240)
@pytest.mark.parametrize("engine", ["rehearsal", "pulumi"])
def test_the_demo_keeps_its_word(tmp_path, engine):
    if engine == "pulumi" and not shutil.which("pulumi"):
        pytest.skip("there is no pulumi command on PATH, so the demo ran on the rehearsal engine only")
    # Pulumi's own engine is slow enough.
    done = run_demo(tmp_path, "--engine", engine, *(["--speed", "3000"] if engine == "pulumi" else []))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    places = [done.stdout.find(claim) for claim in CLAIMS]
    assert -1 not in places, CLAIMS[places.index(-1)]
    assert places == sorted(places)
    assert "Traceback" not in done.stdout + done.stderr
    assert list(tmp_path.glob("mg-demo-*")) == []
    if engine == "rehearsal":
        assert first_missing(shown(), done.stdout) is None, "docs/demo.md shows what the demo does not say"


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
        "newState": {"inputs": {"gcs_uri": "gs://b", "service": changes.UNKNOWN}},
        "replaceReasons": ["gcs_uri", "endpoint_id"],
        "detailedDiff": {"gcs_uri": {}, "min_replica_count": {}, "service": {}, "endpoint_id": {}},
    }
    assert list(changes.told({"steps": [step, {"op": "same", "urn": "x"}]})) == [
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
