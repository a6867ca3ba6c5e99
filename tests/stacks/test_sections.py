"""What a section takes of its resource, and how a mistake in it is reported."""

import pytest

from mg_provider import environment
from mg_provider.environment.entries import (
    BatchConfig,
    Consumer,
    EndpointConfig,
    ModelConfig,
    Override,
    PrivateAccess,
    ServedConfig,
)
from mg_provider.resources.model.args import settable
from mg_provider.resources.model.marks import Secret
from mg_provider.wire.vertex.endpoint import PrivateServiceConnectConfig
from tests.support.samples.samples import (
    BATCH_JOB,
    CUSTOM_WEIGHTS_MODEL,
    EACH_ARGUMENT,
    L4,
    PSC_FORWARDING_RULE,
    label,
)

SECTIONS = (ModelConfig, Override, ServedConfig, EndpointConfig, BatchConfig, PrivateAccess, Consumer)
MODEL = {"gcs_uri": "gs://bucket/llama"}
REGIONS = ["us-east1", "us-west1"]
START = "model-garden:environment."


@pytest.mark.parametrize(
    ("section", "argument"),
    [(section, name) for section in SECTIONS for name in settable(section.args_type)],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_an_argument_can_be_set_in_a_stack_or_there_is_a_reason_why_not(section, argument):
    ways = [argument in section.takes(), argument in section.model_fields, argument in section.not_here]
    assert ways.count(True) == 1
    if argument in section.not_here:
        assert len(section.not_here[argument]) > 15


@pytest.mark.parametrize("section", SECTIONS)
def test_no_reason_is_given_for_what_there_is_not(section):
    assert set(section.not_here) <= set(settable(section.args_type))


def told(**value):
    with pytest.raises(environment.ConfigError) as error:
        environment.read({"regions": REGIONS, **value})
    return [line.removeprefix(START) for line in error.value.summary.splitlines()]


def models(**given):
    return {"models": {"a": {**MODEL, **given}}}


def chat(given, **served):
    return {
        "models": {"a": MODEL},
        "endpoints": {"chat": {"region": "us-east1", "deployed_models": {"v1": {"model": "a", **served}}, **given}},
    }


RECREATE = (
    "models.a.rollout.strategy: should be 'shift', 'rolling' or 'recreate', not 'recreat': did you mean recreate?"
)
ZERO = "is 0: set scale_to_zero_spec as well, or at least 1"


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        # Two regions, one mistake.
        (models(min_replica_count=0), [f"models.a.min_replica_count: {ZERO}"]),
        (
            models(overrides={"us-west1": {"min_replica_count": 0}}),
            [f"models.a.overrides.us-west1.min_replica_count: {ZERO}"],
        ),
        (chat({}, min_replica_count=0), [f"endpoints.chat.deployed_models.v1.min_replica_count: {ZERO}"]),
        (
            models(max_replica_cout=2),
            ["models.a.max_replica_cout: is not a key that is known here: did you mean max_replica_count?"],
        ),
        (
            models(machine_spec={**L4, "acelerator_count": 1}),
            [
                "models.a.machine_spec.acelerator_count: is not a key that is known here: did you mean "
                "accelerator_count?"
            ],
        ),
        (
            models(rollout={"strategy": "recreat"}),
            [RECREATE],
        ),
        # All that can be told at once is.
        (
            models(min_replica_count=0, max_replica_cout=2, machine_spec={"machine_typ": "g2-standard-12"}),
            [
                "models.a.max_replica_cout: is not a key that is known here: did you mean max_replica_count?",
                "models.a.machine_spec.machine_typ: is not a key that is known here: did you mean machine_type?",
            ],
        ),
        # What fits one region alone.
        (
            {
                "regions": ["us-east1", "us-central1", "europe-west4"],
                **models(adopt="projects/my-project/locations/us-central1/endpoints/1234567890123"),
            },
            [
                "models.a.adopt: names an endpoint in us-central1, but the resource is in us-east1: write it in "
                "overrides.us-central1",
            ],
        ),
        (
            models(
                private={
                    "network": "n",
                    "subnetwork": "projects/my-project/regions/us-central1/subnetworks/s",
                    "allowlist": ["my-project"],
                }
            ),
            [
                "models.a.private.subnetwork: is in us-central1, but the rule is in us-east1: write its name alone, of "
                "which each region has one",
            ],
        ),
        (
            models(
                private={
                    "network": "n",
                    "subnetwork": "s",
                    "allowlist": ["my-project"],
                    "addresses": {"us-west1": "10.0.0.256", "us-east1": "10.0.0.5"},
                }
            ),
            [
                "models.a.private.addresses.us-west1: '10.0.0.256' is not a valid IPv4 address: write one such as "
                "10.0.0.5"
            ],
        ),
        # What another section takes.
        (
            models(encryption_spec={"kms_key_name": "x"}),
            [
                "models.a.encryption_spec: is not a key that is known here: it belongs to endpoints or batch_jobs",
            ],
        ),
        (
            models(display_name="chat"),
            [
                "models.a.display_name: is not a key that is known here: did you mean model_display_name? Else it "
                "belongs to batch_jobs",
            ],
        ),
        (
            {"machine_spec": L4},
            [
                "machine_spec: is not a key that is known here: it belongs to models, deployed_models or batch_jobs",
            ],
        ),
        (models(region="us-east1"), ["models.a.region: cannot be set here: write `regions`, which makes one in each"]),
        (
            models(deployment_plan="x"),
            ["models.a.deployment_plan: cannot be set: the provider makes it: remove the line"],
        ),
        (
            models(private_service_connect_config={}),
            [
                "models.a.private_service_connect_config: cannot be set here: write `private: {}`, which also makes "
                "the forwarding rule"
            ],
        ),
        (
            {"models": {"a": {"hugging_face_model_id": "google/gemma-3", "hugging_face_access_token": "hf_secret"}}},
            [
                "models.a.hugging_face_access_token: a secret is not written here: run `pulumi config set --secret "
                "NAME`, and write {config: NAME} here"
            ],
        ),
        (
            models(required_replica_count=2),
            [
                "models.a.min_replica_count: is 1, less than required_replica_count 2: lower required_replica_count",
            ],
        ),
        (chat({"traffic_split": {"v1": 90}}), ["endpoints.chat.traffic_split: adds up to 90: make it 100"]),
        (
            chat({}, modle="a"),
            [
                "endpoints.chat.deployed_models.v1.modle: is not a key that is known here: did you mean model?",
            ],
        ),
        (
            {"batch_jobs": {"n": {"region": "us-east1"}}},
            [
                "batch_jobs.n.input_config: is required: What the job reads.",
                "batch_jobs.n.output_config: is required: Where the job writes.",
                "batch_jobs.n.model: exactly one of model, unmanaged_container_model, endpoint is needed, not none",
            ],
        ),
        (
            {**models(), "batch_jobs": {"n": {"region": "us-east1", "model": "b", "endpoint": "chta"}}},
            [
                "batch_jobs.n.model: 'b' is not one of models: there is a",
                "batch_jobs.n.endpoint: 'chta' is not one of endpoints: there is none",
                "batch_jobs.n.input_config: is required: What the job reads.",
                "batch_jobs.n.output_config: is required: Where the job writes.",
            ],
        ),
        ({"labels": {"Team": "x"}}, None),
        (
            models(private={"network": "n", "subnetwork": "s", "allowlist": ["my-project"], "lables": {}}),
            ["models.a.private.lables: is not a key that is known here: did you mean labels?"],
        ),
        (
            models(
                private={
                    **{"network": "n", "subnetwork": "s", "allowlist": ["my-project", "ads-prod"]},
                    "consumers": {"ads": {"project": "ads-prod", "forwarding_rule_name": "UPPER"}},
                },
            ),
            None,
        ),
    ],
)
def test_a_mistake_is_told_by_its_path_and_once(value, lines):
    found = told(**value)
    assert len(found) == 1 if lines is None else found == lines
    if lines is None:
        path = found[0].partition(": ")[0]
        assert path in ("labels", "models.a.private.consumers.ads.forwarding_rule_name")


