"""What others change on an endpoint shows as what changed, and up heals it; what Vertex AI changes is no drift."""

import pytest

from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from tests.support.lives.endpoints import L4, kinds, make_bucket_once, told
from tests.support.lives.life import Life
from tests.support.samples.weights import put_weights

DUTY = {"metric_name": "aiplatform.googleapis.com/prediction/online/accelerator/duty_cycle", "target": 50}
DUTY_AS_SHOWN = {"metricName": DUTY["metric_name"], "target": 90}
OTHER_MACHINE = {"machineType": "g2-standard-24", "acceleratorType": "NVIDIA_L4", "acceleratorCount": 2}
PRIVATE = {"enable_private_service_connect": True, "project_allowlist": ["my-project", "client-project"]}
AUTOMATED = {"project_id": "client-project", "network": "projects/client-project/global/networks/vpc"}


@pytest.fixture
def weights(emulator, host):
    """A CustomWeightsModel, up; what it was made with is ``wanted``."""
    make_bucket_once(emulator)
    life = Life(host, CustomWeightsModelProvider)
    life.wanted = {
        "gcs_uri": put_weights(emulator),
        "machine_spec": L4,
        "min_replica_count": 1,
        "max_replica_count": 3,
        "autoscaling_metric_specs": [DUTY],
        "labels": {"team": "search"},
    }
    life.up(life.wanted)
    return life


@pytest.fixture
def chat(emulator, host, hand):
    """A DedicatedEndpoint with two models, up."""
    model = hand.upload()
    life = Life(host, DedicatedEndpointProvider, name="chat")
    served = {"model": model, "machine_spec": L4, "max_replica_count": 3, "autoscaling_metric_specs": [DUTY]}
    life.wanted = {
        "deployed_models": {"v1": served, "v2": {"model": model, "machine_spec": L4}},
        "traffic_split": {"v1": 90, "v2": 10},
        "labels": {"team": "search"},
    }
    life.up(life.wanted)
    return life


def heals(life):
    """The next run repairs it: the preview says update, and afterwards nothing is left to say."""
    assert life.preview(life.wanted) == ("update", [])
    life.up(life.wanted)
    assert life.refresh() == {}
    assert life.preview(life.wanted) == ("same", [])


MUTATIONS = [
    ("minReplicaCount", {"minReplicaCount": 2}, {"min_replica_count": 2}),
    ("maxReplicaCount", {"maxReplicaCount": 5}, {"max_replica_count": 5}),
    (
        "autoscalingMetricSpecs",
        {"autoscalingMetricSpecs": [DUTY_AS_SHOWN]},
        {"autoscaling_metric_specs": [{**DUTY, "target": 90}]},
    ),
]


@pytest.mark.parametrize(("mask", "resources", "drift"), MUTATIONS, ids=[entry[0] for entry in MUTATIONS])
def test_replicas_and_autoscaling_changed_by_hand_drift_and_heal(hand, weights, mask, resources, drift):
    path = f"dedicatedResources.{mask}"
    hand.mutate(weights.id, weights.outputs["deployed_model_id"], path, dedicatedResources=resources)
    assert weights.refresh() == drift
    heals(weights)


@pytest.mark.parametrize(("mask", "resources", "drift"), MUTATIONS, ids=[entry[0] for entry in MUTATIONS])
def test_a_named_deployment_changed_by_hand_drifts_and_heals(hand, chat, mask, resources, drift):
    id = chat.outputs["deployed_model_ids"]["v1"]
    hand.mutate(chat.id, id, f"dedicatedResources.{mask}", dedicatedResources=resources)
    changed = chat.refresh()
    assert set(changed) == {"deployed_models"}
    assert changed["deployed_models"]["v1"].items() >= drift.items()
    heals(chat)
    assert chat.outputs["deployed_model_ids"]["v1"] == id


def test_container_logging_turned_off_by_hand_drifts_and_heals(hand, chat):
    hand.mutate(chat.id, chat.outputs["deployed_model_ids"]["v2"], "enableContainerLogging")
    assert chat.refresh()["deployed_models"]["v2"]["enable_container_logging"] is False
    heals(chat)


