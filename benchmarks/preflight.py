"""How long the check of a very large model takes, and how much of it is read, at 50 ms a request."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

from benchmarks.figure import Figure
from mg_provider.api.clients import Clients
from mg_provider.api.http.settings import Settings
from mg_provider.clock import SystemClock
from mg_provider.emulator import Emulator
from mg_provider.preflight.weights.check import check_weights
from tests.support.weights import BUCKET, call, make_bucket, put

FILES = 163
FILE_BYTES = 4_300_000_000
REQUEST_SECONDS = 0.05

CONFIG = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "hidden_size": 7168,
    "num_hidden_layers": 61,
    "n_routed_experts": 256,
    "vocab_size": 129280,
    "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]},
}


def put_large_model(emulator: Emulator, tensors_per_file: int) -> str:
    """A folder with the file count and size of DeepSeek-V3; answers its URI. The weights take no space."""
    weight_map: dict[str, str] = {}
    for number in range(1, FILES + 1):
        file = f"model-{number:05}-of-{FILES:06}.safetensors"
        names = [
            f"model.layers.{number}.mlp.experts.{index // 2}.down_proj.weight{'_scale_inv' if index % 2 else ''}"
            for index in range(tensors_per_file)
        ]
        head, size = _head(names, FILE_BYTES // tensors_per_file)
        body = {"bucket": BUCKET, "name": f"large/{file}", "size": size, "head": base64.b64encode(head).decode()}
        call(f"{emulator.url}/_mg/storage/sparse", body)
        weight_map |= dict.fromkeys(names, file)
    total = FILES * tensors_per_file * (FILE_BYTES // tensors_per_file)
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    put(emulator, "large/model.safetensors.index.json", json.dumps(index, indent=2).encode())
    put(emulator, "large/config.json", json.dumps(CONFIG).encode())
    put(emulator, "large/tokenizer.json", b" " * 7_800_000)
    put(emulator, "large/tokenizer_config.json", b"{}")
    return f"gs://{BUCKET}/large"


def _head(names: list[str], tensor_bytes: int) -> tuple[bytes, int]:
    """A safetensors header as the library writes it, and the size of the whole file."""
    entries = {
        name: {
            "dtype": "F8_E4M3",
            "shape": [tensor_bytes],
            "data_offsets": [at * tensor_bytes, (at + 1) * tensor_bytes],
        }
        for at, name in enumerate(names)
    }
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text, 8 + len(text) + len(names) * tensor_bytes


def measure() -> Iterator[Figure]:
    """A model of 700 GB with few large tensors a file, and one with as many tensors as DeepSeek-V3 has."""
    for tensors_per_file, label in ((24, "24 tensors a file"), (564, "564 tensors a file")):
        with Emulator() as emulator:
            make_bucket(emulator)
            uri = put_large_model(emulator, tensors_per_file)
            for rpc in ("storage.objects.get", "storage.objects.list", "storage.buckets.get"):
                emulator.fail(rpc=rpc, fault="delay", seconds=REQUEST_SECONDS, times=100_000)
            clock = SystemClock()
            clients = Clients.from_settings(Settings(storage_custom_endpoint=emulator.url), clock)
            try:
                report = check_weights(uri, "us-central1", clients, clock=clock)
            finally:
                clients.close()
        name = f"preflight: {FILES} files, 700 GB, {label}"
        yield Figure(f"{name}: time", round(report.seconds, 2), "s", 5)
        yield Figure(f"{name}: read", round(report.bytes_read / 1e6, 2), "MB", 10)
        yield Figure(f"{name}: findings", len(report.findings), "findings", 0)
