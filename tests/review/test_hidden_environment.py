"""A secret among a container's environment variables hides the whole list; the review still names what changes."""

import json

import pytest

from mg_provider import review
from mg_provider.rehearsal.command import rehearse
from tests.resources.conftest import QUICK, config
from tests.support.forks import project_file
from tests.support.weights import make_bucket, put_weights

PROGRAM = """
import pulumi
from mg_provider import CustomWeightsModel

env = [{{"name": "API_KEY", "value": pulumi.Output.secret("{key}")}}, {{"name": "MODE", "value": "{mode}"}}]
CustomWeightsModel(
    "llama",
    gcs_uri="gs://my-weights/llama",
    machine_spec={{"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}},
    container_spec={{"image_uri": "us-docker.pkg.dev/p/r/vllm@sha256:{digest}", "env": env}},
    preflight=False,
)
"""
DIGEST = "0" * 64


@pytest.mark.timeout(180)
def test_a_secret_variable_that_changes_is_named_and_its_value_is_nowhere(emulator, tmp_path):
    emulator.set_speed(QUICK)
    make_bucket(emulator, "my-weights")
    put_weights(emulator, bucket="my-weights")
    (tmp_path / "Pulumi.yaml").write_text(project_file("shop"))
    said = []

    def run(operation, key, mode="fast", **more):
        (tmp_path / "__main__.py").write_text(PROGRAM.format(key=key, mode=mode, digest=DIGEST))
        code = rehearse(
            operation, "dev", tmp_path, tmp_path / "s.json", config=config(emulator), write=said.append, **more
        )
        assert code == 0, "".join(said)

    run("up", "first-secret")
    said.clear()
    run("preview", "second-secret", as_json=True)
    content = "".join(said)
    after = next(step["newState"]["inputs"] for step in json.loads(content)["steps"] if "Custom" in step["urn"])
    assert after["container_spec"]["env"] == "[secret]"
    found = review.of(content)
    assert "API_KEY changes (hidden)" in " ".join(reason.text for reason in found.reasons)
    assert "MODE" not in found.model_dump_json()
    assert "-secret" not in content + found.model_dump_json()
