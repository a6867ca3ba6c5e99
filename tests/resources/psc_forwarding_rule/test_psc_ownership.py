"""Two claims of one forwarding rule, rules that are still being made, and labels that somebody took away."""

import re
import threading

import pytest

from mg_provider.emulator.services.compute.calls import compute_state
from mg_provider.resources.psc_forwarding_rule import PscForwardingRuleProvider
from tests.resources.conftest import QUICK
from tests.resources.psc_forwarding_rule.test_faults_psc_forwarding_rule import OTHER, SEEN, killed, kinds, met
from tests.resources.psc_forwarding_rule.test_psc_addresses import REGION, arguments, attach, reserve
from tests.support.lives.endpoints import told
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.samples.weights import call

RULES = f"/compute/v1/{REGION}/forwardingRules"
ADDRESSES = f"/compute/v1/{REGION}/addresses"
OURS = ("mg-owner", "mg-resource", "mg-claim")


@pytest.fixture
def life(emulator, host):
    attach(emulator)
    attach(emulator, path=OTHER)
    return Life(host, PscForwardingRuleProvider, name="address")


@pytest.fixture
def rival(host):
    return Life(host, PscForwardingRuleProvider, name="address", owner="acme/project/other")


def get(emulator, place, name):
    return call(f"{emulator.url}{place}/{name}", method="GET")


def relabel(emulator, place, name, change):
    """What a person does in the console."""
    present = get(emulator, place, name)
    body = {"labels": change(present.get("labels", {})), "labelFingerprint": present["labelFingerprint"]}
    call(f"{emulator.url}{place}/{name}/setLabels", body)
    emulator.advance(60)


def without_ours(labels):
    return {key: value for key, value in labels.items() if key not in OURS}


def changes_of(emulator, since=0):
    calls = (".insert", ".delete", ".setLabels", ".patch")
    return [one for one in emulator.requests()[since:] if one["rpc"].endswith(calls)]


