"""A new deployment that answers badly never gets all of the traffic: everything goes back, and `up` says why."""

import pytest

from mg_provider.resources.psc_forwarding_rule import PscForwardingRuleProvider
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.lives.rollouts import ONE, arguments, assert_always_served, kinds, serving, shares_of_new
from tests.support.samples.weights import call, put, put_weights


def probed(weights, steps=(10, 100), **probe):
    return arguments(weights, rollout={"steps": list(steps), "probe": probe})


def asked(emulator, since, rpc):
    return [entry for entry in emulator.requests()[since:] if (entry["rpc"] or "").endswith(rpc)]


def assert_went_back(emulator, life, old, since):
    assert serving(emulator, life) == {old: 100}
    assert kinds(emulator) == ONE
    assert_always_served(emulator, since)
    assert life.preview(arguments(old)) == ("same", [])


@pytest.mark.parametrize(
    ("mood", "probe", "says"),
    [
        ("500", {}, r"status 500 instead of 200"),
        (
            "wrong",
            {"messages": [{"role": "user", "content": "Say blue"}], "expected_text": "blue"},
            "without the expected",
        ),
        ("slow", {"max_latency": 3}, r"slower than max_latency 3 s"),
        ("500", {"kind": "predict", "instances": [{"prompt": "Hi"}]}, r"status 500 instead of 200"),
        ("wrong", {"kind": "predict", "instances": ["Say blue"], "expected_text": "blue"}, "without the expected"),
    ],
)
def test_a_bad_answer_takes_the_rollout_back(emulator, life, old, new, mood, probe, says):
    life.up(arguments(old))
    emulator.behave(bad_models={new: mood}, slow_seconds=0.4)
    since = len(emulator.requests())
    with pytest.raises(HostError, match=says) as failure:
        life.up(probed(new, **probe))
    assert "taken back" in failure.value.text
    assert "100 % of the traffic again" in failure.value.text
    assert max(shares_of_new(emulator, since)) < 100
    assert_went_back(emulator, life, old, since)
    assert life.preview(probed(new, **probe)) == ("update", [])
    emulator.behave(bad_models={})
    life.up(probed(new, **probe))
    assert serving(emulator, life) == {new: 100}
    life.destroy()
    assert emulator.ledger()["empty"]


def test_each_step_asks_often_enough_to_meet_the_new_deployment(emulator, life, old, new):
    life.up(arguments(old))
    since = len(emulator.requests())
    life.up(probed(new, steps=(10, 50, 100)))
    assert len(asked(emulator, since, "chat.completions")) == 44 + 7 + 1
    body = asked(emulator, since, "chat.completions")[0]["body"]
    assert body["max_tokens"] == 1
    life.destroy()


def test_answers_that_name_their_deployment_end_a_step_early(emulator, life, old, new):
    life.up(arguments(old))
    since = len(emulator.requests())
    life.up(probed(new, steps=(25, 100), kind="predict", instances=["Hi"], requests=2))
    answers = [entry["response"]["deployedModelId"] for entry in asked(emulator, since, "endpoints.predict")]
    assert answers.count(life.outputs["deployed_model_id"]) == 4
    assert len(answers) < 17
    life.destroy()


def test_an_expected_refusal_is_a_good_answer(emulator, life, old, new):
    life.up(arguments(old))
    life.up(
        probed(new, body={"messages": [{"role": "user", "content": "Hi"}], "model": "unknown"}, expected_status=404)
    )
    assert serving(emulator, life) == {new: 100}
    life.destroy()


def test_without_a_probe_nothing_is_asked(emulator, life, old, new):
    life.up(arguments(old))
    since = len(emulator.requests())
    wanted = probed(new, kind="none")
    assert "; not probed;" in life.check(wanted)["deployment_plan"]
    life.up(wanted)
    assert asked(emulator, since, "chat.completions") == []
    life.destroy()


def test_a_private_endpoint_is_probed_only_where_an_address_is_given(emulator, life, old, new):
    private = {
        "private_service_connect_config": {"enable_private_service_connect": True, "project_allowlist": ["my-project"]}
    }
    life.up(arguments(old, **private))
    wanted = arguments(new, **private)
    assert "NOT PROBED, as the endpoint is private" in life.check(wanted)["deployment_plan"]
    since = len(emulator.requests())
    life.up(wanted)
    assert serving(emulator, life) == {new: 100}
    assert asked(emulator, since, "chat.completions") == []
    life.destroy()


