"""A batch on own weights, run by an engine: the job that the program does not wait for is seen by a later run."""

import json

import pytest

from mg_provider.rehearsal.command import rehearse
from tests.support.google.canary import canary_proxy, nothing_leaves  # noqa: F401 - for every test here
from tests.support.running.forks import project_file
from tests.support.samples.batch import jobs, put_questions, started
from tests.support.samples.weights import make_bucket, put_weights

PROGRAM = """
import pulumi
from mg_provider import BatchJob, CustomWeightsModel

llama = CustomWeightsModel("llama", gcs_uri="gs://weights-bucket/llama")
job = BatchJob(
    "nightly",
    model=llama.model,
    input_config={"instances_format": "jsonl", "gcs_source": {"uris": ["gs://weights-bucket/in/*.jsonl"]}},
    output_config={
        "predictions_format": "jsonl",
        "gcs_destination": {"output_uri_prefix": "gs://weights-bucket/out"},
    },
    wait=False,
)
pulumi.export("state", job.job_state)
pulumi.export("machine", job.machine_type)
"""


@pytest.fixture
def engine(emulator, tmp_path):
    """Runs an operation of the rehearsal engine; answers the stack's outputs."""
    (tmp_path / "Pulumi.yaml").write_text(project_file("nightly"))
    (tmp_path / "__main__.py").write_text(PROGRAM)
    file = tmp_path / "state.json"
    config = {"mg:project": "my-project", "mg:region": "us-central1"}
    config |= {f"mg:{api}CustomEndpoint": emulator.url for api in ("vertexAi", "compute", "storage", "bigQuery")}

    def run(operation):
        said = []
        code = rehearse(operation, "dev", tmp_path, file, config=config, write=said.append)
        assert code == 0, "".join(said)
        resources = json.loads(file.read_text())["deployment"].get("resources", [])
        return next((entry["outputs"] for entry in resources if entry["type"] == "pulumi:pulumi:Stack"), {})

    return run


def test_the_next_up_sees_how_the_job_ended_and_then_all_is_quiet(emulator, engine):
    make_bucket(emulator)
    put_weights(emulator)
    put_questions(emulator)
    first = engine("up")
    assert first == {"state": "JOB_STATE_QUEUED", "machine": "g2-standard-12"}
    emulator.advance(7200)
    assert engine("up") == {"state": "JOB_STATE_SUCCEEDED", "machine": "g2-standard-12"}
    calls = len(emulator.requests())
    engine("up")
    assert len(emulator.requests()) == calls
    assert (started(emulator), len(jobs(emulator))) == (1, 1)
    engine("destroy")
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]
