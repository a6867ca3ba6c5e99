"""Parking gives the machines back and keeps everything that clients know."""

import pytest

from tests.support.lives.rollouts import BIGGER, arguments, endpoint_of, kinds, serving
from tests.support.samples.weights import put_weights

EMPTY = ["aiplatform.Endpoint", "aiplatform.Model"]
ADDRESS = ("endpoint", "endpoint_id", "dedicated_endpoint_dns", "model", "model_id")


def test_a_model_is_parked_and_resumed_on_the_same_address(emulator, life, weights):
    before = life.up(arguments(weights, max_replica_count=3))
    parked = arguments(weights, max_replica_count=3, parked=True)
    assert life.preview(parked) == ("update", [])
    assert life.check(parked)["deployment_plan"] == (
        "parks: undeploys, and gives back up to 3 NVIDIA_L4 (3 x g2-standard-12); endpoint, address and Model stay"
    )
    after = life.up(parked)
    assert {name: after[name] for name in ADDRESS} == {name: before[name] for name in ADDRESS}
    assert after["deployed_model_id"] == ""
    assert kinds(emulator) == EMPTY
    assert emulator.ledger()["gpus_in_use"] == {}
    assert life.refresh() == {}
    assert life.preview(parked) == ("same", [])
    resumed = life.up(arguments(weights, max_replica_count=3))
    assert {name: resumed[name] for name in ADDRESS} == {name: before[name] for name in ADDRESS}
    assert serving(emulator, life) == {weights: 100}
    assert life.refresh() == {}
    assert life.preview(arguments(weights, max_replica_count=3)) == ("same", [])
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_model_may_be_made_parked(emulator, life, weights):
    parked = arguments(weights, parked=True, labels={"team": "search"})
    made = life.up(parked)
    assert kinds(emulator) == EMPTY
    assert emulator.ledger()["gpu_seconds_total"] == 0
    assert made["dedicated_endpoint_dns"]
    assert life.refresh() == {}
    assert life.preview(parked) == ("same", [])
    resumed = life.up(arguments(weights, labels={"team": "search"}))
    assert resumed["endpoint"] == made["endpoint"]
    assert serving(emulator, life) == {weights: 100}
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


def test_other_weights_and_machines_while_parked_come_with_the_resumption(emulator, life, weights):
    life.up(arguments(weights))
    other = put_weights(emulator, "other")
    parked = arguments(other, machine_spec=BIGGER, parked=True)
    life.up(parked)
    assert kinds(emulator) == EMPTY
    assert life.preview(parked) == ("same", [])
    resumed = life.up(arguments(other, machine_spec=BIGGER))
    assert resumed["machine_type"] == "g2-standard-24"
    assert serving(emulator, life) == {other: 100}
    assert len(kinds(emulator)) == 3
    life.destroy()
    assert emulator.ledger()["empty"]


def test_what_somebody_deploys_again_is_drift_and_is_parked_again(emulator, life, weights):
    from tests.support.lives.endpoints import Hand

    parked = arguments(weights, parked=True)
    made = life.up(parked)
    Hand(emulator).deploy(life.id, made["model"], {"0": 100})
    assert life.refresh() == {"parked": False}
    life.up(parked)
    assert endpoint_of(emulator, life).get("deployedModels", []) == []
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize(
    "rpc", ["endpoints.create", "models.upload", "endpoints.deployModel", "endpoints.undeployModel"]
)
@pytest.mark.parametrize("fault", ["lose_answer", "drop_request", "status"])
def test_parking_and_resuming_converge_whatever_call_fails(emulator, life, weights, rpc, fault):
    from tests.support.lives.host import HostError

    emulator.fail(rpc=f"aiplatform.projects.locations.{rpc}", fault=fault)
    for wanted in (arguments(weights, parked=True), arguments(weights), arguments(weights, parked=True)):
        for _ in range(3):
            try:
                life.up(wanted)
                break
            except HostError:
                continue
        assert life.refresh() == {}
        assert life.preview(wanted) == ("same", [])
    assert [entry["met"] for entry in emulator.faults()] == [1]
    assert kinds(emulator) == EMPTY
    life.destroy()
    assert emulator.ledger()["empty"]
