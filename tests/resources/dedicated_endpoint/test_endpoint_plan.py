"""The preview says, name by name, what `up` does to the deployments of an endpoint, without a network."""

import pytest

from mg_provider.prices import Prices
from mg_provider.resources.custom_weights_model.lifecycle import CustomWeightsModelLifecycle
from mg_provider.resources.dedicated_endpoint.lifecycle import DedicatedEndpointLifecycle
from mg_provider.resources.endpoint.plan import words
from mg_provider.resources.model.lifecycle import Defaults
from mg_provider.resources.model.unknown import UNKNOWN, Unknown, contains_unknown
from tests.support.lives.named_models import PARENT, PREDICT, served, two
from tests.support.lives.rollouts import BIGGER, L4

OLD, NEW, OTHER = (f"{PARENT}/models/{id}" for id in ("old", "new", "other"))
L4S = "up to 1 NVIDIA_L4 (1 x g2-standard-12)"
BOTH = f"at the peak {L4S} and {L4S} together, $2.30 an hour"
STAYS = "endpoint, address and other names stay"
PRIVATE = {"enable_private_service_connect": True, "project_allowlist": ["my-project"]}


def checked(given, old=None):
    named = {**given, "owner": "organization/project/stack", "resource": "chat"}
    args, problems = DedicatedEndpointLifecycle().check(named, old, Defaults("my-project", "us-central1"))
    assert problems == []
    return args


def plan(before, after):
    return checked(after, checked(before)).deployment_plan


def test_a_creation_says_machines_gpus_at_fewest_and_most_and_whether_it_is_public():
    wanted = {"deployed_models": {"v1": served(OLD, machine_spec=BIGGER, min_replica_count=1, max_replica_count=4)}}
    machines = "deploys on 1 to 4 x g2-standard-24, 2 to 8 NVIDIA_L4, $2.30 to $9.20 an hour"
    assert checked(wanted).deployment_plan == {"v1": f"{machines}; public, under its own DNS name"}
    private = checked({**wanted, "private_service_connect_config": PRIVATE})
    assert private.deployment_plan == {"v1": f"{machines}; private, through Private Service Connect"}
    assert checked({**wanted, "parked": True}).deployment_plan == {
        "v1": "parked: no machine runs; resuming takes up to 8 NVIDIA_L4 (4 x g2-standard-24)"
    }


def test_a_rollout_says_strategy_steps_of_its_share_probes_and_gpus_and_leaves_the_other_names_out():
    assert plan(two(OTHER, OLD, 30), two(OTHER, NEW, 30))["canary"] == (
        f"shift: deploys beside, then moves traffic to 3 %, 15 %, 30 %; {BOTH}; probed by chat at each step with up to "
        f"152 requests; {STAYS}"
    )
    before = checked(two(OTHER, OLD, 30))
    after = checked(two(OTHER, NEW, 30), before)
    assert after.deployment_plan["stable"] == before.deployment_plan["stable"]


def test_two_that_change_say_their_order():
    told = plan(two(OTHER, OLD, 30), two(NEW, NEW, 30))
    assert told["canary"].startswith("1 of 2, one after the other: shift")
    assert told["stable"].startswith("2 of 2, one after the other: shift")
    # One that gets less is replaced after the others.
    told = plan(two(OTHER, OLD, 30), two(NEW, NEW, 10))
    assert told["stable"].startswith("1 of 2, one after the other: shift")
    assert "moves traffic to 1 %, 5 %, 10 %" in told["canary"]


@pytest.mark.parametrize(
    ("rollout", "says"),
    [
        ({"strategy": "recreate"}, "recreate: undeploys first, so the other names answer its share until the new"),
        ({"strategy": "recreate"}, f"no more than {L4S} at a time"),
        ({"strategy": "rolling"}, "rolling: Vertex AI replaces replica by replica"),
        ({"probe": {"kind": "none"}}, "; not probed;"),
        ({"probe": PREDICT, "steps": [100]}, "moves traffic to 30 %"),
        ({"probe": PREDICT, "steps": [100]}, "probed by predict at each step with up to 13 requests"),
    ],
)
def test_each_way_is_told(rollout, says):
    assert says in plan(two(OTHER, OLD, 30), two(OTHER, NEW, 30, rollout=rollout))["canary"]


def test_recreate_of_the_only_name_says_that_nothing_serves():
    before, after = ({"deployed_models": {"v1": served(model)}} for model in (OLD, NEW))
    assert "NOTHING SERVES" in plan(before, {**after, "rollout": {"strategy": "recreate"}})["v1"]


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ({"private_service_connect_config": PRIVATE}, "the endpoint is private and rollout.probe.address is not set"),
        (
            {"network": "projects/1/global/networks/vpc"},
            "the endpoint is in a peered network and rollout.probe.address is not set",
        ),
    ],
    ids=["private", "peered"],
)
def test_an_endpoint_without_an_address_to_probe_says_not_probed(where, why):
    assert f"NOT PROBED, as {why}" in plan(two(OTHER, OLD, **where), two(OTHER, NEW, **where))["canary"]


def test_a_share_of_nothing_is_swapped_without_traffic():
    told = plan(two(OTHER, OLD, 0), two(OTHER, NEW, 0))["canary"]
    assert (
        told == f"shift: deploys beside, then undeploys the old one; {BOTH}; not probed, as it has no traffic; {STAYS}"
    )


