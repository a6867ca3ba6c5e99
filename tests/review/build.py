"""Previews as the engine writes them, made in a few words for the tests of reviews."""

import json
from typing import Any

from mg_provider import review
from mg_provider.review import Review

STACK = "dev"
L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
A100 = {"machine_type": "a2-highgpu-1g", "accelerator_type": "NVIDIA_TESLA_A100", "accelerator_count": 1}
H200 = {"machine_type": "a3-ultragpu-8g", "accelerator_type": "NVIDIA_H200_141GB", "accelerator_count": 8}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
ALLOWLIST = {"enable_private_service_connect": True, "project_allowlist": ["my-project", "client-project"]}


def model(name: str = "llama", region: str = "us-central1", **arguments: Any) -> dict[str, Any]:
    """The arguments of a CustomWeightsModel, completed as a plan completes them."""
    return {
        "resource": name,
        "owner": "organization/acme/dev",
        "project": "my-project",
        "region": region,
        "endpoint_id": f"{name}-1a2b3c4d",
        "endpoint": f"projects/my-project/locations/{region}/endpoints/{name}-1a2b3c4d",
        "model": f"projects/my-project/locations/{region}/models/{name}-1a2b3c4d",
        "model_id": f"{name}-1a2b3c4d",
        "query_model_id": f"{name}-1a2b3c4d",
        "gcs_uri": "gs://weights/llama/v1",
        "machine_spec": L4,
        "min_replica_count": 1,
        "max_replica_count": 1,
        "deployment_plan": "deploys",
        **arguments,
    }


def endpoint(name: str = "chat", region: str = "us-central1", **arguments: Any) -> dict[str, Any]:
    """The arguments of a DedicatedEndpoint with two models."""
    place = f"projects/my-project/locations/{region}"
    served = {"machine_spec": L4, "min_replica_count": 1, "max_replica_count": 1}
    return {
        "resource": name,
        "owner": "organization/acme/dev",
        "project": "my-project",
        "region": region,
        "endpoint_id": f"{name}-1a2b3c4d",
        "endpoint": f"{place}/endpoints/{name}-1a2b3c4d",
        "dedicated_endpoint_enabled": True,
        "deployed_models": {
            "stable": {**served, "model": f"{place}/models/one"},
            "canary": {**served, "model": f"{place}/models/two"},
        },
        "traffic_split": {"stable": 90, "canary": 10},
        "deployment_plan": {"stable": "deploys", "canary": "deploys"},
        **arguments,
    }


def rule(name: str = "way", region: str = "us-central1", **arguments: Any) -> dict[str, Any]:
    """The arguments of a PscForwardingRule."""
    return {
        "resource": name,
        "owner": "organization/acme/dev",
        "project": "my-project",
        "region": region,
        "endpoint": f"projects/my-project/locations/{region}/endpoints/llama-1a2b3c4d",
        "network": "models",
        "subnetwork": f"models-{region}",
        "forwarding_rule_name": f"{name}-1a2b3c4d",
        **arguments,
    }


def batch(name: str = "nightly", **arguments: Any) -> dict[str, Any]:
    """The arguments of a BatchJob."""
    return {
        "resource": name,
        "owner": "organization/acme/dev",
        "project": "my-project",
        "region": "us-central1",
        "model": "publishers/meta/models/llama3_1@llama-3.1-8b-instruct",
        "input_config": {"instances_format": "jsonl", "gcs_source": {"uris": ["gs://batch/in.jsonl"]}},
        "output_config": {"predictions_format": "jsonl", "gcs_destination": {"output_uri_prefix": "gs://batch/out"}},
        "machine_spec": L4,
        "starting_replica_count": 4,
        "triggers": {"night": "1"},
        "run": "nightly-1",
        **arguments,
    }


def step(
    op: str,
    kind: str,
    name: str,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    *,
    outputs: dict[str, Any] | None = None,
    stack: str = STACK,
    **more: Any,
) -> dict[str, Any]:
    """One step of a preview."""
    type = kind if ":" in kind else f"pulumi-python:dynamic/mg:{kind}"
    urn = f"urn:pulumi:{stack}::acme::{type}::{name}"
    sides = {}
    if old is not None:
        state = {"inputs": {**old, "__provider": "gASV"}, "outputs": {**old, **(outputs or {}), "__provider": "gASV"}}
        sides["oldState"] = {"urn": urn, "custom": True, "type": type, "id": f"id-of-{name}", **state}
    if new is not None:
        sides["newState"] = {"urn": urn, "custom": True, "type": type, "inputs": {**new, "__provider": "gASV"}}
    for key in ("protect", "retainOnDelete"):
        before, after = more.pop(key, (None, None))
        for side, value in (("oldState", before), ("newState", after)):
            if value is not None and side in sides:
                sides[side][key] = value
    return {"op": op, "urn": urn, **sides, "detailedDiff": None, **more}


def preview(*steps: dict[str, Any], same: int = 1, **more: Any) -> str:
    """The JSON of a preview."""
    return json.dumps({"steps": list(steps), "changeSummary": {"same": same}, **more})


def update(kind: str, old: dict[str, Any], new: dict[str, Any], **more: Any) -> Review:
    """The review of a change of one resource."""
    return review.of(preview(step("update", kind, old["resource"], old, new, **more)))


def texts(found: Review) -> str:
    """Everything that a review says, as text."""
    return found.model_dump_json()
