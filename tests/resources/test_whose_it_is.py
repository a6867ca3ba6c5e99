"""Nothing is taken from another stack, another resource or another life of it; and what is one's own is found."""

import threading

import pytest

from mg_provider.resources.batch_job import BatchJobProvider
from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from tests.resources.conftest import QUICK, config
from tests.support.lives.endpoints import L4, PARENT, kinds
from tests.support.lives.host import Host, HostError
from tests.support.lives.life import Life
from tests.support.lives.rollouts import UNPROBED
from tests.support.samples.batch import arguments as batch_arguments
from tests.support.samples.batch import put_questions, started
from tests.support.samples.weights import call, make_bucket, put_weights

ONE = ["DeployedModel", "Endpoint", "Model"]
PRIVATE = {
    "private_service_connect_config": {"enable_private_service_connect": True, "project_allowlist": ["my-project"]}
}
COMPONENT = "mg:components:PrivateModelEndpoint"


@pytest.fixture
def hosts(emulator):
    """More provider processes, as other people's commands have."""
    made = []

    def make(**more):
        made.append(Host({**config(emulator), **more}))
        return made[-1]

    yield make
    for host in made:
        host.close()


def arguments(weights, **more):
    return {"gcs_uri": weights, "machine_spec": L4, "rollout": UNPROBED, **more}


def model_life(host, **more):
    return Life(host, CustomWeightsModelProvider, **more)


def asked_for(emulator, *ends):
    return sum(str(entry["rpc"]).endswith(ends) for entry in emulator.requests())


class Claim(threading.Thread):
    """A stack's ``up``, beside another one's."""

    def __init__(self, life, wanted):
        super().__init__()
        self.life, self.wanted, self.error = life, wanted, None
        self.start()

    def run(self):
        try:
            self.life.up(self.wanted)
        except HostError as error:
            self.error = error.text


def claims(emulator, first, second, wanted, *, passed, ends, speed=1):
    """Both at the same moment: the second asks while what the first asked for is under way."""
    emulator.set_speed(speed)
    winner = Claim(first, wanted[0])
    for _ in range(1000):
        if asked_for(emulator, *ends):
            break
        winner.join(0.01)
    else:
        raise AssertionError(f"{ends} was never asked for")
    emulator.advance(passed)
    loser = Claim(second, wanted[1])
    loser.join(1.0)
    emulator.set_speed(QUICK)
    emulator.advance(14400)
    for claim in (winner, loser):
        claim.join()
    return winner, loser


@pytest.mark.parametrize("passed", [0, 300])
@pytest.mark.parametrize("same", [("endpoint_id",), ("model_id",), ("endpoint_id", "model_id")], ids="+".join)
def test_of_two_stacks_that_claim_the_same_ids_at_once_one_gets_all_of_it(emulator, host, weights, same, passed):
    first, second = model_life(host), model_life(host, owner="acme/project/other")
    wanted = arguments(weights, **dict.fromkeys(same, "shared"))
    winner, loser = claims(emulator, first, second, (wanted, wanted), passed=passed, ends=("locations.deploy",))
    assert winner.error is None
    assert "shared" in loser.error
    assert "left unchanged" in loser.error or "already exists" in loser.error
    assert kinds(emulator) == ONE
    assert first.refresh() == {}
    assert first.preview(wanted) == ("same", [])
    if second.id is not None:
        with pytest.raises(HostError, match="shared"):
            second.destroy()
    assert kinds(emulator) == ONE
    first.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("passed", [0, 8])
def test_of_two_stacks_that_claim_the_same_empty_endpoint_at_once_one_gets_it(emulator, host, passed):
    first = Life(host, DedicatedEndpointProvider)
    second = Life(host, DedicatedEndpointProvider, owner="acme/project/other")
    wanted = {"endpoint_id": "shared"}
    winner, loser = claims(emulator, first, second, (wanted, wanted), passed=passed, ends=("endpoints.create",))
    assert winner.error is None
    assert "left unchanged" in loser.error
    assert second.id is None
    assert first.refresh() == {}
    assert first.preview(wanted) == ("same", [])


def test_a_claim_that_is_lost_while_it_is_waited_for_deletes_nothing_of_the_winner(emulator, host, weights, hand):
    """The loser's own operation ends badly after the winner has taken both names."""
    theirs = model_life(host, owner="acme/project/other")
    theirs.up(arguments(weights, endpoint_id="shared", model_id="shared"))
    mine = model_life(host)
    # The loser looked before the winner was there.
    for kind in ("endpoint", "model"):
        gone = {"status": 404, "code": "NOT_FOUND", "message": f'{kind} "{PARENT}/{kind}s/shared" not found'}
        emulator.fail(rpc=f"{kind}s.get", fault="status", **gone)
    with pytest.raises(HostError, match="shared") as failure:
        mine.up(arguments(weights, endpoint_id="shared", model_id="shared"))
    assert failure.value.kept is None
    assert kinds(emulator) == ONE
    assert theirs.refresh() == {}


