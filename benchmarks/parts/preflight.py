"""How long the check of a very large model takes, and how much of it is read, at 50 ms a request."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from benchmarks.figure import Figure, Run
from benchmarks.process import ServedEmulator, served_emulator
from mg_provider.api.clients import Clients
from mg_provider.api.http.settings import Settings
from mg_provider.clock import SystemClock
from mg_provider.emulator import Emulator
from mg_provider.preflight.weights.check import check_weights
from tests.support.samples.tensors import BITS, llama, put_tensors, real_models, real_tensors
from tests.support.samples.weights import BUCKET, call, make_bucket, put

FILES = 163
REQUEST_SECONDS = 0.05
_BLOCK = 128

Kind = Literal["dense", "experts"]
Tensors = dict[str, tuple[str, tuple[int, ...]]]

DENSE = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 8192,
    "intermediate_size": 28672,
    "num_hidden_layers": 410,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}


def put_large_model(emulator: Emulator | ServedEmulator, kind: Kind) -> str:
    """A model of 700 GB in 163 files; answers its URI. The weights take no space.

    Args:
        emulator: Where.
        kind: ``dense`` has few large tensors a file, ``experts`` is DeepSeek-V3 with its 90,000 tensors in fp8.
    """
    config, tensors = (DENSE, llama(DENSE)) if kind == "dense" else _deepseek()
    weight_map: dict[str, str] = {}
    for number, chosen in enumerate(_split(tensors), 1):
        file = f"model-{number:05}-of-{FILES:06}.safetensors"
        put_tensors(emulator, f"{kind}/{file}", chosen)
        weight_map |= dict.fromkeys(chosen, file)
    total = sum(map(_bytes, tensors.values()))
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    put(emulator, f"{kind}/model.safetensors.index.json", json.dumps(index, indent=2).encode())
    put(emulator, f"{kind}/config.json", json.dumps(config).encode())
    put(emulator, f"{kind}/tokenizer.json", b" " * 7_800_000)
    put(emulator, f"{kind}/tokenizer_config.json", b'{"chat_template": "{{ messages }}"}')
    return f"gs://{BUCKET}/{kind}"


def _deepseek() -> tuple[Mapping[str, Any], Tensors]:
    """DeepSeek-V3 as it is published: fp8 with a scale for each weight, and a layer for the token after the next."""
    found: Tensors = {}
    whole: Tensors = real_tensors("DeepSeek-V3")
    ahead = {name.replace("layers.60.", "layers.61."): entry for name, entry in whole.items() if "layers.60." in name}
    for name, (dtype, shape) in {**whole, **ahead}.items():
        if "_proj" in name:
            found[name] = "F8_E4M3", shape
            found[f"{name}_scale_inv"] = "F32", tuple(math.ceil(size / _BLOCK) for size in shape)
        else:
            found[name] = dtype, shape
    return real_models()["DeepSeek-V3"]["config"], found


def _split(tensors: Tensors) -> Iterator[Tensors]:
    """The tensors of each file, all files of about the same size."""
    share = sum(map(_bytes, tensors.values())) / FILES
    files: list[Tensors] = [{} for _ in range(FILES)]
    reached = 0
    for name, entry in tensors.items():
        files[min(FILES - 1, int(reached / share))][name] = entry
        reached += _bytes(entry)
    yield from files


def _bytes(entry: tuple[str, tuple[int, ...]]) -> int:
    return math.prod(entry[1]) * BITS[entry[0]] // 8


def measure(run: Run) -> Iterator[Figure]:
    """How long the check of a model of 700 GB takes, and how much of it is read, at 50 ms a request."""
    kinds: tuple[tuple[Kind, str], ...] = (("dense", "23 tensors a file"), ("experts", "560 tensors a file"))
    for kind, label in run.amount(kinds, kinds[:1]):
        run.say(f"checking {FILES} files with {label}")
        with served_emulator() as emulator:
            make_bucket(emulator)
            uri = put_large_model(emulator, kind)
            for rpc in ("storage.objects.get", "storage.objects.list", "storage.buckets.get"):
                delay = {"rpc": rpc, "fault": "delay", "seconds": REQUEST_SECONDS, "times": 100_000}
                call(f"{emulator.url}/_mg/faults", delay)
            clock = SystemClock()
            clients = Clients.from_settings(Settings(storage_custom_endpoint=emulator.url), clock)
            try:
                report = check_weights(uri, "us-central1", clients, clock=clock)
            finally:
                clients.close()
        name = f"preflight: {FILES} files, 700 GB, {label}"
        yield Figure(f"{name}: time", round(report.seconds, 2), "s", 5)
        yield Figure(f"{name}: read", round(report.bytes_read / 1e6, 2), "MB", 12)
        yield Figure(f"{name}: errors", len(report.errors), "errors", 0)
