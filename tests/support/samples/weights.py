"""A small but real folder of weights in the emulated bucket."""

import functools
import json
import urllib.parse
import urllib.request

import numpy
from safetensors.numpy import save

from mg_provider.emulator import Emulator
from mg_provider.emulator.services.storage.calls import storage_state
from mg_provider.emulator.services.storage.content import MemoryContent
from mg_provider.emulator.services.storage.state import Bucket

BUCKET = "weights-bucket"
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "num_key_value_heads": 1,
    "vocab_size": 32,
    "torch_dtype": "float32",
}


class Content(MemoryContent):
    """Many tests store the same: its checksums are made once."""

    checksums = functools.lru_cache(100)(MemoryContent.checksums)


def call(url, body=None, method="POST", content_type="application/json"):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": content_type})
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def put(emulator, name, content, bucket=BUCKET):
    """An object, without a call where the emulator is in this process: how one is uploaded matters to no test here."""
    if not isinstance(emulator, Emulator):
        query = urllib.parse.urlencode({"uploadType": "media", "name": name})
        call(f"{emulator.url}/upload/storage/v1/b/{bucket}/o?{query}", content)
        return
    with emulator.world.lock:
        storage_state(emulator.world).put(bucket, name, Content(content), emulator.world.now(), {})


def make_bucket(emulator, bucket=BUCKET, location="US-CENTRAL1"):
    if not isinstance(emulator, Emulator):
        call(f"{emulator.url}/storage/v1/b?project=my-project", {"name": bucket, "location": location})
        return
    world = emulator.world
    with world.lock:
        made = Bucket(bucket, location, world.project_number("my-project"), world.now())
        assert storage_state(world).buckets.setdefault(bucket, made) is made, f"{bucket} is there already"


@functools.cache
def small_model():
    """The files of a model's folder: two shards with their index, config and tokenizer."""
    layer = {
        "self_attn.q_proj": (8, 8),
        "self_attn.k_proj": (4, 8),
        "self_attn.v_proj": (4, 8),
        "self_attn.o_proj": (8, 8),
        "mlp.gate_proj": (16, 8),
        "mlp.up_proj": (16, 8),
        "mlp.down_proj": (8, 16),
        "input_layernorm": (8,),
        "post_attention_layernorm": (8,),
    }
    first = {f"model.layers.0.{name}.weight": numpy.zeros(shape, numpy.float32) for name, shape in layer.items()}
    first["model.embed_tokens.weight"] = numpy.zeros((32, 8), numpy.float32)
    last = {"model.norm.weight": numpy.ones(8, numpy.float32), "lm_head.weight": numpy.ones((32, 8), numpy.float32)}
    shards = {"model-00001-of-00002.safetensors": first, "model-00002-of-00002.safetensors": last}
    total = sum(tensor.nbytes for tensors in shards.values() for tensor in tensors.values())
    places = {name: shard for shard, tensors in shards.items() for name in tensors}
    return {
        **{shard: save(tensors) for shard, tensors in shards.items()},
        "model.safetensors.index.json": json.dumps({"metadata": {"total_size": total}, "weight_map": places}).encode(),
        "config.json": json.dumps(CONFIG).encode(),
        "tokenizer.json": b"{}",
        "tokenizer_config.json": b'{"chat_template": "{{ messages }}"}',
    }


def put_weights(emulator, folder="llama", bucket=BUCKET):
    """A small model. Returns the folder's URI."""
    for name, content in small_model().items():
        put(emulator, f"{folder}/{name}", content, bucket)
    return f"gs://{bucket}/{folder}"
