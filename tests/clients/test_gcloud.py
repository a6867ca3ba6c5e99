"""gcloud itself, where it is on PATH: weights into a bucket, a model from Model Garden, addresses."""

import json
import os
import shutil
import subprocess

import pytest

from tests.clients.test_flows import SCRIPTS
from tests.clients.way_out import WayOut

GCLOUD = shutil.which("gcloud")
pytestmark = pytest.mark.skipif(GCLOUD is None, reason="gcloud is not on PATH: its own commands are not tried")

SETTINGS = {
    "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
    "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
    "CLOUDSDK_CORE_CHECK_GCE_METADATA": "false",
    "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
    "CLOUDSDK_CORE_PROJECT": "my-project",
    "CLOUDSDK_PYTHON_ARGS": f"-S {SCRIPTS / 'gcloud_commands.py'}",
    # One process copies two small files as well.
    "CLOUDSDK_STORAGE_PROCESS_COUNT": "1",
    "CLOUDSDK_STORAGE_THREAD_COUNT": "1",
    "CLOUDSDK_SURVEY_DISABLE_PROMPTS": "true",
}
SERVICES = {
    "AIPLATFORM": "/",
    "CLOUDQUOTAS": "/",
    "COMPUTE": "/compute/v1/",
    "MONITORING": "/",
    "STORAGE": "/storage/v1/",
}
# gcloud leaves the address that it was given for this one when it deploys a model of the catalogue.
VERTEX = "us-central1-aiplatform.googleapis.com"
REGION = "--region=us-central1"


@pytest.fixture
def gcloud(emulator, tmp_path):
    """Runs a command and answers what it prints; in the end nothing may be left, and nothing was asked elsewhere."""
    with WayOut(emulator, tmp_path, known=(VERTEX,)) as way_out:
        addresses = {f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}": emulator.url + path for name, path in SERVICES.items()}
        settings = {
            "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
            "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE": way_out.authority,
        }
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **way_out.environment()}
        environment |= SETTINGS | settings | addresses
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen([GCLOUD], env=environment, cwd=tmp_path, **pipes) as process:

            def run(*words):
                process.stdin.write(f"{json.dumps(words)}\n")
                process.stdin.flush()
                code = process.stdout.readline().strip()
                output, errors = ((tmp_path / name).read_text() for name in ("output", "errors"))
                assert code == "0", f"gcloud {' '.join(words)}\n{output}{errors}"
                return output.strip()

            yield run
    assert way_out.refused == []
    ledger = emulator.ledger()
    assert (ledger["resources"], ledger["data"], ledger["machines"]) == ([], [], [])


def test_storage_takes_weights_and_gives_them_back(gcloud, tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    (tmp_path / "model.safetensors").write_bytes(b"0" * 64)
    gcloud("storage", "buckets", "create", "gs://weights", "--location=us-central1")
    gcloud("storage", "cp", "config.json", "model.safetensors", "gs://weights/llama/")
    assert gcloud("storage", "cat", "gs://weights/llama/config.json") == '{"model_type": "llama"}'
    gcloud("storage", "rm", "--recursive", "gs://weights")


def test_a_model_of_the_catalogue_is_deployed_and_taken_down(gcloud):
    garden = ("ai", "model-garden", "models", "deploy", "--model=google/gemma3@gemma-3-1b-it", REGION)
    gcloud(*garden, "--accept-eula", "--endpoint-display-name=chat")
    shown = "--format=value(name,deployedModels[0].id)"
    endpoint, deployed = gcloud("ai", "endpoints", "list", REGION, shown).split()
    model = gcloud("ai", "models", "list", REGION, "--format=value(name)")
    gcloud("ai", "endpoints", "undeploy-model", endpoint, f"--deployed-model-id={deployed}", REGION)
    gcloud("ai", "endpoints", "delete", endpoint, REGION)
    gcloud("ai", "models", "delete", model, REGION)


def test_addresses_are_made_listed_and_given_back(gcloud):
    gcloud("compute", "addresses", "create", "inside", REGION, "--subnet=default")
    assert gcloud("compute", "addresses", "list", "--format=value(name,region)").split() == ["inside", "us-central1"]
    assert gcloud("compute", "forwarding-rules", "list", "--format=value(name)") == ""
    gcloud("compute", "addresses", "delete", "inside", REGION)
