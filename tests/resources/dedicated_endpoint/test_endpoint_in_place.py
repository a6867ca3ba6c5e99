"""What changes on a running endpoint: the mask names exactly that, and what others change meanwhile survives."""

import threading
from types import MappingProxyType
from typing import Annotated

import pytest

from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from mg_provider.resources.dedicated_endpoint.args import DedicatedEndpointArgs
from mg_provider.resources.endpoint.adoption import setting_changes
from mg_provider.resources.endpoint.args import PATCH, UPDATE
from mg_provider.resources.endpoint.settings import endpoint_patch, endpoint_update
from mg_provider.resources.model.marks import InPlace
from mg_provider.resources.model.standing import Stands
from mg_provider.wire.vertex.endpoint import Endpoint
from tests.support.lives.endpoints import L4, make_bucket_once, masks
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.samples.weights import put_weights

PRIVATE = {"enable_private_service_connect": True, "project_allowlist": ["my-project", "client-project"]}
WIDER = {**PRIVATE, "project_allowlist": [*PRIVATE["project_allowlist"], "third-project"]}
DUTY = {"metric_name": "aiplatform.googleapis.com/prediction/online/accelerator/duty_cycle", "target": 50}
IDLE = {"idle_scaledown_period": "300s"}
NOTHING = MappingProxyType({})
LOG = {"enabled": True, "sampling_rate": 0.5, "bigquery_destination": {"output_uri": "bq://my-project.logs.requests"}}


@pytest.fixture(params=["weights", "endpoint"])
def subject(request, emulator, host, hand):
    """A life, and a function from arguments to all that it takes: those of the machines go where they belong."""
    if request.param == "weights":
        make_bucket_once(emulator)
        least = {"gcs_uri": put_weights(emulator), "machine_spec": L4}
        return Life(host, CustomWeightsModelProvider), lambda machines=NOTHING, **more: {**least, **machines, **more}
    model = hand.upload()

    def complete(machines=NOTHING, **more):
        own = {"dedicated_endpoint_enabled": True} if "scale_to_zero_spec" in machines else {}
        return {"deployed_models": {"v1": {"model": model, "machine_spec": L4, **machines}}, **own, **more}

    return Life(host, DedicatedEndpointProvider), complete


SETTINGS = [
    ({"endpoint_display_name": "New"}, {}, "displayName"),
    ({"description": "one"}, {"description": "two"}, "description"),
    ({"description": "one"}, {}, "description"),
    ({"labels": {"team": "ads"}}, {"labels": {"team": "search", "cost": "1"}}, "labels"),
    ({"predict_request_response_logging_config": LOG}, {}, "predictRequestResponseLoggingConfig"),
    (
        {"private_service_connect_config": PRIVATE},
        {"private_service_connect_config": WIDER},
        "privateServiceConnectConfig.projectAllowlist",
    ),
]
MACHINES = [
    ({"max_replica_count": 3}, {"min_replica_count": 2, "max_replica_count": 3}, "minReplicaCount"),
    ({"max_replica_count": 3}, {"max_replica_count": 4}, "maxReplicaCount"),
    ({}, {"min_replica_count": 2}, "minReplicaCount,maxReplicaCount"),
    (
        {"min_replica_count": 2},
        {"min_replica_count": 2, "required_replica_count": 1},
        "requiredReplicaCount",
    ),
    ({}, {"autoscaling_metric_specs": [DUTY]}, "autoscalingMetricSpecs"),
    ({"autoscaling_metric_specs": [DUTY]}, {}, "autoscalingMetricSpecs"),
    ({}, {"min_replica_count": 0, "scale_to_zero_spec": IDLE}, "minReplicaCount,scaleToZeroSpec"),
]


@pytest.mark.parametrize(
    ("before", "after", "mask"), SETTINGS, ids=[f"{entry[2]}-{n}" for n, entry in enumerate(SETTINGS)]
)
def test_a_setting_changes_alone_and_nothing_else_is_named(emulator, subject, before, after, mask):
    life, complete = subject
    life.up(complete(**before))
    since = len(emulator.requests())
    assert life.preview(complete(**after)) == ("update", [])
    life.up(complete(**after))
    assert masks(emulator, since) == [("patch", mask)]
    assert life.refresh() == {}
    assert life.preview(complete(**after)) == ("same", [])


