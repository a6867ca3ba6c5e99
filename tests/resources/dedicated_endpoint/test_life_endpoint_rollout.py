"""A named model changes: its share of the traffic moves in steps, the others keep theirs, or everything goes back."""

import pytest

from tests.support.lives.endpoints import Hand, masks
from tests.support.lives.host import HostError
from tests.support.lives.named_models import (
    PREDICT,
    destroyed,
    life_on,
    one,
    running,
    served,
    serving,
    settled,
    two,
)
from tests.support.lives.rollouts import BIGGER, FIXED_WHILE_RUNNING, L4, assert_always_served, shares_of_new, splits


@pytest.fixture
def life(host):
    return life_on(host)


def asked(emulator, since, rpc):
    return [entry for entry in emulator.requests()[since:] if (entry["rpc"] or "").endswith(rpc)]


def test_another_model_takes_over_in_steps_with_probes_at_each(emulator, life, models):
    old, new, _ = models
    before = life.up(one(old))
    assert life.preview(one(new)) == ("update", [])
    since = len(emulator.requests())
    after = life.up(one(new))
    for name in ("endpoint", "dedicated_endpoint_dns"):
        assert after[name] == before[name]
    assert after["deployed_model_ids"]["v1"] != before["deployed_model_ids"]["v1"]
    assert serving(emulator, life) == {("v1", "new"): 100}
    assert shares_of_new(emulator, since) == [10, 50, 100]
    assert len(asked(emulator, since, "chat.completions")) == 44 + 7 + 1
    assert_always_served(emulator, since)
    settled(emulator, life, one(new))
    destroyed(emulator, life)


@pytest.mark.parametrize("change", FIXED_WHILE_RUNNING, ids=lambda change: next(iter(change)))
def test_whatever_is_fixed_while_it_runs_is_probed_before_it_gets_all_of_the_traffic(emulator, life, models, change):
    rollout = {"steps": [50, 100], "probe": PREDICT}
    life.up(one(models[0]))
    since = len(emulator.requests())
    wanted = {"deployed_models": {"v1": {**served(models[0]), **change}}, "rollout": rollout}
    life.up(wanted)
    assert shares_of_new(emulator, since) == [50, 100]
    assert asked(emulator, since, "endpoints.predict")
    assert_always_served(emulator, since)
    settled(emulator, life, wanted)
    destroyed(emulator, life)


def test_the_share_of_one_of_two_moves_and_the_other_keeps_its_own(emulator, life, models):
    old, new, other = models
    before = life.up(two(other, old, 30))["deployed_model_ids"]
    since = len(emulator.requests())
    after = life.up(two(other, new, 30, rollout={"probe": PREDICT}))["deployed_model_ids"]
    assert after["stable"] == before["stable"]
    stable, was, now = after["stable"], before["canary"], after["canary"]
    assert splits(emulator, since, ("patch",)) == [
        {stable: 70, was: 27, now: 3},
        {stable: 70, was: 15, now: 15},
        {stable: 70, now: 30},
    ]
    assert_always_served(emulator, since)
    settled(emulator, life, two(other, new, 30, rollout={"probe": PREDICT}))
    destroyed(emulator, life)


def test_a_model_s_own_rollout_wins_over_that_of_the_endpoint(emulator, life, models):
    old, new, other = models
    life.up(two(other, old))
    wanted = two(other, new, rollout={"steps": [100]})
    wanted["deployed_models"]["canary"]["rollout"] = {"steps": [20, 100], "probe": {"kind": "none"}}
    since = len(emulator.requests())
    life.up(wanted)
    assert shares_of_new(emulator, since) == [6, 30]
    assert asked(emulator, since, "chat.completions") == []
    settled(emulator, life, wanted)
    destroyed(emulator, life)


def test_a_share_of_nothing_is_swapped_without_traffic_and_without_a_probe(emulator, life, models):
    old, new, other = models
    life.up(two(other, old, 0))
    since = len(emulator.requests())
    life.up(two(other, new, 0))
    assert serving(emulator, life) == {("stable", "other"): 100, ("canary", "new"): 0}
    assert splits(emulator, since, ("patch",)) == []
    assert asked(emulator, since, "chat.completions") == []
    assert_always_served(emulator, since)
    settled(emulator, life, two(other, new, 0))
    destroyed(emulator, life)


def test_two_that_change_are_replaced_one_after_the_other(emulator, life, models):
    old, new, other = models
    emulator.set_quota({"my-project/us-central1/NVIDIA_L4": 5})
    life.up(two(old, old, 50))
    since = len(emulator.requests())
    wanted = two(new, other, 50, rollout={"probe": PREDICT})
    life.up(wanted)
    calls = [call for call, _ in masks(emulator, since) if call in ("deployModel", "undeployModel")]
    assert calls == ["deployModel", "undeployModel"] * 2
    assert serving(emulator, life) == {("stable", "new"): 50, ("canary", "other"): 50}
    assert_always_served(emulator, since)
    settled(emulator, life, wanted)
    destroyed(emulator, life)


