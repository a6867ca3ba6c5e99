"""A resource is gone only if Google says that it is: no other 404 takes one out of a state, or counts as a deletion."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from mg_provider.resources.batch_job import BatchJobProvider
from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from mg_provider.resources.psc_forwarding_rule import PscForwardingRuleProvider
from tests.resources.psc_forwarding_rule import test_psc_addresses as psc
from tests.support.lives.endpoints import L4, Hand
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.samples import batch
from tests.support.samples.weights import make_bucket, put_weights

# What is answered, and what the error says of it.
WRONG = {
    "proxy_404": "an error page in HTML titled '404 Not Found'",
    "page_404": "an error page in HTML titled 'Error 404 (Not Found)!!1'",
    "empty_404": "an empty body",
    "project_404": "Project '",
    "method_404": "Method not found",
    "other_404": "metadataStores/default' was not found",
}
ALWAYS = 100_000
ANY_CALL = ("get", "list", "patch", "delete", "insert", "create", "deploy", "setLabels", "upload", "cancel")


@dataclass
class Resource:
    """One that lives, and a change that it takes in place."""

    host: Any
    provider: type
    arguments: dict
    change: dict
    life: Life = field(init=False)

    def __post_init__(self):
        self.life = Life(self.host, self.provider)
        self.life.up(self.arguments)


def custom_weights_model(emulator, host):
    make_bucket(emulator)
    arguments = {"gcs_uri": put_weights(emulator), "machine_spec": L4}
    return Resource(host, CustomWeightsModelProvider, arguments, {"endpoint_display_name": "changed"})


def dedicated_endpoint(emulator, host):
    served = {"llama": {"model": Hand(emulator).upload(), "machine_spec": L4}}
    return Resource(host, DedicatedEndpointProvider, {"deployed_models": served}, {"description": "changed"})


def forwarding_rule(emulator, host):
    psc.attach(emulator)
    return Resource(host, PscForwardingRuleProvider, psc.arguments(), {"allow_psc_global_access": True})


def batch_job(emulator, host):
    make_bucket(emulator)
    batch.put_questions(emulator)
    return Resource(host, BatchJobProvider, batch.arguments(), {"delete_output": True})


MAKERS = (custom_weights_model, dedicated_endpoint, forwarding_rule, batch_job)
# What each deletes, outermost last.
DELETIONS = [
    (custom_weights_model, "endpoints.undeployModel"),
    (custom_weights_model, "endpoints.delete"),
    (custom_weights_model, "models.delete"),
    (dedicated_endpoint, "endpoints.undeployModel"),
    (dedicated_endpoint, "endpoints.delete"),
    (forwarding_rule, "forwardingRules.delete"),
    (forwarding_rule, "addresses.delete"),
    (batch_job, "batchPredictionJobs.delete"),
]
kinds = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
answers = pytest.mark.parametrize("answer", WRONG)


def answer_all(emulator, answer):
    for rpc in ANY_CALL:
        emulator.fail(rpc=rpc, fault=answer, times=ALWAYS)


def existing(emulator):
    return sorted(entry["name"] for entry in emulator.ledger()["resources"])


def refused(emulator, life, answer, run):
    """The run fails, says what was answered, and neither state nor cloud has changed."""
    before = (life.id, existing(emulator))
    with pytest.raises(HostError) as failure:
        run()
    assert WRONG[answer] in failure.value.text
    assert "do: " in failure.value.text
    assert (life.id, existing(emulator)) == before
    return failure.value


@kinds
@answers
def test_a_404_that_says_nothing_of_the_resource_changes_neither_state_nor_cloud(emulator, host, make, answer):
    resource = make(emulator, host)
    life = resource.life
    answer_all(emulator, answer)
    refused(emulator, life, answer, life.refresh)
    refused(emulator, life, answer, life.destroy)
    if resource.change.keys() != {"delete_output"}:  # A job's options are used when it is deleted: nothing is called.
        refused(emulator, life, answer, lambda: life.up({**resource.arguments, **resource.change}))
    newcomer = Life(host, resource.provider)
    refused(emulator, newcomer, answer, lambda: newcomer.up(resource.arguments))
    emulator.stop_failing()
    assert life.refresh() == {}
    life.destroy()
    assert [name for name in existing(emulator) if "/models/llama" not in name] == []


@pytest.mark.parametrize(("make", "rpc"), DELETIONS, ids=lambda value: getattr(value, "__name__", value))
@pytest.mark.parametrize("answer", ["proxy_404", "project_404"])
def test_a_deletion_that_was_answered_404_by_somebody_else_is_no_deletion(emulator, host, make, rpc, answer):
    life = make(emulator, host).life
    emulator.fail(rpc=rpc, fault=answer, times=ALWAYS)
    with pytest.raises(HostError) as failure:
        life.destroy()
    assert WRONG[answer] in failure.value.text
    assert existing(emulator)
    emulator.stop_failing()
    life.destroy()
    assert [name for name in existing(emulator) if "/models/llama" not in name] == []


@kinds
def test_what_google_says_is_gone_is_gone(emulator, host, make):
    life = make(emulator, host).life
    # Another run, with the same state: the second time there is nothing to delete any more.
    for _ in range(2):
        life.kind.delete(life.id, life.outputs)
    assert life.refresh() is None
