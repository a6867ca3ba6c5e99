"""What the tests of the emulated data services call it with: plain HTTP, nothing of the provider."""

from __future__ import annotations

import json
from typing import Any, Self

import requests

from mg_provider.emulator import Emulator
from mg_provider.emulator.services.service_attachments import service_attachments

PROJECT = "my-project"
REGION = "us-central1"
COMPUTE = f"/compute/v1/projects/{PROJECT}/regions/{REGION}"
BIGQUERY = f"/bigquery/v2/projects/{PROJECT}"
BATCH = f"/v1/projects/{PROJECT}/locations/{REGION}/batchPredictionJobs"
ATTACHMENT = f"projects/tenant-tp/regions/{REGION}/serviceAttachments/gkedpm-1"
LLAMA = "publishers/meta/models/llama3_1@llama-3.1-8b-instruct"


class Client:
    """Calls the emulator; the clock stands still unless a test moves it."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self._session = requests.Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def call(self, verb: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        if body is not None:
            options["json"] = body
        return self._session.request(verb, self.emulator.url + path, timeout=20, allow_redirects=False, **options)

    def ok(self, verb: str, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        response = self.call(verb, path, body, **options)
        assert response.status_code in {200, 201, 204}, f"{verb} {path}: {response.status_code} {response.text}"
        parsed: dict[str, Any] = response.json() if response.content else {}
        return parsed

    def refused(self, status: int, verb: str, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        response = self.call(verb, path, body, **options)
        assert response.status_code == status, f"{verb} {path}: {response.status_code} {response.text}"
        error: dict[str, Any] = response.json()["error"]
        return error

    # Cloud Storage

    def make_bucket(self, name: str, location: str = REGION) -> None:
        self.ok("POST", f"/storage/v1/b?project={PROJECT}", {"name": name, "location": location})

    def upload(self, bucket: str, name: str, content: bytes, **query: str) -> dict[str, Any]:
        return self.ok(
            "POST",
            f"/upload/storage/v1/b/{bucket}/o",
            params={"uploadType": "media", "name": name, **query},
            data=content,
            headers={"Content-Type": "text/plain"},
        )

    def upload_rows(self, bucket: str, name: str, rows: list[Any]) -> None:
        self.upload(bucket, name, "\n".join(json.dumps(row) for row in rows).encode())

    def object_names(self, bucket: str, **query: str) -> list[str]:
        listing = self.ok("GET", f"/storage/v1/b/{bucket}/o", params=query)
        return [item["name"] for item in listing.get("items", [])]

    def content(self, bucket: str, name: str) -> bytes:
        path = f"/storage/v1/b/{bucket}/o/{requests.utils.quote(name, safe='')}"
        return self.call("GET", path, params={"alt": "media"}).content

    # Compute Engine

    def done(self, operation: dict[str, Any]) -> dict[str, Any]:
        self.emulator.advance(seconds=10)
        finished = self.ok("GET", f"{COMPUTE}/operations/{operation['name']}")
        assert finished["status"] == "DONE"
        return finished

    def make_address(self, name: str, **more: Any) -> dict[str, Any]:
        body = {"name": name, "addressType": "INTERNAL", "purpose": "GCE_ENDPOINT", "subnetwork": "default", **more}
        self.done(self.ok("POST", f"{COMPUTE}/addresses", body))
        return self.ok("GET", f"{COMPUTE}/addresses/{name}")

    def make_attachment(self, *allowed: str, path: str = ATTACHMENT) -> None:
        world = self.emulator.world
        with world.lock:
            numbers = [world.project_number(project) for project in allowed]
            service_attachments(world).put(path, f"projects/1/locations/{REGION}/endpoints/2", numbers)

    def make_rule(self, name: str, **more: Any) -> dict[str, Any]:
        body = {"name": name, "network": "global/networks/default", "target": ATTACHMENT, **more}
        self.done(self.ok("POST", f"{COMPUTE}/forwardingRules", body))
        # The producer notices it a little later.
        self.emulator.advance(seconds=10)
        return self.ok("GET", f"{COMPUTE}/forwardingRules/{name}")

    # BigQuery

    def make_table(self, dataset: str, table: str, fields: list[dict[str, Any]], location: str = REGION) -> None:
        if self.call("GET", f"{BIGQUERY}/datasets/{dataset}").status_code == 404:
            reference = {"datasetReference": {"datasetId": dataset, "projectId": PROJECT}, "location": location}
            self.ok("POST", f"{BIGQUERY}/datasets", reference)
        body = {"tableReference": {"projectId": PROJECT, "datasetId": dataset, "tableId": table}}
        self.ok("POST", f"{BIGQUERY}/datasets/{dataset}/tables", {**body, "schema": {"fields": fields}})

    def insert_rows(self, dataset: str, table: str, rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        body = {"rows": [{"json": row} for row in rows], **more}
        return self.ok("POST", f"{BIGQUERY}/datasets/{dataset}/tables/{table}/insertAll", body)

    def table_rows(self, dataset: str, table: str) -> list[dict[str, Any]]:
        fields = self.ok("GET", f"{BIGQUERY}/datasets/{dataset}/tables/{table}")["schema"]["fields"]
        rows = self.ok("GET", f"{BIGQUERY}/datasets/{dataset}/tables/{table}/data").get("rows", [])
        return [{field["name"]: cell["v"] for field, cell in zip(fields, row["f"], strict=True)} for row in rows]


def chat(prompt: str, **more: Any) -> dict[str, Any]:
    """A row of a batch."""
    return {"body": {"messages": [{"role": "user", "content": prompt}]}, **more}


def batch_request(**more: Any) -> dict[str, Any]:
    """A batch prediction job over gs://data/in/*.jsonl."""
    return {
        "displayName": "job",
        "model": LLAMA,
        "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://data/in/*.jsonl"]}},
        "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": "gs://data/out"}},
        "dedicatedResources": {
            "machineSpec": {"machineType": "g2-standard-12", "acceleratorType": "NVIDIA_L4", "acceleratorCount": 1},
            "startingReplicaCount": 1,
            "maxReplicaCount": 2,
        },
        **more,
    }
