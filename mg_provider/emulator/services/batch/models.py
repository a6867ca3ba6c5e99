"""Which models a batch prediction job can name.

Source of the list: "Get batch predictions from a self-deployed Model Garden model", supported models, read 2026-11.
Models whose id ends in ``-maas`` are run by Google and need no machines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from mg_provider.emulator.core.routing import HANDLERS, Call
from mg_provider.emulator.google import errors
from mg_provider.emulator.google.discovery import document

SUPPORTED: dict[str, tuple[str, ...]] = {
    "meta/llama3_1": ("llama-3.1-8b-instruct", "llama-3.1-70b-instruct", "llama-3.1-405b-instruct-fp8"),
    "meta/llama3-2": ("llama-3.2-1b-instruct", "llama-3.2-3b-instruct", "llama-3.2-90b-vision-instruct"),
    "google/gemma": ("gemma-1.1-2b-it", "gemma-7b-it", "gemma-1.1-7b-it", "gemma-2b-it"),
    "google/gemma2": ("gemma-2-2b-it", "gemma-2-9b-it", "gemma-2-27b-it"),
    "mistral-ai/mistral": (
        "mistral-7b-instruct-v0.2",
        "mistral-7b-instruct-v0.3",
        "mistral-7b-instruct-v0.1",
        "mistral-nemo-instruct-2407",
    ),
    "deepseek-ai/deepseek-r1": ("deepseek-r1-distill-llama-8b",),
    "meta/llama-3.1-405b-instruct-maas": (),
    "meta/llama-3.1-70b-instruct-maas": (),
    "meta/llama-3.1-8b-instruct-maas": (),
    "meta/llama-3.3-70b-instruct-maas": (),
}

_PUBLISHED = re.compile(
    r"(?:projects/[^/]+/locations/(?P<region>[^/]+)/)?publishers/(?P<publisher>[^/]+)/models/(?P<model>[^/@]+)"
    r"(?:@(?P<version>[^/]+))?"
)
_REGISTERED = re.compile(
    r"projects/(?P<project>[^/]+)/locations/(?P<region>[^/]+)/models/(?P<model>[^/@]+)(?:@(?P<version>[^/]+))?"
)

_ENDPOINT = re.compile(r"projects/(?P<project>[^/]+)/locations/(?P<region>[^/]+)/endpoints/(?P<endpoint>[^/]+)")


@dataclass(frozen=True)
class BatchModel:
    """A model that a job runs: how answers and directories name it, its version, and whether Google runs it."""

    label: str
    version: str
    managed: bool = False


def find_model(call: Call, name: str) -> BatchModel:
    """The model of that resource name. ApiError when there is none, or when the name is not that of a model."""
    if (match := _PUBLISHED.fullmatch(name)) is not None:
        return _published(match, name)
    match = _REGISTERED.fullmatch(name)
    if match is None:
        raise errors.invalid_argument(f"Invalid resource name {name} for a model.", ("model", name))
    if match["region"] != call.region:
        text = f"The model {name} is not in {call.region}."
        raise errors.invalid_argument(text, ("model", text))
    return _registered(call, match)


def find_endpoint(call: Call, name: str) -> BatchModel:
    """The endpoint of that resource name, which brings its own machines. ApiError when there is none."""
    match = _ENDPOINT.fullmatch(name)
    if match is None:
        raise errors.invalid_argument(f"Invalid resource name {name} for an endpoint.", ("endpoint", name))
    method = document(call.method.document).method("aiplatform.projects.locations.endpoints.get")
    path = {"projectsId": match["project"], "locationsId": match["region"], "endpointsId": match["endpoint"]}
    HANDLERS[method.rpc](replace(call, method=method, path=path, query={}, body={}, faults=[]))
    return BatchModel(match["endpoint"], "", managed=True)


def _published(match: re.Match[str], name: str) -> BatchModel:
    versions = SUPPORTED.get(f"{match['publisher']}/{match['model'].lower()}")
    if versions is None or (match["version"] and match["version"].lower() not in versions):
        raise errors.not_found(f"Publisher Model `{name}` is not found.")
    if not versions:
        return BatchModel(match["model"].lower(), "default", managed=True)
    version = (match["version"] or versions[0]).lower()
    return BatchModel(version, version)


def _registered(call: Call, match: re.Match[str]) -> BatchModel:
    """A Model of the registry: asked for as a client would, so that its rules are in one place."""
    method = document(call.method.document).method("aiplatform.projects.locations.models.get")
    version = f"@{match['version']}" if match["version"] else ""
    path = {
        "projectsId": match["project"],
        "locationsId": match["region"],
        "modelsId": match["model"] + version,
    }
    model = HANDLERS[method.rpc](replace(call, method=method, path=path, query={}, body={}, faults=[])).body
    return BatchModel(match["model"], model.get("versionId", "1"))