@pytest.mark.parametrize(("before", "after", "mask"), MACHINES, ids=[entry[2] for entry in MACHINES])
def test_a_deployment_changes_alone_and_nothing_else_is_named(emulator, subject, before, after, mask):
    life, complete = subject
    life.up(complete(before))
    since = len(emulator.requests())
    life.up(complete(after))
    wanted = ",".join(f"dedicatedResources.{name}" for name in mask.split(","))
    assert masks(emulator, since) == [("mutate", wanted)]
    assert life.refresh() == {}


def test_container_logging_changes_alone(emulator, subject):
    life, complete = subject
    life.up(complete({"enable_container_logging": True}))
    since = len(emulator.requests())
    life.up(complete({"enable_container_logging": False}))
    assert masks(emulator, since) == [("mutate", "enableContainerLogging")]
    assert life.refresh() == {}


def test_the_clients_timeout_is_set_and_taken_back(emulator, hand, subject):
    life, complete = subject
    life.up(complete(client_connection_config={"inference_timeout": "60s"}))
    assert hand.endpoint(life.id)["clientConnectionConfig"] == {"inferenceTimeout": "60s"}
    since = len(emulator.requests())
    life.up(complete())
    assert masks(emulator, since) == [("update", "clientConnectionConfig")]
    assert "clientConnectionConfig" not in hand.endpoint(life.id)
    assert life.refresh() == {}


@pytest.mark.parametrize("minimum", [1, 2])
def test_the_most_replicas_left_out_or_equal_to_the_minimum_are_the_same(subject, minimum):
    life, complete = subject
    least = {"min_replica_count": minimum}
    life.up(complete({**least, "max_replica_count": minimum}))
    assert life.preview(complete(least)) == ("same", [])
    life.up(complete(least))
    assert life.preview(complete({**least, "max_replica_count": minimum})) == ("same", [])


def test_labels_of_others_are_kept_and_are_no_drift(hand, subject):
    life, complete = subject
    life.up(complete(labels={"team": "ads", "old": "1"}))
    theirs = {**hand.endpoint(life.id)["labels"], "goog-made": "yes"}
    hand.patch(life.id, "labels", labels=theirs)
    assert life.refresh() == {}
    life.up(complete(labels={"team": "search"}))
    labels = hand.endpoint(life.id)["labels"]
    assert {key: labels[key] for key in labels if not key.startswith("mg-")} == {"team": "search", "goog-made": "yes"}


def test_a_label_whose_removal_failed_is_removed_by_the_next_run(emulator, hand, subject):
    life, complete = subject
    life.up(complete(labels={"team": "ads", "old": "1"}))
    emulator.fail(rpc="endpoints.patch", fault="status", status=403)
    with pytest.raises(HostError):
        life.up(complete(labels={"team": "ads"}))
    life.up(complete(labels={"team": "ads"}))
    assert "old" not in hand.endpoint(life.id)["labels"]
    assert life.refresh() == {}
    assert life.preview(complete(labels={"team": "ads"})) == ("same", [])


def test_the_name_of_a_model_is_set_although_somebody_changes_it_meanwhile(emulator, hand, host):
    make_bucket_once(emulator)
    life = Life(host, CustomWeightsModelProvider)
    least = {"gcs_uri": put_weights(emulator), "machine_spec": L4}
    life.up(least)
    since = len(emulator.requests())
    emulator.fail(rpc="aiplatform.projects.locations.models.get", fault="delay", seconds=0.3)
    worker = threading.Thread(target=life.up, args=[{**least, "model_display_name": "Ours"}])
    worker.start()
    while not any((entry["rpc"] or "").endswith("models.get") for entry in emulator.requests()[since:]):
        worker.join(0.01)
    hand.patch(life.outputs["model"], "description", description="theirs")
    worker.join()
    model = hand.endpoint(life.outputs["model"])
    assert (model["displayName"], model["description"]) == ("Ours", "theirs")


