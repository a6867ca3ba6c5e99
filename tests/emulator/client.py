"""A small Vertex AI client for the tests; it knows nothing of the provider."""

from __future__ import annotations

import json
from urllib.parse import quote

import requests

LOCATION = "projects/my-project/locations/us-central1"
WEIGHTS = "gs://weights/llama"
CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}


class Client:
    """Calls one emulator; time stands still unless the test moves it."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.session = requests.Session()

    def call(self, verb, path, body=None, *, version="v1beta1", host=None, url=None, **query):
        headers = {"Host": host} if host else {}
        address = f"{url or self.emulator.url}/{version}/{path}"
        return self.session.request(verb, address, json=body, params=query, headers=headers, timeout=10)

    def ok(self, verb, path, body=None, **options):
        response = self.call(verb, path, body, **options)
        assert response.status_code == 200, response.text
        return response.json()

    def refused(self, verb, path, body=None, **options):
        """Status, google.rpc.Code name and message of a refusal."""
        response = self.call(verb, path, body, **options)
        assert response.status_code >= 400, response.text
        error = response.json()["error"]
        assert error["code"] == response.status_code
        return error["code"], error["status"], error["message"]

    def operation(self, operation):
        return self.ok("GET", operation["name"])

    def finished(self, operation, seconds=4000):
        """The operation after so many emulated seconds, which must be enough."""
        self.emulator.advance(seconds)
        done = self.operation(operation)
        assert done.get("done") is True, done
        return done

    def response(self, operation, seconds=4000):
        done = self.finished(operation, seconds)
        assert "error" not in done, done
        return done["response"]

    def put_weights(self, uri=WEIGHTS, config=CONFIG):
        bucket, _, folder = uri.removeprefix("gs://").partition("/")
        self.session.post(f"{self.emulator.url}/storage/v1/b", params={"project": "my-project"}, json={"name": bucket})
        files = {"config.json": json.dumps(config).encode(), "model.safetensors": b"0" * 64}
        for name, content in files.items():
            address = f"{self.emulator.url}/upload/storage/v1/b/{bucket}/o"
            query = {"uploadType": "media", "name": f"{folder}/{name}"}
            assert self.session.post(address, params=query, data=content).status_code == 200, quote(name)

    def deploy(self, **changes):
        """Start a deployment of custom weights; keyword arguments replace parts of the request."""
        request = {
            "customModel": {"gcsUri": WEIGHTS},
            "modelConfig": {"modelUserId": "llama"},
            "endpointConfig": {"endpointUserId": "chat", "labels": {"team": "search"}},
            "deployConfig": {
                "dedicatedResources": {
                    "machineSpec": {
                        "machineType": "g2-standard-24",
                        "acceleratorType": "NVIDIA_L4",
                        "acceleratorCount": 2,
                    },
                    "minReplicaCount": 1,
                    "maxReplicaCount": 3,
                }
            },
        }
        return self.ok("POST", f"{LOCATION}:deploy", {**request, **changes})

    def deployed(self, **changes):
        """A deployment, done: the endpoint as the API shows it."""
        self.put_weights()
        answer = self.response(self.deploy(**changes))
        return self.ok("GET", answer["endpoint"])

    def chat(self, endpoint, question="Why?", *, url=None, host=None, **more):
        body = {"messages": [{"role": "user", "content": question}], **more}
        host = host or (None if url else endpoint.get("dedicatedEndpointDns"))
        return self.call("POST", f"{endpoint['name']}/chat/completions", body, host=host, url=url)

    def private_address(self, target, name="rule", project="my-project"):
        """Reserve an address and connect it to a service attachment; the address."""
        compute = f"{self.emulator.url}/compute/v1/projects/{project}/regions/us-central1"
        network = f"projects/{project}/global/networks/default"
        subnetwork = f"projects/{project}/regions/us-central1/subnetworks/default"
        address = {"name": name, "addressType": "INTERNAL", "purpose": "GCE_ENDPOINT", "subnetwork": subnetwork}
        assert self.session.post(f"{compute}/addresses", json=address).status_code == 200
        self.emulator.advance(60)
        link = f"projects/{project}/regions/us-central1/addresses/{name}"
        rule = {"name": name, "IPAddress": link, "network": network, "target": target}
        answer = self.session.post(f"{compute}/forwardingRules", json=rule)
        assert answer.status_code == 200, answer.text
        self.emulator.advance(60)
        return self.session.get(f"{compute}/forwardingRules/{name}").json()
