"""A rehearsal asks this machine only, whatever is configured: with a user's token, and proxies that note every call."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mg_provider.emulator import Emulator
from mg_provider.rehearsal.command import rehearse
from tests.support.running.forks import project_file
from tests.support.samples.batch import put_questions
from tests.support.samples.weights import make_bucket, put_weights

KEYS = [f"mg:{api}CustomEndpoint" for api in ("vertexAi", "compute", "storage", "bigQuery", "logging")]
PROGRAM = """
import pulumi
from mg_provider import BatchJob, CustomWeightsModel, PscForwardingRule

llama = CustomWeightsModel(
    "llama",
    project="my-project",
    region="us-central1",
    gcs_uri="gs://weights-bucket/llama",
    private_service_connect_config={"enable_private_service_connect": True, "project_allowlist": ["my-project"]},
)
address = PscForwardingRule(
    "address", project="my-project", region="us-central1", endpoint=llama.endpoint, network="default",
    subnetwork="default",
)
job = BatchJob(
    "nightly",
    project="my-project",
    region="us-central1",
    model=llama.model,
    input_config={"instances_format": "jsonl", "gcs_source": {"uris": ["gs://weights-bucket/in/*.jsonl"]}},
    output_config={
        "predictions_format": "jsonl",
        "gcs_destination": {"output_uri_prefix": "gs://weights-bucket/out"},
    },
    wait=False,
)
pulumi.export("ip", address.ip_address)
"""

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, emulator: Emulator) -> Run:
    """Rehearses a program; answers the exit code and what it said."""
    make_bucket(emulator)
    put_weights(emulator)
    put_questions(emulator)

    def run(operation: str, config: dict[str, str], program: str = PROGRAM) -> tuple[int, str]:
        (tmp_path / "Pulumi.yaml").write_text(project_file("shop"))
        (tmp_path / "__main__.py").write_text(program)
        said: list[str] = []
        code = rehearse(operation, "dev", tmp_path, tmp_path / "state.json", config=config, write=said.append)  # type: ignore[arg-type]
        return code, "".join(said)

    return run


@pytest.mark.parametrize("key", ["mg:emulator", "gcp:storageCustomEndpoint"])
def test_one_endpoint_on_this_machine_stands_for_all_services(run: Run, emulator: Emulator, key: str) -> None:
    for operation in ("preview", "up", "refresh", "destroy"):
        code, said = run(operation, {key: emulator.url})
        assert code == 0, said
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_without_any_endpoint_it_says_what_to_set(run: Run, emulator: Emulator) -> None:
    code, said = run("up", {})
    assert code == 1
    assert "a rehearsal talks to this machine only" in said
    assert "do: start `mg emulator` and set mg:emulator to its address" in said
    assert "Traceback" not in said
    assert emulator.ledger()["data"] is not None


@pytest.mark.parametrize("namespace", ["mg", "gcp"])
def test_settings_without_an_endpoint_are_refused_before_anything_starts(
    run: Run, namespace: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run("up", {f"{namespace}:project": "my-project"})
    assert (code, said) == (2, "")
    assert "set mg:emulator to its address" in capsys.readouterr().err


@pytest.mark.parametrize(
    "value",
    [
        "https://storage.googleapis.com",
        "http://evil.example",
        "http://127.0.0.1@evil.example",
        "http://127.0.0.1.evil.example",
        "http://[::1",
        "//evil.example",
        "evil.example:80",
    ],
)
@pytest.mark.parametrize("key", ["mg:storageCustomEndpoint", "gcp:computeCustomEndpoint"])
def test_an_endpoint_elsewhere_is_refused_although_another_is_here(
    run: Run, emulator: Emulator, key: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = run("up", {"mg:vertexAiCustomEndpoint": emulator.url, key: value})
    assert code == 2
    assert "a rehearsal talks to no other" in capsys.readouterr().err


def test_an_explicit_provider_is_held_to_the_same(run: Run, emulator: Emulator) -> None:
    provider = (
        "import pulumi\nfrom mg_provider import DedicatedEndpoint\n"
        "p = pulumi.ProviderResource('pulumi-python', 'p', {config})\n"
        "own = pulumi.ResourceOptions(provider=p)\n"
        "DedicatedEndpoint('chat', project='my-project', region='us-central1', opts=own)\n"
    )
    here = {"mg:vertexAiCustomEndpoint": emulator.url}
    elsewhere = {"mg:vertexAiCustomEndpoint": "https://us-central1-aiplatform.googleapis.com"}
    for config in (elsewhere, {"mg:project": "x"}):
        code, said = run("up", here, provider.replace("{config}", json.dumps(config)))
        assert code == 1
        assert "which is not on this machine" in said or "no custom endpoint" in said
    # Its endpoint comes to be known only while the program runs, and nothing else names one.
    code, said = run("up", here, provider.replace("{config}", "{'x:y': pulumi.Output.from_input('z')}"))
    assert code == 1
    assert "this machine only" in said


def test_a_rollout_probe_at_an_address_elsewhere_is_refused(run: Run, emulator: Emulator) -> None:
    program = (
        "from mg_provider import CustomWeightsModel\n"
        "CustomWeightsModel('llama', project='my-project', region='us-central1', gcs_uri='{uri}',\n"
        "    rollout={'probe': {'address': '10.0.0.5'}})\n"
    )
    here = {"mg:vertexAiCustomEndpoint": emulator.url}
    assert run("up", here, program.replace("{uri}", "gs://weights-bucket/llama"))[0] == 0
    put_weights(emulator, "llama2")
    code, said = run("up", here, program.replace("{uri}", "gs://weights-bucket/llama2"))
    assert code == 1
    assert "this machine only" in said
