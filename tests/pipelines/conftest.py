"""A program with one model, the emulated cloud, and a forge for comments and issues."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.pipelines import stand_in
from tests.pipelines.forge import forge as serving
from tests.pipelines.runner import ROOT, GitHub, GitLab
from tests.support.running.forks import put_command
from tests.support.running.pulumi_environment import alone_in
from tests.support.samples.weights import make_bucket, put_weights

APIS = ("vertexAi", "compute", "storage", "bigQuery", "logging")
L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}


@pytest.fixture
def forge():
    with serving() as kept:
        yield kept


class Shop:
    """The folder that the pipelines run in."""

    def __init__(self, folder, url):
        self.folder = folder
        self.config = {f"mg:{api}CustomEndpoint": url for api in APIS}
        self.file = folder / "stacks" / "config" / "Pulumi.prod.yaml"

    def model(self, **arguments):
        """Say what the model is."""
        given = {"gcs_uri": "gs://my-weights/llama/v1", "machine_spec": L4, **arguments}
        environment = {"regions": ["us-central1"], "models": {"llama": given}}
        config = {**self.config, "gcp:project": "my-project", "model-garden:environment": environment}
        kept = yaml.safe_load(self.file.read_text()) if self.file.exists() else {}
        self.file.write_text(yaml.safe_dump({**kept, "config": config}))

    def batch(self, jobs):
        """Say which batches there are, and no model."""
        environment = {"regions": ["us-central1"], "batch_jobs": jobs}
        config = {**self.config, "gcp:project": "my-project", "model-garden:environment": environment}
        self.file.write_text(yaml.safe_dump({"config": config}))

    def gates(self, text):
        (self.folder / "review.toml").write_text(text)


@pytest.fixture
def shop(tmp_path, emulator, virtualenv):
    emulator.set_speed(1_000_000)
    make_bucket(emulator, "my-weights")
    for version in ("v1", "v2"):
        put_weights(emulator, f"llama/{version}", "my-weights")
    shutil.copytree(ROOT / "stacks", tmp_path / "stacks", ignore=shutil.ignore_patterns("__pycache__", "pipelines"))
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    project["runtime"]["options"] = {"virtualenv": virtualenv}
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    put_command(tmp_path / ".venv" / "bin" / "mg", Path(sys.executable).parent / "mg")
    shop = Shop(tmp_path, emulator.url)
    shop.model()
    return shop


@pytest.fixture
def pulumi(request, shop, environment):
    """The folder of the `pulumi` command: a stand-in with the rehearsal engine, or with ``"pulumi"`` the real one."""
    if getattr(request, "param", "rehearsal") == "pulumi":
        real = shutil.which("pulumi")
        if real is None:
            pytest.skip("there is no pulumi command on PATH, so the steps ran with the stand-in only")
        environment |= alone_in(shop.folder)
        command = [real, "stack", "init", "prod", "--non-interactive"]
        subprocess.run(command, cwd=shop.folder, env={**os.environ, **environment}, check=True, capture_output=True)
        return Path(real).parent
    folder = shop.folder / "bin"
    folder.mkdir()
    put_command(folder / "pulumi", stand_in.__file__)
    return folder


@pytest.fixture
def environment():
    """Variables of every step."""
    return {}


@pytest.fixture
def github(shop, pulumi, forge, environment):
    return GitHub(shop.folder, pulumi, forge, environment)


@pytest.fixture
def gitlab(shop, pulumi, forge, environment):
    return GitLab(shop.folder, pulumi, forge, environment)