def unlabelled(emulator, host, hand, wanted, owner="acme/project/stack"):
    """An endpoint whose labels nobody has put on yet, and that no state remembers."""
    life = model_life(host, owner=owner)
    life.up(wanted)
    hand.patch(life.id, "labels", labels={})
    call(f"{emulator.url}/v1beta1/{life.outputs['model']}?updateMask=labels", {"labels": {}}, "PATCH")
    return life.id


def test_an_unlabelled_endpoint_with_the_derived_ids_of_both_is_ours(emulator, host, weights, hand):
    endpoint, life = unlabelled(emulator, host, hand, arguments(weights)), model_life(host)
    since = len(emulator.requests())
    assert life.up(arguments(weights))["endpoint"] == endpoint
    sent = [entry["rpc"] for entry in emulator.requests()[since:] if entry["method"] != "GET"]
    assert not [rpc for rpc in sent if rpc.endswith(("deploy", "deployModel", "undeployModel", "delete"))]
    assert hand.endpoint(endpoint)["labels"]["mg-resource"].startswith("llama")
    assert kinds(emulator) == ONE
    life.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("served", ["another Model", "ours and another Model"])
def test_an_unlabelled_endpoint_with_the_derived_id_that_serves_another_model_is_left(
    emulator, host, weights, hand, served
):
    endpoint = unlabelled(emulator, host, hand, arguments(weights))
    (ours,) = hand.endpoint(endpoint)["deployedModels"]
    theirs = hand.deploy(endpoint, hand.upload("theirs", "theirs"), {ours["id"]: 0, "0": 100})
    if served == "another Model":
        hand.undeploy(endpoint, ours["id"])
    before = hand.endpoint(endpoint)
    life = model_life(host)
    with pytest.raises(HostError, match="does not carry this stack's ownership label") as failure:
        life.up(arguments(weights))
    assert theirs in failure.value.text
    assert "models/theirs" in failure.value.text
    assert hand.endpoint(endpoint) == before


@pytest.mark.parametrize("named", [("endpoint_id",), ("endpoint_id", "model_id")], ids="+".join)
def test_an_unlabelled_endpoint_whose_id_the_program_chose_is_left(emulator, host, weights, hand, named):
    wanted = arguments(weights, **dict.fromkeys(named, "shared"))
    endpoint = unlabelled(emulator, host, hand, wanted)
    before = hand.endpoint(endpoint)
    with pytest.raises(HostError, match="gcloud ai endpoints update shared") as failure:
        model_life(host).up(wanted)
    assert endpoint in failure.value.text
    assert hand.endpoint(endpoint) == before


def test_on_a_self_managed_backend_an_unlabelled_endpoint_is_taken_up_by_name_only(emulator, host, weights, hand):
    endpoint = unlabelled(emulator, host, hand, arguments(weights), owner=UNCERTAIN)
    before = hand.endpoint(endpoint)
    with pytest.raises(HostError, match="write `mg:owner: organization` below"):
        model_life(host, owner=UNCERTAIN).up(arguments(weights))
    assert hand.endpoint(endpoint) == before


def test_an_owner_is_looked_at_before_each_change(emulator, host, weights, hand):
    """Somebody takes the endpoint over by its labels: from then on no call of ours changes anything on it."""
    life = model_life(host)
    life.up(arguments(weights))
    labels = hand.endpoint(life.id)["labels"]
    hand.patch(life.id, "labels", labels={**labels, "mg-owner": "somebody-else", "mg-claim": "theirs"})
    for change in (
        lambda: life.up(arguments(weights, min_replica_count=2, max_replica_count=2)),
        lambda: life.up(arguments(put_weights(emulator, "other"))),
        lambda: life.up(arguments(weights, description="changed")),
        lambda: life.up(arguments(weights, parked=True)),
        life.destroy,
    ):
        since = len(emulator.requests())
        with pytest.raises(HostError, match="somebody-else"):
            change()
        sent = [entry["rpc"] for entry in emulator.requests()[since:] if entry["method"] != "GET"]
        assert [rpc for rpc in sent if not rpc.startswith("storage.") and not rpc.endswith("recommendSpec")] == []


