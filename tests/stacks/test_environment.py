"""The typed configuration of the stacks: mistakes are reported with the path of their YAML key."""

from pathlib import Path

import pytest
import yaml

from mg_provider import environment
from mg_provider.environment.arguments import doubts
from tests.support.samples.emptied import emptied, places, written

STACKS = Path(__file__).parent.parent.parent / "stacks"


MODEL = {"gcs_uri": "gs://bucket/llama"}
L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
A100 = {"machine_type": "a2-highgpu-1g", "accelerator_type": "NVIDIA_TESLA_A100", "accelerator_count": 1}
ZONE = {"create": {"ranges": {"us-east1": "10.0.0.0/24"}, "dns_name": "models.internal"}}
PRIVATE = {
    "regions": ["us-east1"],
    "network": {"create": {"ranges": {"us-east1": "10.0.0.0/24"}}},
    "allowlist": {"projects": ["my-project"], "perimeter_projects": ["my-project"]},
}


@pytest.mark.parametrize("file", sorted((STACKS / "config").glob("Pulumi.*.yaml")), ids=lambda file: file.name)
def test_every_stack_that_comes_along_is_valid(file):
    config = yaml.safe_load(file.read_text())["config"]
    assert environment.read(config[environment.KEY]).all_regions


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({}, "model-garden:environment.regions: is required"),
        ({"regions": []}, "model-garden:environment.regions: is empty: name at least one"),
        ({"regions": ["mars"]}, "environment.regions: mars is not a region of Vertex AI"),
        ({"regions": ["us-east1", "us-east1"]}, "environment.regions: us-east1 comes twice"),
        (
            {"regions": ["us-east1"], "models": {"llama": {**MODEL, "regions": ["useast1"]}}},
            "environment.models.llama.regions: useast1 is not a region of Vertex AI: did you mean us-east1?",
        ),
        (
            {"regions": ["us-east1"], "modles": {}},
            "model-garden:environment.modles: is not a key that is known here: did you mean models?",
        ),
        (
            {"regions": ["us-east1"], "models": {"llama": {}}},
            "environment.models.llama.gcs_uri: exactly one of gcs_uri, publisher_model_name, hugging_face_model_id is",
        ),
        (
            {"regions": ["us-east1"], "models": {"llama": {**MODEL, "min_replica_count": "many"}}},
            "models.llama.min_replica_count: should be a whole number, not 'many'",
        ),
        (
            {"regions": ["us-east1"], "models": {"llama": {**MODEL, "private": {"allowlist": []}}}},
            "environment.models.llama.private: there is no network",
        ),
        (
            {
                "regions": ["us-east1"],
                "endpoints": {"chat": {"region": "us-east1", "deployed_models": {"v1": {"model": "x"}}}},
            },
            "endpoints.chat.deployed_models.v1.model: 'x' is not one of models",
        ),
        (
            {
                "regions": ["us-east1"],
                "models": {"llama": MODEL},
                "endpoints": {"chat": {"region": "us-west1", "deployed_models": {"v1": {"model": "llama"}}}},
            },
            "endpoints.chat.deployed_models.v1.model: 'llama' is not in region us-west1",
        ),
        (
            {"regions": {"auto": {"count": 2}}},
            "environment.regions.auto: 2 regions are asked for, and 0 pinned: run `mg regions",
        ),
        (
            {
                "regions": ["us-east1"],
                "network": {"create": {"ranges": {"us-east1": "10.0.0.0/24", "us-west1": "10.0.0.0/25"}}},
            },
            "environment.network.create: ranges of us-east1 and us-west1 overlap",
        ),
        (
            {"regions": ["us-east1"], "network": {}},
            "environment.network: has none or several of create, existing and stack: give exactly one",
        ),
        (
            {
                "regions": ["us-east1"],
                "allowlist": {"projects": ["my-project"], "perimeter_projects": ["client-project"]},
            },
            "environment.allowlist: my-project is outside of the perimeter",
        ),
        ({"regions": ["us-east1"], "allowlist": {"projects": ["12345"]}}, "12345 is a project number"),
        (
            {
                **PRIVATE,
                "network": ZONE,
                "models": {"a": {**MODEL, "private": {}}, "b": {**MODEL, "private": {"dns_record": "a"}}},
            },
            "environment.models.b.private.dns_record: a is that of models.a too",
        ),
        (
            {
                "regions": ["us-east1"],
                "network": {"create": {"name": "Bad_Name", "ranges": {"us-east1": "10.0.0.0/24"}}},
            },
            "environment.network.create: name: Bad_Name is not a valid name of a network or subnetwork: use at",
        ),
        (
            {
                "regions": ["us-east1"],
                "network": {"create": {"ranges": {"us-east1": "10.0.0.0/24"}, "dns_name": "a b"}},
            },
            "environment.network.create: dns_name: a b is not a valid DNS name: write one like models.internal",
        ),
        (
            {
                **PRIVATE,
                "network": ZONE,
                "models": {"Llama_3": {**MODEL, "private": {}}},
            },
            "environment.models.Llama_3.private.dns_record: Llama_3 is not a valid DNS name",
        ),
        (
            {**PRIVATE, "models": {"a": {**MODEL, "private": {"addresses": {"us-east1": "10.0.9.5"}}}}},
            "environment.models.a.private.addresses.us-east1: 10.0.9.5 cannot be used in 10.0.0.0/24: take one between",
        ),
        (
            {**PRIVATE, "models": {"a": {**MODEL, "private": {"addresses": {"us-east1": "10.0.0.256"}}}}},
            "environment.models.a.private.addresses.us-east1: '10.0.0.256' is not a valid IPv4 address: write one",
        ),
        (
            {**PRIVATE, "models": {"a": {**MODEL, "private": {"addresses": {"us-west1": "10.0.0.5"}}}}},
            "environment.models.a.private.addresses.us-west1: the model is not in region us-west1",
        ),
        (
            {**PRIVATE, "models": {one: {**MODEL, "private": {"addresses": {"us-east1": "10.0.0.5"}}} for one in "ab"}},
            "environment.models.a.private.addresses.us-east1: 10.0.0.5 is that of models.b too",
        ),
        (
            {**PRIVATE, "models": {"a": {**MODEL, "private": {"allowlist": ["my-project", "12345"]}}}},
            "environment.models.a.private.allowlist: 12345 is a project number: write the project id",
        ),
        (
            {**PRIVATE, "models": {"a": {**MODEL, "overrides": {"r2": {}}}}},
            "models.a.overrides.r2: the model is not in",
        ),
        (
            {**PRIVATE, "regions": ["us-west1"], "models": {"a": {**MODEL, "private": {}}}},
            "models.a.private: the network has no subnetwork in us-west1",
        ),
        (
            {**PRIVATE, "vpc_sc": True, "models": {"a": MODEL}},
            "models.a.private: is missing, and vpc_sc forbids public",
        ),
        ({"regions": ["us-east1"], "vpc_sc": True}, "environment.allowlist: vpc_sc needs one"),
        (
            {**PRIVATE, "models": {"a": {**MODEL, "private": {"dns_record": "a"}}}},
            "environment.models.a.private.dns_record: needs a network of the environment that has a zone",
        ),
        (
            {**PRIVATE, "network": {**PRIVATE["network"], "dns_records": True}},
            "environment.network: dns_records is true, but the network has no zone",
        ),
        (
            {
                "regions": ["us-east1"],
                "network": {"existing": {"network": "n", "subnetworks": {"us-east1": "s"}, "dns_zone": "z"}},
            },
            "environment.network.existing: dns_zone and dns_name go together",
        ),
        (
            {"regions": ["us-east1"], "allowlist": {"projects": ["my-project"], "add_to_perimeter": ["my-project"]}},
            "environment.allowlist: add_to_perimeter needs perimeter: give accessPolicies",
        ),
        ({"regions": "us-east1"}, "environment.regions: should be a list, not 'us-east1'"),
        ({"regions": ["us-east1", 5]}, "environment.regions[1]: should be text, not 5"),
        ({"regions": {"auto": {"count": "x"}}}, "environment.regions.auto.count: should be a whole number"),
        (
            {"regions": ["us-east1"], "models": {"a": {**MODEL, "machine_spec": "g2"}}},
            "environment.models.a.machine_spec: should be a mapping, not 'g2'",
        ),
        (
            {"regions": ["us-east1"], "models": {"a": {**MODEL, "machine_spec": ["g2"]}}},
            "environment.models.a.machine_spec[0]: should be a mapping, not 'g2'",
        ),
        (
            {
                **PRIVATE,
                "vpc_sc": True,
                "models": {"a": {"hugging_face_model_id": "google/gemma-3", "private": {}}},
            },
            "models.a.hugging_face_cache_enabled: Hugging Face cannot be reached",
        ),
        (
            {
                **PRIVATE,
                "vpc_sc": True,
                "models": {"a": {**MODEL, "private": {}}},
                "endpoints": {"chat": {"region": "us-east1", "deployed_models": {"v1": {"model": "a"}}}},
            },
            "endpoints.chat: is public, which vpc_sc forbids",
        ),
    ],
)
def test_a_mistake_is_told_with_its_path(value, told):
    with pytest.raises(environment.ConfigError) as error:
        environment.read(value)
    assert told in str(error.value)
    paths = [line.partition(": ")[0] for line in error.value.summary.splitlines()]
    assert len(paths) == len(set(paths)), "a mistake is reported once"


