"""What must hold however things go wrong, one case each, on both engines: their own word is what counts."""

import itertools
import os
import threading

import pytest

from tests.faults.engines import ENGINES, PULUMI, end_all
from tests.resources.conftest import QUICK
from tests.support.lives.endpoints import L4, PARENT, Hand, kinds
from tests.support.samples.weights import call, make_bucket, put_weights

ONE = ["DeployedModel", "Endpoint", "Model"]
MARKS = itertools.count()
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(params=["rehearse", "pulumi"])
def stacks(request, emulator, tmp_path, virtualenv):
    """Makes stacks on one engine."""
    if request.param == "pulumi" and PULUMI is None:
        pytest.skip("the pulumi CLI is not on PATH, so only the rehearsal engine was asked")
    emulator.set_speed(QUICK)
    made = []

    def make(owner="acme"):
        mark = f"promise-{os.getpid()}-{next(MARKS)}"
        folder = tmp_path / f"{owner}-{len(made)}"
        made.append(Stack(ENGINES[request.param](folder, virtualenv, emulator.url, mark), owner, emulator))
        return made[-1]

    yield make
    for stack in made:
        end_all(stack.engine.mark)


class Stack:
    """One program on an engine."""

    def __init__(self, engine, owner, emulator):
        self.engine, self.emulator = engine, emulator
        engine.config["mg:owner"] = owner
        if engine.name == "pulumi":
            engine._call("config", "set", "mg:owner", owner, "--stack", "test")

    def program(self, kind, name="llama", **arguments):
        self.engine.write([{"slot": "a", "kind": kind, "name": name, "aliases": [], "arguments": arguments}])

    def begin(self, operation="up"):
        return self.engine.start(operation)

    def run(self, operation="up"):
        run = self.begin(operation).ended()
        assert run.ok, run.errors
        return run

    def fails(self, operation="up"):
        run = self.begin(operation).ended()
        assert run.code not in (0, None), run
        return run.errors

    def is_clean(self):
        """Whether refresh finds nothing, and preview has nothing to do."""
        assert self.run("refresh").changes == {}
        return self.run("preview").changes == {}


def seen(emulator, command, since, enough, *ends):
    """Wait until so many calls that end so have come; the command must still run."""
    for _ in range(3000):
        if sum(str(entry["rpc"]).endswith(ends) for entry in emulator.requests()[since:]) >= enough:
            return
        assert command.process.poll() is None, command.ended().errors
        threading.Event().wait(0.02)
    pytest.fail(f"{ends} never came")


def deploys(emulator):
    return sum(str(entry["rpc"]).endswith(("locations.deploy", "deployModel")) for entry in emulator.requests())


def test_waiting_is_resumed_while_the_deployment_still_runs(stacks, emulator):
    make_bucket(emulator)
    stack, wanted = stacks(), {"gcs_uri": put_weights(emulator), "machine_spec": L4}
    emulator.set_speed(1)
    stack.program("CustomWeightsModel", **wanted, timeouts={"create": 1, "update": 1})
    assert "has not ended after" in stack.fails()
    emulator.advance(300)
    stack.program("CustomWeightsModel", **wanted)
    since = len(emulator.requests())
    command = stack.begin()
    seen(emulator, command, since, 2, "operations.get")
    emulator.set_speed(QUICK)
    run = command.ended()
    assert run.ok, run.errors
    assert deploys(emulator) == 1
    assert kinds(emulator) == ONE
    assert stack.is_clean()
    stack.run("destroy")
    assert emulator.ledger()["empty"]


