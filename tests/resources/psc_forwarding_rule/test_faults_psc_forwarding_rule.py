"""Each call of a private address's life is made to fail in each way: the next run converges, and nothing is left."""

import signal
import threading

import pytest

from mg_provider.emulator.services.compute.calls import compute_state
from mg_provider.resources.psc_forwarding_rule import PscForwardingRuleProvider
from tests.resources.conftest import config
from tests.resources.psc_forwarding_rule.test_psc_addresses import ATTACHMENT, arguments, attach
from tests.support.lives.host import Host, HostError
from tests.support.lives.life import Life

OTHER = ATTACHMENT + "2"
ONE = ["compute.Address", "compute.ForwardingRule"]
CREATE_CALLS = [
    "compute.subnetworks.get",
    "compute.addresses.get",
    "compute.addresses.insert",
    "compute.forwardingRules.get",
    "compute.forwardingRules.insert",
    "compute.forwardingRules.setLabels",
    "compute.regionOperations.list",
    "compute.regionOperations.get",
]
CHANGE_CALLS = [
    "compute.addresses.setLabels",
    "compute.forwardingRules.get",
    "compute.forwardingRules.delete",
    "compute.forwardingRules.insert",
    "compute.regionOperations.get",
]
IN_PLACE_CALLS = ["compute.forwardingRules.setLabels", "compute.forwardingRules.patch"]
DELETE_CALLS = [
    "compute.regionOperations.list",
    "compute.forwardingRules.get",
    "compute.forwardingRules.delete",
    "compute.addresses.get",
    "compute.addresses.delete",
]
ANY_CALL = [
    {"fault": "lose_answer"},
    {"fault": "status", "status": 503, "retry_after": 0},
    {"fault": "status", "status": 403},
]
A_CHANGE = [
    *ANY_CALL,
    {"fault": "status", "status": 429, "retry_after": 0},
    {"fault": "status", "status": 409, "code": "ABORTED"},
    {"fault": "status", "status": 412},
    {"fault": "operation_error", "code": "INTERNAL", "message": "It did not work out."},
    {"fault": "stall"},
]
CHANGES = ("insert", "delete", "setLabels", "patch")
# So slow that an operation is seen under way.
SEEN = 50


def each(calls):
    """Every call with every fault that it can meet: only changes start operations."""
    cases = [(rpc, fault) for rpc in calls for fault in (A_CHANGE if rpc.endswith(CHANGES) else ANY_CALL)]
    ids = [f"{rpc.removeprefix('compute.')}-{fault.get('status', fault['fault'])}" for rpc, fault in cases]
    return pytest.mark.parametrize(("rpc", "fault"), cases, ids=ids)


@pytest.fixture
def life(emulator, host):
    attach(emulator)
    attach(emulator, path=OTHER)
    return Life(host, PscForwardingRuleProvider, name="address")


def kinds(emulator):
    return sorted(entry["kind"] for entry in emulator.ledger()["resources"])


def until_it_works(run, tries=4):
    """What a user does after a failure: the same command again."""
    for _ in range(tries - 1):
        try:
            return run()
        except HostError:
            continue
    return run()


def quick(**more):
    # A stalled operation is given up soon.
    return arguments(timeouts={"create": 8, "update": 8, "delete": 8}, **more)


def unstall(emulator):
    """What stalled goes through after all, as it does in the cloud."""
    world = emulator.world
    with world.lock:
        for resource in [*compute_state(world).addresses.values(), *compute_state(world).rules.values()]:
            resource.busy = False
            resource.being_made = False
        for operation in compute_state(world).operations.operations.values():
            operation.stalled = False


def repeatedly(emulator, rpc, fault, run):
    emulator.fail(rpc=rpc, **fault)
    if rpc.endswith("Operations.get"):
        emulator.set_speed(SEEN)
    try:
        return run()
    except HostError:
        if fault["fault"] == "stall":
            unstall(emulator)
        return until_it_works(run)


def met(emulator):
    return [fault["met"] for fault in emulator.faults()]


def test_an_error_after_the_address_is_reserved_says_that_it_exists(emulator, life):
    emulator.fail(rpc="compute.forwardingRules.insert", fault="status", status=403)
    with pytest.raises(
        HostError, match=r"exists: projects/my-project/regions/us-central1/addresses/address"
    ) as failure:
        life.up(arguments())
    assert "forwardingRules/" not in failure.value.text.partition("exists:")[2]
    life.destroy()
    assert emulator.ledger()["empty"]


