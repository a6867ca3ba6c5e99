"""Clients that talk to the emulator, and a folder of weights that a test can spoil."""

import json
import math
import urllib.parse

import pytest

from mg_provider.clock import ManualClock
from mg_provider.preflight.weights.check import check_weights
from tests.support.google.clients import REGION, clients
from tests.support.samples.tensors import llama, put_tensors
from tests.support.samples.weights import BUCKET, call, make_bucket, put

__all__ = ["clients"]
LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 2048,
    "num_hidden_layers": 16,
    "intermediate_size": 8192,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
}
TEMPLATE = {"chat_template": "{{ messages }}"}
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 123\n"


class Weights:
    """A folder in the emulated bucket. It begins as a sound Llama-3.2-1B in two files."""

    def __init__(self, emulator, clients):
        self.emulator, self.clients = emulator, clients
        self.name = "llama"
        make_bucket(emulator)
        tensors = llama(LLAMA)
        last = {"model.norm.weight": tensors.pop("model.norm.weight")}
        self.shards = {"model-00001-of-00002.safetensors": tensors, "model-00002-of-00002.safetensors": last}
        self.put("config.json", LLAMA)
        self.put("tokenizer.json", {})
        self.put("tokenizer_config.json", TEMPLATE)
        self.put_shards()

    @property
    def uri(self):
        return f"gs://{BUCKET}/{self.name}"

    def put(self, name, content):
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        put(self.emulator, f"{self.name}/{name}", content)

    def put_tensors(self, file, tensors, more=0):
        return put_tensors(self.emulator, f"{self.name}/{file}", tensors, more=more)

    def put_shards(self):
        weight_map = {}
        for file, tensors in self.shards.items():
            self.put_tensors(file, tensors)
            weight_map |= dict.fromkeys(tensors, file)
        self.put_index(weight_map, self.size)

    @property
    def size(self):
        """Bytes of all tensors."""
        shapes = [shape for tensors in self.shards.values() for _, shape in tensors.values()]
        return sum(2 * math.prod(shape) for shape in shapes)

    def put_model(self, config, tensors):
        """Another model in the folder, in one file."""
        self.delete_weights()
        self.put("config.json", config)
        self.put_tensors("model.safetensors", tensors)

    def put_index(self, weight_map, total_size):
        self.put("model.safetensors.index.json", {"metadata": {"total_size": total_size}, "weight_map": weight_map})

    def delete(self, *names):
        for name in names:
            path = urllib.parse.quote(f"{self.name}/{name}", safe="")
            call(f"{self.emulator.url}/storage/v1/b/{BUCKET}/o/{path}", method="DELETE")

    def delete_weights(self):
        self.delete(*self.shards, "model.safetensors.index.json")

    def delete_all(self):
        self.delete_weights()
        self.delete("config.json", "tokenizer.json", "tokenizer_config.json")

    def check(self, uri=None, region=REGION, **options):
        return check_weights(uri or self.uri, region, self.clients, clock=ManualClock(), **options)

    def codes(self, **options):
        """The codes of all findings, errors first."""
        return [finding.code for finding in self.check(**options).findings]

    def only(self, **options):
        """The one finding that there is."""
        [finding] = self.check(**options).findings
        return finding


@pytest.fixture
def weights(emulator, clients):
    return Weights(emulator, clients)
