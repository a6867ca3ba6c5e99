"""Other weights, machines, containers: the endpoint stays, and what serves changes without a gap, or goes back."""

import threading

import pytest

from tests.support.lives.endpoints import Hand
from tests.support.lives.host import HostError
from tests.support.lives.life import CheckFailed
from tests.support.lives.rollouts import (
    BIGGER,
    FIXED_WHILE_RUNNING,
    L4,
    ONE,
    UNPROBED,
    arguments,
    assert_always_served,
    chat,
    endpoint_of,
    kinds,
    serving,
    shares_of_new,
)

ADDRESS = ("endpoint", "endpoint_id", "dedicated_endpoint_dns")


def test_new_weights_take_over_in_steps_on_the_same_address(emulator, life, old, new):
    before = life.up(arguments(old))
    assert life.preview(arguments(new)) == ("update", [])
    since = len(emulator.requests())
    after = life.up(arguments(new))
    assert {name: after[name] for name in ADDRESS} == {name: before[name] for name in ADDRESS}
    assert after["deployed_model_id"] != before["deployed_model_id"]
    assert serving(emulator, life) == {new: 100}
    assert shares_of_new(emulator, since) == [10, 50, 100]
    assert kinds(emulator) == ONE
    assert_always_served(emulator, since)
    assert life.preview(arguments(new)) == ("same", [])
    assert life.refresh() == {}
    assert life.preview(arguments(new)) == ("same", [])
    life.destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_a_rollout_reads_the_endpoint_twice_a_step_and_lists_the_models_once(emulator, life, old, new):
    unprobed = {"rollout": UNPROBED}
    life.up(arguments(old, **unprobed))
    since = len(emulator.requests())
    life.up(arguments(new, **unprobed))
    calls = [entry["rpc"].removeprefix("aiplatform.projects.locations.") for entry in emulator.requests()[since:]]
    assert calls.count("models.list") == 1
    undeploys = calls.index("endpoints.undeployModel")
    deployed = max(index for index in range(undeploys) if calls[index].endswith("operations.get")) + 1
    step = ["endpoints.get", "endpoints.get", "endpoints.patch"]
    assert calls[deployed:undeploys] == [*step * 3, "endpoints.get"], "how many serve, who has the traffic, a share"
    assert calls[undeploys : calls.index("models.list")].count("endpoints.get") == 2


def test_a_container_of_ones_own_says_itself_what_its_model_is_called(life, old):
    own = {"image_uri": "us-docker.pkg.dev/p/r/vllm:1", "env": [{"name": "MODEL_ID", "value": "my-llama"}]}
    assert life.check(arguments(old, container_spec=own))["query_model_id"] == "my-llama"


def test_the_preview_names_the_new_model_and_tells_strategy_steps_probe_and_gpus(life, old, new):
    before = life.up(arguments(old, max_replica_count=2))
    inputs = life.check(arguments(new, max_replica_count=2))
    assert inputs["model_id"] != before["model_id"]
    assert inputs["endpoint_id"] == before["endpoint_id"]
    assert inputs["deployment_plan"] == (
        "shift: deploys beside, then moves traffic to 10 %, 50 %, 100 %; starts with as many replicas as serve then "
        "(at most 2), and sets the fewest back at the end; at the peak up to 2 NVIDIA_L4 (2 x g2-standard-12) and up "
        "to 2 NVIDIA_L4 (2 x g2-standard-12) together, $4.60 an hour; probed by chat at each step (by predict where "
        "the weights have no chat template); endpoint and address stay"
    )
    after = life.up(arguments(new, max_replica_count=2))
    assert after["model"] == inputs["model"]
    assert after["deployment_plan"] == inputs["deployment_plan"]
    life.destroy()