@pytest.mark.parametrize(("before", "after"), [(10, 60), (60, 10), (0, 40), (40, 0)])
def test_a_change_of_model_and_traffic_at_once_ends_in_the_wanted_split(emulator, life, models, before, after):
    """One that gets more is replaced first, one that gets less afterwards: none answers more than it was made for."""
    old, new, other = models
    was = life.up(two(other, old, before))["deployed_model_ids"]["canary"]
    since = len(emulator.requests())
    wanted = two(other, new, after, rollout={"probe": PREDICT})
    now = life.up(wanted)["deployed_model_ids"]["canary"]
    assert serving(emulator, life) == {("stable", "other"): 100 - after, ("canary", "new"): after}
    asked_for = splits(emulator, since, ("patch",))
    assert max([split.get(was, 0) for split in asked_for], default=0) <= before
    assert max([split.get(now, 0) for split in asked_for], default=0) <= after
    assert_always_served(emulator, since)
    settled(emulator, life, wanted)
    destroyed(emulator, life)


def test_a_change_of_the_traffic_alone_is_one_patch(emulator, life, models):
    old, _, other = models
    life.up(two(other, old, 30))
    since = len(emulator.requests())
    life.up(two(other, old, 60, rollout={"probe": PREDICT}))
    assert masks(emulator, since) == [("patch", "trafficSplit")]
    assert asked(emulator, since, "endpoints.predict") == []
    destroyed(emulator, life)


@pytest.mark.parametrize("rollout", [None, {"steps": [50, 100], "probe": PREDICT}], ids=["at once", "in steps"])
def test_a_new_name_gets_its_traffic_in_steps_where_the_program_says_how(emulator, life, models, rollout):
    old, new, _ = models
    first = life.up({"deployed_models": {"stable": served(old, machine_spec=BIGGER)}})["deployed_model_ids"]["stable"]
    wanted = two(old, new, 20, **({"rollout": rollout} if rollout else {}))
    since = len(emulator.requests())
    second = life.up(wanted)["deployed_model_ids"]["canary"]
    steps = [{first: 80, second: 20}]
    assert splits(emulator, since, ("patch",)) == ([{first: 90, second: 10}, *steps] if rollout else steps)
    assert bool(asked(emulator, since, "endpoints.predict")) == bool(rollout)
    assert_always_served(emulator, since)
    settled(emulator, life, wanted)
    destroyed(emulator, life)


def test_a_new_name_that_answers_badly_is_removed_and_the_others_have_their_traffic_again(emulator, life, models):
    old, new, _ = models
    before = {"deployed_models": {"stable": served(old, machine_spec=BIGGER)}}
    life.up(before)
    emulator.behave(bad_models={"new": "500"})
    since = len(emulator.requests())
    with pytest.raises(HostError, match=r"the rollout of canary failed and was taken back: .*status 500"):
        life.up(two(old, new, 20, rollout={"probe": PREDICT}))
    assert serving(emulator, life) == {("stable", "old"): 100}
    assert_always_served(emulator, since)
    settled(emulator, life, before)
    destroyed(emulator, life)


@pytest.mark.parametrize("strategy", ["shift", "rolling", "recreate"])
@pytest.mark.parametrize("share", [100, 30])
def test_a_bad_answer_takes_the_rollout_back(emulator, life, models, strategy, share):
    old, new, other = models
    before = one(old) if share == 100 else two(other, old, share)
    after = one(new) if share == 100 else two(other, new, share)
    name = "v1" if share == 100 else "canary"
    life.up(before)
    was = serving(emulator, life)
    emulator.behave(bad_models={"new": "500"})
    since = len(emulator.requests())
    failing = {**after, "rollout": {"strategy": strategy, "probe": PREDICT}}
    with pytest.raises(HostError, match="status 500 instead of 200") as failure:
        life.up(failing)
    assert f"the rollout of {name} failed and was taken back" in failure.value.text
    assert f"has {share} % of the traffic again" in failure.value.text
    assert serving(emulator, life) == was
    if strategy == "shift":
        assert max(shares_of_new(emulator, since)) < share
        assert_always_served(emulator, since)
    settled(emulator, life, before)
    emulator.behave(bad_models={})
    assert life.preview(failing) == ("update", [])
    life.up(failing)
    settled(emulator, life, failing)
    destroyed(emulator, life)


def test_a_failed_deployment_takes_the_rollout_back(emulator, life, models):
    old, new, other = models
    before = two(other, old, 30)
    life.up(before)
    emulator.fail(rpc="endpoints.deployModel", fault="operation_error", code="INTERNAL", message="did not start")
    since = len(emulator.requests())
    with pytest.raises(HostError, match="did not start") as failure:
        life.up(two(other, new, 30))
    assert "taken back" in failure.value.text
    assert failure.value.kept is None
    assert serving(emulator, life) == {("stable", "other"): 70, ("canary", "old"): 30}
    assert_always_served(emulator, since)
    settled(emulator, life, before)
    life.up(two(other, new, 30))
    settled(emulator, life, two(other, new, 30))
    destroyed(emulator, life)


