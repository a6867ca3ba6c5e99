"""`mg preflight`: exit codes, text and JSON."""

import json

import pytest

from mg_provider.preflight.command import run
from tests.preflight.conftest import LLAMA, REGION


@pytest.fixture
def command(weights, monkeypatch):
    """Runs the command on the folder; answers exit code, output and complaints."""
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    url = weights.emulator.url
    config = {"mg:storageCustomEndpoint": url, "mg:vertexAiCustomEndpoint": url}

    def invoke(uri=weights.uri, region=REGION, project="my-project", **options):
        out, complaints = [], []
        code = run(uri, region, project, config=config, write=out.append, complain=complaints.append, **options)
        return code, "".join(out), "".join(complaints)

    return invoke


def test_a_sound_folder_ends_with_0_and_says_what_it_is_and_needs(command, weights):
    code, out, complaints = command()
    lines = out.splitlines()
    assert (code, complaints) == (0, "")
    assert lines[0] == f"{weights.uri}: Llama-3.2-1B (LlamaForCausalLM)"
    assert lines[1].startswith("2 weight files, 2.5 GB; checked in ")
    assert lines[2:] == [
        "machine: g2-standard-12 with 1 x NVIDIA_L4",
        "a replica costs: $1.15 an hour, $840 a month (2025-08, derived)",
        "us-central1: quota suffices",
        "can be deployed: 0 errors, 0 warnings",
    ]


def test_a_spoilt_folder_ends_with_1_and_says_what_to_do(command, weights):
    weights.delete("model-00002-of-00002.safetensors")
    code, out, _ = command()
    assert code == 1
    assert "error: 1 of 2 files in model.safetensors.index.json are missing: upload model-00002" in out
    assert out.splitlines()[-1] == "cannot be deployed: 1 error, 0 warnings"


def test_nothing_is_recommended_for_a_spoilt_folder(command, weights, emulator):
    weights.delete("config.json")
    command()
    assert not [request for request in emulator.requests() if request["rpc"].endswith("recommendSpec")]


def test_without_a_project_the_folder_is_still_checked(command):
    code, out, _ = command(project=None)
    assert code == 0
    assert "machine:" not in out


def test_json_has_all_of_the_report(command, weights):
    weights.put("config.json", {**LLAMA, "model_type": "qwen3"})
    code, out, _ = command(as_json=True)
    content = json.loads(out)
    assert code == 0
    assert content["ok"] is True
    assert content["gcs_uri"] == weights.uri
    assert [finding["code"] for finding in content["findings"]] == ["model_type"]
    assert content["recommendation"]["machine_spec"]["machineType"] == "g2-standard-12"
    assert content["recommendation"]["usd_hour"] == 1.1505
    assert content["recommendation"]["regions_that_work"] == [REGION]


def test_a_machine_type_alone_brings_its_accelerators(command):
    code, out, _ = command(machine_type="g2-standard-24")
    assert code == 0
    assert "machine: g2-standard-24 with 2 x NVIDIA_L4\na replica costs: $2.30 an hour" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"uri": "llama"}, "not a Cloud Storage URI"),
        ({"region": "uscentral1"}, "not a region of Vertex AI"),
        ({"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_TESLA_T4"}, "comes with 1 NVIDIA_L4"),
        ({"accelerator_count": 2}, "machine_type is missing"),
    ],
)
def test_a_wrong_argument_ends_with_2_and_says_which(command, arguments, said):
    code, out, complaints = command(**arguments)
    assert (code, out) == (2, "")
    assert said in complaints


def test_an_error_that_says_nothing_of_the_folder_ends_with_1_and_no_verdict(command, emulator):
    emulator.fail(rpc="storage.objects.list", fault="status", status=400, message="odd")
    code, out, complaints = command()
    assert (code, out) == (1, "")
    assert "could not be checked" in complaints


def test_names_in_a_bucket_cannot_play_tricks_on_the_terminal(command, weights):
    weights.put("config.json", {"architectures": ["\x1b[2J" + "x" * 5000], "model_type": "llama"})
    _, out, _ = command()
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) < 700


def test_it_prints_without_being_told_where(weights, capsys):
    run(weights.uri, REGION, config={"mg:storageCustomEndpoint": weights.emulator.url})
    assert "can be deployed" in capsys.readouterr().out
