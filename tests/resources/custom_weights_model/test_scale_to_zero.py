"""A model that scales to zero: alone, at an address of its own, rolled out by recreate, and woken by what asks it."""

import pytest

from mg_provider.emulator.services.vertex.autoscaling import SCALE_UP
from mg_provider.emulator.services.vertex.idling import LONGEST_IDLE
from mg_provider.emulator.services.vertex.state import vertex
from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from tests.support.lives.endpoints import L4, Hand, kinds
from tests.support.lives.life import CheckFailed, Life
from tests.support.samples.weights import put_weights

IDLE = {"min_replica_count": 0, "scale_to_zero_spec": {"idle_scaledown_period": "28800s"}}


@pytest.fixture(autouse=True)
def hours_pass_slowly(emulator, host):
    """So that nothing goes to zero, or is undeployed, while a call takes its time."""
    emulator.set_speed(2000)


def test_new_weights_take_the_place_of_old_ones_by_recreate(emulator, host, weights):
    life, other = Life(host, CustomWeightsModelProvider), put_weights(emulator, "other")
    wanted = {"gcs_uri": weights, "machine_spec": L4, **IDLE}
    before = life.up(wanted)
    after = life.up({**wanted, "gcs_uri": other})
    assert "recreate" in after["deployment_plan"] or "undeploy" in after["deployment_plan"]
    assert after["endpoint"] == before["endpoint"]
    assert kinds(emulator) == ["DeployedModel", "Endpoint", "Model"]
    assert life.refresh() == {}
    assert life.preview({**wanted, "gcs_uri": other}) == ("same", [])
    life.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("woken_at_once", [False, True], ids=["seen at zero", "awake before anybody looks"])
def test_a_probe_that_wakes_it_waits_instead_of_taking_the_rollout_back(emulator, host, weights, woken_at_once):
    life, other = Life(host, CustomWeightsModelProvider), put_weights(emulator, "other")
    wanted = {"gcs_uri": weights, "machine_spec": L4, **IDLE}
    before = life.up(wanted)
    emulator.scale(before["endpoint_id"], before["deployed_model_id"], 0)
    asked = []

    def go_to_zero(request):
        rpc = request["rpc"].rpartition("endpoints.")[2]
        if rpc == "chat.completions" and not asked:
            emulator.set_speed(0)
            (endpoint,) = vertex(emulator.world).endpoints.values()
            emulator.scale(before["endpoint_id"], endpoint.deployed[0]["id"], 0)
        elif rpc == ("get" if woken_at_once else "chat.completions") and len(asked) == 1:
            emulator.set_speed(2000)
            emulator.advance(SCALE_UP)
        asked.extend([request] if rpc == "chat.completions" else [])

    with emulator.watched(go_to_zero):
        after = life.up({**wanted, "gcs_uri": other})
    assert len(asked) > 1
    assert after["gcs_uri"] == other
    assert life.refresh() == {}


def test_what_google_undeployed_after_thirty_idle_days_is_drift_and_comes_back(emulator, host, weights):
    life = Life(host, CustomWeightsModelProvider)
    wanted = {"gcs_uri": weights, "machine_spec": L4, **IDLE}
    before = life.up(wanted)
    emulator.advance(LONGEST_IDLE)
    assert kinds(emulator) == ["Endpoint", "Model"]
    assert "scale_to_zero_spec" in life.refresh()
    assert life.preview(wanted)[0] == "update"
    after = life.up(wanted)
    assert kinds(emulator) == ["DeployedModel", "Endpoint", "Model"]
    assert after["endpoint"] == before["endpoint"]
    assert life.refresh() == {}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"rollout": {"strategy": "shift"}}, "use recreate"),
        ({"rollout": {"strategy": "rolling"}}, "use recreate"),
        ({"dedicated_endpoint_disabled": True}, "does not work at the region's shared domain"),
        ({"required_replica_count": 1}, "less than required_replica_count"),
    ],
    ids=str,
)
def test_what_google_would_refuse_of_a_model_is_said_before(host, weights, more, told):
    life = Life(host, CustomWeightsModelProvider)
    with pytest.raises(CheckFailed, match=told):
        life.up({"gcs_uri": weights, "machine_spec": L4, **IDLE, **more})


@pytest.mark.parametrize(
    ("more", "beside", "told"),
    [
        ({"dedicated_endpoint_enabled": True}, True, "beside b"),
        ({"dedicated_endpoint_enabled": True, "rollout": {"strategy": "shift"}}, False, "use recreate"),
        ({"dedicated_endpoint_enabled": False}, False, "does not work at the region's shared domain"),
    ],
    ids=["two", "shift", "shared"],
)
def test_what_google_would_refuse_of_an_endpoint_is_said_before(emulator, host, more, beside, told):
    served = {"model": Hand(emulator).upload(), "machine_spec": L4}
    models = {"a": {**served, **IDLE}, **({"b": served} if beside else {})}
    split = {"traffic_split": {"a": 50, "b": 50}} if beside else {}
    with pytest.raises(CheckFailed, match=told):
        Life(host, DedicatedEndpointProvider).up({"deployed_models": models, **split, **more})


@pytest.mark.parametrize("replicas", [0, 1])
def test_turning_it_on_together_with_new_weights_and_off_again_ends_with_one(emulator, host, weights, replicas):
    life, other = Life(host, CustomWeightsModelProvider), put_weights(emulator, "other")
    plain = {"gcs_uri": weights, "machine_spec": L4}
    life.up(plain)
    idle = life.up({**plain, "gcs_uri": other, **IDLE})
    emulator.scale(idle["endpoint_id"], idle["deployed_model_id"], replicas)
    assert life.refresh() == {}
    life.up(plain)
    assert life.refresh() == {}
    assert kinds(emulator) == ["DeployedModel", "Endpoint", "Model"]
