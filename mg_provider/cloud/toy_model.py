"""A toy with Llama's architecture, in the folder layout that Hugging Face models have.

The tensors have the names and shapes that a ``LlamaForCausalLM`` of this size has, in several shards with an index. The
weights are random, so it computes, but it has nothing to say.
"""

from __future__ import annotations

import json
from typing import Any

import numpy
from safetensors.numpy import save

from mg_provider.preflight.weights.base_models import TOY_MODEL

HIDDEN, LAYERS, HEADS, KEY_VALUE_HEADS, INTERMEDIATE, VOCABULARY = 64, 4, 4, 2, 128, 260
SHARDS = 3


def make_folder(seed: int) -> dict[str, bytes]:
    """File names to contents; another seed gives other weights."""
    tensors = _tensors(numpy.random.default_rng(seed))
    files = {
        "config.json": _json(_config()),
        "generation_config.json": _json({"bos_token_id": 256, "eos_token_id": 257, "max_length": 256}),
        "tokenizer.json": _json(_tokenizer()),
        "tokenizer_config.json": _json(_tokenizer_config()),
    }
    names = sorted(tensors)
    weight_map: dict[str, str] = {}
    for number in range(SHARDS):
        shard = f"model-{number + 1:05d}-of-{SHARDS:05d}.safetensors"
        chosen = names[number::SHARDS]
        files[shard] = save({name: tensors[name] for name in chosen}, metadata={"format": "pt"})
        weight_map.update(dict.fromkeys(chosen, shard))
    total = sum(tensor.nbytes for tensor in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    files["model.safetensors.index.json"] = _json(index)
    return files


def _tensors(random: numpy.random.Generator) -> dict[str, Any]:
    head = HIDDEN // HEADS
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (VOCABULARY, HIDDEN),
        "model.norm.weight": (HIDDEN,),
        "lm_head.weight": (VOCABULARY, HIDDEN),
    }
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}"
        shapes |= {
            f"{prefix}.input_layernorm.weight": (HIDDEN,),
            f"{prefix}.post_attention_layernorm.weight": (HIDDEN,),
            f"{prefix}.self_attn.q_proj.weight": (HEADS * head, HIDDEN),
            f"{prefix}.self_attn.k_proj.weight": (KEY_VALUE_HEADS * head, HIDDEN),
            f"{prefix}.self_attn.v_proj.weight": (KEY_VALUE_HEADS * head, HIDDEN),
            f"{prefix}.self_attn.o_proj.weight": (HIDDEN, HEADS * head),
            f"{prefix}.mlp.gate_proj.weight": (INTERMEDIATE, HIDDEN),
            f"{prefix}.mlp.up_proj.weight": (INTERMEDIATE, HIDDEN),
            f"{prefix}.mlp.down_proj.weight": (HIDDEN, INTERMEDIATE),
        }
    return {name: random.normal(0, 0.02, shape).astype(numpy.float16) for name, shape in shapes.items()}


def _config() -> dict[str, Any]:
    return {
        "_name_or_path": TOY_MODEL,
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": HIDDEN,
        "intermediate_size": INTERMEDIATE,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KEY_VALUE_HEADS,
        "head_dim": HIDDEN // HEADS,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-5,
        "rope_theta": 500000.0,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "bos_token_id": 256,
        "eos_token_id": 257,
        "torch_dtype": "float16",
    }


def _tokenizer() -> dict[str, Any]:
    """A byte-level BPE without merges: each byte is a token, after the alphabet that GPT-2 gave to bytes."""
    alphabet = _byte_alphabet()
    special = ["<|begin|>", "<|end|>", "<|user|>", "<|assistant|>"]
    added = [
        {
            "id": 256 + number,
            "content": content,
            "special": True,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
        }
        for number, content in enumerate(special)
    ]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {character: number for number, character in enumerate(alphabet)},
            "merges": [],
        },
    }


def _byte_alphabet() -> list[str]:
    """A printable character for each byte: itself where it is one, else the next one from 256 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


def _tokenizer_config() -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|begin|>",
        "eos_token": "<|end|>",
        "model_max_length": 2048,
        "chat_template": "{{ bos_token }}{% for message in messages %}<|{{ message['role'] }}|>"
        "{{ message['content'] }}{{ eos_token }}{% endfor %}<|assistant|>",
    }


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
