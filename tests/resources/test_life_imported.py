"""What was made elsewhere and imported lives as what the stack made: previews, labels, rollouts, drift, destroy."""

import contextlib

import pytest

from mg_provider.resources.batch_job import BatchJobProvider
from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from mg_provider.resources.psc_forwarding_rule import PscForwardingRuleProvider
from tests.support.lives.endpoints import L4, PARENT, kinds, masks
from tests.support.lives.host import HostError
from tests.support.lives.imports import REGION, job_body, life_of, make_rule, private_endpoint, run_import
from tests.support.lives.life import OWNER, Life
from tests.support.samples.batch import jobs, put_questions
from tests.support.samples.weights import call, make_bucket, put_weights

LABELS = ("mg-claim", "mg-owner", "mg-resource")


def shown(life, wanted):
    """What a preview shows: the operation, and the arguments that differ from what the state has."""
    before, after = life.outputs, life.check(wanted)
    operation, _ = life.preview(wanted)
    return operation, {key for key in after if after[key] != before.get(key)}


def labels(emulator, name):
    found = call(f"{emulator.url}/v1beta1/{name}", method="GET").get("labels", {})
    return {key for key in found if key.startswith("mg-")}


def test_a_served_model_moves_its_labels_in_the_next_up_and_then_rolls_out_and_goes_with_its_model(
    emulator, host, hand, tmp_path
):
    """As the SDK makes it: an uploaded Model, an endpoint with an id of Google's choice, a deployment."""
    model = hand.upload()
    endpoint = hand.make_endpoint(dedicatedEndpointEnabled=True, labels={"team": "a"}, description="by hand")
    id = hand.deploy(endpoint, model, {"0": 100}, displayName="v1")
    before = [hand.endpoint(endpoint), hand.endpoint(model)]
    outcome = run_import(emulator, tmp_path, f"served={endpoint}")
    assert outcome.code == 0, outcome.said
    assert outcome.changes == []
    assert [hand.endpoint(endpoint), hand.endpoint(model)] == before
    assert "its Model llama comes along, and a destroy deletes it too" in outcome.flat
    life, wanted = life_of(host, outcome, CustomWeightsModelProvider, "served")
    assert wanted["gcs_uri"] == "gs://weights-bucket/llama"
    assert shown(life, wanted) == ("update", {"owner"})
    assert life.refresh() == {}
    assert shown(life, wanted) == ("update", {"owner"})
    since = len(emulator.requests())
    life.up(wanted)
    assert masks(emulator, since) == [("patch", "labels"), ("patch", "labels")]
    assert labels(emulator, endpoint) == set(LABELS)
    assert life.preview(wanted) == ("same", [])
    assert life.refresh() == {}
    hand.patch(endpoint, "description", description="somebody else")
    assert life.refresh() == {"description": "somebody else"}
    life.up(wanted)
    outputs = life.up({**wanted, "gcs_uri": put_weights(emulator, "other"), "max_replica_count": 2})
    assert (life.id, outputs["endpoint_id"]) == (endpoint, endpoint.rpartition("/")[2])
    assert outputs["query_model_id"] == "llama"
    assert outputs["deployed_model_id"] != id
    life.destroy()
    assert kinds(emulator) == []