def test_a_model_that_another_stack_owns_is_neither_patched_nor_deleted(emulator, host, weights):
    life = model_life(host)
    wanted = arguments(weights, model_id="named")
    life.up(wanted)
    model = f"{PARENT}/models/named"
    path = f"{emulator.url}/v1beta1/{model}"
    labels = call(path, method="GET")["labels"]
    call(f"{path}?updateMask=labels", {"labels": {**labels, "mg-owner": "somebody-else"}}, "PATCH")
    with pytest.raises(HostError, match="somebody-else"):
        life.up({**wanted, "model_display_name": "mine"})
    with pytest.raises(HostError, match="somebody-else"):
        life.destroy()
    assert call(path, method="GET")["labels"]["mg-owner"] == "somebody-else"


UNCERTAIN = "organization/project/stack"


def killed(emulator, host, weights, owner):
    """A deployment that is done and that no state remembers."""
    life = model_life(host, owner=owner)
    life.up(arguments(weights))
    return life


@pytest.mark.parametrize("kind", ["model", "endpoint"])
def test_on_a_self_managed_backend_what_exists_is_taken_up_by_name_only(emulator, host, weights, kind):
    provider, wanted = CustomWeightsModelProvider, arguments(weights)
    if kind == "endpoint":
        provider, wanted = DedicatedEndpointProvider, {}
    made = Life(host, provider, owner=UNCERTAIN)
    made.up(wanted)
    since = len(emulator.requests())
    again = Life(host, provider, owner=UNCERTAIN)
    with pytest.raises(HostError) as failure:
        again.up(wanted)
    assert made.id in failure.value.text
    assert "write `mg:owner: organization` below" in failure.value.text
    assert failure.value.kept is None
    assert all(entry["method"] == "GET" for entry in emulator.requests()[since:])
    assert made.refresh() == {}


def test_on_a_self_managed_backend_a_paid_job_is_taken_up_by_name_only(emulator, host, hosts):
    make_bucket(emulator)
    put_questions(emulator)
    wanted = batch_arguments()
    made = Life(host, BatchJobProvider, owner=UNCERTAIN)
    made.up(wanted)
    # Another person's process knows nothing of this one.
    again = Life(hosts(), BatchJobProvider, owner=UNCERTAIN)
    with pytest.raises(HostError, match="write `mg:owner: organization` below") as failure:
        again.up(wanted)
    assert made.outputs["batch_prediction_job"] in failure.value.text
    assert started(emulator) == 1
    named = Life(hosts(**{"mg:owner": "organization"}), BatchJobProvider, owner=UNCERTAIN)
    named.up(wanted)
    assert started(emulator) == 1
    assert named.outputs["batch_prediction_job"] == made.outputs["batch_prediction_job"]


def test_what_is_taken_up_is_said_with_its_age(emulator, host, weights):
    killed(emulator, host, weights, "acme/project/stack")
    said = len(host.said)
    again = model_life(host)
    again.up(arguments(weights))
    line = next(line for line in host.said[said:] if "taking up" in line)
    assert again.id in line
    assert "made 2" in line
    assert "acme/project/stack" in line
    assert kinds(emulator) == ONE


def test_an_endpoint_deleted_by_hand_is_made_again_with_what_the_program_says_now(emulator, host, weights, hand):
    life = model_life(host)
    life.up(arguments(weights))
    other = put_weights(emulator, "other")
    outputs = life.up(arguments(other))
    hand.undeploy(outputs["endpoint"], outputs["deployed_model_id"])
    hand.delete(outputs["endpoint"])
    after = life.up(arguments(other, description="changed"))
    assert after["endpoint"] == outputs["endpoint"]
    assert after["dedicated_endpoint_dns"] == outputs["dedicated_endpoint_dns"]
    assert kinds(emulator) == ONE
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_model_that_outlived_its_endpoint_is_deleted_by_destroy(emulator, host, weights, hand):
    life = model_life(host)
    outputs = life.up(arguments(weights))
    hand.undeploy(outputs["endpoint"], outputs["deployed_model_id"])
    hand.delete(outputs["endpoint"])
    life.refresh()
    life.destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_renamed_without_an_alias_the_error_says_that_it_is_the_same_stack(emulator, host, weights):
    model_life(host).up(arguments(weights, endpoint_id="shared"))
    with pytest.raises(HostError, match="another resource of this stack") as failure:
        model_life(host, name="renamed").up(arguments(weights, endpoint_id="shared"))
    assert "aliases=[pulumi.Alias(" in failure.value.text


