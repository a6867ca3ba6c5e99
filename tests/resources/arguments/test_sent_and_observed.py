"""What a program sets is sent, is in the cloud, and shows in a refresh when somebody changes it there by hand."""

from dataclasses import replace

import pytest

from mg_provider.resources.batch_job.args import BatchJobArgs
from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs
from mg_provider.resources.dedicated_endpoint.args import DedicatedEndpointArgs
from mg_provider.resources.endpoint.served_model import ServedModel
from mg_provider.resources.model.args import settable
from mg_provider.resources.psc_forwarding_rule.args import PscForwardingRuleArgs
from tests.resources.psc_forwarding_rule.test_psc_addresses import ATTACHMENT as ATTACHED
from tests.resources.psc_forwarding_rule.test_psc_addresses import attach, reserve
from tests.support.lives.endpoints import BIGGER, Hand
from tests.support.lives.observation import Subject, problems_of
from tests.support.samples.batch import chat, put_rows
from tests.support.samples.samples import (
    ABSENT,
    BATCH_JOB,
    CUSTOM_WEIGHTS_MODEL,
    DEDICATED_ENDPOINT,
    FOLDER,
    JSONL,
    L4,
    PSC_FORWARDING_RULE,
    SERVED_MODEL,
    Sample,
)
from tests.support.samples.weights import call, make_bucket, put_weights

HERE = "projects/my-project/locations/us-central1/models/served"
OTHER = "projects/my-project/locations/us-central1/models/other"
PRIVATE = "projects/my-project/locations/us-central1/endpoints/private"
ELSEWHERE = ATTACHED + "2"
SERVED = {"model": HERE, "machine_spec": L4}


def weights(emulator):
    make_bucket(emulator, "bucket")
    return {"gcs_uri": put_weights(emulator, "llama", "bucket"), "machine_spec": L4}


def model(emulator):
    Hand(emulator).upload("served")
    return {}


def two_models(emulator):
    Hand(emulator).upload("other")
    return model(emulator)


def wrong(kind, least, wrap=dict):
    def check(given):
        arguments = {**kind.least, **least, **given}
        return kind.check(kind.arguments(**wrap(arguments)))[1]

    return check


def named(given):
    # Only at an address of its own does one scale to zero.
    own = {"dedicated_endpoint_enabled": True} if given.get("min_replica_count") == 0 else {}
    return {"deployed_models": {"a": {**SERVED, **given}}, **own}


def of(life, name):
    return life.outputs["deployed_model_ids"][name]


def resume(hand, life):
    """What was parked is deployed again by hand, under its own id."""
    life.up({"deployed_models": {"a": SERVED}})
    id = of(life, "a")
    life.up({"deployed_models": {"a": SERVED}, "parked": True})
    hand.deploy(life.id, HERE, {"0": 100}, id=id)


def job(emulator):
    model(emulator)
    make_bucket(emulator, "bucket")
    put_rows(emulator, "in.jsonl", [chat("Why?")], "bucket")
    put_weights(emulator, "w", "bucket")
    call(f"{emulator.url}/v1beta1/{HERE.partition('/models/')[0]}/endpoints?endpointId=answering", {"displayName": "a"})
    return {"input_config": JSONL, "output_config": FOLDER, "model": HERE, "machine_spec": L4}


def private(emulator):
    hand = Hand(emulator)
    config = {"enablePrivateServiceConnect": True, "projectAllowlist": ["my-project"]}
    body = {"displayName": "private", "privateServiceConnectConfig": config}
    hand._call(f"{PRIVATE.rpartition('/')[0]}?endpointId=private", body)
    hand.deploy(PRIVATE, hand.upload("served"), {"0": 100})
    emulator.behave(own_service_directory="keep")
    attach(emulator)
    attach(emulator, path=ELSEWHERE)
    reserve(emulator, "kept")
    return {"service_attachment": ATTACHED, "network": "vpc", "subnetwork": "clients"}


def close(hand, life):
    """Whoever undeploys and deploys again gets another service attachment; the rule leads to the old one."""
    (deployed,) = hand.endpoint(PRIVATE)["deployedModels"]
    hand.emulator.behave(attachment_recycle_seconds=60)
    hand.undeploy(PRIVATE, deployed["id"])
    hand.deploy(PRIVATE, HERE, {"0": 100})