@pytest.mark.parametrize("lifecycle", [CustomWeightsModelLifecycle, DedicatedEndpointLifecycle])
def test_another_table_of_prices_is_no_change(lifecycle, monkeypatch):
    def check(old=None, **more):
        given = {"owner": "organization/project/stack", "resource": "chat", **what, **more}
        args, problems = lifecycle().check(given, old, Defaults("my-project", "us-central1"))
        assert problems == []
        return args

    machines = {"machine_spec": L4, "max_replica_count": 2}
    if lifecycle is CustomWeightsModelLifecycle:
        what = {"gcs_uri": "gs://bucket/llama", **machines}
    else:
        what = {"deployed_models": {"v1": {"model": OLD, **machines}}}
    before = check()
    assert "1 to 2 x g2-standard-12, 1 to 2 NVIDIA_L4, $1.15 to $2.30 an hour" in str(before.deployment_plan)
    monkeypatch.setattr(words, "standard_prices", lambda: Prices([], "2027-01", "an empty table"))
    assert check(before) == before
    assert "1 to 2 NVIDIA_L4, price unknown" in str(check().deployment_plan)


def test_environment_variables_that_change_are_named_without_their_values():
    def check(old=None, **env):
        container = {
            "image_uri": "us-docker.pkg.dev/p/r/vllm:1",
            "env": [{"name": k, "value": v} for k, v in env.items()],
        }
        given = {"owner": "organization/project/stack", "resource": "chat", "gcs_uri": "gs://bucket/llama"}
        given |= {"machine_spec": L4, "container_spec": container}
        args, problems = CustomWeightsModelLifecycle().check(given, old, Defaults("my-project", "us-central1"))
        assert problems == []
        return args

    before = check(HF_TOKEN="hf_secret", MODE="a", OLD="x")
    told = check(before, HF_TOKEN="hf_other", MODE="a", NEW="y").deployment_plan
    assert "; env: HF_TOKEN changes, NEW is new, OLD is gone; endpoint and address stay" in told
    assert "hf_" not in told
    assert "env:" not in check(before, HF_TOKEN="hf_secret", MODE="a", OLD="x").deployment_plan


def test_names_that_come_and_go_and_change_their_name():
    first = {"deployed_models": {"stable": served(OTHER, machine_spec=BIGGER)}}
    assert plan(first, two(OTHER, NEW, 20))["canary"] == (
        "new: deploys beside on 1 x g2-standard-12, 1 NVIDIA_L4, $1.15 an hour, then gets 20 % of the traffic at once; "
        "not probed"
    )
    assert (
        "then moves traffic to 10 %, 20 %; probed by predict"
        in (plan(first, two(OTHER, NEW, 20, rollout={"probe": PREDICT, "steps": [50, 100]}))["canary"])
    )
    assert plan(two(OTHER, NEW, 20), first)["canary"] == f"undeploys, and gives back {L4S}"
    renamed = {"deployed_models": {"blue": served(OTHER, machine_spec=BIGGER)}}
    assert plan(first, renamed) == {"blue": "the deployment of stable stays under this name"}


def test_scaling_and_parking_are_told():
    before = {"deployed_models": {"v1": served(OLD, min_replica_count=1, max_replica_count=2)}}
    after = {"deployed_models": {"v1": served(OLD, min_replica_count=1, max_replica_count=8)}}
    assert plan(before, after)["v1"] == (
        "scales in place: 1 to 2 x g2-standard-12, 1 to 2 NVIDIA_L4, $1.15 to $2.30 an hour -> "
        "1 to 8 x g2-standard-12, 1 to 8 NVIDIA_L4, $1.15 to $9.20 an hour"
    )
    parked = {**before, "parked": True}
    assert plan(before, parked)["v1"].startswith("parks: undeploys, and gives back up to 2 NVIDIA_L4")
    assert plan(parked, before)["v1"].startswith("resumes: deploys on 1 to 2 x g2-standard-12")


def test_what_is_known_only_after_up_is_unknown_for_that_name_alone():
    before = checked(two(OTHER, OLD, 30))
    told = checked(two(OTHER, UNKNOWN, 30), before).deployment_plan
    assert isinstance(told["canary"], Unknown)
    assert told["stable"] == before.deployment_plan["stable"]
    assert isinstance(checked({"deployed_models": UNKNOWN}, before).deployment_plan, Unknown)
    assert isinstance(checked(two(OTHER, UNKNOWN, 30)).deployment_plan["canary"], Unknown)


def test_what_is_unknown_of_one_name_changes_nothing_of_another():
    before = checked(two(OTHER, OLD, 30)).encode()["deployed_models"]
    for unknown in (two(OTHER, UNKNOWN, 30), two(UNKNOWN, OLD, 30)):
        (name,) = [name for name, one in unknown["deployed_models"].items() if not contains_unknown(one)]
        assert checked(unknown).encode()["deployed_models"][name] == before[name]
    whole = checked({"deployed_models": {"stable": served(OTHER), "canary": UNKNOWN}, "traffic_split": {"stable": 100}})
    assert whole.encode()["deployed_models"]["canary"] is UNKNOWN


def test_no_change_keeps_what_was_told():
    before = checked(two(OTHER, OLD, 30))
    once = checked(two(OTHER, NEW, 30), before)
    assert checked(two(OTHER, NEW, 30), once).deployment_plan == once.deployment_plan