def test_a_project_of_a_consumer_that_may_not_connect_is_told_with_the_list_that_lacks_it():
    private = {"network": "n", "subnetwork": "s", "allowlist": ["my-project"], "consumers": {"ads": {}}}
    private["consumers"]["ads"] = {"project": "ads-prod"}
    assert told(**models(private=private)) == [
        "models.a.private.allowlist: lacks ads-prod, in which the forwarding rules are made, so that no client gets "
        "in: add it"
    ]


def stacked(kind, name):
    """An environment in which a stack sets an argument of a resource, and the section that it is set in."""
    given = {**kind.arguments(name)}
    for inner in ("owner", "resource", "service_attachment", "endpoint" if kind is PSC_FORWARDING_RULE else "owner"):
        given.pop(inner, None)
    if kind is BATCH_JOB:
        return {"batch_jobs": {"a": {"region": "us-central1", **given}}}, lambda found: found.batch_jobs["a"]
    if kind is PSC_FORWARDING_RULE:
        given = {"allowlist": ["my-project"], **given}
        return {"models": {"a": {**MODEL, "private": given}}}, lambda found: found.models["a"].private
    if kind is CUSTOM_WEIGHTS_MODEL:
        if kind.args_type.model_fields[name].metadata.count(Secret()):
            given[name] = {"config": "token"}
        given = {"machine_spec": L4, **given}
        return {"models": {"a": given}}, lambda found: found.models["a"]
    model = {**MODEL, **{"query_model_id": "chat"}}
    served = {key: {"model": "a"} for key in given.pop("deployed_models", {"v1": {}})}
    endpoint = {"region": "us-central1", "deployed_models": served, **given}
    return {"models": {"a": model}, "endpoints": {"chat": endpoint}}, lambda found: found.endpoints["chat"]


SET_HERE = {
    "CustomWeightsModel": ModelConfig,
    "DedicatedEndpoint": EndpointConfig,
    "BatchJob": BatchConfig,
    "PscForwardingRule": PrivateAccess,
}


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, name in EACH_ARGUMENT if name in SET_HERE[kind.name].takes()], ids=label
)
def test_what_a_resource_takes_a_stack_takes_as_well(kind, name):
    value, section = stacked(kind, name)
    found = environment.read({"regions": ["us-central1"], **value})
    assert name in section(found).arguments


@pytest.mark.parametrize("name", [name for name in CUSTOM_WEIGHTS_MODEL.samples if name in Override.takes()])
def test_an_argument_of_a_region_takes_the_place_of_the_one_of_the_model(name):
    sample = CUSTOM_WEIGHTS_MODEL.samples[name]
    given = {"system_labels": {"a": "b"}, name: sample.value}
    model = ModelConfig.model_validate({**given, "overrides": {"us-east1": {name: sample.other}}})
    assert model.arguments_in("us-east1") == {"system_labels": {"a": "b"}, name: sample.other}
    assert model.arguments_in("us-west1") == given


@pytest.mark.parametrize(
    "name", [key for key in PrivateServiceConnectConfig.model_fields if key != "service_attachment"]
)
def test_what_can_be_said_of_a_private_connection_is_said_in_private_or_there_is_a_reason_why_not(name):
    assert (name in PrivateAccess.model_fields) != (name in PrivateAccess.connection_not_here)