@pytest.mark.parametrize("subject", ["weights", "chat"])
def test_settings_changed_by_hand_drift_and_heal(request, hand, subject):
    life = request.getfixturevalue(subject)
    labels = {**hand.endpoint(life.id)["labels"], "team": "ads"}
    log = {"enabled": True, "samplingRate": 1, "bigqueryDestination": {"outputUri": "bq://my-project.logs.all"}}
    mask = "labels,displayName,description,predictRequestResponseLoggingConfig"
    hand.patch(life.id, mask, labels=labels, displayName="x", description="y", predictRequestResponseLoggingConfig=log)
    changed = life.refresh()
    assert changed.pop("predict_request_response_logging_config")["enabled"] is True
    assert changed == {"labels": {"team": "ads"}, "endpoint_display_name": "x", "description": "y"}
    heals(life)
    assert "predictRequestResponseLoggingConfig" not in hand.endpoint(life.id)


@pytest.mark.parametrize("subject", ["weights", "chat"])
def test_a_label_removed_by_hand_drifts_and_heals(request, hand, subject):
    life = request.getfixturevalue(subject)
    labels = {key: value for key, value in hand.endpoint(life.id)["labels"].items() if key != "team"}
    hand.patch(life.id, "labels", labels=labels)
    assert life.refresh() == {"labels": {}}
    heals(life)


def test_a_deployment_missing_on_the_endpoint_drifts_and_is_deployed_again(hand, chat):
    ids = chat.outputs["deployed_model_ids"]
    hand.undeploy(chat.id, ids["v2"], {ids["v1"]: 100})
    changed = chat.refresh()
    assert set(changed["deployed_models"]) == {"v1"}
    assert changed["traffic_split"] == {"v1": 100}
    heals(chat)
    assert chat.outputs["deployed_model_ids"]["v1"] == ids["v1"]


def test_another_machine_under_the_same_id_drifts_and_is_replaced_beside(hand, chat):
    ids = chat.outputs["deployed_model_ids"]
    model = chat.wanted["deployed_models"]["v2"]["model"]
    hand.undeploy(chat.id, ids["v2"], {ids["v1"]: 100})
    hand.deploy(chat.id, model, machine=OTHER_MACHINE, id=ids["v2"], enableContainerLogging=True)
    drifted = chat.refresh()["deployed_models"]["v2"]
    assert drifted["machine_spec"]["machine_type"] == "g2-standard-24"
    heals(chat)
    shown = {entry["id"]: entry for entry in hand.endpoint(chat.id)["deployedModels"]}
    assert len(shown) == 2
    machine = shown[chat.outputs["deployed_model_ids"]["v2"]]["dedicatedResources"]["machineSpec"]
    assert machine["machineType"] == "g2-standard-12"


def test_an_additional_deployment_is_told_and_left_alone(hand, chat):
    ids = chat.outputs["deployed_model_ids"]
    model = chat.wanted["deployed_models"]["v1"]["model"]
    id = hand.deploy(chat.id, model, {"0": 50, ids["v1"]: 50, ids["v2"]: 0})
    assert chat.refresh() == {"traffic_split": {"v1": 50, f"unmanaged-{id}": 50}}
    assert chat.outputs["unmanaged_deployed_models"] == [id]
    heals(chat)
    assert chat.outputs["unmanaged_deployed_models"] == [id]
    assert len(hand.endpoint(chat.id)["deployedModels"]) == 3


def test_an_additional_deployment_is_drift_and_undeployed_where_that_is_asked_for(hand, chat):
    chat.wanted = {**chat.wanted, "remove_unmanaged_deployed_models": True}
    chat.up(chat.wanted)
    model = chat.wanted["deployed_models"]["v1"]["model"]
    id = hand.deploy(chat.id, model)
    assert set(chat.refresh()["deployed_models"]) == {"v1", "v2", f"unmanaged-{id}"}
    heals(chat)
    assert len(hand.endpoint(chat.id)["deployedModels"]) == 2


def test_asking_for_removal_undeploys_what_was_told_before(hand, chat):
    hand.deploy(chat.id, chat.wanted["deployed_models"]["v1"]["model"])
    chat.refresh()
    chat.wanted = {**chat.wanted, "remove_unmanaged_deployed_models": True}
    heals(chat)
    assert chat.outputs["unmanaged_deployed_models"] == []