@each(CREATE_CALLS)
def test_create_converges_on_one_rule_behind_one_address(emulator, life, rpc, fault):
    outputs = repeatedly(emulator, rpc, fault, lambda: life.up(quick()))
    assert met(emulator) == [1]
    assert outputs["psc_connection_status"] == "ACCEPTED"
    assert kinds(emulator) == ONE
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


@each(CHANGE_CALLS)
def test_another_attachment_is_reached_at_the_same_address_whatever_fails(emulator, life, rpc, fault):
    before = life.up(quick())
    wanted = quick(service_attachment=OTHER, labels={"team": "ads"})
    after = repeatedly(emulator, rpc, fault, lambda: life.up(wanted))
    assert met(emulator) == [1]
    assert after["ip_address"] == before["ip_address"]
    assert (after["connected_service_attachment"], after["psc_connection_status"]) == (OTHER, "ACCEPTED")
    assert kinds(emulator) == ONE
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


@each(IN_PLACE_CALLS)
def test_labels_and_global_access_converge_without_a_cut(emulator, life, rpc, fault):
    before = life.up(quick())
    wanted = quick(labels={"team": "ads"}, allow_psc_global_access=True)
    after = repeatedly(emulator, rpc, fault, lambda: life.up(wanted))
    assert met(emulator) == [1]
    assert after["psc_connection_id"] == before["psc_connection_id"]
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


@each(DELETE_CALLS)
def test_destroy_leaves_nothing(emulator, life, rpc, fault):
    life.up(quick())
    repeatedly(emulator, rpc, fault, life.destroy)
    assert met(emulator) == [1]
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


@pytest.mark.parametrize("rpc", ["addresses.insert", "forwardingRules.insert"])
def test_a_repeat_carries_the_same_request_id_and_each_call_one_of_its_own(emulator, life, rpc):
    emulator.fail(rpc=f"compute.{rpc}", fault="lose_answer")
    life.up(quick())
    sent = [one for one in emulator.requests() if one["rpc"].endswith((".insert", ".delete", ".setLabels", ".patch"))]
    ids = {}
    for one in sent:
        ids.setdefault(one["rpc"].removeprefix("compute."), []).append(one["query"]["requestId"])
    assert len(ids[rpc]) == 2
    assert len(set(ids[rpc])) == 1
    assert len({id for group in ids.values() for id in group}) == len(ids)
    life.destroy()


@pytest.mark.parametrize(
    ("rpc", "after"),
    [
        ("compute.addresses.insert", 0),
        ("compute.forwardingRules.insert", 0),
        ("compute.forwardingRules.setLabels", 0),
        ("compute.regionOperations.get", 0),
    ],
    ids=lambda value: str(value).removeprefix("compute."),
)
def test_a_host_killed_while_it_creates_is_followed_by_one_that_takes_over(emulator, life, host, rpc, after):
    emulator.set_speed(SEEN)
    emulator.fail(rpc=rpc, fault="delay", seconds=0.5, after=after)
    killed(emulator, rpc, after, lambda lost: lost.up(quick()))
    outputs = until_it_works(lambda: life.up(quick()))
    assert outputs["psc_connection_status"] == "ACCEPTED"
    assert kinds(emulator) == ONE
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("rpc", ["compute.forwardingRules.delete", "compute.forwardingRules.insert"])
def test_a_host_killed_between_two_rules_leaves_the_address_and_the_next_run_connects_it(emulator, life, rpc):
    before = life.up(quick())
    wanted = quick(service_attachment=OTHER)

    def change(lost):
        lost.id, lost.inputs, lost.outputs = life.id, life.inputs, life.outputs
        lost.up(wanted)

    seen = sum(one["rpc"] == rpc for one in emulator.requests())
    emulator.set_speed(SEEN)
    emulator.fail(rpc=rpc, fault="delay", seconds=0.5)
    killed(emulator, rpc, seen, change)
    after = until_it_works(lambda: life.up(wanted))
    assert after["ip_address"] == before["ip_address"]
    assert after["connected_service_attachment"] == OTHER
    assert kinds(emulator) == ONE
    life.destroy()
    assert emulator.ledger()["empty"]


def killed(emulator, rpc, after, run):
    """Run with a host of its own, which is killed when it has made this call for the ``after + 1``-th time."""
    host = Host(config(emulator))
    failed = []

    def work():
        try:
            run(Life(host, PscForwardingRuleProvider, name="address"))
        except HostError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    waiting = threading.Event()
    try:
        while sum(one["rpc"] == rpc for one in emulator.requests()) <= after and thread.is_alive():
            waiting.wait(0.005)
        host.process.send_signal(signal.SIGKILL)
        thread.join()
    finally:
        host.close()
    assert failed, "the host had ended before it was killed"
