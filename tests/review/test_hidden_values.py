"""What nobody can see switches no gate off: a hidden value, or one known only after up, may be the worst one."""

import json

import pytest

from mg_provider import review
from mg_provider.rehearsal.command import rehearse
from mg_provider.resources.model.marks import Replaces
from mg_provider.resources.model.meaning import (
    Content,
    Costs,
    Exposure,
    HeldByClients,
    Leads,
    SafetyNet,
    Strategy,
    Traffic,
)
from mg_provider.review.reading.kinds import KINDS, compared, parts
from mg_provider.review.reading.values import HIDDEN
from tests.resources.conftest import QUICK, config
from tests.review.build import ALLOWLIST, UNKNOWN, batch, endpoint, model, preview, rule, step, texts, update
from tests.support.running.forks import project_file
from tests.support.samples.weights import make_bucket, put_weights

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


GATES = {
    Exposure: "exposure",
    Leads: "exposure",
    HeldByClients: "address-change",
    Replaces: "address-change",
    SafetyNet: "safety-net",
    Strategy: "unprobed",
    Content: "weights",
    Traffic: "traffic",
}
MADE = {"CustomWeightsModel": model, "DedicatedEndpoint": endpoint, "PscForwardingRule": rule, "BatchJob": batch}


def gates_of(found):
    return {gate for reason in found.reasons for gate in (reason.gate, *reason.also)}


def asked(kind, marks):
    gates = {gate for mark, gate in GATES.items() if any(isinstance(entry, mark) for entry in marks)}
    gates |= {"downtime" for mark in marks if isinstance(mark, Costs) and mark.part == "off"}
    return gates - ({"address-change", "weights"} if kind.runs else set())


CASES = [
    (kind, field, asked(kind, marks), value)
    for kind in KINDS.values()
    for field, marks, _ in compared(kind.args)
    for value in (HIDDEN, UNKNOWN)
    if asked(kind, marks)
]


@pytest.mark.parametrize(
    ("kind", "field", "gates", "value"),
    CASES,
    ids=[f"{kind.name}.{field}-{'hidden' if value == HIDDEN else 'unknown'}" for kind, field, _, value in CASES],
)
def test_a_value_that_nobody_sees_fails_each_gate_that_its_marks_name(kind, field, gates, value):
    old = MADE[kind.name]()
    assert gates <= gates_of(update(kind.name, old, {**old, field: value}))


def test_a_deployment_that_hides_an_argument_fails_the_gates_that_its_marks_name():
    old = endpoint()
    kind = KINDS["pulumi-python:dynamic/mg:DedicatedEndpoint"]
    for value in (HIDDEN, UNKNOWN):
        for field, marks, _ in compared(parts(kind.args)[0][1]):
            canary = {**old["deployed_models"]["canary"], field: value}
            new = {**old, "deployed_models": {**old["deployed_models"], "canary": canary}}
            assert asked(kind, marks) <= gates_of(update("DedicatedEndpoint", old, new)), field


def test_deployments_that_are_hidden_are_not_taken_for_undeployed():
    old = endpoint()
    found = update("DedicatedEndpoint", old, {**old, "deployed_models": HIDDEN})
    assert found.verdict == "look"
    assert {"weights", "downtime", "exposure", "unprobed", "cost", "traffic"} <= gates_of(found)


def test_an_entry_of_a_hidden_object_has_the_name_of_its_list():
    old = model(private_service_connect_config=ALLOWLIST)
    new = {**old, "private_service_connect_config": HIDDEN}
    diff = {"private_service_connect_config.project_allowlist[1]": {"kind": "add", "inputDiff": True}}
    found = update("CustomWeightsModel", old, new, detailedDiff=diff)
    assert "private_service_connect_config: entry 2 of project_allowlist changes, and is hidden" in found.headline
    assert "of  changes" not in texts(found)


def test_what_the_engine_names_as_changed_counts_although_both_sides_are_hidden():
    old = model(rollout=HIDDEN)
    assert "unprobed" in gates_of(update("CustomWeightsModel", old, old, diffReasons=["rollout"]))
    assert update("CustomWeightsModel", old, old, diffReasons=["labels"]).verdict == "safe"


def test_an_update_of_which_nothing_shows_may_be_of_any_hidden_value():
    old = model(rollout=HIDDEN, private_service_connect_config=HIDDEN)
    assert {"unprobed", "exposure"} <= gates_of(update("CustomWeightsModel", old, old))
    assert update("CustomWeightsModel", old, {**old, "description": "x"}).verdict == "safe"


@pytest.mark.parametrize("value", [HIDDEN, UNKNOWN])
def test_a_split_of_the_traffic_that_nobody_sees_is_not_taken_for_none(value):
    assert "→ 0 %" not in texts(update("DedicatedEndpoint", endpoint(), endpoint(traffic_split=value)))


def test_a_hidden_argument_that_replaces_is_said_once():
    old = model()
    assert [reason.gate for reason in update("CustomWeightsModel", old, {**old, "project": HIDDEN}).reasons] == [
        "address-change"
    ]


def test_a_hidden_value_of_something_new_fails_the_gates_of_a_usual_one():
    new = model(private_service_connect_config=HIDDEN, rollout=HIDDEN, preflight=HIDDEN)
    found = review.of(preview(step("create", "CustomWeightsModel", "llama", new=new)))
    assert {"exposure", "unprobed", "safety-net"} <= gates_of(found)


def test_a_part_of_a_rollout_that_is_hidden_may_be_no_probe():
    old = model()
    assert "unprobed" in gates_of(update("CustomWeightsModel", old, {**old, "rollout": {"probe": HIDDEN}}))
