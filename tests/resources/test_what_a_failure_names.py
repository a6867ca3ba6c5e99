"""A creation that fails names everything of the resource that exists by then, whichever of its calls fails."""

import pytest

from mg_provider.resources.batch_job import BatchJobProvider
from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from mg_provider.resources.psc_forwarding_rule import PscForwardingRuleProvider
from tests.resources.psc_forwarding_rule import test_psc_addresses as psc
from tests.support.lives.endpoints import L4, Hand, make_bucket_once
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.samples import batch
from tests.support.samples.weights import put_weights

FROM_THEN_ON = 1000
KINDS = (
    "aiplatform.Endpoint",
    "aiplatform.Model",
    "aiplatform.BatchPredictionJob",
    "compute.Address",
    "compute.ForwardingRule",
)


def model(emulator):
    make_bucket_once(emulator)
    return CustomWeightsModelProvider, {"gcs_uri": put_weights(emulator), "machine_spec": L4}


def parts_of_a_model(emulator):
    provider, given = model(emulator)
    return provider, {**given, "service_account": "server@my-project.iam.gserviceaccount.com"}


def endpoint(emulator):
    served = {"model": Hand(emulator).upload(), "machine_spec": L4}
    return DedicatedEndpointProvider, {"deployed_models": {"v1": served}}


def address(emulator):
    psc.attach(emulator)
    return PscForwardingRuleProvider, psc.arguments(labels={"team": "search"})


def job(emulator):
    make_bucket_once(emulator)
    batch.put_questions(emulator)
    return BatchJobProvider, batch.arguments()


def names(emulator):
    """The end of the resource name of everything there, such as ``endpoints/llama``."""
    there = [entry["name"] for entry in emulator.ledger()["resources"] if entry["kind"] in KINDS]
    return {"/".join(name.split("/")[-2:]) for name in there}


def named(failure):
    """What an error says to exist, by the end of its name."""
    lines = [line for line in failure.text.splitlines() if line.startswith("exists: ")]
    return {"/".join(line.split(",")[0].split("/")[-2:]) for line in lines}


def calls_of_a_creation(emulator, life, given):
    """Each kind of call from the first one that makes something on: how many of it come before, in all."""
    since = len(emulator.requests())
    life.up(given)
    sent = [(entry["method"], entry["rpc"]) for entry in emulator.requests()[since:]]
    first = next(number for number, (method, rpc) in enumerate(sent) if method == "POST" and "recommend" not in rpc)
    rpcs = [rpc for _, rpc in sent]
    return {rpc: rpcs[:first].count(rpc) for rpc in dict.fromkeys(rpcs[first:])}


@pytest.mark.parametrize("make", [model, parts_of_a_model, endpoint, address, job])
def test_a_creation_that_fails_names_what_exists(emulator, host, make):
    provider, given = make(emulator)
    before = names(emulator)
    life = Life(host, provider, name="thing")
    calls = calls_of_a_creation(emulator, life, given)
    life.destroy()
    silent, failed = [], 0
    for number, (rpc, passed) in enumerate(calls.items()):
        life = Life(host, provider, name=f"thing-{number}")
        emulator.fail(rpc=rpc, fault="status", status=403, after=passed, times=FROM_THEN_ON)
        try:
            life.up(given)
        except HostError as failure:
            failed += 1
            exists = names(emulator) - before
            silent += [f"{rpc}: {name} exists, and the error is\n{failure.text}" for name in exists - named(failure)]
        emulator.stop_failing()
        life.up(given)
        life.destroy()
        assert names(emulator) == before, rpc
    assert failed
    assert not silent, "\n".join(silent)
