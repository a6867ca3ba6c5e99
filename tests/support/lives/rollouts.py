"""What happens to an endpoint's traffic during a rollout, and requests that are always there."""

import json
import urllib.request

from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from tests.support.lives.life import Life
from tests.support.samples.weights import call

L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
BIGGER = {"machine_type": "g2-standard-24", "accelerator_type": "NVIDIA_L4", "accelerator_count": 2}
ONE = ["aiplatform.DeployedModel", "aiplatform.Endpoint", "aiplatform.Model"]
FIXED_WHILE_RUNNING = [
    {"machine_spec": BIGGER},
    {"spot": True},
    {"service_account": "server@my-project.iam.gserviceaccount.com"},
    {"flex_start": {"max_runtime_duration": "3600s"}},
    {"fast_tryout_enabled": True},
]
UNPROBED = {"probe": {"kind": "none"}}


def arguments(weights, **more):
    return {"gcs_uri": weights, "machine_spec": L4, **more}


def kinds(emulator):
    return sorted(entry["kind"] for entry in emulator.ledger()["resources"])


def endpoint_of(emulator, life_or_name):
    name = life_or_name.id if isinstance(life_or_name, Life) else life_or_name
    return call(f"{emulator.url}/v1beta1/{name}", method="GET")


def serving(emulator, life):
    """The weights that each deployment serves, with its percent of the traffic."""
    endpoint = endpoint_of(emulator, life)
    split = endpoint.get("trafficSplit", {})
    told = {}
    for deployed in endpoint.get("deployedModels", []):
        model = call(f"{emulator.url}/v1beta1/{deployed['model']}", method="GET")
        told[model.get("artifactUri", model["name"])] = split.get(deployed["id"], 0)
    return told


def splits(emulator, since=0, calls=("patch", "deployModel", "undeployModel")):
    """Every traffic split that was asked for since then, oldest first."""
    told = []
    for entry in emulator.requests()[since:]:
        rpc = (entry["rpc"] or "").rpartition(".")[2]
        body = entry["body"] if isinstance(entry["body"], dict) else {}
        if rpc in calls and "trafficSplit" in body:
            told.append(body["trafficSplit"])
    return told


def shares_of_new(emulator, since):
    """The percentages that the deployment that was made since then was given by patches, in order."""
    new = next(
        entry["body"]["deployedModel"]["id"]
        for entry in emulator.requests()[since:]
        if (entry["rpc"] or "").endswith("endpoints.deployModel")
    )
    return [split.get(new, 0) for split in splits(emulator, since, ("patch",))]


def assert_always_served(emulator, since=0):
    """No answer of the endpoint's since then shows traffic that adds up to less, or goes to what is not deployed."""
    for entry in emulator.requests()[since:]:
        if not (entry["rpc"] or "").endswith(("endpoints.get", "endpoints.patch")):
            continue
        shown = entry.get("response") if isinstance(entry.get("response"), dict) else {}
        if "deployedModels" not in shown:
            continue
        split, deployed = shown.get("trafficSplit", {}), {each["id"] for each in shown["deployedModels"]}
        assert sum(split.values()) == 100, json.dumps(shown)
        assert set(split) <= deployed, json.dumps(shown)


def chat(emulator, endpoint, body):
    """A chat at the endpoint's own name."""
    request = urllib.request.Request(
        f"{emulator.url}/v1beta1/{endpoint['name']}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Host": endpoint["dedicatedEndpointDns"]},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def life_on(host, **more):
    return Life(host, CustomWeightsModelProvider, **more)
