"""Condense Google's discovery documents to what the emulator serves: methods, parameters, schemas, no prose.

Source: the documents inside the ``google-api-python-client`` wheel, a development dependency.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from tools.cloud import cloud_quotas

FOLDER = "mg_provider/emulator/schemas"

_ENDPOINTS = "aiplatform.projects.locations.endpoints"
_VERTEX = [
    "aiplatform.projects.locations.deploy",
    "aiplatform.projects.locations.recommendSpec",
    "aiplatform.projects.modelGardenEula.*",
    "aiplatform.publishers.models.get",
    "aiplatform.publishers.models.list",
    "aiplatform.projects.locations.operations.*",
    "aiplatform.projects.locations.batchPredictionJobs.*",
    *(
        f"{_ENDPOINTS}.{verb}"
        for verb in (
            "create",
            "get",
            "list",
            "patch",
            "update",
            "delete",
            "deployModel",
            "mutateDeployedModel",
            "undeployModel",
            "operations.*",
            "predict",
            "rawPredict",
            "streamRawPredict",
            "serverStreamingPredict",
            "chat.completions",
            "invoke.invoke",
        )
    ),
    *(
        f"aiplatform.projects.locations.models.{verb}"
        for verb in ("upload", "get", "list", "patch", "delete", "operations.*")
    ),
]

# Document -> the methods that the emulator knows, as patterns of discovery method ids.
METHODS: dict[str, list[str]] = {
    "aiplatform.v1": _VERTEX,
    "aiplatform.v1beta1": _VERTEX,
    "compute.v1": [
        *(f"compute.addresses.{verb}" for verb in ("insert", "get", "list", "delete", "setLabels")),
        *(f"compute.forwardingRules.{verb}" for verb in ("insert", "get", "list", "delete", "setLabels", "patch")),
        *(f"compute.{collection}.aggregatedList" for collection in ("addresses", "forwardingRules")),
        *(f"compute.regionOperations.{verb}" for verb in ("get", "list", "wait")),
        *(f"compute.networks.{verb}" for verb in ("insert", "get", "delete")),
        *(f"compute.subnetworks.{verb}" for verb in ("insert", "get", "delete")),
        *(f"compute.globalOperations.{verb}" for verb in ("get", "wait")),
        "compute.serviceAttachments.get",
    ],
    "storage.v1": [
        *(f"storage.buckets.{verb}" for verb in ("insert", "get", "getStorageLayout", "list", "delete")),
        "storage.managedFolders.list",
        *(f"storage.objects.{verb}" for verb in ("insert", "get", "list", "delete")),
    ],
    "bigquery.v2": [
        *(f"bigquery.datasets.{verb}" for verb in ("insert", "get", "list", "delete")),
        *(f"bigquery.tables.{verb}" for verb in ("insert", "get", "list", "delete")),
        *(f"bigquery.tabledata.{verb}" for verb in ("insertAll", "list")),
        *(f"bigquery.jobs.{verb}" for verb in ("insert", "get", "query", "getQueryResults")),
    ],
    "logging.v2": ["logging.entries.list"],
    "monitoring.v3": ["monitoring.projects.timeSeries.list"],
    "cloudbilling.v1": ["cloudbilling.services.skus.list"],
    "cloudquotas.v1": ["cloudquotas.projects.locations.services.quotaInfos.get"],
}

# Longest subtrees that no part of the emulator reads; they stay, as objects of any shape.
_OPAQUE_FIELDS = {"explanationSpec", "explanationMetadata", "modelMonitoringConfig"}


def document(name: str) -> dict[str, Any]:
    """The full discovery document of ``name``, such as ``compute.v1``."""
    if name == "cloudquotas.v1":
        return cloud_quotas.DOCUMENT
    folder = files("googleapiclient.discovery_cache") / "documents"
    parsed: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return parsed


def all_methods(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every method below ``node``, a discovery document or one of its resources."""
    yield from node.get("methods", {}).values()
    for resource in node.get("resources", {}).values():
        yield from all_methods(resource)


def outputs() -> dict[str, str]:
    """Path below the root to content, one file a document."""
    return {
        f"{FOLDER}/{name}.json": json.dumps(condense(name, patterns), indent=0, sort_keys=True) + "\n"
        for name, patterns in METHODS.items()
    }


def condense(name: str, patterns: list[str]) -> dict[str, Any]:
    """The methods matching ``patterns`` and every schema that they reach."""
    source = document(name)
    methods: dict[str, Any] = {}
    for method in all_methods(source):
        if any(fnmatch.fnmatchcase(method["id"], pattern) for pattern in patterns):
            # One id can stand for several paths (with and without a project): the longest is the documented one.
            condensed = _method(method, source.get("servicePath", ""))
            known = methods.get(method["id"])
            if known is None or len(condensed["path"]) > len(known["path"]):
                methods[method["id"]] = condensed
    wanted = [reference for method in methods.values() for reference in (method["request"], method["response"])]
    standard = sorted(source["parameters"])
    return {
        "document": name,
        "revision": source["revision"],
        "standardParameters": standard,
        "methods": methods,
        "schemas": _reachable(source["schemas"], [reference for reference in wanted if reference]),
    }


def _method(method: dict[str, Any], service_path: str) -> dict[str, Any]:
    upload = method.get("mediaUpload", {}).get("protocols", {}).get("simple", {}).get("path")
    path = "/" + service_path + method.get("flatPath", method["path"])
    parameters = {
        name: _condensed(parameter)
        for name, parameter in method.get("parameters", {}).items()
        if parameter["location"] == "query"
    }
    condensed = {
        "verb": method["httpMethod"],
        "path": path,
        # The values in a path have one name each, whichever way it is written.
        "uploadPath": upload and upload.replace("{+projectId}", "{projectsId}"),
        "parameters": parameters,
        "request": method.get("request", {}).get("$ref"),
        "response": method.get("response", {}).get("$ref"),
    }
    if method.get("useMediaDownloadService"):
        condensed["downloadPath"] = "/download" + path
    # The older APIs, which have a service path, read their bodies in another way.
    if not service_path and (bound := _bound_fields(method)):
        condensed["boundFields"] = bound
    return condensed


def _bound_fields(method: dict[str, Any]) -> list[str]:
    """Fields of the request message that the path has, where the body is that message and not a part of it."""
    whole = method.get("request", {}).get("$ref", "").endswith("Request")
    return re.findall(r"\{\+(\w+)\}", method["path"]) if whole else []


def _reachable(schemas: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = _condensed(schemas[name])
            wanted.extend(_references(found[name]))
    return found


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)


def _condensed(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without prose: type, format, enum, repeated, readOnly, $ref, items, properties."""
    kept: dict[str, Any] = {
        key: schema[key] for key in ("type", "format", "enum", "repeated", "readOnly", "$ref") if key in schema
    }
    for key in ("items", "additionalProperties"):
        if key in schema:
            kept[key] = _condensed(schema[key])
    if "properties" in schema:
        kept["properties"] = {
            name: {"type": "any"} if name in _OPAQUE_FIELDS else _condensed(value)
            for name, value in schema["properties"].items()
        }
    return kept
