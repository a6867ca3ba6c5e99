"""The emulator against Google's full discovery documents, and against what Google's own clients sent and understood."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import requests

from mg_provider.emulator.core.faults import ALIASES
from mg_provider.emulator.core.routing import HANDLERS
from mg_provider.emulator.google import discovery
from mg_provider.emulator.web.dispatch import load_services
from tests.emulator.client import LOCATION, WEIGHTS, Client
from tools.cloud import discovery_schemas

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "recordings"
REPLAYED = ["gcloud-10", "gcloud-n01", "gcloud-n02", "sdk-01", "sdk-02", "sdk-04", "sdk-31"]


@cache
def full_document(name):
    source = discovery_schemas.document(name)
    methods = {method["id"]: method for method in discovery_schemas.all_methods(source)}
    return methods, {key: strict(schema) for key, schema in source["schemas"].items()}


def strict(schema):
    """A discovery schema as JSON Schema that refuses unknown fields."""
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    kind = schema.get("type", "any")
    if kind == "any":
        return {}
    if kind == "array":
        return {"type": "array", "items": strict(schema["items"])}
    if kind == "object" and "properties" in schema:
        properties = {name: strict(value) for name, value in schema["properties"].items()}
        return {"type": "object", "properties": properties, "additionalProperties": False}
    if kind == "object":
        return {"type": "object", "additionalProperties": strict(schema.get("additionalProperties", {}))}
    return {"type": kind, **({"enum": schema["enum"]} if "enum" in schema else {})}


def problems(document, reference, body):
    schemas = full_document(document)[1]
    validator = jsonschema.Draft202012Validator({"$ref": f"#/$defs/{reference}", "$defs": schemas})
    return [error.message for error in validator.iter_errors(body)]


def checked(emulator):
    """Hold every accepted request and answer of a test against the full document; how many were held."""
    count = 0
    for seen in emulator.requests():
        match = discovery.find(seen["method"], seen["path"])
        if match is None or seen["status"] != 200:
            continue
        method = full_document(match.method.document)[0][match.method.rpc]
        for key, free in (("request", match.method.free_request), ("response", match.method.free_response)):
            body = seen["body" if key == "request" else "response"]
            if key in method and body is not None and not free:
                count += 1
                assert problems(match.method.document, method[key]["$ref"], body) == [], (seen["rpc"], key)
    return count


def test_every_handler_and_alias_is_named_after_a_method_in_a_full_document():
    load_services()
    known = {method for name in discovery.DOCUMENTS for method in full_document(name)[0]}
    assert set(HANDLERS) - known == set()
    assert set(ALIASES.values()) - known == set()


def test_every_path_that_the_emulator_answers_is_the_documented_one():
    for name in discovery.DOCUMENTS:
        methods, _ = full_document(name)
        for rpc, entry in discovery.document(name).methods.items():
            assert entry["verb"] == methods[rpc]["httpMethod"]
            template = methods[rpc].get("flatPath", methods[rpc]["path"])
            assert entry["path"].endswith(template)


@pytest.mark.allow_hosts(["127.0.0.0/8"])
def test_a_whole_life_says_nothing_that_the_full_documents_do_not_know(client, emulator):
    config = {"enablePrivateServiceConnect": True, "projectAllowlist": ["my-project"]}
    endpoint = client.deployed(endpointConfig={"privateServiceConnectConfig": config, "endpointUserId": "chat"})
    (deployed,) = endpoint["deployedModels"]
    rule = client.private_address(deployed["privateEndpoints"]["serviceAttachment"])
    client.chat(endpoint, url=emulator.addresses()[rule["IPAddress"]])
    client.ok("PATCH", endpoint["name"], {"displayName": "x", "labels": {"a": "b"}}, updateMask="displayName,labels")
    change = {"id": deployed["id"], "dedicatedResources": {"minReplicaCount": 2, "maxReplicaCount": 3}}
    mask = "dedicatedResources.minReplicaCount,dedicatedResources.maxReplicaCount"
    body = {"deployedModel": change, "updateMask": mask}
    client.response(client.ok("POST", f"{endpoint['name']}:mutateDeployedModel", body))
    client.ok("POST", f"{LOCATION}:recommendSpec", {"gcsUri": WEIGHTS, "checkUserQuota": True})
    client.ok("GET", "publishers/meta/models/llama3_1@llama-3.1-8b-instruct")
    for version in ("v1", "v1beta1"):
        client.ok("GET", f"{LOCATION}/endpoints", version=version)
        client.ok("GET", f"{LOCATION}/models", version=version)
    client.response(client.ok("POST", f"{endpoint['name']}:undeployModel", {"deployedModelId": deployed["id"]}))
    client.ok("DELETE", endpoint["name"])
    client.ok("DELETE", deployed["model"])
    assert checked(emulator) >= 30


def recordings():
    if not RECORDINGS.is_dir():
        return []
    return sorted(path for path in RECORDINGS.glob("*.json") if path.name.startswith(tuple(REPLAYED)))


def test_the_recordings_are_there():
    if not recordings():
        pytest.skip(f"no recordings of Google's clients beside this checkout ({RECORDINGS.name}/)")
    assert len(recordings()) == len(REPLAYED)


@pytest.mark.parametrize("path", recordings(), ids=lambda path: path.stem)
def test_what_googles_clients_sent_is_answered_as_they_understood_it(client: Client, emulator, path):
    """Each recorded call of Vertex AI, with names replaced by those that the emulator gave."""
    recording = json.loads(path.read_text(encoding="utf-8"))
    client.put_weights("gs://custom-weights-fishfooding/meta-llama/Llama-3.2-1B-Instruct")
    names: dict[str, str] = {}
    replayed = 0
    for recorded in recording["requests"]:
        if (
            recorded["path"].startswith(("/compute", "/token"))
            or discovery.find(recorded["method"], recorded["path"]) is None
        ):
            continue
        answer = replay(emulator, recorded, names)
        expected = recorded["response"]
        assert answer.status_code == expected["status"], answer.text
        learn(expected["body"], answer.json(), names)
        emulator.advance(4000)
        assert shape(expected["body"]) <= shape(answer.json()) | {"done", "response"}, "they may come later"
        replayed += 1
    assert replayed >= 2
    assert checked_answers(emulator) >= replayed


def replay(emulator, recorded, names):
    path = recorded["path"]
    for old, new in names.items():
        path = path.replace(old, new)
    address = emulator.url + path
    return requests.request(recorded["method"], address, params=recorded["query"], json=recorded["body"], timeout=10)


def learn(expected, answer, names):
    """Remember what the recorder's names are called here."""
    if "name" in expected and "name" in answer:
        names[expected["name"]] = answer["name"]
    old, new = expected.get("response"), answer.get("response")
    if isinstance(old, dict) and isinstance(new, dict):
        for key in ("name", "endpoint", "model"):
            if isinstance(old.get(key), str) and key in new:
                names[old[key]] = new[key]


def shape(body):
    """The fields that say something; the recorder also sent some that were empty."""
    return {key for key, value in body.items() if value not in ({}, [], "", None)} if isinstance(body, dict) else set()


def checked_answers(emulator):
    """Only the answers: Google's Python client sends numbers for enums, which the documents do not have."""
    count = 0
    for seen in emulator.requests():
        match = discovery.find(seen["method"], seen["path"])
        method = full_document(match.method.document)[0][match.method.rpc] if match else {}
        if match and seen["status"] == 200 and seen["response"] is not None and not match.method.free_response:
            assert problems(match.method.document, method["response"]["$ref"], seen["response"]) == []
            count += 1
    return count