def test_of_two_stacks_that_claim_one_endpoint_at_the_same_moment_one_gets_it(stacks, emulator):
    make_bucket(emulator)
    wanted = {"gcs_uri": put_weights(emulator), "machine_spec": L4, "endpoint_id": "shared"}
    first, second = stacks("alice"), stacks("bob")
    for stack in (first, second):
        stack.program("CustomWeightsModel", **wanted)
    emulator.set_speed(1)
    winner = first.begin()
    seen(emulator, winner, 0, 1, "locations.deploy")
    since = len(emulator.requests())
    loser = second.begin()
    seen(emulator, loser, since, 2, "locations.deploy", "operations.list", "endpoints.get")
    emulator.set_speed(QUICK)
    emulator.advance(14400)
    won, lost = winner.ended(), loser.ended()
    assert won.ok, won.errors
    assert lost.code not in (0, None)
    assert "shared" in lost.errors
    assert kinds(emulator) == ONE
    assert first.is_clean()
    first.run("destroy")
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("kind", ["CustomWeightsModel", "DedicatedEndpoint"])
def test_only_google_s_word_means_gone(stacks, emulator, kind):
    make_bucket(emulator)
    stack = stacks()
    hand = Hand(emulator)
    wanted = {"gcs_uri": put_weights(emulator), "machine_spec": L4}
    if kind == "DedicatedEndpoint":
        wanted = {"deployed_models": {"a": {"model": hand.upload(), "machine_spec": L4}}}
    stack.program(kind, **wanted)
    stack.run()
    before = kinds(emulator)
    for fault in ("proxy_404", "project_404"):
        for operation in ("refresh", "destroy"):
            emulator.fail(rpc="endpoints.get", fault=fault, times=1000)
            assert "404" in stack.fails(operation)
            emulator.stop_failing()
    assert kinds(emulator) == before
    assert stack.is_clean()
    stack.run("destroy")
    assert "Endpoint" not in kinds(emulator)


def test_what_is_still_being_made_does_not_appear_after_destroy(stacks, emulator):
    stack = stacks()
    emulator.set_speed(1)
    stack.program("DedicatedEndpoint", timeouts={"create": 1})
    assert "has not ended after" in stack.fails()
    since = len(emulator.requests())
    command = stack.begin("destroy")
    seen(emulator, command, since, 1, "operations.cancel")
    emulator.set_speed(QUICK)
    run = command.ended()
    assert run.ok, run.errors
    emulator.advance(7200)
    assert kinds(emulator) == []


def test_what_was_deleted_by_hand_is_made_again_at_the_same_address(stacks, emulator):
    make_bucket(emulator)
    stack, hand = stacks(), Hand(emulator)
    unprobed = {"machine_spec": L4, "rollout": {"probe": {"kind": "none"}}}
    stack.program("CustomWeightsModel", gcs_uri=put_weights(emulator), **unprobed)
    stack.run()
    other = put_weights(emulator, "other")
    stack.program("CustomWeightsModel", gcs_uri=other, **unprobed)
    stack.run()
    before = call(f"{emulator.url}/v1beta1/{PARENT}/endpoints", method="GET")["endpoints"][0]
    name = f"{PARENT}/endpoints/{before['name'].rpartition('/')[2]}"
    hand.undeploy(name, before["deployedModels"][0]["id"])
    hand.delete(name)
    stack.program("CustomWeightsModel", gcs_uri=other, description="changed", **unprobed)
    stack.run()
    after = hand.endpoint(name)
    assert after["dedicatedEndpointDns"] == before["dedicatedEndpointDns"]
    assert kinds(emulator) == ONE
    assert stack.is_clean()
    stack.run("destroy")
    assert emulator.ledger()["empty"]


def test_a_killed_run_on_a_self_managed_backend_is_taken_up_where_the_owner_is_named(stacks, emulator):
    make_bucket(emulator)
    stack = stacks("alice")
    stack.program("CustomWeightsModel", gcs_uri=put_weights(emulator), machine_spec=L4)
    emulator.set_speed(1)
    command = stack.begin()
    seen(emulator, command, 0, 2, "operations.get")
    for role in ("engine", "host", "program"):
        command.kill(role)
    command.ended()
    stack.engine.unlock()
    emulator.advance(300)
    since = len(emulator.requests())
    again = stack.begin()
    seen(emulator, again, since, 2, "operations.get")
    emulator.set_speed(QUICK)
    run = again.ended()
    assert run.ok, run.errors
    assert deploys(emulator) == 1
    assert kinds(emulator) == ONE
    assert stack.is_clean()