@pytest.mark.parametrize("change", FIXED_WHILE_RUNNING, ids=lambda change: next(iter(change)))
def test_what_is_fixed_while_it_runs_is_deployed_beside_from_the_same_model(emulator, life, old, change):
    before = life.up(arguments(old))
    wanted = arguments(old, **change)
    assert life.preview(wanted) == ("update", [])
    since = len(emulator.requests())
    after = life.up(wanted)
    assert after["model"] == before["model"]
    assert after["deployed_model_id"] != before["deployed_model_id"]
    assert kinds(emulator) == ONE
    assert "models.upload" not in [entry["rpc"].partition("locations.")[2] for entry in emulator.requests()[since:]]
    assert_always_served(emulator, since)
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])
    assert life.up(arguments(old))["deployed_model_id"] not in (before["deployed_model_id"], after["deployed_model_id"])
    assert kinds(emulator) == ONE
    life.destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_another_container_is_another_model(emulator, life, old):
    before = life.up(arguments(old))
    wanted = arguments(old, container_spec={"image_uri": "us-docker.pkg.dev/mine/vllm:2", "predict_route": "/v1"})
    after = life.up(wanted)
    assert after["model_id"] != before["model_id"]
    deployed = endpoint_of(emulator, life)["deployedModels"][0]
    assert deployed["model"].endswith(f"/models/{after['model_id']}")
    assert kinds(emulator) == ONE
    assert life.refresh() == {}
    life.destroy()


def test_weights_come_and_go_and_come_again(emulator, life, old, new):
    life.up(arguments(old))
    for weights in (new, old, new):
        life.up(arguments(weights))
        assert serving(emulator, life) == {weights: 100}
        assert kinds(emulator) == ONE
    life.destroy()
    assert emulator.ledger()["empty"]


def test_clients_go_on_naming_the_model_as_before(emulator, life, old, new):
    before = life.up(arguments(old))
    after = life.up(arguments(new))
    assert after["model_id"] != before["model_id"]
    assert (before["query_model_id"], after["query_model_id"]) == (before["model_id"], before["model_id"])
    asked = {"messages": [{"role": "user", "content": "Hi"}], "model": after["query_model_id"]}
    endpoint = endpoint_of(emulator, life)
    answer = chat(emulator, endpoint, asked)
    assert answer["model"] == before["model_id"]
    life.destroy()


@pytest.mark.parametrize(
    "source",
    [
        {"publisher_model_name": "publishers/qwen/models/qwen3@qwen3-4b"},
        {"hugging_face_model_id": "Qwen/Qwen3-4B"},
    ],
    ids=["model garden", "hugging face"],
)
def test_a_published_model_rolls_out_with_the_container_that_model_garden_names(emulator, life, old, source):
    life.up(arguments(old))
    wanted = {**source, "machine_spec": L4}
    assert life.preview(wanted) == ("update", [])
    life.up(wanted)
    assert list(serving(emulator, life).values()) == [100]
    assert kinds(emulator) == ONE
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])
    life.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ({"publisher_model_name": "publishers/meta/models/llama-3.1-8b-instruct-maas"}, "lists no serving container"),
        ({"hugging_face_model_id": "somebody/unverified"}, "lists no serving container"),
        ({"hugging_face_model_id": "meta-llama/x", "hugging_face_access_token": "hf_" + "a" * 12}, "needs a token"),
    ],
    ids=["run by google", "not verified", "gated"],
)
def test_what_cannot_be_deployed_beside_is_told_and_nothing_is_touched(emulator, life, old, source, says):
    before = life.up(arguments(old))
    with pytest.raises(HostError, match=says):
        life.up({**source, "machine_spec": L4})
    assert serving(emulator, life) == {old: 100}
    life.up(arguments(old))
    assert endpoint_of(emulator, life)["deployedModels"][0]["id"] == before["deployed_model_id"]
    assert kinds(emulator) == ONE
    life.destroy()


def test_weights_that_cannot_be_served_are_refused_before_anything_is_made(emulator, life, old):
    life.up(arguments(old))
    since = len(emulator.requests())
    with pytest.raises(HostError, match="cannot be served"):
        life.up(arguments(f"{old}-that-is-not-there"))
    asked = [entry["rpc"].rpartition(".")[2] for entry in emulator.requests()[since:]]
    assert not {"upload", "deployModel", "patch"} & set(asked)
    assert life.preview(arguments(old)) == ("same", [])
    life.destroy()