def both_up(lives, wanted):
    failures = {}

    def up(name, life):
        try:
            life.up(wanted)
        except HostError as error:
            failures[name] = error

    threads = [threading.Thread(target=up, args=item) for item in lives.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


@pytest.mark.parametrize("named", [False, True], ids=["own-address", "named-address"])
@pytest.mark.parametrize("being_made", ["shown", "hidden"])
@pytest.mark.parametrize("turn", range(3))
def test_of_two_stacks_that_claim_a_name_at_once_one_gets_it_and_the_other_touches_nothing(
    emulator, life, rival, named, being_made, turn
):
    wanted = arguments(forwarding_rule_name="shared", timeouts={"create": 20})
    if named:
        reserve(emulator, "reserved")
        wanted["address"] = "reserved"
    emulator.behave(being_made=being_made)
    emulator.set_speed(SEEN)
    lives = {"one": life, "two": rival}
    failures = both_up(lives, wanted)
    emulator.set_speed(QUICK)
    assert len(failures) == 1, {name: error.text for name, error in failures.items()}
    (loser, error), *_ = failures.items()
    winner = lives["two" if loser == "one" else "one"]
    assert "is left unchanged" in error.text or "is in use by" in error.text
    assert error.kept is None
    assert lives[loser].id is None
    assert get(emulator, RULES, "shared")["labels"]["mg-claim"] == winner.outputs["claim"]
    assert winner.refresh() == {}
    assert winner.preview(wanted) == ("same", [])
    winner.destroy()
    assert kinds(emulator) == (["compute.Address"] if named else [])


def test_a_rule_that_somebody_else_is_making_is_waited_for_and_then_left_alone(emulator, life):
    reserve(emulator, "reserved")
    emulator.behave(being_made="hidden")
    emulator.set_speed(0)
    body = {"name": "shared", "network": "default", "IPAddress": "reserved", "target": OTHER}
    call(f"{emulator.url}{RULES}", {**body, "IPAddress": f"{REGION}/addresses/reserved"})
    seen = len(emulator.requests())
    emulator.set_speed(SEEN)
    with pytest.raises(HostError, match="is left unchanged") as failure:
        life.up(arguments(forwarding_rule_name="shared", address="reserved"))
    assert failure.value.kept is None
    assert [one for one in changes_of(emulator, seen) if one["status"] == 200] == []
    assert "labels" not in get(emulator, RULES, "shared")


@pytest.mark.parametrize("rpc", ["forwardingRules.setLabels", "forwardingRules.patch", "forwardingRules.delete"])
def test_whose_a_rule_is_is_looked_at_again_after_each_wait(emulator, life, rpc):
    """While Compute Engine says that the rule is not ready, another stack takes it."""
    name = life.up(arguments())["forwarding_rule_name"]
    emulator.fail(
        rpc=f"compute.{rpc}", fault="status", status=400, reason="resourceNotReady", message="It is not ready", times=9
    )
    change = {
        "forwardingRules.setLabels": {"labels": {"team": "ads"}},
        "forwardingRules.patch": {"allow_psc_global_access": True},
        "forwardingRules.delete": {"service_attachment": OTHER},
    }[rpc]
    seen, taken = len(emulator.requests()), threading.Event()

    def asked_for():
        return [one for one in emulator.requests()[seen:] if one["rpc"] == f"compute.{rpc}"]

    def take():
        while not asked_for():
            taken.wait(0.002)
        with emulator.world.lock:
            (rule,) = compute_state(emulator.world).rules.values()
            rule.labels = {**rule.labels, "mg-owner": "another"}

    thread = threading.Thread(target=take)
    thread.start()
    with pytest.raises(HostError, match="is left unchanged"):
        life.up(arguments(**change))
    thread.join()
    assert get(emulator, RULES, name)["labels"]["mg-owner"] == "another"
    assert {one["status"] for one in asked_for()} == {400}
    with pytest.raises(HostError, match="is left unchanged"):
        life.destroy()
    assert kinds(emulator) == ["compute.Address", "compute.ForwardingRule"]


def unfinished(emulator, life, wanted):
    """A creation that timed out while the rule is being made, and is not seen yet."""
    emulator.behave(being_made="hidden")
    emulator.set_speed(QUICK)

    def stop(request):
        if request["rpc"] == "compute.forwardingRules.insert":
            emulator.set_speed(0)

    emulator.world.watchers.append(stop)
    with pytest.raises(HostError, match="has not ended"):
        life.up(wanted)
    emulator.world.watchers.remove(stop)
    assert life.id
    assert emulator.ledger()["counts"]["compute.ForwardingRule"] == 1


LIMITS = {"timeouts": {"create": 5, "update": 5, "delete": 5}}


def test_a_creation_that_timed_out_stays_in_state_and_up_again_waits_for_it(emulator, life):
    unfinished(emulator, life, arguments(**LIMITS))
    assert life.refresh() == {}
    with pytest.raises(HostError, match="has not ended"):
        life.up(arguments(**LIMITS))
    emulator.set_speed(SEEN)
    outputs = life.up(arguments())
    assert outputs["psc_connection_status"] == "ACCEPTED"
    assert sum(one["rpc"].endswith(".insert") for one in changes_of(emulator)) == 2
    assert kinds(emulator) == ["compute.Address", "compute.ForwardingRule"]
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


def test_destroy_waits_for_a_rule_that_is_still_being_made_so_that_none_appears_later(emulator, life):
    unfinished(emulator, life, arguments(**LIMITS))
    with pytest.raises(HostError, match="has not ended"):
        life.destroy()
    emulator.set_speed(SEEN)
    life.destroy()
    emulator.advance(3600)
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("place", [RULES, ADDRESSES], ids=["rule", "address"])
def test_labels_taken_away_from_one_of_both_show_as_drift_and_up_puts_them_back(emulator, life, place):
    wanted = arguments(labels={"team": "ads"})
    name = life.up(wanted)["forwarding_rule_name"]
    before = get(emulator, place, name)["labels"]
    relabel(emulator, place, name, without_ours)
    life.refresh()
    assert life.preview(wanted) == ("update", [])
    life.up(wanted)
    assert get(emulator, place, name)["labels"] == before
    life.refresh()
    assert life.preview(wanted) == ("same", [])
    relabel(emulator, place, name, without_ours)
    life.destroy()
    assert emulator.ledger()["empty"]


def test_labels_taken_away_from_both_show_as_drift_and_the_error_prints_the_command_that_heals(emulator, life):
    name = life.up(arguments())["forwarding_rule_name"]
    for place in (RULES, ADDRESSES):
        relabel(emulator, place, name, without_ours)
    life.refresh()
    assert life.preview(arguments()) == ("update", [])
    for run in (lambda: life.up(arguments()), life.destroy):
        with pytest.raises(HostError, match="somebody removed the labels") as failure:
            run()
        assert f"gcloud compute forwarding-rules update {name} --project=my-project" in failure.value.text
    told = re.search(r"--update-labels=([^)]+)\)", failure.value.text)[1]
    relabel(emulator, RULES, name, lambda labels: dict(pair.split("=") for pair in told.split(",")))
    life.up(arguments())
    assert set(get(emulator, ADDRESSES, name)["labels"]) == set(OURS)
    life.destroy()
    assert emulator.ledger()["empty"]


def killed_before_it_had_labels(emulator, wanted):
    reserve(emulator, "reserved")
    emulator.set_speed(SEEN)
    emulator.fail(rpc="compute.forwardingRules.setLabels", fault="delay", seconds=0.5)
    emulator.fail(rpc="compute.forwardingRules.setLabels", fault="status", status=503, times=9)
    killed(emulator, "compute.forwardingRules.setLabels", 0, lambda lost: lost.up(wanted))
    assert "labels" not in get(emulator, RULES, "mine")
    for fault in emulator.world.faults._faults:
        fault.times = fault.met


NAMED = arguments(address="reserved", forwarding_rule_name="mine")


def test_a_rule_behind_a_named_address_that_was_killed_before_it_had_labels_is_known_by_its_creation(emulator, life):
    killed_before_it_had_labels(emulator, NAMED)
    emulator.set_speed(QUICK)
    life.up(NAMED)
    assert set(get(emulator, RULES, "mine")["labels"]) == set(OURS)
    assert sum(one["rpc"] == "compute.forwardingRules.insert" for one in emulator.requests()) == 1
    life.destroy()
    assert kinds(emulator) == ["compute.Address"]


def test_a_creation_marked_as_another_stacks_is_left_alone(emulator, life, rival):
    killed_before_it_had_labels(emulator, NAMED)
    emulator.set_speed(QUICK)
    with pytest.raises(HostError, match="is left unchanged"):
        rival.up(NAMED)
    assert "labels" not in get(emulator, RULES, "mine")


@pytest.mark.parametrize("fault", ["operations-forgotten", "not-listed"])
def test_where_no_operation_tells_of_its_creation_a_rule_without_labels_is_left_as_it_is(emulator, life, fault):
    wanted = NAMED
    killed_before_it_had_labels(emulator, wanted)
    if fault == "not-listed":
        emulator.fail(rpc="compute.regionOperations.list", fault="status", status=403, times=9)
    else:
        with emulator.world.lock:
            compute_state(emulator.world).operations.operations.clear()
    emulator.set_speed(QUICK)
    with pytest.raises(HostError, match="is left unchanged") as failure:
        life.up(wanted)
    assert "set another forwarding_rule_name" in failure.value.text
    assert kinds(emulator) == ["compute.Address", "compute.ForwardingRule"]


def test_a_rule_whose_labels_could_not_be_set_stays_in_state_and_gets_them_from_the_next_run(emulator, life):
    reserve(emulator, "reserved")
    wanted = arguments(address="reserved", forwarding_rule_name="mine")
    emulator.fail(rpc="compute.forwardingRules.setLabels", fault="status", status=403)
    with pytest.raises(HostError) as failure:
        life.up(wanted)
    assert failure.value.kept is not None
    assert met(emulator) == [1]
    life.up(wanted)
    assert set(get(emulator, RULES, "mine")["labels"]) == set(OURS)
    assert life.outputs["unlabelled"] == ""
    life.destroy()
    assert kinds(emulator) == ["compute.Address"]


def test_what_an_earlier_run_made_is_told_when_it_is_taken_up(emulator, life, host):
    again = Life(host, PscForwardingRuleProvider, name="address")
    life.up(arguments())
    since = len(host.said)
    again.up(arguments())
    assert again.outputs["psc_connection_id"] == life.outputs["psc_connection_id"]
    line = "taking up forwarding rule projects/my-project/regions/us-central1/forwardingRules/"
    assert line in told(host, since)


def test_a_rule_of_a_stack_with_the_same_name_is_not_taken_up_where_nobody_said_whose_it_is(emulator, host):
    attach(emulator)
    owner = "organization/project/dev"
    one, two = (Life(host, PscForwardingRuleProvider, name="address", owner=owner) for _ in range(2))
    one.up(arguments())
    with pytest.raises(HostError, match="write `mg:owner: organization` below") as failure:
        two.up(arguments())
    assert failure.value.kept is None
    one.destroy()
    assert emulator.ledger()["empty"]
