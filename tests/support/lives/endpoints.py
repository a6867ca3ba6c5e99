"""What people and other tools do to endpoints by hand, and what was sent to Google."""

from tests.support.samples.weights import BUCKET, call, make_bucket, put_weights

PARENT = "projects/my-project/locations/us-central1"
L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
L4_AS_SHOWN = {"machineType": "g2-standard-12", "acceleratorType": "NVIDIA_L4", "acceleratorCount": 1}
BIGGER = {"machine_type": "g2-standard-24", "accelerator_type": "NVIDIA_L4", "accelerator_count": 2}


class Hand:
    """A person with gcloud, beside the stack."""

    def __init__(self, emulator):
        self.emulator = emulator

    def _call(self, path, body=None, method="POST"):
        answer = call(f"{self.emulator.url}/v1beta1/{path}", body, method)
        self.emulator.advance(7200)
        return answer

    def upload(self, id="llama", folder="llama", bucket=BUCKET):
        """A Model; its resource name."""
        make_bucket_once(self.emulator)
        model = {
            "displayName": id,
            "artifactUri": put_weights(self.emulator, folder, bucket),
            "containerSpec": {"imageUri": "us-docker.pkg.dev/vertex-ai/vertex-vision-model-garden/vllm"},
        }
        self._call(f"{PARENT}/models:upload", {"model": model, "modelId": id})
        return f"{PARENT}/models/{id}"

    def make_endpoint(self, **config):
        """An endpoint as the console makes one, with an id of Vertex AI's choice; its resource name."""
        operation = self._call(f"{PARENT}/endpoints", {"displayName": "by hand", **config})
        id = operation["name"].split("/endpoints/")[1].split("/")[0]
        return f"{PARENT}/endpoints/{id}"

    def endpoint(self, name):
        return call(f"{self.emulator.url}/v1beta1/{name}", method="GET")

    def patch(self, name, mask, **body):
        return self._call(f"{name}?updateMask={mask}", body, "PATCH")

    def deploy(self, endpoint, model, split=None, machine=None, **more):
        """A deployment; its id."""
        resources = {"machineSpec": machine or L4_AS_SHOWN, "minReplicaCount": 1}
        before = {entry["id"] for entry in self.endpoint(endpoint).get("deployedModels", [])}
        deployed = {"model": model, "dedicatedResources": resources, **more}
        body = {"deployedModel": deployed, **({"trafficSplit": split} if split else {})}
        self._call(f"{endpoint}:deployModel", body)
        return next(entry["id"] for entry in self.endpoint(endpoint)["deployedModels"] if entry["id"] not in before)

    def undeploy(self, endpoint, id, split=None):
        self._call(f"{endpoint}:undeployModel", {"deployedModelId": id, **({"trafficSplit": split} if split else {})})

    def mutate(self, endpoint, id, mask, **resources):
        body = {"deployedModel": {"id": id, **resources}, "updateMask": mask}
        self._call(f"{endpoint}:mutateDeployedModel", body)

    def delete(self, name):
        self._call(name, method="DELETE")


def make_bucket_once(emulator):
    if not any(entry["kind"] == "storage.Bucket" for entry in emulator.ledger()["data"]):
        make_bucket(emulator)


def masks(emulator, since=0):
    """Each change that was asked for in place since then: the call, and exactly what its mask names."""
    told = []
    for entry in emulator.requests()[since:]:
        call = (entry["rpc"] or "").rpartition(".")[2]
        if call == "patch":
            told.append(("patch", entry["query"]["updateMask"]))
        elif call == "mutateDeployedModel":
            told.append(("mutate", entry["body"]["updateMask"]))
        elif call == "update":
            told.append(("update", ",".join(sorted(set(entry["body"]["endpoint"]) - {"name"}))))
        elif call in ("deployModel", "undeployModel", "create", "delete", "deploy"):
            told.append((call, ""))
    return told


def told(host, since):
    """What the host said since then."""
    return "\n".join(host.said[since:])


def kinds(emulator):
    return sorted(entry["kind"].removeprefix("aiplatform.") for entry in emulator.ledger()["resources"])
