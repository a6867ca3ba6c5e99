"""A rollout is held at a percentage: it goes on, goes back or goes elsewhere only as the program says."""

import pytest

from tests.resources.interrupted.killed import kill_update
from tests.support.lives.endpoints import Hand
from tests.support.lives.host import HostError
from tests.support.lives.life import CheckFailed
from tests.support.lives.rollouts import (
    BIGGER,
    ONE,
    arguments,
    assert_always_served,
    endpoint_of,
    kinds,
    serving,
    shares_of_new,
)
from tests.support.samples.weights import put_weights

PROBE = {"probe": {"kind": "predict", "instances": ["Hi"]}}
TWO = sorted([*ONE, "aiplatform.DeployedModel", "aiplatform.Model"])


def held(weights, percent=10, **more):
    return arguments(weights, rollout={"hold": percent, **PROBE}, **more)


def going(weights, **more):
    return arguments(weights, rollout=PROBE, **more)


@pytest.fixture
def holding(emulator, life, old, new):
    """Old weights with 90 %, new ones with 10 %."""
    life.up(going(old, max_replica_count=4))
    life.first = life.outputs
    life.up(held(new, max_replica_count=4))
    return life


def assert_clean(life, args):
    assert life.refresh() == {}
    assert life.preview(args) == ("same", [])
    assert life.outputs["unmanaged_deployed_models"] == []
    assert life.outputs["rollout_under_way"] == ""


def destroyed(emulator, life):
    life.destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_a_held_rollout_is_a_state_that_up_ends_well_in(emulator, life, old, new):
    first = life.up(going(old, max_replica_count=4))
    inputs = life.check(held(new, max_replica_count=4))
    told = inputs["deployment_plan"]
    assert "moves traffic to 10 %, where it is held at 10 % until rollout.hold is removed" in told
    assert (
        "BOTH RUN AND ARE PAID FOR: 1 to 4 x g2-standard-12, 1 to 4 NVIDIA_L4, $1.15 to $4.60 an hour and 1 to 4 x g2"
        in told
    )
    since = len(emulator.requests())
    after = life.up(held(new, max_replica_count=4))
    assert serving(emulator, life) == {old: 90, new: 10}
    assert kinds(emulator) == TWO
    assert (after["traffic_percent"], after["rollout_held"]["percent"]) == (10, 10)
    assert after["held_deployed_model_id"] == first["deployed_model_id"]
    assert after["deployment_plan"] == told
    assert shares_of_new(emulator, since) == [10]
    assert_always_served(emulator, since)
    assert_clean(life, held(new, max_replica_count=4))
    since = len(emulator.requests())
    life.up(held(new, max_replica_count=4, labels={"team": "search"}))
    changed = [entry["rpc"] for entry in emulator.requests()[since:] if entry["method"] != "GET"]
    assert [rpc.rpartition(".")[2] for rpc in changed] == ["patch"]
    destroyed(emulator, life)


def test_without_hold_it_goes_on(emulator, holding, new):
    since = len(emulator.requests())
    args = going(new, max_replica_count=4)
    assert holding.preview(args) == ("update", [])
    assert "moves traffic to 10 %, 50 %, 100 %" in holding.check(args)["deployment_plan"]
    kept = holding.outputs["deployed_model_id"]
    after = holding.up(args)
    assert after["deployed_model_id"] == kept
    assert after.get("rollout_held") is None
    assert serving(emulator, holding) == {new: 100}
    assert kinds(emulator) == ONE
    assert_always_served(emulator, since)
    assert_clean(holding, args)
    destroyed(emulator, holding)


@pytest.mark.parametrize("more", [{}, {"hold": 10}], ids=["hold removed", "hold left"])
def test_the_weights_of_before_go_back_to_the_deployment_of_before(emulator, holding, old, more):
    since = len(emulator.requests())
    args = arguments(old, rollout={**PROBE, **more}, max_replica_count=4)
    assert holding.preview(args) == ("update", [])
    assert holding.check(args)["deployment_plan"].startswith("goes back: ")
    after = holding.up(args)
    for name in ("deployed_model_id", "model_id", "endpoint", "query_model_id"):
        assert after[name] == holding.first[name], name
    asked = [entry["rpc"].rpartition(".")[2] for entry in emulator.requests()[since:]]
    assert not {"upload", "deployModel"} & set(asked)
    assert serving(emulator, holding) == {old: 100}
    assert kinds(emulator) == ONE
    assert_always_served(emulator, since)
    assert_clean(holding, args)
    destroyed(emulator, holding)


@pytest.mark.parametrize("then", [held, going], ids=["held", "not held"])
def test_third_weights_replace_the_held_ones(emulator, holding, old, then):
    since = len(emulator.requests())
    third = put_weights(emulator, "third")
    args = then(third, max_replica_count=4)
    after = holding.up(args)
    assert serving(emulator, holding) == ({old: 90, third: 10} if then is held else {third: 100})
    assert kinds(emulator) == (TWO if then is held else ONE)
    assert_always_served(emulator, since)
    assert_clean(holding, args)
    assert after["held_deployed_model_id"] == (holding.first["deployed_model_id"] if then is held else "")
    back = going(old, max_replica_count=4)
    holding.up(back)
    assert serving(emulator, holding) == {old: 100}
    assert_clean(holding, back)
    destroyed(emulator, holding)