def test_an_id_of_ones_own_cannot_be_two_models_at_once(life, old, new):
    life.up(arguments(old, model_id="mine"))
    with pytest.raises(CheckFailed, match="model_id: is 'mine' for the old weights and the new ones"):
        life.preview(arguments(new, model_id="mine"))
    assert life.preview(arguments(new, model_id="mine-2")) == ("update", [])
    assert life.preview(arguments(old, model_id="mine", machine_spec=BIGGER)) == ("update", [])
    life.destroy()


def test_recreate_undeploys_first_says_so_and_may_keep_the_id(emulator, life, old, new):
    rollout = {"strategy": "recreate"}
    life.up(arguments(old, model_id="mine", rollout=rollout))
    wanted = arguments(new, model_id="mine", rollout=rollout)
    assert "NOTHING SERVES" in life.check(wanted)["deployment_plan"]
    since = len(emulator.requests())
    outputs = life.up(wanted)
    assert outputs["model_id"] == "mine"
    calls = [entry["rpc"].rpartition(".")[2] for entry in emulator.requests()[since:]]
    assert calls.index("undeployModel") < calls.index("upload") < calls.index("deployModel")
    assert serving(emulator, life) == {new: 100}
    assert kinds(emulator) == ONE
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])
    life.destroy()
    assert emulator.ledger()["empty"]


def test_recreate_never_holds_more_gpus_than_one_deployment_needs(emulator, life, old, new):
    emulator.set_quota({"my-project/us-central1/NVIDIA_L4": 1})
    life.up(arguments(old))
    with pytest.raises(HostError, match=r"(?i)quota.*taken back|taken back.*quota"):
        life.up(arguments(new))
    assert serving(emulator, life) == {old: 100}
    assert kinds(emulator) == ONE
    life.up(arguments(new, rollout={"strategy": "recreate"}))
    assert serving(emulator, life) == {new: 100}
    life.destroy()


@pytest.mark.parametrize("left", ["undeployed", "kept"])
def test_rolling_is_left_to_vertex_ai(emulator, life, old, new, left):
    emulator.behave(rolled_out_deployment=left)
    before = life.up(arguments(old))
    since = len(emulator.requests())
    life.up(arguments(new, rollout={"strategy": "rolling", "max_surge_replicas": 1, "max_unavailable_replicas": 0}))
    asked = next(entry["body"] for entry in emulator.requests()[since:] if entry["rpc"].endswith("deployModel"))
    assert asked["deployedModel"]["rolloutOptions"] == {
        "previousDeployedModel": before["deployed_model_id"],
        "maxSurgeReplicas": 1,
        "maxUnavailableReplicas": 0,
    }
    assert serving(emulator, life) == {new: 100}
    assert kinds(emulator) == ONE
    assert_always_served(emulator, since)
    life.destroy()
    assert emulator.ledger()["empty"]


def test_the_rollout_argument_alone_does_nothing(emulator, life, old):
    life.up(arguments(old))
    since = len(emulator.requests())
    life.up(arguments(old, rollout={"steps": [100]}))
    writes = [entry for entry in emulator.requests()[since:] if entry["method"] != "GET"]
    assert writes == []
    life.destroy()


def test_traffic_that_somebody_moved_is_drift_and_is_moved_back(emulator, life, old):
    life.up(arguments(old))
    hand = Hand(emulator)
    ours = life.outputs["deployed_model_id"]
    theirs = hand.deploy(life.id, hand.upload("experiment"))
    hand.patch(life.id, "trafficSplit", trafficSplit={ours: 60, theirs: 40})
    life.refresh()
    assert life.outputs["traffic_percent"] == 60
    assert life.preview(arguments(old)) == ("update", [])
    life.up(arguments(old))
    assert endpoint_of(emulator, life)["trafficSplit"] == {ours: 100}
    hand.undeploy(life.id, theirs)
    hand.delete("projects/my-project/locations/us-central1/models/experiment")
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_machine_that_is_still_a_choice_keeps_its_deployment(emulator, life, old):
    before = life.up(arguments(old))
    wanted = arguments(old, machine_spec=[BIGGER, L4])
    assert life.check(wanted)["deployment_plan"].startswith("stays where it runs if that is still a choice")
    assert life.up(wanted)["deployed_model_id"] == before["deployed_model_id"]
    assert life.preview(wanted) == ("same", [])
    life.destroy()


