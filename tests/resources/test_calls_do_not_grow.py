"""What a creation asks of Google does not grow with what is there already: counted, in a process of its own."""

import threading
from collections import Counter

import pytest

from mg_provider.emulator.core.operations import Plan, Stage
from mg_provider.resources.batch_job import BatchJobProvider
from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from tests.resources.conftest import QUICK, config
from tests.resources.interrupted.test_waiting_is_resumed import asked, gives_up, waits
from tests.support.lives.endpoints import L4, L4_AS_SHOWN, PARENT, kinds
from tests.support.lives.host import Host
from tests.support.lives.life import Life
from tests.support.samples import batch
from tests.support.samples.weights import call, make_bucket, put_weights

LOCATION = "aiplatform.projects.locations."
LIST = f"{LOCATION}operations.list"
# More than a page of any list.
MANY = 110


@pytest.fixture
def own_host(emulator):
    emulator.set_speed(QUICK)
    host = Host(config(emulator))
    yield host
    host.close()


@pytest.fixture
def weights(emulator):
    make_bucket(emulator)
    batch.put_questions(emulator)
    return put_weights(emulator)


def counted(emulator, work):
    """The calls, but for the polls of what runs, which follow the time that it takes."""
    since = len(emulator.requests())
    work()
    rpcs = Counter(str(entry["rpc"]) for entry in emulator.requests()[since:])
    return {rpc: count for rpc, count in rpcs.items() if not rpc.endswith(("operations.get", "Jobs.get"))}


def end_operations(emulator, parent):
    """As many operations below it as a busy project has, each at its end."""
    with emulator.world.lock:
        for _ in range(MANY):
            plan = Plan("DeleteOperationMetadata", [Stage("", 0.0)], lambda: ("google.protobuf.Empty", {}))
            assert emulator.world.operations.start(parent, "v1beta1", plan).done


def others(emulator):
    """Endpoints and jobs of others beside ours, and everything that was ever done in the location."""
    operation = call(f"{emulator.url}/v1beta1/{PARENT}/endpoints", {"displayName": "another"})["name"]
    end_operations(emulator, operation.partition("/endpoints/")[0])
    for _ in range(MANY):
        call(f"{emulator.url}/v1beta1/{PARENT}/endpoints", {"displayName": "another"})
    job = {
        "displayName": "another",
        "model": batch.MODEL,
        "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://weights-bucket/in/questions.jsonl"]}},
        "outputConfig": {
            "predictionsFormat": "jsonl",
            "gcsDestination": {"outputUriPrefix": "gs://weights-bucket/others"},
        },
        "dedicatedResources": {"machineSpec": L4_AS_SHOWN, "startingReplicaCount": 1},
    }
    for _ in range(MANY):
        call(f"{emulator.url}{batch.JOBS}", job)


@pytest.mark.parametrize(
    ("provider", "listed"), [(CustomWeightsModelProvider, 2), (DedicatedEndpointProvider, 0), (BatchJobProvider, 0)]
)
def test_the_calls_of_a_creation_do_not_depend_on_what_is_there(emulator, own_host, weights, provider, listed):
    arguments = {
        CustomWeightsModelProvider: {"gcs_uri": weights, "machine_spec": L4},
        DedicatedEndpointProvider: {},
        BatchJobProvider: batch.arguments(),
    }[provider]
    first, second = (Life(own_host, provider, name=name) for name in ("first", "second"))
    others(emulator)
    made = counted(emulator, lambda: first.up(arguments))
    assert made.pop(LIST, 0) == listed, "pages of the location's operations, once a process"
    others(emulator)
    assert counted(emulator, lambda: second.up(arguments)) == made
    assert LIST not in counted(emulator, second.refresh)


def test_models_that_are_made_at_one_time_share_one_look_at_the_location(emulator, own_host, weights):
    lives = [Life(own_host, CustomWeightsModelProvider, name=f"model-{number}") for number in range(6)]
    arguments = {"gcs_uri": weights, "machine_spec": L4, "preflight": False}

    def all_at_once():
        ups = [threading.Thread(target=life.up, args=(arguments,)) for life in lives]
        for up in ups:
            up.start()
        for up in ups:
            up.join()

    assert counted(emulator, all_at_once)[LIST] == 1
    assert kinds(emulator).count("DeployedModel") == len(lives)


@pytest.mark.parametrize("passed", [0, 60, 300])
def test_what_an_earlier_process_began_is_found_by_the_next_one(emulator, host, own_host, weights, passed):
    """The look that is shared is made in each process, before anything is asked for there."""
    wanted = {"gcs_uri": weights, "machine_spec": L4}
    cut = Life(own_host, CustomWeightsModelProvider)
    gives_up(emulator, cut, wanted, passed)
    cut.holder.cut, cut.unfinished = True, False
    cut.id = cut.inputs = cut.outputs = None
    next_host = Host(config(emulator))
    try:
        life = Life(next_host, CustomWeightsModelProvider, after=cut)
        assert waits(emulator, lambda: life.up(wanted)) == []
        assert asked(emulator) == ["deploy"]
        assert [kind for kind in kinds(emulator) if kind != "BatchPredictionJob"] == [
            "DeployedModel",
            "Endpoint",
            "Model",
        ]
        life.destroy()
    finally:
        next_host.close()
