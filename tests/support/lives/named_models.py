"""An endpoint with named models, whose rollouts are watched."""

from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from tests.support.lives.life import Life
from tests.support.lives.rollouts import BIGGER, L4, endpoint_of
from tests.support.samples.weights import call, make_bucket, put_weights

PARENT = "projects/my-project/locations/us-central1"
PREDICT = {"kind": "predict", "instances": ["Hi"]}


def upload(emulator, *ids):
    """Models made of weights of their own; their resource names."""
    make_bucket(emulator)
    for id in ids:
        model = {"displayName": id, "artifactUri": put_weights(emulator, id)}
        model["containerSpec"] = {"imageUri": "us-docker.pkg.dev/vertex-ai/vertex-vision-model-garden/vllm"}
        call(f"{emulator.url}/v1beta1/{PARENT}/models:upload", {"model": model, "modelId": id})
    emulator.advance(600)
    return [f"{PARENT}/models/{id}" for id in ids]


def life_on(host, **more):
    return Life(host, DedicatedEndpointProvider, **{"name": "chat", **more})


def served(model, **more):
    return {"model": model, "machine_spec": L4, **more}


def one(model, **more):
    """An endpoint with one named model."""
    return {"deployed_models": {"v1": served(model)}, **more}


def two(stable, canary, share=30, **more):
    """An endpoint with two named models, of which the second has a share of the traffic."""
    models = {"stable": served(stable, machine_spec=BIGGER), "canary": served(canary)}
    return {"deployed_models": models, "traffic_split": {"stable": 100 - share, "canary": share}, **more}


def serving(emulator, life):
    """The Model of each deployment with its percent of the traffic."""
    endpoint = endpoint_of(emulator, life)
    split = endpoint.get("trafficSplit", {})
    return {
        (entry["displayName"], entry["model"].rpartition("/")[2]): split.get(entry["id"], 0)
        for entry in endpoint.get("deployedModels", [])
    }


def running(emulator):
    """Endpoints and deployments that are there; Models belong to others."""
    return sorted(entry["kind"] for entry in emulator.ledger()["resources"] if entry["kind"] != "aiplatform.Model")


def settled(emulator, life, wanted):
    """Nothing is left to do, neither here nor there."""
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])
    assert life.outputs["leftover_deployed_models"] == []
    assert running(emulator) == ["aiplatform.DeployedModel"] * len(wanted["deployed_models"]) + ["aiplatform.Endpoint"]


def destroyed(emulator, life):
    life.destroy()
    emulator.advance(7200)
    assert running(emulator) == []