def test_what_another_client_changes_between_reading_and_writing_survives(emulator, hand, subject):
    """The answer to our reading comes late, so that our change carries an etag that is stale by then."""
    life, complete = subject
    life.up(complete(labels={"team": "ads"}))
    name, rpc = life.id, "aiplatform.projects.locations.endpoints.get"
    theirs = {**hand.endpoint(name)["labels"], "theirs": "1"}
    since = len(emulator.requests())
    emulator.fail(rpc=rpc, fault="delay", seconds=0.5, after=1)
    worker = threading.Thread(target=life.up, args=[complete(labels={"team": "search"})])
    worker.start()
    while [entry["rpc"] for entry in emulator.requests()[since:] if "status" in entry].count(rpc) < 2:
        worker.join(0.01)
    hand.patch(name, "labels", labels=theirs)
    worker.join()
    patches = [entry for entry in emulator.requests()[since:] if (entry["rpc"] or "").endswith("endpoints.patch")]
    assert [entry["status"] for entry in patches] == [200, 409, 200], "the change was not met by a stale etag"
    endpoint = hand.endpoint(name)
    assert endpoint["labels"]["theirs"] == "1"
    assert endpoint["labels"]["team"] == "search"


def test_an_allowlist_that_cannot_be_changed_is_told_and_nothing_is_done(emulator, hand, subject):
    life, complete = subject
    life.up(complete(private_service_connect_config=PRIVATE))
    before = hand.endpoint(life.id)
    state = life.outputs
    emulator.behave(allowlist_patch="refuse")
    changed = complete({"min_replica_count": 2}, private_service_connect_config=WIDER, description="new")
    with pytest.raises(HostError, match="nothing was changed") as refusal:
        life.up(changed)
    assert "put project_allowlist back" in refusal.value.text
    assert refusal.value.kept is None
    assert hand.endpoint(life.id) == before
    assert life.outputs == state
    # With the list as it was, everything else goes through.
    life.up(complete({"min_replica_count": 2}, private_service_connect_config=PRIVATE, description="new"))
    assert life.refresh() == {}


def test_a_setting_that_google_drops_is_an_error_that_names_it_and_not_a_difference_for_ever(subject):
    life, complete = subject
    with pytest.raises(HostError, match="did not keep error_sampling_rate") as failure:
        life.up(complete(predict_request_response_logging_config={**LOG, "error_sampling_rate": 1}))
    assert failure.value.kept is not None
    wanted = complete(predict_request_response_logging_config=LOG)
    life.up(wanted)
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])


class MoreArgs(DedicatedEndpointArgs):
    """Two arguments more, each in a part of the endpoint."""

    enable_rag: Annotated[
        bool, InPlace(PATCH), Stands("endpoint", "gen_ai_advanced_features_config.rag_config.enable_rag")
    ] = False
    timeout: Annotated[str, InPlace(UPDATE), Stands("endpoint", "client_connection_config.inference_timeout")] = ""


def test_an_argument_that_is_a_part_of_a_setting_is_made_changed_and_named_in_an_adoption():
    args = MoreArgs(owner="acme/project/stack", resource="chat", enable_rag=True, timeout="60s")
    made = args.wire("claim")
    assert made.gen_ai_advanced_features_config.rag_config.enable_rag
    assert made.client_connection_config.inference_timeout == "60s"
    bare = Endpoint(labels=args.all_labels("claim"))
    body, mask = endpoint_patch(args, args, "claim", bare)
    assert mask == ["gen_ai_advanced_features_config.rag_config.enable_rag"]
    assert body["genAiAdvancedFeaturesConfig"] == {"ragConfig": {"enableRag": True}}
    assert endpoint_update(args, args, bare) == {"client_connection_config.inference_timeout": "60s"}
    lines = [*setting_changes(args, bare)]
    assert [line for line in lines if "labels" not in line] == ["enable_rag: none -> true", 'timeout: none -> "60s"']
    assert endpoint_update(args, args, made) == {}
    assert endpoint_patch(args, args, "claim", made)[1] == []
