"""What a stack can say beside models in regions: each lives, and shows in the emulated cloud."""
# ruff: noqa: F811 - fixtures

import json

import yaml

from tests.stacks import printed
from tests.stacks.test_lives import Stack, stack, virtualenv  # noqa: F401 - fixtures
from tests.support.samples.weights import call

L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
V1, V2 = ({"gcs_uri": f"gs://my-weights/llama/{version}", "machine_spec": L4} for version in ("v1", "v2"))
TOKEN = "hf_abcdefghijklmnop"
KEY = "projects/my-project/locations/us-central1/keyRings/models/cryptoKeys/chat"
BATCH = {
    "region": "us-central1",
    "input_config": {"instances_format": "jsonl", "gcs_source": {"uris": ["gs://my-weights/questions/*.jsonl"]}},
    "output_config": {
        "predictions_format": "jsonl",
        "gcs_destination": {"output_uri_prefix": "gs://my-weights/answers"},
    },
}


def say(one, **environment):
    """Give a stack another environment."""

    def change(config):
        config["model-garden:environment"] = {"regions": ["us-central1"], **environment}

    one.edit(change)


def resources(one, kind):
    return {each["urn"].rpartition("::")[2]: each for each in one.resources if each["type"].endswith(kind)}


def test_several_models_behind_one_private_endpoint_with_rules_in_two_service_projects(stack, emulator):
    there = {"project": "host-project", "region": "us-central1", "name": "shared-models", "network": "shared"}
    call(f"{emulator.url}/_mg/compute/subnetworks", there)
    one = stack("shared-vpc")
    assert set(one.well("up")) == {"create"}
    assert one.well("preview") == {}
    told = one.outputs["endpoints"]["chat"]
    addresses = {told["ip_address"], *(consumer["ip_address"] for consumer in told["consumers"].values())}
    assert len(addresses) == 3
    for line, address in ((each["curl"], each["ip_address"]) for each in (told, *told["consumers"].values())):
        assert "Hello" in printed.asked(emulator, line, address)["choices"][0]["message"]["content"]
    for project in ("my-project", "search-prod", "ads-prod"):
        (rule,) = call(
            f"{emulator.url}/compute/v1/projects/{project}/regions/us-central1/forwardingRules", method="GET"
        )["items"]
        assert rule["pscConnectionStatus"] == "ACCEPTED"
        assert rule["labels"]["env"] == "prod"
        assert rule["network"].endswith("projects/host-project/global/networks/shared")
        assert (rule["labels"].get("team") == "ads") == (project == "ads-prod")
    endpoint = call(f"{emulator.url}/v1beta1/{told['endpoint']}", method="GET")
    assert endpoint["encryptionSpec"]["kmsKeyName"] == KEY
    assert endpoint["predictRequestResponseLoggingConfig"]["enabled"] is True
    assert {"env": "prod"}.items() <= endpoint["labels"].items()
    assert resources(one, "DedicatedEndpoint")["chat"]["inputs"]["timeouts"] == {"create": 3600}
    # What only lends its Model is as private as what serves it, and has no machine.
    assert emulator.ledger()["counts"]["aiplatform.DeployedModel"] == 2
    behind = resources(one, "CustomWeightsModel")["stable-us-central1"]["inputs"]
    assert behind["private_service_connect_config"]["project_allowlist"] == ["my-project", "search-prod", "ads-prod"]
    # The batch ran over the Model of an entry.
    job = call(f"{emulator.url}/v1beta1/{one.outputs['batch_jobs']['nightly']['job']}", method="GET")
    assert job["model"].rpartition("/")[2] == behind["model_id"]
    assert job["labels"]["env"] == "prod"
    one.well("destroy")
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_an_endpoint_and_what_lends_it_its_model_turn_private_and_public_again(stack, emulator):
    one = stack("public-endpoint")
    chat = {"region": "us-central1", "deployed_models": {"stable": {"model": "stable"}}}
    private = {"allowlist": ["my-project"], "network": "clients", "subnetwork": "clients-subnet"}
    for step, more in enumerate(({}, {"private": private}, {})):
        say(one, models={"stable": {**V1, "own_endpoint": False}}, endpoints={"chat": {**chat, **more}})
        assert one.well("up").get("replace", 0) == (2 if step else 0)
        counts = emulator.ledger()["counts"]
        assert (counts["aiplatform.Endpoint"], counts["aiplatform.Model"]) == (2, 1)
        assert counts.get("compute.ForwardingRule", 0) == (1 if more else 0)
    assert one.well("preview") == {}
    one.well("destroy")
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_a_project_and_a_token_of_one_model_another_for_a_batch_alone_and_an_endpoint_made_by_hand(stack, emulator):
    one = stack("public-endpoint")
    gated = {"hugging_face_model_id": "google/gemma-3-1b-it", "machine_spec": L4, "accept_eula": True}
    gated |= {"hugging_face_access_token": {"config": "hfToken"}, "project": "your-project"}
    nightly = {**BATCH, "model": "own", "machine_spec": L4}
    only = {"own": {**V1, "own_endpoint": False}, "served": {**V1, "own_endpoint": False}}
    by_hand = {"displayName": "by hand", "dedicatedEndpointEnabled": True}
    parent = f"{emulator.url}/v1beta1/projects/my-project/locations/us-central1"
    name = call(f"{parent}/endpoints", by_hand)["name"].partition("/operations/")[0]
    emulator.advance(600)
    chat = {"region": "us-central1", "deployed_models": {"a": {"model": "served"}}, "adopt": name}
    say(one, models={"gated": gated, **only}, endpoints={"chat": chat}, batch_jobs={"nightly": nightly})
    path = "environment.models.gated.hugging_face_access_token"
    assert f"{path}: the config key hfToken has no value: run `pulumi config set" in one.run("preview")[2]
    one.secrets = {"model-garden:hfToken": TOKEN}
    one.well("up")
    assert one.outputs["models"]["gated-us-central1"]["endpoint"].startswith("projects/your-project/")
    assert one.outputs["models"]["own-us-central1"]["only_behind"] == []
    assert one.outputs["batch_jobs"]["nightly"]["answered"] == 1
    assert emulator.ledger()["counts"]["aiplatform.DeployedModel"] == 2
    assert one.outputs["endpoints"]["chat"]["endpoint_id"] == name.rpartition("/")[2]
    # It is in the state as a secret, and nowhere else.
    state = json.dumps(one.resources)
    assert state.count(TOKEN) == state.count(json.dumps({"plaintext": json.dumps(TOKEN)})[1:-1])
    one.well("destroy")
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_one_base_file_serves_dev_and_prod(stack):
    dev = stack("public-endpoint")
    base = {
        "regions": ["us-central1"],
        "labels": {"team": "search"},
        "models": {"llama": {**V1, "max_replica_count": 4}},
    }
    (dev.file.parent / "base.yaml").write_text(yaml.safe_dump(base))
    dev.edit(lambda config: config.update({"model-garden:environment": {"extends": "base.yaml"}}))
    (prod,) = inputs(dev, "CustomWeightsModel")
    assert (prod["max_replica_count"], prod["labels"], prod["gcs_uri"]) == (4, {"team": "search"}, V1["gcs_uri"])
    own = {"extends": "base.yaml", "labels": {"env": "dev"}, "models": {"llama": {"max_replica_count": 1}}}
    dev.edit(lambda config: config.update({"model-garden:environment": own}))
    (small,) = inputs(dev, "CustomWeightsModel")
    assert (small["max_replica_count"], small["labels"]) == (1, {"team": "search", "env": "dev"})
    own["models"]["llama"] = {"max_replica_count": 0}
    dev.edit(lambda config: config.update({"model-garden:environment": own}))
    assert "environment.models.llama.max_replica_count: should be at least 1" in dev.run("preview")[2]


def inputs(one, kind):
    return [step["newState"]["inputs"] for step in one.digest("preview")["steps"] if f"{kind}::" in step["urn"]]
