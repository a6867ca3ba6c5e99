"""A small but real folder of weights in the emulated bucket."""

import json
import urllib.parse
import urllib.request

import numpy
from safetensors.numpy import save

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


def call(url, body=None, method="POST", content_type="application/json"):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": content_type})
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def put(emulator, name, content, bucket=BUCKET):
    query = urllib.parse.urlencode({"uploadType": "media", "name": name})
    return call(f"{emulator.url}/upload/storage/v1/b/{bucket}/o?{query}", content, content_type="application/json")


def make_bucket(emulator, bucket=BUCKET, location="US-CENTRAL1"):
    call(f"{emulator.url}/storage/v1/b?project=my-project", {"name": bucket, "location": location})


def put_weights(emulator, folder="llama", bucket=BUCKET):
    """Two shards with their index, config and tokenizer. Returns the folder's URI."""
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
    index = {"metadata": {"total_size": total}, "weight_map": {}}
    for shard, tensors in shards.items():
        put(emulator, f"{folder}/{shard}", save(tensors), bucket)
        index["weight_map"].update(dict.fromkeys(tensors, shard))
    put(emulator, f"{folder}/model.safetensors.index.json", json.dumps(index).encode(), bucket)
    put(emulator, f"{folder}/config.json", json.dumps(CONFIG).encode(), bucket)
    put(emulator, f"{folder}/tokenizer.json", b"{}", bucket)
    put(emulator, f"{folder}/tokenizer_config.json", b'{"chat_template": "{{ messages }}"}', bucket)
    return f"gs://{bucket}/{folder}"
