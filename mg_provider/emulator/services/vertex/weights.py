"""A folder of weights in Cloud Storage, as Model Garden reads it.

What must be there: "Deploy models with custom weights", required files (cloud.google.com, read 2026-11).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from mg_provider.emulator.core.world import World
from mg_provider.emulator.google.errors import failed_precondition, invalid_argument
from mg_provider.emulator.services.storage.state import ListOptions, StorageState, is_around

Json = dict[str, Any]

_URI = re.compile(r"gs://(?P<bucket>[a-z0-9][a-z0-9._-]{1,220}[a-z0-9])/(?P<folder>.+)")
_IMAGE = "us-docker.pkg.dev/vertex-ai/vertex-vision-model-garden-dockers/pytorch-vllm-serve:gs-custom-weights"
_GIBIBYTE = 1024**3


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and folder. ApiError INVALID_ARGUMENT when it is not ``gs://bucket/folder``."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise invalid_argument(f"Invalid Cloud Storage URI {uri!r}.", ("custom_model.gcs_uri", uri))
    return match["bucket"], match["folder"].strip("/")


def check_region(world: World, uri: str, region: str) -> None:
    """ApiError FAILED_PRECONDITION for weights in a bucket of another region, where the behaviour refuses that."""
    bucket = world.part(StorageState).buckets.get(split_uri(uri)[0])
    if world.behaviours["weights_of_another_region"] == "allow" or bucket is None:
        return
    if not is_around(bucket.location, region):
        raise failed_precondition(f"The bucket of {uri} is in {bucket.location}, and the Model in {region}.")


@dataclass
class Weights:
    """What lies in the folder: file sizes by name, and ``config.json``."""

    uri: str
    files: dict[str, int]
    config: Json | None

    def check(self) -> None:
        """ApiError FAILED_PRECONDITION or INVALID_ARGUMENT when a model server could not start from it."""
        if not self.files:
            raise failed_precondition(f"No files are found in {self.uri}, or they cannot be read.")
        if self.config is None:
            raise failed_precondition(f"The file config.json is not found in {self.uri}.")
        if not any(name.endswith((".safetensors", ".bin")) for name in self.files):
            raise failed_precondition(f"No weights (*.safetensors or *.bin) are found in {self.uri}.")
        if not self.config.get("architectures"):
            raise invalid_argument(f"config.json in {self.uri} names no architecture.", ("custom_model.gcs_uri", ""))

    @property
    def base_model(self) -> str:
        """The architecture's name."""
        return str(((self.config or {}).get("architectures") or ["unknown"])[0])

    @property
    def gibibytes(self) -> float:
        """Size of the weight files."""
        weights = (size for name, size in self.files.items() if name.endswith((".safetensors", ".bin")))
        return sum(weights) / _GIBIBYTE


def read_weights(world: World, uri: str) -> Weights:
    """What lies at ``uri`` in the emulated Cloud Storage; nothing, if there is no such bucket."""
    bucket, folder = split_uri(uri)
    storage = world.part(StorageState)
    if bucket not in storage.buckets:
        return Weights(uri, {}, None)
    prefix = f"{folder}/"
    names, _ = storage.names(bucket, ListOptions(prefix=prefix))
    files = {}
    for name in names:
        found = storage.find(bucket, name)
        if found:
            files[name.removeprefix(prefix)] = found.content.size
    return Weights(uri, files, _config(storage.read(bucket, f"{prefix}config.json")))


def refuses_chat(world: World, uri: str) -> bool:
    """Whether weights in the emulated Cloud Storage have a tokenizer but no chat template, so vLLM refuses chats."""
    match, storage = _URI.fullmatch(uri), world.part(StorageState)
    if match is None or match["bucket"] not in storage.buckets:
        return False
    bucket, prefix = match["bucket"], f"{match['folder'].strip('/')}/"
    names, _ = storage.names(bucket, ListOptions(prefix=prefix))
    inside = {name.removeprefix(prefix) for name in names}
    beside = any(name == "chat_template.jinja" or name.startswith("additional_chat_templates/") for name in inside)
    files = (
        _config(storage.read(bucket, f"{prefix}{name}")) for name in ("tokenizer_config.json", "chat_template.json")
    )
    written = any((content or {}).get("chat_template") for content in files)
    return "tokenizer_config.json" in inside and not beside and not written


def _config(content: bytes | None) -> Json | None:
    if content is None:
        return None
    try:
        parsed = json.loads(content)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def container_spec(model_config: Json, query_id: str, gcs_uri: str) -> Json:
    """The serving container: the user's, or Model Garden's own, which has MODEL_ID in its environment."""
    asked: Json = model_config.get("containerSpec", {})
    if asked.get("imageUri"):
        return asked
    source = gcs_uri or query_id
    return {
        "imageUri": _IMAGE,
        "args": ["python", "-m", "vllm.entrypoints.api_server", "--host=0.0.0.0", "--port=8080", f"--model={source}"],
        "env": [{"name": "MODEL_ID", "value": query_id}, {"name": "DEPLOY_SOURCE", "value": "API_NATIVE_MODEL"}],
        "ports": [{"containerPort": 8080}],
        "predictRoute": "/generate",
        "healthRoute": "/ping",
        **{key: value for key, value in asked.items() if value},
    }