def test_the_names_that_came_before_a_failure_stay_changed_and_the_state_says_so(emulator, life, models):
    old, new, other = models
    life.up(two(old, old, 50))
    emulator.behave(bad_models={"new": "500"})
    wanted = two(new, other, 50, rollout={"probe": PREDICT})
    with pytest.raises(HostError, match="the rollout of stable failed and was taken back") as failure:
        life.up(wanted)
    assert serving(emulator, life) == {("stable", "old"): 50, ("canary", "other"): 50}
    kept = failure.value.kept[1]["deployed_models"]
    assert {name: entry["model"] for name, entry in kept.items()} == {"stable": old, "canary": other}
    emulator.behave(bad_models={})
    life.up(wanted)
    settled(emulator, life, wanted)
    destroyed(emulator, life)


def test_rolling_is_left_to_vertex_ai(emulator, life, models):
    old, new, other = models
    before = life.up(two(other, old, 30))["deployed_model_ids"]
    since = len(emulator.requests())
    wanted = two(other, new, 30, rollout={"strategy": "rolling", "max_surge_replicas": 1})
    life.up(wanted)
    options = asked(emulator, since, "deployModel")[0]["body"]["deployedModel"]["rolloutOptions"]
    assert options == {"previousDeployedModel": before["canary"], "maxSurgeReplicas": 1}
    assert serving(emulator, life) == {("stable", "other"): 70, ("canary", "new"): 30}
    assert_always_served(emulator, since)
    settled(emulator, life, wanted)
    destroyed(emulator, life)


def test_recreate_takes_no_more_gpus_than_one_deployment_needs(emulator, life, models):
    old, new, other = models
    emulator.set_quota({"my-project/us-central1/NVIDIA_L4": 3})
    life.up(two(other, old, 30))
    since = len(emulator.requests())
    wanted = two(other, new, 30, rollout={"strategy": "recreate"})
    life.up(wanted)
    assert serving(emulator, life) == {("stable", "other"): 70, ("canary", "new"): 30}
    assert_always_served(emulator, since)
    settled(emulator, life, wanted)
    destroyed(emulator, life)


def test_what_changes_while_parked_is_deployed_as_it_is_when_it_comes_back(emulator, life, models):
    old, new, other = models
    life.up(two(other, old))
    life.up(two(other, old, parked=True))
    life.up(two(other, new, parked=True, rollout={"probe": PREDICT}))
    assert emulator.ledger()["gpus_in_use"] == {}
    since = len(emulator.requests())
    wanted = two(other, new, rollout={"probe": PREDICT})
    life.up(wanted)
    assert asked(emulator, since, "endpoints.predict") == []
    assert serving(emulator, life) == {("stable", "other"): 70, ("canary", "new"): 30}
    settled(emulator, life, wanted)
    destroyed(emulator, life)


def test_an_adopted_deployment_is_rolled_out_like_any_other(emulator, life, models):
    old, new, _ = models
    hand = Hand(emulator)
    name = hand.make_endpoint(dedicatedEndpointEnabled=True)
    hand.deploy(name, old, {"0": 100})
    life.up(one(old, adopt=name))
    emulator.behave(bad_models={"new": "500"})
    failing = one(new, adopt=name, rollout={"strategy": "recreate", "probe": PREDICT})
    with pytest.raises(HostError, match="taken back"):
        life.up(failing)
    assert serving(emulator, life) == {("v1", "old"): 100} or list(serving(emulator, life).values()) == [100]
    emulator.behave(bad_models={})
    life.up(failing)
    assert serving(emulator, life) == {("v1", "new"): 100}
    settled(emulator, life, failing)
    destroyed(emulator, life)


def test_more_traffic_and_fewer_replicas_wait_for_each_other(emulator, life, models):
    """Replicas are taken away only when the traffic has left, and added before it comes."""
    old, _, other = models
    before, after = two(other, old, 50), two(other, old, 90)
    before["deployed_models"]["stable"]["min_replica_count"] = 2
    after["deployed_models"]["canary"]["min_replica_count"] = 2
    life.up(before)
    since = len(emulator.requests())
    life.up(after)
    assert [call for call, _ in masks(emulator, since)] == ["mutate", "patch", "mutate"]
    settled(emulator, life, after)
    destroyed(emulator, life)


def test_a_setting_that_fails_first_does_not_make_the_next_run_forget_the_new_machine(emulator, life, models):
    old, new, _ = models
    life.up(one(old))
    emulator.fail(rpc="endpoints.patch", fault="status", status=403, code="PERMISSION_DENIED")
    with pytest.raises(HostError, match="PERMISSION_DENIED"):
        life.up(one(new, description="more"))
    life.up(one(new, description="more"))
    assert serving(emulator, life) == {("v1", "new"): 100}
    settled(emulator, life, one(new, description="more"))
    destroyed(emulator, life)


def test_the_machines_are_those_of_the_ledger(emulator, life, models):
    old, new, other = models
    life.up(two(other, old))
    life.up(two(other, new))
    assert emulator.ledger()["gpus_in_use"] == {"NVIDIA_L4": 2 + 1}
    assert L4["accelerator_count"] == 1
    assert len(running(emulator)) == 3
    destroyed(emulator, life)
