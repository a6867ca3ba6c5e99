"""Many private addresses in one run under the limits of Compute Engine: calls in a minute, operations at a time."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from mg_provider.resources.psc_forwarding_rule import PscForwardingRuleProvider
from tests.resources.conftest import QUICK
from tests.resources.psc_forwarding_rule.test_psc_addresses import arguments, attach
from tests.support.lives.host import HostError
from tests.support.lives.life import Life

# Tighter than Google's limits, under which 100 rules are: an emulated minute takes two seconds.
RULES, CALLS, AT_A_TIME, SPEED = 12, 40, 2, 30


def fleet(emulator, host, number, calls, at_a_time, speed):
    """Make so many rules at once; the lives, and how often Compute Engine said that calls come too fast."""
    attach(emulator)
    emulator.behave(compute_calls_per_minute=calls, compute_concurrent_operations=at_a_time)
    emulator.set_speed(speed)
    lives = [Life(host, PscForwardingRuleProvider, name=f"address-{index}") for index in range(number)]
    with ThreadPoolExecutor(number) as threads:
        list(threads.map(lambda life: life.up(arguments()), lives))
    emulator.set_speed(QUICK)
    refused = Counter(
        one["response"]["error"]["details"][0]["reason"]
        for one in emulator.requests()
        if one["status"] == 403 and one["response"]
    )
    return lives, refused


def test_a_fleet_of_rules_is_made_in_one_run_under_the_limits_of_compute_engine(emulator, host):
    lives, refused = fleet(emulator, host, RULES, CALLS, AT_A_TIME, SPEED)
    assert set(refused) == {"RATE_LIMIT_EXCEEDED", "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED"}
    assert {life.outputs["psc_connection_status"] for life in lives} == {"ACCEPTED"}
    assert len({life.outputs["ip_address"] for life in lives}) == RULES
    emulator.behave(compute_calls_per_minute=0, compute_concurrent_operations=0)
    counts = emulator.ledger()["counts"]
    assert (counts["compute.Address"], counts["compute.ForwardingRule"]) == (RULES, RULES)
    for life in lives:
        life.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("fault", ["rate_limit_403", "rate_limit_per_minute_403", "concurrent_operations_403"])
@pytest.mark.parametrize("rpc", ["addresses.insert", "forwardingRules.insert", "forwardingRules.setLabels"])
def test_a_change_that_came_too_fast_is_made_a_little_later(emulator, host, rpc, fault):
    attach(emulator)
    emulator.fail(rpc=f"compute.{rpc}", fault=fault, retry_after=0)
    life = Life(host, PscForwardingRuleProvider, name="address")
    assert life.up(arguments())["psc_connection_status"] == "ACCEPTED"
    assert [one["met"] for one in emulator.faults()] == [1]
    life.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize(
    ("constraint", "allow"),
    [
        ("constraints/compute.restrictPrivateServiceConnectProducer", "allow under:organizations/433637338589"),
        ("constraints/compute.disablePrivateServiceConnectCreationForConsumers", "allow SERVICE_PRODUCERS"),
    ],
)
def test_a_policy_that_forbids_a_rule_is_named_with_what_to_allow_and_its_address_waits(
    emulator, host, constraint, allow
):
    attach(emulator)
    emulator.fail(rpc="compute.forwardingRules.insert", fault="organization_policy_412", subject=constraint)
    life = Life(host, PscForwardingRuleProvider, name="address")
    with pytest.raises(HostError, match="forbids") as failure:
        life.up(arguments())
    assert constraint in failure.value.text
    assert allow in failure.value.text
    assert "somebody changed" not in failure.value.text
    assert [one["rpc"] for one in emulator.requests()].count("compute.forwardingRules.insert") == 1
    life.up(arguments())
    life.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("rpc", ["forwardingRules.setLabels", "addresses.setLabels"])
def test_a_policy_at_a_change_of_labels_is_no_conflict(emulator, host, rpc):
    attach(emulator)
    life = Life(host, PscForwardingRuleProvider, name="address")
    life.up(arguments())
    emulator.fail(rpc=f"compute.{rpc}", fault="organization_policy_412", subject="constraints/custom.labels", times=9)
    with pytest.raises(HostError, match=r"constraints/custom\.labels forbids") as failure:
        life.up(arguments(labels={"team": "ads"}))
    assert "somebody" not in failure.value.text
    assert sum(one["met"] for one in emulator.faults()) == 1
