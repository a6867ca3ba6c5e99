"""A private model with a rule to it, run by an engine: a rule left on one that turns public is found in the preview."""

import pytest

from mg_provider.rehearsal.command import rehearse
from tests.support.google.canary import canary_proxy, nothing_leaves  # noqa: F401 - for every test here
from tests.support.running.forks import project_file
from tests.support.samples.weights import make_bucket, put_weights

PROGRAM = """
from mg_provider import CustomWeightsModel, PscForwardingRule

llama = CustomWeightsModel("llama", gcs_uri="gs://weights-bucket/llama"{private})
PscForwardingRule("llama", {by}=llama.{by}, network="default", subnetwork="default")
"""
PRIVATE = """,
    private_service_connect_config={"enable_private_service_connect": True, "project_allowlist": ["my-project"]}"""


@pytest.mark.parametrize("by", ["endpoint", "service_attachment"])
def test_a_rule_that_is_left_on_a_model_that_turns_public_is_refused_in_the_preview(emulator, tmp_path, by):
    make_bucket(emulator)
    put_weights(emulator)
    (tmp_path / "Pulumi.yaml").write_text(project_file("private"))
    config = {"mg:project": "my-project", "mg:region": "us-central1"}
    config |= {f"mg:{api}CustomEndpoint": emulator.url for api in ("vertexAi", "compute", "storage", "bigQuery")}

    def run(operation, private):
        (tmp_path / "__main__.py").write_text(PROGRAM.format(private=private, by=by))
        said = []
        code = rehearse(operation, "dev", tmp_path, tmp_path / "state.json", config=config, write=said.append)
        return code, "".join(said)

    emulator.set_speed(1_000_000)
    assert run("up", PRIVATE)[0] == 0
    before = len(emulator.requests())
    code, said = run("preview", "")
    assert code != 0
    assert "the endpoint is public, or turns public with this run" in said
    assert "remove this rule, or keep the endpoint private" in said
    assert len(emulator.requests()) == before
    assert run("destroy", PRIVATE)[0] == 0
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]