@pytest.mark.parametrize(
    ("machine", "accelerator", "told"),
    [
        ("g2-standrad-12", "NVIDIA_L4", "did you mean g2-standard-12?"),
        # As the template's answer is: without an accelerator.
        ("g2-standrad-12", None, "did you mean g2-standard-12?"),
        ("z9-highgpu-1g", "NVIDIA_L4", "a newer one may be used"),
        ("g2-standard-12", "NVIDIA_L4", None),
        ("n1-standard-4", None, None),
        ("c3-standard-22", None, None),
    ],
)
def test_a_machine_type_that_no_table_knows_is_doubted_and_not_refused(machine, accelerator, told):
    given = {"accelerator_type": accelerator, "accelerator_count": 1} if accelerator else {}
    spec = {"machine_type": machine, **given}
    override = {"us-east1": {"machine_spec": spec}}
    value = {"regions": ["us-east1"], "models": {"llama": {**MODEL, "machine_spec": spec, "overrides": override}}}
    found = [f"{doubt.path}: {doubt.text}" for doubt in doubts(environment.read(value))]
    if told is None:
        assert found == []
        return
    places = ["models.llama.machine_spec.machine_type: ", "models.llama.overrides.us-east1.machine_spec.machine_type: "]
    assert [doubt.startswith(place) for doubt, place in zip(found, places, strict=True)] == [True, True]
    assert all(told in doubt for doubt in found)
    choices = [L4, spec]
    value = {"regions": ["us-east1"], "models": {"llama": {**MODEL, "machine_spec": choices}}}
    (doubt,) = doubts(environment.read(value))
    assert doubt.path == "models.llama.machine_spec[1].machine_type"


