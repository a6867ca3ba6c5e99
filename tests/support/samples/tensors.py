"""Safetensors files with true headers and no bytes behind them: models of any size in the emulated bucket."""

import base64
import itertools
import json
import math
from functools import cache
from pathlib import Path

from tests.support.samples.weights import BUCKET, call

BITS = {"F8_E4M3": 8} | {f"{kind}{bits}": bits for kind in ("BF", "F", "I", "U") for bits in (8, 16, 32, 64)}
REAL = Path(__file__).parents[2] / "preflight" / "real_models.json"


def header(tensors):
    """The header of a file with these tensors, name to (dtype, shape), and the size of the whole file."""
    at, entries = 0, {}
    for name, (dtype, shape) in tensors.items():
        end = at + math.prod(shape) * BITS[dtype] // 8
        entries[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text, 8 + len(text) + at


def put_tensors(emulator, name, tensors, bucket=BUCKET, more=0):
    """Put a file; ``more`` bytes than its header stands for, or fewer."""
    head, size = header(tensors)
    body = {"bucket": bucket, "name": name, "size": size + more, "head": base64.b64encode(head).decode()}
    call(f"{emulator.url}/_mg/storage/sparse", body)
    return size


def llama(config, dtype="BF16"):
    """The tensors of a LlamaForCausalLM."""
    hidden, inner, vocabulary = (config[key] for key in ("hidden_size", "intermediate_size", "vocab_size"))
    size = hidden // config["num_attention_heads"]
    queries, keys = config["num_attention_heads"] * size, config["num_key_value_heads"] * size
    found = {"model.embed_tokens.weight": (vocabulary, hidden), "model.norm.weight": (hidden,)}
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}"
        found |= {
            f"{at}.self_attn.q_proj.weight": (queries, hidden),
            f"{at}.self_attn.k_proj.weight": (keys, hidden),
            f"{at}.self_attn.v_proj.weight": (keys, hidden),
            f"{at}.self_attn.o_proj.weight": (hidden, queries),
            f"{at}.mlp.gate_proj.weight": (inner, hidden),
            f"{at}.mlp.up_proj.weight": (inner, hidden),
            f"{at}.mlp.down_proj.weight": (hidden, inner),
            f"{at}.input_layernorm.weight": (hidden,),
            f"{at}.post_attention_layernorm.weight": (hidden,),
        }
    if not config.get("tie_word_embeddings"):
        found["lm_head.weight"] = (vocabulary, hidden)
    return {name: (dtype, shape) for name, shape in found.items()}


@cache
def real_models():
    """Public models by name: their config.json, and the tensors that transformers writes for it."""
    return json.loads(REAL.read_text())["models"]


def real_tensors(name):
    """The tensors of a public model, name to (dtype, shape)."""
    model, found = real_models()[name], {}
    for row in model["tensors"]:
        pattern, dtype, shape, *numbers = row.split(" ")
        size = tuple(int(part) for part in shape.split("x"))
        for chosen in itertools.product(*map(_numbers, numbers)):
            found[_named(pattern, chosen)] = (dtype, size)
    if model["elsewhere"]:
        found["vision_tower.weight"] = (
            "F32" if model["config"].get("torch_dtype") == "float32" else "BF16",
            (model["elsewhere"],),
        )
    return found


def _numbers(text):
    parts = (part.partition("-") for part in text.split(","))
    return [number for first, _, last in parts for number in range(int(first), int(last or first) + 1)]


def _named(pattern, numbers):
    for number in numbers:
        pattern = pattern.replace("*", str(number), 1)
    return pattern