def test_what_model_garden_deployed_is_imported_with_its_source_and_without_googles_container(
    emulator, host, hand, tmp_path
):
    """As gcloud and Terraform make it: one call, ids of Google's choice."""
    make_bucket(emulator)
    weights = put_weights(emulator, "llama")
    spec = {"machineSpec": {"machineType": "g2-standard-12", "acceleratorType": "NVIDIA_L4", "acceleratorCount": 1}}
    deploy = {"dedicatedResources": {**spec, "minReplicaCount": 1, "maxReplicaCount": 2}}
    for body in (
        {"customModel": {"gcsUri": weights}, "deployConfig": deploy},
        {"publisherModelName": "publishers/google/models/gemma3@gemma-3-1b-it", "deployConfig": deploy},
    ):
        body["modelConfig"] = {"acceptEula": True}
        hand._call(f"{PARENT}:deploy", body)
    garden, own = (entry["name"] for entry in hand._call(f"{PARENT}/endpoints", method="GET")["endpoints"])
    outcome = run_import(emulator, tmp_path, f"own={own}", f"garden={garden}")
    assert outcome.code == 0, outcome.said
    assert outcome.changes == []
    life, wanted = life_of(host, outcome, CustomWeightsModelProvider, "own")
    assert wanted["gcs_uri"] == weights
    assert "container_spec" not in wanted
    assert wanted["max_replica_count"] == 2
    second, other = life_of(host, outcome, CustomWeightsModelProvider, "garden")
    assert other["publisher_model_name"] == "publishers/google/models/gemma3@gemma-3-1b-it"
    assert shown(life, wanted) == shown(second, other) == ("update", {"owner"})
    life.up(wanted)
    assert life.preview(wanted) == ("same", [])
    life.destroy()
    # Not even an `up` is needed before a destroy.
    second.destroy()
    assert kinds(emulator) == []


def test_an_endpoint_with_several_models_keeps_their_traffic_and_its_models_stay(emulator, host, hand, tmp_path):
    first, second = hand.upload("one"), hand.upload("two", "two")
    endpoint = hand.make_endpoint(dedicatedEndpointEnabled=True)
    id = hand.deploy(endpoint, first, {"0": 100}, displayName="stable", enableContainerLogging=True)
    hand.deploy(endpoint, second, {"0": 10, id: 90}, displayName="Canary 2", enableContainerLogging=True)
    outcome = run_import(emulator, tmp_path, f"chat={endpoint}")
    assert "as DedicatedEndpoint, because 2 models are deployed on it" in outcome.flat
    life, wanted = life_of(host, outcome, DedicatedEndpointProvider, "chat")
    assert wanted["traffic_split"] == {"stable": 90, "canary-2": 10}
    assert shown(life, wanted) == ("update", {"owner"})
    since = len(emulator.requests())
    life.up(wanted)
    assert masks(emulator, since) == [("patch", "labels")]
    assert life.preview(wanted) == ("same", [])
    assert life.refresh() == {}
    life.up({**wanted, "traffic_split": {"stable": 50, "canary-2": 50}})
    assert life.outputs["deployed_model_ids"]["stable"] == id
    life.destroy()
    assert kinds(emulator) == ["Model", "Model"]


@pytest.mark.parametrize("named", ["way", "kept"], ids=["its own address", "an address of another name"])
def test_a_rule_leads_to_its_endpoint_and_keeps_its_address(emulator, host, hand, tmp_path, named):
    endpoint = private_endpoint(hand)
    make_rule(emulator, hand, endpoint, address=named)
    outcome = run_import(emulator, tmp_path, f"{REGION}/forwardingRules/way")
    assert outcome.code == 0, outcome.said
    assert outcome.changes == []
    life, wanted = life_of(host, outcome, PscForwardingRuleProvider, "way")
    assert wanted["endpoint"] == endpoint
    assert wanted.get("address", "") == ("" if named == "way" else "kept")
    ip = life.outputs["ip_address"]
    assert shown(life, wanted) == ("update", {"owner"})
    assert life.refresh() == {}
    life.up(wanted)
    assert (life.outputs["ip_address"], life.outputs["psc_connection_status"]) == (ip, "ACCEPTED")
    assert life.preview(wanted) == ("same", [])
    assert life.refresh() == {}
    life.destroy()
    left = [each for each in kinds(emulator) if each.startswith("compute") and "work" not in each]
    assert left == ([] if named == "way" else ["compute.Address"])


def test_a_rule_whose_up_is_cut_off_between_rule_and_address_is_still_the_stacks(emulator, host, hand, tmp_path):
    make_rule(emulator, hand, private_endpoint(hand), address="way")
    life, wanted = life_of(
        host, run_import(emulator, tmp_path, f"{REGION}/forwardingRules/way"), PscForwardingRuleProvider, "way"
    )
    emulator.fail(rpc="compute.addresses.setLabels", fault="status", status=403)
    with pytest.raises(Exception, match=r"403|ermission"):
        life.up(wanted)
    life.up(wanted)
    assert life.preview(wanted) == ("same", [])
    life.destroy()