def test_the_template_asks_for_keys_that_the_program_knows():
    template = yaml.safe_load((STACKS.parent / "Pulumi.yaml").read_text())["template"]
    asked = set(template["config"])
    assert asked - {"gcp:project"} == set(environment.QUICKSTART)
    assert all(each["description"] for each in template["config"].values())
    answers = {"gcsUri": "gs://bucket/llama", "region": "us-east1", "machineType": "g2-standard-12"}
    model = environment.read(environment.quickstart(answers.get)).models["model"]
    assert model.argument("machine_spec")["accelerator_count"] == 1
    assert environment.quickstart({}.get) is None
    with pytest.raises(environment.ConfigError, match="region: is required"):
        environment.quickstart({**answers, "region": ""}.get)


FILES = sorted((STACKS / "config").glob("Pulumi.*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_line_that_was_left_empty_is_refused_wherever_it_is(file):
    value = yaml.safe_load(file.read_text())["config"][environment.KEY]
    assert list(places(value))
    for path in places(value):
        with pytest.raises(environment.ConfigError) as error:
            environment.read(emptied(value, path))
        (line,) = error.value.summary.splitlines()
        assert line.startswith(f"{environment.KEY}{written(path)}: is left empty: write ")
        assert line.endswith((", or remove the line", ", or remove the line to make it public"))


def test_an_empty_key_that_the_files_do_not_have_is_refused_too_each_once():
    keys = ("private", "parked", "spot", "regions", "rollout", "container_spec", "max_replica_count")
    value = {"regions": ["us-east1"], "models": {"llama": {**MODEL, **dict.fromkeys(keys)}}, "vpc_sc": None}
    with pytest.raises(environment.ConfigError) as error:
        environment.read(value)
    told = error.value.summary.splitlines()
    start = f"{environment.KEY}.models.llama."
    assert told[0] == (
        f"{start}private: is left empty: write `private: {{}}` to keep the model private, or remove the line to make "
        "it public"
    )
    assert [line.partition(": ")[0] for line in told] == [*(start + key for key in keys), f"{environment.KEY}.vpc_sc"]


def test_a_list_of_clients_without_the_project_of_the_rules_is_refused_by_its_path_once():
    models = {name: {**MODEL, "private": {}} for name in "ab"}
    own = {**MODEL, "private": {"allowlist": ["projects/client-project"]}}
    value = {**PRIVATE, "models": {**models, "own": own, "public": MODEL}}
    told = "in which the forwarding rules are made, so that no client gets in: add it"
    with pytest.raises(environment.ConfigError) as error:
        environment.read(value, project="host-project")
    assert error.value.summary.splitlines() == [
        f"{environment.KEY}.allowlist.projects: lacks host-project, {told}",
        f"{environment.KEY}.models.own.private.allowlist: lacks host-project, {told}",
    ]
    with pytest.raises(environment.ConfigError) as error:
        environment.read(value, "shop:environment", "my-project")
    assert error.value.summary == f"shop:environment.models.own.private.allowlist: lacks my-project, {told}"
    # Of a project that is known by its number, or not at all, nobody can tell.
    for project in ("123456", ""):
        environment.read(value, project=project)


def behind(**models):
    """An environment in which one endpoint shares its requests between these models."""
    served = {name.replace("_", "-"): {"model": name} for name in models}
    share = dict.fromkeys(served, 100 // len(served))
    share[next(iter(share))] += 100 - sum(share.values())
    chat = {"region": "us-east1", "deployed_models": served, "traffic_split": share}
    given = {name: {**MODEL, **more} for name, more in models.items()}
    return {"regions": ["us-east1", "us-west1"], "models": given, "endpoints": {"chat": chat}}


ONLY = {"own_endpoint": False}
NAMED = {"query_model_id": "assistant"}
OWN_NAME = {"container_spec": {"image_uri": "i", "env": [{"name": "MODEL_ID", "value": "assistant"}]}}


@pytest.mark.parametrize(
    ("models", "names"),
    [
        ({"a": ONLY, "b": ONLY}, ["'chat'", "'chat'"]),
        ({"a": ONLY | NAMED, "b": NAMED}, ["'assistant'", "'assistant'"]),
        ({"a": NAMED, "b": OWN_NAME}, ["'assistant'", "'assistant'"]),
        # What a container calls its model by itself, nobody can tell.
        ({"a": NAMED, "b": {"container_spec": {"image_uri": "i"}}}, ["'assistant'", None]),
        ({"a": NAMED, "b": {"gcs_uri": "gs://bucket/x"} | ONLY | {"query_model_id": "assistant"}}, ["'assistant'"] * 2),
    ],
)
def test_models_behind_one_endpoint_answer_to_one_name(models, names):
    found = environment.read(behind(**models))
    assert [found.known_name(name, "us-east1") for name in models] == names


@pytest.mark.parametrize(
    ("models", "told"),
    [
        (
            {"a": {}, "b": {}},
            "a answers to an id of its own (models.a), b answers to an id of its own (models.b)), so that a request "
            "that names one of them fails at the others: give these models the same query_model_id, or own_endpoint",
        ),
        ({"a": ONLY, "b": {}}, "a answers to 'chat', b answers to an id of its own (models.b)"),
        ({"a": NAMED, "b": {"query_model_id": "other"}}, "a answers to 'assistant', b answers to 'other'"),
    ],
)
def test_a_split_between_models_of_different_names_is_refused(models, told):
    with pytest.raises(environment.ConfigError) as error:
        environment.read(behind(**models))
    start = "endpoints.chat.traffic_split: shares requests between models of different names ("
    assert str(error.value).startswith(f"{environment.KEY}.{start}")
    assert told in str(error.value)


def test_a_split_that_gives_all_to_one_of_them_is_none():
    value = behind(a={}, b={})
    value["endpoints"]["chat"]["traffic_split"] = {"a": 100, "b": 0}
    assert environment.read(value).endpoints_of("a") == ["chat"]


def test_a_model_that_is_only_behind_an_endpoint_is_where_that_one_is_and_lends_it_its_machines():
    model = {**ONLY, "machine_spec": L4, "max_replica_count": 3, "overrides": {"us-east1": {"spot": True}}}
    value = behind(a=model, b={**ONLY, "machine_spec": A100}, own={**MODEL, "machine_spec": A100, **NAMED})
    served = value["endpoints"]["chat"]["deployed_models"]
    served["b"] |= {"machine_spec": L4, "min_replica_count": 2, "max_replica_count": 2}
    value["models"] |= {name: {**value["models"][name], **NAMED} for name in "ab"}
    found = environment.read(value)
    assert [found.regions_of(name) for name in ("a", "b", "own")] == [["us-east1"]] * 2 + [["us-east1", "us-west1"]]
    assert found.served("chat") == {
        "a": ("a", {"machine_spec": L4, "max_replica_count": 3, "spot": True}),
        "b": ("b", {"machine_spec": L4, "min_replica_count": 2, "max_replica_count": 2}),
        # One with an endpoint of its own says nothing of other ones.
        "own": ("own", {}),
    }


@pytest.mark.parametrize(
    ("model", "endpoints", "told"),
    [
        ({}, {}, "models.a.own_endpoint: is false, and no endpoint serves the model: name it in deployed_models"),
        (
            {"regions": ["us-east1", "us-west1"]},
            None,
            "models.a.own_endpoint: is false, and no endpoint serves the model in us-west1",
        ),
        ({"parked": True}, None, "models.a.parked: own_endpoint is false, so park the endpoints that serve it"),
        ({"overrides": {"us-east1": {"parked": True}}}, None, "models.a.overrides.us-east1.parked: own_endpoint is"),
        ({"private": {}}, None, "models.a.private: has no endpoint to make private, as own_endpoint is false"),
    ],
)
def test_a_model_that_nothing_would_serve_or_two_things_would_decide_on_is_refused(model, endpoints, told):
    value = behind(a={**ONLY, **model})
    if endpoints is not None:
        value["endpoints"] = endpoints
    with pytest.raises(environment.ConfigError) as error:
        environment.read(value)
    assert told in str(error.value)


def test_a_model_behind_two_endpoints_is_called_as_it_says():
    value = behind(a=ONLY)
    value["endpoints"]["other"] = {"region": "us-west1", "deployed_models": {"a": {"model": "a"}}}
    found = environment.read(value)
    assert (found.regions_of("a"), found.chosen_name("a", "us-east1")) == (["us-east1", "us-west1"], None)
    value["models"]["a"] |= NAMED
    assert environment.read(value).chosen_name("a", "us-west1") == "assistant"


def test_inside_a_perimeter_what_only_lends_its_model_has_a_private_endpoint_too():
    job = {
        "region": "us-east1",
        "model": "a",
        "input_config": {"instances_format": "jsonl", "gcs_source": {"uris": ["gs://bucket/in.jsonl"]}},
        "output_config": {"predictions_format": "jsonl", "gcs_destination": {"output_uri_prefix": "gs://bucket/out"}},
    }
    value = {**PRIVATE, "models": {"a": {**MODEL, **ONLY}}, "batch_jobs": {"nightly": job}}
    assert environment.read(value).private_behind("a") is None
    access = environment.read({**value, "vpc_sc": True}).private_behind("a")
    assert environment.read(value).allowed(access) == ["my-project"]
