"""The program in the README is a real program: it is run as it stands."""

import json

import pytest
import yaml

from mg_provider.rehearsal.command import rehearse
from stacks.environment import read as read_environment
from tests.documents.markdown import code_blocks, read
from tests.support.weights import call, make_bucket, put_weights

PARENT = "projects/my-project/regions/us-central1"
APIS = ("vertexAi", "compute", "storage", "bigQuery")


@pytest.fixture
def program(tmp_path):
    (block,) = code_blocks(read("README.md"), "python")
    (tmp_path / "Pulumi.yaml").write_text("name: readme\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(block)
    return tmp_path


class Rehearsal:
    """``mg rehearse`` in a folder, with the custom endpoints at ``url``."""

    def __init__(self, folder, url):
        self.folder, self.state_file = folder, folder / "state.json"
        self.config = {"mg:project": "my-project", "mg:region": "us-central1"}
        self.config |= {f"mg:{api}CustomEndpoint": url for api in APIS}

    def __call__(self, operation, **options):
        said = []
        code = rehearse(
            operation, "dev", self.folder, self.state_file, config=self.config, write=said.append, **options
        )
        assert code == 0, "".join(said)
        return "".join(said)

    def stack_outputs(self):
        resources = json.loads(self.state_file.read_text())["deployment"]["resources"]
        return next(entry["outputs"] for entry in resources if entry["type"] == "pulumi:pulumi:Stack")


def test_the_program_makes_a_model_behind_a_private_address_and_takes_all_of_it_down(program, emulator):
    make_bucket(emulator, "my-weights")
    put_weights(emulator, "llama-3.1-8b-tuned", "my-weights")
    rehearsal = Rehearsal(program, emulator.url)
    rehearsal("up")
    (rule,) = call(f"{emulator.url}/compute/v1/{PARENT}/forwardingRules", method="GET")["items"]
    assert rule["pscConnectionStatus"] == "ACCEPTED"
    assert rehearsal.stack_outputs()["private_ip"] == rule["IPAddress"]
    rehearsal("destroy")
    ledger = emulator.ledger()
    assert ledger["leftovers"] == []
    assert ledger["gpu_seconds_total"] > 0


def test_a_preview_of_the_program_needs_no_network_and_no_credentials(program, monkeypatch):
    monkeypatch.delenv("GOOGLE_OAUTH_ACCESS_TOKEN", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(program / "absent.json"))
    nobody = "http://127.0.0.1:9"
    said = Rehearsal(program, nobody)("preview")
    assert "llama-address" in said


def test_the_configuration_of_a_stack_in_the_readme_is_understood():
    (block,) = code_blocks(read("README.md"), "yaml")
    environment = read_environment(yaml.safe_load(block)["config"]["model-garden:environment"])
    assert environment.regions_of("llama") == ["us-central1", "europe-west4"]
    assert environment.models["llama"].private.allowlist == ["my-project"]