def test_a_finished_job_has_nothing_to_do_after_the_import_and_its_output_stays(emulator, host, tmp_path):
    make_bucket(emulator)
    put_questions(emulator)
    made = call(f"{emulator.url}/v1/{PARENT}/batchPredictionJobs", job_body())
    emulator.advance(7200)
    outcome = run_import(emulator, tmp_path, f"night={made['name']}")
    assert outcome.code == 0, outcome.said
    assert outcome.changes == []
    life, wanted = life_of(host, outcome, BatchJobProvider, "night")
    assert life.outputs["successful_count"] == 2
    assert wanted["machine_spec"] == L4
    assert life.preview(wanted) == ("same", [])
    assert life.refresh() == {}
    life.up(wanted)
    assert life.preview({**wanted, "triggers": {"night": "2"}})[0] == "replace"
    assert len(jobs(emulator)) == 1
    life.destroy()
    assert jobs(emulator) == []


def test_a_running_job_is_waited_for_by_the_next_up(emulator, host, tmp_path):
    make_bucket(emulator)
    put_questions(emulator)
    emulator.set_speed(1)
    made = call(f"{emulator.url}/v1/{PARENT}/batchPredictionJobs", job_body())
    outcome = run_import(emulator, tmp_path, f"night={made['name']}")
    assert "the next `up` waits for it" in outcome.flat
    emulator.set_speed(1_000_000)
    life, wanted = life_of(host, outcome, BatchJobProvider, "night")
    assert life.up(wanted)["job_state"] == "JOB_STATE_SUCCEEDED"
    assert len(jobs(emulator)) == 1
    assert life.preview(wanted) == ("same", [])


def test_a_lost_state_is_imported_again_without_a_change(emulator, host, tmp_path):
    """What carries this stack's labels is this stack's: nothing moves, and a preview has nothing to do."""
    make_bucket(emulator)
    lost = Life(host, CustomWeightsModelProvider, name="served")
    lost.up({"gcs_uri": put_weights(emulator, "llama"), "machine_spec": L4})
    outcome = run_import(emulator, tmp_path, f"served={lost.id}")
    assert outcome.code == 2
    assert "belongs to another stack (mg-owner=" in outcome.said
    assert "--owned-by" in outcome.said
    outcome = run_import(emulator, tmp_path, f"other={lost.id}", owner=OWNER)
    assert "belongs to another resource of acme/project/stack" in outcome.said
    outcome = run_import(emulator, tmp_path, f"served={lost.id}", owner=OWNER)
    assert "3. preview: it has nothing to do" in outcome.said
    life, wanted = life_of(host, outcome, CustomWeightsModelProvider, "served")
    lost.id = None
    assert life.preview(wanted) == ("same", [])
    life.destroy()
    assert kinds(emulator) == []


@pytest.mark.parametrize("call", ["endpoints.patch", "models.patch", "models.get"])
@pytest.mark.parametrize("fault", [{"fault": "lose_answer"}, {"fault": "status", "status": 403}], ids=["lost", "403"])
def test_a_first_up_after_an_import_that_is_interrupted_converges(emulator, host, hand, tmp_path, call, fault):
    endpoint = hand.make_endpoint(dedicatedEndpointEnabled=True)
    id = hand.deploy(endpoint, hand.upload(), {"0": 100})
    life, wanted = life_of(
        host, run_import(emulator, tmp_path, f"served={endpoint}"), CustomWeightsModelProvider, "served"
    )
    emulator.fail(rpc=f"aiplatform.projects.locations.{call}", **fault)
    for _ in range(2):
        with contextlib.suppress(HostError):
            life.up(wanted)
    assert [fault["met"] for fault in emulator.faults()] == [1]
    assert life.up(wanted)["deployed_model_id"] == id
    assert life.preview(wanted) == ("same", [])
    life.destroy()
    assert kinds(emulator) == []