@pytest.mark.parametrize(("mood", "goes_back"), [("", False), ("500", True)], ids=["well", "with errors"])
def test_a_private_endpoint_is_probed_at_its_private_address(emulator, host, life, old, new, mood, goes_back):
    config = {"enable_private_service_connect": True, "project_allowlist": ["my-project"]}
    private = {"private_service_connect_config": config}
    before = life.up(arguments(old, **private))
    rule = Life(host, PscForwardingRuleProvider, name="address")
    ip = rule.up({"endpoint": before["endpoint"], "network": "default", "subnetwork": "default"})["ip_address"]
    wanted = {**probed(new, address=emulator.addresses()[ip]), **private}
    emulator.behave(bad_models={new: mood} if mood else {})
    since = len(emulator.requests())
    if goes_back:
        with pytest.raises(HostError, match="status 500 instead of 200"):
            life.up(wanted)
    else:
        life.up(wanted)
    assert asked(emulator, since, "chat.completions")
    assert serving(emulator, life) == {old if goes_back else new: 100}
    assert_always_served(emulator, since)
    assert rule.refresh() == {}
    rule.destroy()
    life.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("strategy", ["shift", "rolling", "recreate"])
@pytest.mark.parametrize("stage", ["PREPARING_MODEL", "STARTING_MODEL_SERVER"])
def test_a_failed_deployment_takes_the_rollout_back(emulator, life, old, new, strategy, stage):
    life.up(arguments(old))
    emulator.fail(
        rpc="endpoints.deployModel", fault="operation_error", code="INTERNAL", message="did not start", at_stage=stage
    )
    since = len(emulator.requests())
    with pytest.raises(HostError, match="did not start") as failure:
        life.up(arguments(new, rollout={"strategy": strategy}))
    assert "taken back" in failure.value.text
    assert serving(emulator, life) == {old: 100}
    assert kinds(emulator) == ONE
    if strategy != "recreate":
        assert_went_back(emulator, life, old, since)
    life.up(arguments(new, rollout={"strategy": strategy}))
    assert serving(emulator, life) == {new: 100}
    life.destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


@pytest.mark.parametrize("strategy", ["rolling", "recreate"])
def test_a_failed_probe_brings_back_what_was_gone_already(emulator, life, old, new, strategy):
    life.up(arguments(old))
    emulator.behave(bad_models={new: "500"})
    with pytest.raises(HostError, match="status 500"):
        life.up(arguments(new, rollout={"strategy": strategy}))
    assert serving(emulator, life) == {old: 100}
    assert kinds(emulator) == ONE
    life.up(arguments(old))
    assert life.refresh() == {}
    assert life.preview(arguments(old)) == ("same", [])
    assert kinds(emulator) == ONE
    life.destroy()
    assert emulator.ledger()["empty"]


def test_recreate_with_the_same_id_brings_the_old_model_back(emulator, life, old, new):
    rollout = {"strategy": "recreate"}
    model = life.up(arguments(old, model_id="mine", rollout=rollout))["model"]
    call(f"{emulator.url}/v1beta1/{model}?updateMask=description", {"description": "of the shop"}, "PATCH")
    before = call(f"{emulator.url}/v1beta1/{model}", method="GET")
    emulator.behave(bad_models={new: "500"})
    with pytest.raises(HostError, match="status 500"):
        life.up(arguments(new, model_id="mine", rollout=rollout))
    assert serving(emulator, life) == {old: 100}
    assert kinds(emulator) == ONE
    again = call(f"{emulator.url}/v1beta1/{model}", method="GET")
    said = ("displayName", "description", "artifactUri", "containerSpec", "labels")
    assert {name: again.get(name) for name in said} == {name: before[name] for name in said}
    life.up(arguments(old, model_id="mine", rollout=rollout))
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


def untuned(emulator, folder, template=b"{}"):
    """Weights of a base model, which cannot chat."""
    uri = put_weights(emulator, folder)
    put(emulator, f"{folder}/tokenizer_config.json", template)
    return uri


def test_weights_without_a_chat_template_are_probed_by_a_completion(emulator, host, life, old):
    base = untuned(emulator, "base")
    life.up(arguments(old))
    plan = life.check(arguments(base))["deployment_plan"]
    assert "probed by chat at each step (by predict where the weights have no chat template)" in plan
    since, before = len(emulator.requests()), len(host.said)
    life.up(arguments(base))
    assert serving(emulator, life) == {base: 100}
    assert asked(emulator, since, "chat.completions") == []
    [first, *_] = asked(emulator, since, "endpoints.predict")
    assert first["body"] == {"instances": [{"prompt": "Hello", "max_tokens": 1}]}
    assert f"{base} has no chat template" in "\n".join(host.said[before:])
    life.destroy()


def test_a_chat_that_the_user_asks_for_stays_a_chat(emulator, life, old):
    base = untuned(emulator, "base")
    life.up(arguments(old))
    with pytest.raises(HostError, match="you must provide a chat template"):
        life.up(probed(base, kind="chat"))
    assert serving(emulator, life) == {old: 100}
    life.destroy()


def test_weights_that_may_not_be_read_are_taken_for_such_that_can_chat(emulator, life, old, new):
    life.up(arguments(old))
    emulator.fail(rpc="storage.objects.list", fault="status", status=403, times=100)
    since = len(emulator.requests())
    life.up(arguments(new))
    assert asked(emulator, since, "chat.completions")
    life.destroy()