def test_traffic_on_an_endpoint_without_named_models_is_not_ours_to_say(host, hand, emulator):
    life = Life(host, DedicatedEndpointProvider, name="shell")
    life.up({})
    id = hand.deploy(life.id, hand.upload(), {"0": 100})
    assert life.refresh() == {}
    life.up({"description": "changed"})
    assert hand.endpoint(life.id)["trafficSplit"] == {id: 100}


def test_the_last_named_model_leaves_without_giving_its_traffic_to_a_stranger(hand, chat):
    id = hand.deploy(chat.id, chat.wanted["deployed_models"]["v1"]["model"])
    chat.up({})
    endpoint = hand.endpoint(chat.id)
    assert [entry["id"] for entry in endpoint["deployedModels"]] == [id]
    assert "trafficSplit" not in endpoint


@pytest.mark.parametrize("subject", ["weights", "chat"])
def test_a_deleted_endpoint_is_gone_and_made_again_at_the_same_id(request, hand, subject):
    life = request.getfixturevalue(subject)
    before = life.id
    for entry in hand.endpoint(life.id)["deployedModels"]:
        rest = [other["id"] for other in hand.endpoint(life.id)["deployedModels"] if other["id"] != entry["id"]]
        hand.undeploy(life.id, entry["id"], {rest[0]: 100} if rest else None)
    hand.delete(life.id)
    # The Model of one's own weights outlives its endpoint, and stays in the state for it.
    assert (life.refresh() is None) == (subject == "chat")
    life.up(life.wanted)
    assert life.id == before
    assert life.refresh() == {}


@pytest.mark.parametrize("subject", ["weights", "chat"])
def test_what_autoscaling_changes_is_no_drift_and_no_changed_output(request, emulator, subject):
    life = request.getfixturevalue(subject)
    id = life.outputs["deployed_model_ids"]["v1"] if subject == "chat" else life.outputs["deployed_model_id"]
    before = dict(life.outputs)
    emulator.scale(life.outputs["endpoint_id"], id, 3)
    emulator.advance(3600)
    assert life.refresh() == {}
    assert life.outputs == before
    assert life.preview(life.wanted) == ("same", [])


def test_a_private_endpoint_s_own_results_are_no_drift(host, hand):
    life = Life(host, DedicatedEndpointProvider, name="private")
    config = {**PRIVATE, "psc_automation_configs": [AUTOMATED]}
    wanted = {
        "deployed_models": {"v1": {"model": hand.upload(), "machine_spec": L4}},
        "private_service_connect_config": config,
    }
    outputs = life.up(wanted)
    assert [entry["state"] for entry in outputs["psc_automation"]] == ["PSC_AUTOMATION_STATE_SUCCESSFUL"]
    assert outputs["psc_automation"][0]["ip_address"]
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])
    # A list widened by hand drifts as the list alone: what Google filled in is no reason to replace.
    shown = hand.endpoint(life.id)["privateServiceConnectConfig"]
    hand.patch(
        life.id,
        "privateServiceConnectConfig.projectAllowlist",
        privateServiceConnectConfig={**shown, "projectAllowlist": ["my-project", "client-project", "intruder"]},
    )
    drift = life.refresh()["private_service_connect_config"]
    assert drift == {**config, "project_allowlist": ["my-project", "client-project", "intruder"]}
    life.wanted = wanted
    heals(life)


def test_an_automated_connection_that_failed_is_told_with_its_cause_and_what_to_do(emulator, host, hand):
    emulator.behave(connection_policy="missing")
    life = Life(host, DedicatedEndpointProvider, name="private")
    before = len(host.said)
    outputs = life.up(
        {
            "deployed_models": {"v1": {"model": hand.upload(), "machine_spec": L4}},
            "private_service_connect_config": {**PRIVATE, "psc_automation_configs": [AUTOMATED]},
        }
    )
    assert outputs["psc_automation"] == [
        {
            **AUTOMATED,
            "state": "PSC_AUTOMATION_STATE_FAILED",
            "ip_address": "",
            "forwarding_rule": "",
            "error_message": "CONNECTION_POLICY_MISSING",
        }
    ]
    life.refresh()
    says = "service connection policy for the service class gcp-vertexai"
    assert says in told(host, before)
    life.destroy()
    assert kinds(emulator) == ["Model"]
