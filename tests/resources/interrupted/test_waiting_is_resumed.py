"""A run that goes on while what an earlier one asked for still runs waits for it, and asks for nothing twice."""

import threading

import pytest

from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from tests.resources.conftest import QUICK
from tests.support.lives.endpoints import L4, Hand, kinds
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.samples.weights import put_weights

ONE = ["DeployedModel", "Endpoint", "Model"]
LOCATION = "aiplatform.projects.locations."
PUBLISHED = "publishers/google/models/gemma3@gemma-3-1b-it"
SHORT = {"timeouts": {"create": 0.3, "update": 0.3}}


def asked(emulator, since=0):
    """The calls since then that make or deploy something."""
    names = ("deploy", "deployModel", "create", "upload")
    rpcs = (str(entry["rpc"]).rpartition(".")[2] for entry in emulator.requests()[since:])
    return [rpc for rpc in rpcs if rpc in names]


def gives_up(emulator, life, arguments, passed=0):
    """``up`` with little patience, on the slow clock, after which so many seconds have passed."""
    emulator.set_speed(1)
    with pytest.raises(HostError, match="has not ended after") as failure:
        life.up({**arguments, **SHORT})
    assert failure.value.kept is not None
    emulator.advance(passed)


def waits(emulator, work, polled="operations.get"):
    """Run on the slow clock until it has asked for what runs, and only then let the clock run."""
    since, failures = len(emulator.requests()), []

    def run():
        try:
            work()
        except HostError as error:
            failures.append(error)

    worker = threading.Thread(target=run)
    worker.start()
    for _ in range(2000):
        polls = sum(str(entry["rpc"]).endswith(polled) for entry in emulator.requests()[since:])
        if polls >= 2 or not worker.is_alive():
            break
        worker.join(0.01)
    during = asked(emulator, since)
    emulator.set_speed(QUICK)
    emulator.advance(7200)
    worker.join()
    emulator.advance(7200)
    assert failures == []
    return during


@pytest.mark.parametrize("passed", [0, 60, 300])
def test_a_timeout_is_followed_by_a_run_that_waits_for_the_same_deployment(emulator, host, weights, passed):
    life, wanted = Life(host, CustomWeightsModelProvider), {"gcs_uri": weights, "machine_spec": L4}
    gives_up(emulator, life, wanted, passed)
    assert waits(emulator, lambda: life.up(wanted)) == []
    assert asked(emulator) == ["deploy"]
    assert kinds(emulator) == ONE
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])
    life.destroy()
    assert emulator.ledger()["empty"]


def test_one_answer_that_an_operation_is_not_there_is_no_reason_to_deploy_again(emulator, host, weights):
    life, wanted = Life(host, CustomWeightsModelProvider), {"gcs_uri": weights, "machine_spec": L4}
    gives_up(emulator, life, wanted, 300)
    emulator.fail(rpc=f"{LOCATION}operations.get", fault="status", status=404, code="NOT_FOUND")
    assert waits(emulator, lambda: life.up(wanted)) == []
    assert asked(emulator) == ["deploy"]
    assert kinds(emulator) == ONE


def test_the_same_within_one_run(emulator, host, weights):
    life, wanted = Life(host, CustomWeightsModelProvider), {"gcs_uri": weights, "machine_spec": L4}
    emulator.set_speed(1)
    emulator.fail(rpc=f"{LOCATION}operations.get", fault="status", status=404, code="NOT_FOUND", after=1)
    during = waits(emulator, lambda: again_until_it_works(life, wanted))
    assert during == ["deploy"]
    assert kinds(emulator) == ONE
    assert life.refresh() == {}


def again_until_it_works(life, wanted):
    for _ in range(2):
        try:
            return life.up(wanted)
        except HostError:
            continue
    return life.up(wanted)


