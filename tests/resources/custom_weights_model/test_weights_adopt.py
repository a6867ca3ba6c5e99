"""A served model made elsewhere is taken over with its Model, and a Model is kept where that is asked for."""

import pytest

from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from tests.support.lives.endpoints import BIGGER, L4, PARENT, kinds, masks, told
from tests.support.lives.host import HostError
from tests.support.lives.life import CheckFailed, Life
from tests.support.samples.weights import put_weights


@pytest.fixture
def life(host):
    return Life(host, CustomWeightsModelProvider, name="served")


@pytest.fixture
def found(emulator, hand):
    """What the console's deploy button makes: ids of Google's choice, no labels of ours."""
    model = hand.upload()
    name = hand.make_endpoint(dedicatedEndpointEnabled=True)
    id = hand.deploy(name, model, {"0": 100}, enableContainerLogging=True)
    return name, id


WEIGHTS = "gs://weights-bucket/llama"


def wanted(name, **more):
    return {"adopt": name, "gcs_uri": WEIGHTS, "machine_spec": L4, **more}


def test_what_serves_the_same_weights_is_taken_over_with_its_model(emulator, host, hand, life, found):
    name, id = found
    before = hand.endpoint(name)
    since = len(host.said)
    changed = wanted(name, max_replica_count=2, enable_container_logging=False)
    assert life.preview(changed) == ("create", [])
    assert hand.endpoint(name) == before
    lines = told(host, since)
    assert f"deployment {id} and its Model {PARENT}/models/llama become this resource's; the Model is deleted" in lines
    assert "max_replica_count: 1 -> 2" in lines
    assert "enable_container_logging: True -> False" in lines
    since = len(emulator.requests())
    outputs = life.up(changed)
    assert [call for call, _ in masks(emulator, since)] == ["patch", "mutate", "patch"]
    assert (life.id, outputs["model_id"], outputs["deployed_model_id"]) == (name, "llama", id)
    assert life.preview(changed) == ("same", [])
    assert life.refresh() == {}
    life.up({"gcs_uri": WEIGHTS, "machine_spec": L4, "max_replica_count": 2})
    assert (life.id, life.outputs["model_id"]) == (name, "llama")
    life.destroy()
    assert kinds(emulator) == []


def test_a_model_with_an_id_of_google_s_choice_is_taken_over(emulator, hand, life):
    source = hand.endpoint(hand.upload())
    body = {"displayName": "console", "artifactUri": source["artifactUri"], "containerSpec": source["containerSpec"]}
    operation = hand._call(f"{PARENT}/models:upload", {"model": body})
    model = operation["name"].split("/operations/")[0].split("/models/")[1]
    hand.delete(f"{PARENT}/models/llama")
    name = hand.make_endpoint(dedicatedEndpointEnabled=True)
    hand.deploy(name, f"{PARENT}/models/{model}", {"0": 100})
    assert life.up(wanted(name))["model_id"] == model
    assert life.refresh() == {}
    life.destroy()
    assert kinds(emulator) == []


REFUSED = [
    ({"gcs_uri": "gs://weights-bucket/other"}, "gcs_uri", "is not what the adopted endpoint serves"),
    ({"machine_spec": BIGGER}, "machine_spec", "write the same"),
    ({"spot": True}, "spot", "write the same"),
    ({"flex_start": {"max_runtime_duration": "3600s"}}, "flex_start", "write the same"),
    ({"service_account": "a@p.iam.gserviceaccount.com"}, "service_account", "write the same"),
    ({"enable_access_logging": True}, "enable_access_logging", "write the same"),
    ({"dedicated_endpoint_disabled": True}, "dedicated_endpoint_disabled", "write the same"),
]


@pytest.mark.parametrize(("more", "property", "says"), REFUSED, ids=[entry[1] for entry in REFUSED])
def test_what_would_be_another_deployment_is_refused_before_anything_changes(hand, life, found, more, property, says):
    name, _ = found
    before = hand.endpoint(name)
    with pytest.raises(CheckFailed, match=says) as failure:
        life.preview(wanted(name, **more))
    assert list(failure.value.failures) == [property]
    assert hand.endpoint(name) == before


def test_a_machine_that_is_one_of_the_choices_is_taken_over(life, found):
    name, id = found
    outputs = life.up(wanted(name, machine_spec=[BIGGER, L4]))
    assert outputs["deployed_model_id"] == id
    assert life.refresh() == {}


def test_an_endpoint_with_several_models_is_for_the_other_resource(hand, life, found):
    name, id = found
    hand.deploy(name, f"{PARENT}/models/llama", {"0": 0, id: 100})
    with pytest.raises(CheckFailed, match="use DedicatedEndpoint"):
        life.preview(wanted(name))


@pytest.mark.parametrize("call", ["endpoints.patch", "endpoints.mutateDeployedModel", "models.patch", "models.get"])
@pytest.mark.parametrize("fault", [{"fault": "lose_answer"}, {"fault": "status", "status": 403}], ids=["lost", "403"])
def test_an_interrupted_adoption_converges(emulator, hand, life, found, call, fault):
    name, id = found
    after = 1 if call == "models.get" else 0
    emulator.fail(rpc=f"aiplatform.projects.locations.{call}", after=after, **fault)
    for _ in range(2):
        try:
            life.up(wanted(name, max_replica_count=2))
        except HostError:
            continue
    assert [fault["met"] for fault in emulator.faults()] == [1]
    assert life.up(wanted(name, max_replica_count=2))["deployed_model_id"] == id
    assert life.refresh() == {}
    life.destroy()
    assert kinds(emulator) == []


def test_a_deployment_by_others_is_told_and_stands_in_the_way_of_a_removal_with_the_remedy(emulator, hand, life, found):
    name, _ = found
    life.up(wanted(name))
    other = hand.deploy(name, hand.upload("theirs", "theirs"))
    assert life.refresh() == {}
    assert life.outputs["unmanaged_deployed_models"] == [other]
    with pytest.raises(HostError, match="others deployed on the endpoint") as failure:
        life.destroy()
    assert f"--deployed-model-id={other}" in failure.value.text
    assert [entry["id"] for entry in hand.endpoint(name)["deployedModels"]] == [other]
    hand.undeploy(name, other)
    life.destroy()
    assert kinds(emulator) == ["Model"]


def test_a_model_is_kept_said_and_deployed_again_by_the_next_resource(emulator, host, hand, life):
    hand.upload("other", "llama")
    arguments = {"gcs_uri": put_weights(emulator), "machine_spec": L4, "retain_model": True}
    made = life.up(arguments)["model"]
    since = len(host.said)
    life.destroy()
    assert f"kept: {made}" in told(host, since)
    assert kinds(emulator) == ["Model", "Model"]
    since = len(emulator.requests())
    assert life.up(arguments)["model"] == made
    # The kept Model was nobody's: it gets its owner's labels again.
    assert masks(emulator, since) == [("create", ""), ("deployModel", ""), ("patch", "labels")]
    assert life.refresh() == {}
    # Without the argument it goes with the rest.
    del arguments["retain_model"]
    life.up(arguments)
    life.destroy()
    assert [entry["name"].rpartition("/")[2] for entry in emulator.ledger()["resources"]] == ["other"]
