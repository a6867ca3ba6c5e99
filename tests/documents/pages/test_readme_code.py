"""The program in the README is a real program: it is run as it stands."""

import pytest
import yaml

from mg_provider.environment import read as read_environment
from tests.documents.markdown import code_blocks, read
from tests.documents.rehearsal import Rehearsal
from tests.support.google.canary import canary_proxy, nothing_leaves  # noqa: F401 - for every test here
from tests.support.samples.weights import call, make_bucket, put_weights

PARENT = "projects/my-project/regions/us-central1"


@pytest.fixture
def program():
    (block,) = code_blocks(read("README.md"), "python")
    return block


def test_the_program_makes_a_model_behind_a_private_address_and_takes_all_of_it_down(program, tmp_path, emulator):
    make_bucket(emulator, "my-weights")
    put_weights(emulator, "llama-3.1-8b-tuned", "my-weights")
    rehearsal = Rehearsal(tmp_path, program, emulator.url)
    rehearsal("up")
    (rule,) = call(f"{emulator.url}/compute/v1/{PARENT}/forwardingRules", method="GET")["items"]
    assert rule["pscConnectionStatus"] == "ACCEPTED"
    assert rehearsal.stack_outputs()["private_ip"] == rule["IPAddress"]
    rehearsal("destroy")
    ledger = emulator.ledger()
    assert ledger["leftovers"] == []
    assert ledger["gpu_seconds_total"] > 0


def test_a_preview_of_the_program_needs_no_network_and_no_credentials(program, tmp_path, monkeypatch):
    monkeypatch.delenv("GOOGLE_OAUTH_ACCESS_TOKEN", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    nobody = "http://127.0.0.1:9"
    said = Rehearsal(tmp_path, program, nobody)("preview")
    assert "llama-address" in said


def test_the_configuration_of_a_stack_in_the_readme_is_understood():
    (block,) = code_blocks(read("README.md"), "yaml")
    environment = read_environment(yaml.safe_load(block)["config"]["model-garden:environment"])
    assert environment.regions_of("llama") == ["us-central1", "us-east4"]
    assert environment.models["llama"].private.allowlist == ["my-project"]