@pytest.mark.parametrize("source", ["publisher", "other weights", "parked before", "kept"])
def test_in_every_path_what_runs_is_waited_for(emulator, host, weights, source):
    life, wanted = Life(host, CustomWeightsModelProvider), {"gcs_uri": weights, "machine_spec": L4}
    first = ["deploy"]
    if source == "publisher":
        wanted = {"publisher_model_name": PUBLISHED, "machine_spec": L4, "accept_eula": True}
    if source == "other weights":
        life.up(wanted)
        wanted = {**wanted, "gcs_uri": put_weights(emulator, "other"), "rollout": {"probe": {"kind": "none"}}}
        first = ["deploy", "upload", "deployModel"]
    if source == "parked before":
        life.up({**wanted, "parked": True})
        first = ["create", "upload", "deployModel"]
    if source == "kept":
        wanted = {**wanted, "retain_model": True}
        life.up(wanted)
        life.destroy()
        first = ["deploy", "create", "deployModel"]
    for _ in range(4):
        # What is quick, as the upload of a Model, may have to end first.
        gives_up(emulator, life, wanted)
        if asked(emulator) == first:
            break
        emulator.advance(60)
    emulator.advance(300)
    assert asked(emulator) == first
    assert waits(emulator, lambda: life.up(wanted)) == []
    assert asked(emulator) == first
    assert kinds(emulator) == ONE
    assert life.refresh() == {}
    life.destroy()
    emulator.advance(7200)
    assert [kind for kind in kinds(emulator) if kind != "Model" or source != "kept"] == []


def test_two_models_of_one_entry_of_model_garden_deploy_beside_each_other(emulator, host):
    """What their operations name is the same; neither waits for the other, and a removal does not either."""
    wanted = {"publisher_model_name": PUBLISHED, "machine_spec": L4, "accept_eula": True}
    first, second = (Life(host, CustomWeightsModelProvider, name=name) for name in ("first", "second"))
    gives_up(emulator, first, wanted)
    gives_up(emulator, second, wanted)
    assert asked(emulator) == ["deploy", "deploy"]
    emulator.advance(7200)
    third = Life(host, CustomWeightsModelProvider, name="third")
    first.up(wanted)
    gives_up(emulator, third, wanted)
    emulator.set_speed(100)
    first.destroy()
    assert kinds(emulator).count("DeployedModel") == 1, "the removal waited for the third"
    assert asked(emulator) == ["deploy", "deploy", "deploy"]
    emulator.set_speed(1)
    waits(emulator, lambda: [life.up(wanted) for life in (second, third)])
    assert kinds(emulator) == sorted(2 * ONE)


def test_a_second_deployment_of_a_model_of_ours_shows_and_is_undeployed(emulator, host, weights):
    life, wanted = Life(host, CustomWeightsModelProvider), {"gcs_uri": weights, "machine_spec": L4}
    before = life.up(wanted)
    extra = Hand(emulator).deploy(before["endpoint"], before["model"])
    life.refresh()
    assert life.outputs["surplus_deployed_models"] == [extra]
    assert life.outputs["unmanaged_deployed_models"] == []
    assert life.preview(wanted) == ("update", [])
    after = life.up(wanted)
    assert after["deployed_model_id"] == before["deployed_model_id"]
    assert after["surplus_deployed_models"] == []
    assert kinds(emulator) == ONE
    assert life.preview(wanted) == ("same", [])


def endpoint_arguments(emulator):
    return {"deployed_models": {"a": {"model": Hand(emulator).upload(), "machine_spec": L4}}}


def test_an_endpoint_that_is_still_being_made_is_waited_for(emulator, host):
    wanted = endpoint_arguments(emulator)
    since = len(emulator.requests())
    life = Life(host, DedicatedEndpointProvider)
    gives_up(emulator, life, wanted)
    assert asked(emulator, since) == ["create"]
    waits(emulator, lambda: life.up(wanted))
    assert asked(emulator, since) == ["create", "deployModel"]
    assert kinds(emulator) == ONE
    assert life.refresh() == {}


@pytest.mark.parametrize("kind", ["dedicated", "parked"])
def test_an_endpoint_that_is_still_being_made_does_not_appear_after_destroy(emulator, host, weights, kind):
    wanted = {"gcs_uri": weights, "parked": True}
    life = Life(host, CustomWeightsModelProvider)
    if kind == "dedicated":
        wanted, life = {}, Life(host, DedicatedEndpointProvider)
    gives_up(emulator, life, wanted)
    waits(emulator, life.destroy)
    emulator.advance(7200)
    assert kinds(emulator) == []


def test_a_creation_that_cannot_be_cancelled_is_waited_for_and_then_deleted(emulator, host):
    life = Life(host, DedicatedEndpointProvider)
    gives_up(emulator, life, {})
    refusal = {"fault": "status", "status": 400, "code": "FAILED_PRECONDITION", "message": "is not cancellable."}
    emulator.fail(rpc="endpoints.operations.cancel", **refusal)
    waits(emulator, life.destroy)
    emulator.advance(7200)
    assert kinds(emulator) == []