@pytest.mark.parametrize("kind", [CustomWeightsModelProvider, DedicatedEndpointProvider])
def test_another_endpoint_that_has_the_id_by_now_is_left_alone(emulator, host, hand, tmp_path, kind):
    """Between the import and the first `up`, somebody deletes the endpoint and makes one of the same id."""

    def make():
        call(f"{emulator.url}/v1beta1/{PARENT}/endpoints?endpointId=chat", {"displayName": "chat"})
        emulator.advance(600)
        hand.deploy(f"{PARENT}/endpoints/chat", model, {"0": 100})

    model = hand.upload()
    make()
    name = kind.__name__.removesuffix("Provider")
    outcome = run_import(emulator, tmp_path, f"{PARENT}/endpoints/chat", kind=name)
    life, wanted = life_of(host, outcome, kind, "chat")
    hand.undeploy(f"{PARENT}/endpoints/chat", hand.endpoint(f"{PARENT}/endpoints/chat")["deployedModels"][0]["id"])
    hand.delete(f"{PARENT}/endpoints/chat")
    make()
    before = hand.endpoint(f"{PARENT}/endpoints/chat")
    for step in (lambda: life.up(wanted), life.destroy):
        with pytest.raises(HostError, match="is not the one that was imported"):
            step()
    assert hand.endpoint(f"{PARENT}/endpoints/chat") == before


def test_a_destroy_right_after_the_import_takes_down_what_was_imported_and_nothing_else(emulator, host, hand, tmp_path):
    endpoint = private_endpoint(hand)
    make_rule(emulator, hand, endpoint)
    beside = hand.make_endpoint(displayName="beside")
    outcome = run_import(
        emulator, tmp_path, f"chat={endpoint}", f"{REGION}/forwardingRules/way", kind="DedicatedEndpoint"
    )
    rule, _ = life_of(host, outcome, PscForwardingRuleProvider, "way")
    chat, _ = life_of(host, outcome, DedicatedEndpointProvider, "chat")
    rule.destroy()
    chat.destroy()
    assert [kind for kind in kinds(emulator) if "work" not in kind] == ["Endpoint", "Model"]
    assert hand.endpoint(beside)["displayName"] == "beside"


@pytest.mark.parametrize("taken", ["endpoint", "model"])
def test_what_another_stack_took_after_the_import_is_left_alone(emulator, host, hand, tmp_path, taken):
    names = {"model": hand.upload(), "endpoint": hand.make_endpoint(dedicatedEndpointEnabled=True)}
    hand.deploy(names["endpoint"], names["model"], {"0": 100})
    outcome = run_import(emulator, tmp_path, f"served={names['endpoint']}")
    life, wanted = life_of(host, outcome, CustomWeightsModelProvider, "served")
    hand.patch(names[taken], "labels", labels={"mg-owner": "abcdef", "mg-resource": "theirs"})
    before = hand.endpoint(names[taken])
    for step in (lambda: life.up(wanted), life.destroy):
        with pytest.raises(HostError, match="ownership labels of somebody else"):
            step()
    assert hand.endpoint(names[taken]) == before


def test_what_was_imported_moves_into_a_component_in_its_first_up_and_keeps_its_address(emulator, host, hand, tmp_path):
    """The engine finds it by an alias, under the URN that it has in the component."""
    endpoint = hand.make_endpoint(dedicatedEndpointEnabled=True)
    id = hand.deploy(endpoint, hand.upload(), {"0": 100})
    outcome = run_import(emulator, tmp_path, f"served={endpoint}")
    life, wanted = life_of(host, outcome, CustomWeightsModelProvider, "served")
    life.parents = ("shop:platform:Fleet",)
    assert shown(life, wanted) == ("update", {"owner", "program_path"})
    assert life.up(wanted)["deployed_model_id"] == id
    assert life.id == endpoint
    assert life.preview(wanted) == ("same", [])
    assert life.refresh() == {}
    life.destroy()
    assert kinds(emulator) == []
