"""Renaming a stack or a resource makes nothing again, and what is then destroyed is what was made."""

import pytest

from mg_provider.resources.batch_job import BatchJobProvider
from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from tests.support.lives.life import Life
from tests.support.samples.samples import CUSTOM_WEIGHTS_MODEL, FOLDER, L4
from tests.support.samples.weights import BUCKET, make_bucket, put, put_weights


@pytest.fixture
def weights(emulator):
    make_bucket(emulator)
    put(emulator, "in.jsonl", b'{"body": {"messages": [{"role": "user", "content": "Why?"}]}}\n')
    return put_weights(emulator)


def batch_job(weights):
    return {
        "model": "publishers/meta/models/llama3_1@llama-3.1-8b-instruct",
        "machine_spec": L4,
        "input_config": {"instances_format": "jsonl", "gcs_source": {"uris": [f"gs://{BUCKET}/in.jsonl"]}},
        "output_config": {**FOLDER, "gcs_destination": {"output_uri_prefix": f"gs://{BUCKET}/out"}},
    }


@pytest.mark.parametrize(
    ("provider", "arguments"),
    [
        (BatchJobProvider, batch_job),
        (DedicatedEndpointProvider, lambda weights: {}),
        (CustomWeightsModelProvider, lambda weights: {"gcs_uri": weights, "machine_spec": L4}),
    ],
)
def test_a_renamed_stack_keeps_what_it_has_and_destroys_it(emulator, host, weights, provider, arguments):
    life = Life(host, provider, name="llama")
    life.up(arguments(weights))
    made = sorted(entry["name"] for entry in emulator.ledger()["resources"])
    for life.owner, life.name in (("acme/project/renamed", "llama"), ("acme/project/renamed", "other")):
        assert life.preview(arguments(weights)) == ("update", [])
        life.up(arguments(weights))
        assert life.preview(arguments(weights)) == ("same", [])
        assert life.refresh() == {}
        assert sorted(entry["name"] for entry in emulator.ledger()["resources"]) == made
    life.destroy()
    assert emulator.ledger()["empty"]


def test_the_engine_is_told_to_delete_first_only_where_the_program_set_the_id(emulator, host, weights):
    life = Life(host, CustomWeightsModelProvider, name="llama")
    for ids, first in (({"endpoint_id": "search"}, True), ({}, False)):
        given = CUSTOM_WEIGHTS_MODEL.arguments(gcs_uri=weights, **ids)
        inputs, _ = life.kind.check(given)
        news, _ = life.kind.check({**given, "dedicated_endpoint_disabled": True}, inputs)
        diff = life.kind.diff("id", inputs, news)
        assert "dedicated_endpoint_disabled" in diff.replaces
        assert diff.deleteBeforeReplace is first