def test_another_percentage_moves_there_and_is_probed(emulator, holding, old, new):
    since = len(emulator.requests())
    for percent in (60, 5):
        args = held(new, percent, max_replica_count=4)
        assert holding.preview(args) == ("update", [])
        holding.up(args)
        assert serving(emulator, holding) == {old: 100 - percent, new: percent}
        assert any(entry["rpc"].endswith("predict") for entry in emulator.requests()[since:] if entry["rpc"])
        assert_clean(holding, args)
    destroyed(emulator, holding)


def test_another_machine_is_held_and_goes_back(emulator, life, old):
    first = life.up(going(old))
    args = held(old, machine_spec=BIGGER)
    after = life.up(args)
    assert after["machine_type"] == "g2-standard-24"
    assert endpoint_of(emulator, life)["trafficSplit"] == {
        first["deployed_model_id"]: 90,
        after["deployed_model_id"]: 10,
    }
    assert_clean(life, args)
    life.up(going(old))
    assert life.outputs["deployed_model_id"] == first["deployed_model_id"]
    assert_clean(life, going(old))
    destroyed(emulator, life)


def test_a_probe_that_fails_where_it_is_held_goes_back(emulator, life, old, new):
    life.up(going(old))
    emulator.behave(bad_models={new: "500"})
    with pytest.raises(HostError, match="taken back"):
        life.up(held(new))
    assert serving(emulator, life) == {old: 100}
    assert kinds(emulator) == ONE
    life.up(going(old))
    assert_clean(life, going(old))
    destroyed(emulator, life)


def test_a_held_rollout_that_fails_later_goes_back_and_can_be_given_up(emulator, holding, old, new):
    emulator.behave(bad_models={new: "500"})
    with pytest.raises(HostError, match="taken back"):
        holding.up(going(new, max_replica_count=4))
    assert serving(emulator, holding) == {old: 100}
    args = going(old, max_replica_count=4)
    holding.up(args)
    assert holding.outputs["deployed_model_id"] == holding.first["deployed_model_id"]
    assert_clean(holding, args)
    destroyed(emulator, holding)


def test_a_held_rollout_is_parked_as_a_whole_and_destroyed_as_a_whole(emulator, holding, new):
    args = held(new, max_replica_count=4, parked=True)
    holding.up(args)
    assert kinds(emulator) == ["aiplatform.Endpoint", "aiplatform.Model"]
    assert_clean(holding, args)
    holding.up(held(new, max_replica_count=4))
    assert serving(emulator, holding) == {new: 100}
    assert_clean(holding, held(new, max_replica_count=4))
    destroyed(emulator, holding)


def test_traffic_that_somebody_moved_while_it_is_held_is_moved_back(emulator, holding, old, new):
    hand, ids = Hand(emulator), (holding.outputs["held_deployed_model_id"], holding.outputs["deployed_model_id"])
    hand.patch(holding.id, "trafficSplit", trafficSplit={ids[0]: 50, ids[1]: 50})
    holding.refresh()
    args = held(new, max_replica_count=4)
    assert holding.preview(args) == ("update", [])
    holding.up(args)
    assert serving(emulator, holding) == {old: 90, new: 10}
    assert_clean(holding, args)


def test_while_it_is_held_each_deployment_scales_and_what_goes_on_is_large_enough(emulator, life, old, new):
    name = life.up(going(old, max_replica_count=8))["endpoint_id"]
    emulator.behave(load={name: 6})
    emulator.advance(3600)
    emulator.ledger()
    short = len(emulator.shortages())
    life.up(held(new, 50, max_replica_count=8))
    entries = endpoint_of(emulator, life)["deployedModels"]
    assert [entry["dedicatedResources"]["minReplicaCount"] for entry in entries] == [1, 1]
    emulator.advance(3600)
    assert emulator.ledger()["gpus_in_use"] == {"NVIDIA_L4": 6}
    assert_clean(life, held(new, 50, max_replica_count=8))
    life.up(going(old, max_replica_count=8))
    assert emulator.shortages()[short:] == []
    assert serving(emulator, life) == {old: 100}
    destroyed(emulator, life)


@pytest.mark.parametrize("count", [2, 3], ids=["at the first step", "while it settles"])
@pytest.mark.parametrize("then", ["goes on", "goes back"])
def test_a_kill_while_it_is_brought_there_converges(emulator, life, old, new, count, then):
    life.up(going(old))
    since = len(emulator.requests())
    kill_update(emulator, life, held(new), "aiplatform.projects.locations.endpoints.patch", count)
    if then == "goes back":
        life.refresh()
    args = held(new) if then == "goes on" else going(old)
    life.up(args)
    assert serving(emulator, life) == ({old: 90, new: 10} if then == "goes on" else {old: 100})
    assert_always_served(emulator, since)
    assert_clean(life, args)
    destroyed(emulator, life)


@pytest.mark.parametrize(
    ("rollout", "says"),
    [
        ({"hold": 0}, "rollout.hold"),
        ({"hold": 100}, "rollout.hold"),
        ({"hold": "10"}, "rollout.hold"),
        ({"hold": 10, "strategy": "recreate"}, "strategy recreate does not take"),
        ({"hold": 10, "strategy": "rolling"}, "strategy rolling does not take"),
    ],
)
def test_only_a_share_of_the_traffic_can_be_held(life, rollout, says):
    with pytest.raises(CheckFailed, match=says):
        life.check(arguments("gs://bucket/llama", rollout=rollout))


def test_a_creation_has_nothing_to_hold(emulator, life, old):
    after = life.up(held(old))
    assert after["traffic_percent"] == 100
    assert after.get("rollout_held") is None
    assert_clean(life, held(old))
    destroyed(emulator, life)