def test_a_renamed_resource_takes_every_model_of_its_own_along(emulator, host, weights, hand):
    """An older Model stays for another endpoint, the resource is renamed, gets new weights, and goes."""
    life = model_life(host)
    first = life.up(arguments(weights))
    elsewhere = hand.make_endpoint(dedicatedEndpointEnabled=True)
    served = hand.deploy(elsewhere, first["model"])
    life.up(arguments(put_weights(emulator, "second")))
    life.name = "renamed"
    life.up(arguments(put_weights(emulator, "second")))
    life.up(arguments(put_weights(emulator, "third")))
    hand.undeploy(elsewhere, served)
    hand.delete(elsewhere)
    life.destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


@pytest.mark.parametrize("kind", ["model", "endpoint"])
def test_labels_taken_away_by_hand_show_and_the_error_says_how_to_put_them_back(emulator, host, weights, hand, kind):
    life, wanted = model_life(host), arguments(weights)
    if kind == "endpoint":
        life = Life(host, DedicatedEndpointProvider)
        wanted = {"deployed_models": {"a": {"model": hand.upload("other", "other"), "machine_spec": L4}}}
    life.up(wanted)
    labels = hand.endpoint(life.id)["labels"]
    hand.patch(life.id, "labels", labels={})
    life.refresh()
    assert life.outputs["ownership"] == {}
    assert life.preview(wanted) == ("update", [])
    for work in (lambda: life.up(wanted), life.destroy):
        with pytest.raises(HostError) as failure:
            work()
        for key in ("mg-owner", "mg-resource", "mg-claim"):
            assert f"{key}={labels[key]}" in failure.value.text
        assert "gcloud ai endpoints update" in failure.value.text
    hand.patch(life.id, "labels", labels=labels)
    life.refresh()
    assert life.preview(wanted) == ("same", [])
    life.destroy()


MOVES = {
    "private to public": (PRIVATE, {}, (COMPONENT,), ()),
    "public to private": ({}, PRIVATE, (), (COMPONENT,)),
    "private into a component": (PRIVATE, PRIVATE, (), (COMPONENT,)),
}


@pytest.mark.parametrize("parked", [False, True])
@pytest.mark.parametrize("move", MOVES)
def test_of_two_live_resources_of_one_name_each_deletes_its_own(emulator, host, weights, move, parked):
    """Without an alias the engine makes the new one, then deletes the old one."""
    before, after, from_parents, to_parents = MOVES[move]
    old, new = model_life(host, parents=from_parents), model_life(host, parents=to_parents)
    old.up(arguments(weights, parked=parked, **before))
    wanted = arguments(weights, parked=parked, **after)
    new.up(wanted)
    old.destroy()
    assert kinds(emulator) == (["Endpoint", "Model"] if parked else ONE)
    assert new.refresh() == {}
    assert new.preview(wanted) == ("same", [])
    new.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("parked", [False, True])
def test_a_replacement_keeps_its_own_model(emulator, host, weights, parked):
    life = model_life(host)
    life.up(arguments(weights, parked=parked))
    wanted = arguments(weights, parked=parked, **PRIVATE)
    life.up(wanted)
    assert kinds(emulator) == (["Endpoint", "Model"] if parked else ONE)
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("parked", [False, True])
def test_moved_with_an_alias_nothing_is_replaced(emulator, host, weights, parked):
    life = model_life(host)
    life.up(arguments(weights, parked=parked, **PRIVATE))
    before = life.id
    life.parents, life.name = (COMPONENT,), "moved"
    wanted = arguments(weights, parked=parked, **PRIVATE)
    assert life.preview(wanted) == ("update", [])
    life.up(wanted)
    assert life.id == before
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])
    life.destroy()
    assert emulator.ledger()["empty"]


def test_two_resources_of_different_kinds_with_one_name_and_id_are_two(emulator, host, weights):
    model_life(host).up(arguments(weights, endpoint_id="shared"))
    with pytest.raises(HostError, match="left unchanged"):
        Life(host, DedicatedEndpointProvider).up({"endpoint_id": "shared"})
    assert kinds(emulator) == ONE


def test_a_kept_model_has_no_owner_until_it_is_deployed_again(emulator, host, weights):
    life, wanted = model_life(host), arguments(weights, retain_model=True, model_id="kept")
    life.up(wanted)
    life.destroy()
    assert kinds(emulator) == ["Model"]
    labels = call(f"{emulator.url}/v1beta1/{PARENT}/models/kept", method="GET").get("labels", {})
    assert not {"mg-owner", "mg-resource"} & set(labels)
    other = model_life(host, name="other")
    other.up(wanted)
    assert kinds(emulator) == ONE
    assert other.refresh() == {}