MACHINE = Sample(L4, BIGGER)
TWO = {"a": SERVED, "b": SERVED}
SHARES = {"a": 90, "b": 10}
BOTH = Sample(TWO, TWO, {"traffic_split": SHARES})
SPLIT = Sample(SHARES, SHARES, {"deployed_models": TWO})
REGION = Sample("us-central1", "europe-west4")
PARKED = Sample(True, False, {"deployed_models": {"a": SERVED}})
SUBJECTS = [
    Subject(
        CustomWeightsModelArgs,
        {**CUSTOM_WEIGHTS_MODEL.samples, "machine_spec": MACHINE},
        CUSTOM_WEIGHTS_MODEL.provider,
        weights,
        wrong(CUSTOM_WEIGHTS_MODEL, {"machine_spec": L4}),
        live={
            "publisher_model_name": "publishers/qwen/models/qwen3@qwen3-4b",
            "project": "my-project",
            "region": "us-central1",
            # Model Garden's deploy gives it without being asked.
            "enable_container_logging": False,
        },
        by_hand={"parked": lambda hand, life: hand.deploy(life.id, life.outputs["model"], {"0": 100})},
        alone=("query_model_id",),
    ),
    Subject(
        ServedModel,
        {**SERVED_MODEL, "machine_spec": MACHINE, "model": Sample(HERE, OTHER)},
        DEDICATED_ENDPOINT.provider,
        two_models,
        wrong(DEDICATED_ENDPOINT, {}, named),
        wrap=named,
        unwrap=lambda drift: drift.get("deployed_models", {}).get("a", {}),
    ),
    Subject(
        DedicatedEndpointArgs,
        {
            **DEDICATED_ENDPOINT.samples,
            "deployed_models": BOTH,
            "traffic_split": SPLIT,
            "parked": PARKED,
            "network": replace(DEDICATED_ENDPOINT.samples["network"], needs={"dedicated_endpoint_enabled": False}),
        },
        DEDICATED_ENDPOINT.provider,
        model,
        wrong(DEDICATED_ENDPOINT, {}),
        live={"project": "my-project", "region": "us-central1"},
        by_hand={
            "parked": resume,
            "deployed_models": lambda hand, life: hand.undeploy(life.id, of(life, "a"), {of(life, "b"): 100}),
            "traffic_split": lambda hand, life: hand.patch(
                life.id, "trafficSplit", trafficSplit={of(life, "a"): 50, of(life, "b"): 50}
            ),
        },
    ),
    Subject(
        BatchJobArgs,
        {
            **BATCH_JOB.samples,
            "endpoint": replace(BATCH_JOB.samples["endpoint"], needs={"model": ABSENT, "machine_spec": ABSENT}),
        },
        BATCH_JOB.provider,
        job,
        wrong(BATCH_JOB, {"machine_spec": L4}),
        live={
            "project": "my-project",
            "region": "us-central1",
            "model": HERE,
            "endpoint": f"{HERE.partition('/models/')[0]}/endpoints/answering",
        },
    ),
    Subject(
        PscForwardingRuleArgs,
        {**PSC_FORWARDING_RULE.samples, "service_attachment": Sample(ATTACHED, ELSEWHERE), "region": REGION},
        PSC_FORWARDING_RULE.provider,
        private,
        wrong(PSC_FORWARDING_RULE, {}),
        live={
            "project": "my-project",
            "region": "us-central1",
            "endpoint": PRIVATE,
            "address": "projects/my-project/regions/us-central1/addresses/kept",
            "network": "projects/my-project/global/networks/vpc",
            "subnetwork": "projects/my-project/regions/us-central1/subnetworks/clients",
        },
        by_hand={"endpoint": close},
    ),
]
LIVES = [(subject, *life) for subject in SUBJECTS for life in subject.lives()]


def title(value):
    return getattr(value, "args_type", type(value)).__name__ if isinstance(value, Subject) else None


@pytest.mark.parametrize("subject", SUBJECTS, ids=title)
def test_every_argument_is_tried_or_is_for_the_provider_alone(subject):
    tried = {name for each, names, _ in LIVES if each is subject for name in names}
    left = set(subject.samples) - tried
    assert {name: subject.excused(name) for name in left if not subject.excused(name)} == {}
    assert set(settable(subject.args_type)) == set(subject.samples)


@pytest.mark.parametrize(("subject", "names", "given"), LIVES, ids=title)
def test_what_is_set_is_sent_kept_and_seen(emulator, host, subject, names, given):
    emulator.behave(fields_of_no_client="kept")
    assert problems_of(subject, emulator, host, names, given) == []