def test_a_rollout_takes_the_next_machine_where_the_first_is_not_to_be_had(emulator, life, old, new):
    life.up(arguments(old))
    emulator.behave(stockouts=["us-central1/g2-standard-24"])
    outputs = life.up(arguments(new, machine_spec=[BIGGER, L4]))
    assert outputs["machine_type"] == "g2-standard-12"
    assert serving(emulator, life) == {new: 100}
    assert life.refresh() == {}
    assert life.preview(arguments(new, machine_spec=[BIGGER, L4])) == ("same", [])
    life.destroy()


@pytest.mark.parametrize("strategy", ["shift", "rolling"])
def test_no_client_goes_unanswered_while_weights_change(emulator, life, old, new, strategy):
    before = life.up(arguments(old))
    endpoint, answers, over = endpoint_of(emulator, life), [], threading.Event()

    def ask():
        while not over.is_set():
            body = {"messages": [{"role": "user", "content": "Hi"}], "model": before["model_id"]}
            answers.append(chat(emulator, endpoint, body)["choices"][0]["message"]["content"])

    client = threading.Thread(target=ask)
    client.start()
    emulator.set_speed(6000)
    try:
        after = life.up(arguments(new, rollout={"strategy": strategy}))
    finally:
        over.set()
        client.join()
    assert before["deployed_model_id"] in answers[0]
    assert (
        after["deployed_model_id"]
        in chat(emulator, endpoint, {"messages": [{"role": "user", "content": "Hi"}]})["choices"][0]["message"][
            "content"
        ]
    )
    assert len(answers) > 20
    life.destroy()


def test_an_adopted_endpoint_rolls_out_like_any_other(emulator, life, old, new):
    hand = Hand(emulator)
    model = hand.upload("theirs", "old")
    name = hand.make_endpoint(dedicatedEndpointEnabled=True)
    hand.deploy(name, model, {"0": 100})
    life.up(arguments(old, adopt=name))
    life.up(arguments(new, adopt=name))
    assert life.id == name
    assert serving(emulator, life) == {new: 100}
    assert kinds(emulator) == ONE
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "deploys on 1 x g2-standard-12, 1 NVIDIA_L4, $1.15 an hour; public, under its own DNS name"),
        (
            {"machine_spec": BIGGER, "max_replica_count": 8},
            "deploys on 1 to 8 x g2-standard-24, 2 to 16 NVIDIA_L4, $2.30 to $18.41 an hour; public, under its own "
            "DNS name",
        ),
        (
            {"dedicated_endpoint_disabled": True},
            "deploys on 1 x g2-standard-12, 1 NVIDIA_L4, $1.15 an hour; public, under the region's DNS name",
        ),
        (
            {
                "private_service_connect_config": {
                    "enable_private_service_connect": True,
                    "project_allowlist": ["my-project"],
                }
            },
            "deploys on 1 x g2-standard-12, 1 NVIDIA_L4, $1.15 an hour; private, through Private Service Connect",
        ),
        (
            {"machine_spec": [BIGGER, L4]},
            "deploys on 1 x g2-standard-24, 2 NVIDIA_L4, $2.30 an hour or 1 x g2-standard-12, 1 NVIDIA_L4, $1.15 an "
            "hour; public, under its own DNS name",
        ),
    ],
    ids=["least", "autoscaled", "shared", "private", "choices"],
)
def test_a_creation_says_machine_gpus_and_who_can_reach_it(life, more, says):
    assert life.check(arguments("gs://bucket/llama", **more))["deployment_plan"] == says


def test_the_plan_follows_a_change_of_replicas(life, old):
    life.up(arguments(old))
    wanted = arguments(old, min_replica_count=2, max_replica_count=8)
    says = (
        "scales in place: 1 x g2-standard-12, 1 NVIDIA_L4, $1.15 an hour -> 2 to 8 x g2-standard-12, 2 to 8 NVIDIA_L4, "
        "$2.30 to $9.20 an hour"
    )
    assert life.check(wanted)["deployment_plan"] == says
    life.up(wanted)
    assert life.check(wanted)["deployment_plan"] == says
    assert life.preview(wanted) == ("same", [])
    life.destroy()
