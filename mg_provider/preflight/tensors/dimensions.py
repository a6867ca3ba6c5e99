"""What a config.json says of the sizes of a model: the numbers that the shapes of its tensors are made of."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from mg_provider.api.texts import shown
from mg_provider.data import table

_TERM = re.compile(r"[a-z]+|[0-9]+")

MOST = 10**12
"""More than any number of a model's shape."""

MOST_LAYERS = 2000
"""More layers than any model has; a higher number is not a number of layers."""

_MOST_EXPERTS = 10_000

# Families spell the number of experts in their own ways.
_EXPERTS = ("n_routed_experts", "num_local_experts", "num_experts")

_KEYS = {
    "v": "vocab_size",
    "h": "hidden_size",
    "l": "num_hidden_layers",
    "a": "num_attention_heads",
    "ql": "q_lora_rank",
    "kl": "kv_lora_rank",
    "r": "qk_rope_head_dim",
    "lk": "linear_num_key_heads",
    "lv": "linear_num_value_heads",
    "kd": "linear_key_head_dim",
    "vd": "linear_value_head_dim",
    "lc": "linear_conv_kernel_dim",
    "t": "shared_expert_intermediate_size",
    "p": "hidden_size_per_layer_input",
    "pv": "vocab_size_per_layer_input",
    "lr": "laurel_rank",
    "n": "altup_num_inputs",
}
# What the shapes are made of, without what only some families have.
_SIZES = (
    *("num_hidden_layers", "hidden_size", "vocab_size", "num_attention_heads", "num_key_value_heads", "head_dim"),
    *("intermediate_size", "moe_intermediate_size", "shared_expert_intermediate_size", "n_shared_experts", *_EXPERTS),
    *("q_lora_rank", "kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim"),
)
_MOST = dict.fromkeys(_EXPERTS, _MOST_EXPERTS)


def text_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a config.json that is about the language model; one that also sees images keeps it one level down."""
    text = config.get("text_config")
    return {**config, **text} if isinstance(text, dict) else dict(config)


class Dimensions:
    """The sizes of one model.

    Args:
        config: config.json.
        model_type: Of the class, whose defaults stand for keys that config.json leaves out.
        experts_size: Key of the size of one expert.
    """

    def __init__(
        self, config: Mapping[str, Any], model_type: str = "", experts_size: str = "moe_intermediate_size"
    ) -> None:
        self._config = text_of(config)
        self._defaults: dict[str, Any] = table("tensor_layouts")["defaults"].get(model_type, {})
        self._experts_size = experts_size

    def get(self, key: str) -> Any:
        """A value of config.json, or the class's own where the key is not there."""
        return self._config[key] if key in self._config else self._defaults.get(key)

    def number(self, key: str) -> int | None:
        """A count; None where there is none."""
        value = self.get(key)
        if isinstance(value, list) and value and len(set(map(str, value))) == 1:
            value = value[0]
        return value if type(value) is int and 0 <= value <= MOST else None

    @property
    def misread(self) -> str | None:
        """The first size that config.json has and that is not a count, as the subject and verb of a sentence."""
        for key in _SIZES:
            value = self._config.get(key)
            least, most = (1, MOST_LAYERS) if key == "num_hidden_layers" else (0, _MOST.get(key, MOST))
            # A list has a size for each layer.
            if (
                value is not None
                and not isinstance(value, list)
                and not (type(value) is int and least <= value <= most)
            ):
                return f"{key} is {shown(value)}, not a whole number from {least} to {most}"
        return None

    @property
    def layers(self) -> int | None:
        """Number of layers."""
        found = self.number("num_hidden_layers")
        return found if found is not None and 0 < found <= MOST_LAYERS else None

    @cached_property
    def experts(self) -> int | None:
        """Number of routed experts."""
        # A name of the config's own goes before the default of another.
        own = next((self._config[name] for name in _EXPERTS if type(self._config.get(name)) is int), None)
        return own if own is not None else next((self.number(name) for name in _EXPERTS if self.number(name)), None)

    @cached_property
    def key_value_heads(self) -> int | None:
        """Number of key and value heads: as many as of the others where config.json does not say."""
        found = self.number("num_key_value_heads")
        return found if found is not None else self.number("num_attention_heads")

    @cached_property
    def head_size(self) -> int | None:
        """Size of one attention head."""
        found, hidden, heads = (self.number(key) for key in ("head_dim", "hidden_size", "num_attention_heads"))
        return found or (hidden // heads if hidden and heads else None)

    def shape(self, text: str) -> tuple[int | None, ...]:
        """A shape such as ``2*i h``; None where config.json does not say enough."""
        return tuple(self._dimension(part) for part in text.split(" "))

    def _dimension(self, text: str) -> int | None:
        terms = [self._product(term) for term in text.split("+")]
        return None if None in terms else sum(term for term in terms if term is not None)

    def _product(self, text: str) -> int | None:
        if "/" in text:
            whole, part = text.split("/")
            size = self._symbol(whole)
            return None if size is None else math.ceil(size / int(part))
        factors = [int(found) if found.isdigit() else self._symbol(found) for found in _TERM.findall(text)]
        return None if None in factors else math.prod(factor for factor in factors if factor is not None)

    def _symbol(self, name: str) -> int | None:
        if name not in self._symbols:
            self._symbols[name] = self.number(_KEYS[name]) if name in _KEYS else self._derived(name)
        return self._symbols[name]

    @cached_property
    def _symbols(self) -> dict[str, int | None]:
        return {}

    def _derived(self, name: str) -> int | None:
        heads, size, expert = self.number("num_attention_heads"), self.head_size, self.number(self._experts_size)
        nope, rope, value = (self.number(f"{part}_head_dim") for part in ("qk_nope", "qk_rope", "v"))
        simple = {
            "d": size,
            "k": self.key_value_heads,
            "q": _times(heads, size),
            "kv": _times(self.key_value_heads, size),
            "i": self.number("intermediate_size"),
            "w": self._wide(),
            "e": self.experts,
            "m": expert,
            "s": _times(expert, self.number("n_shared_experts")),
            "qm": _times(heads, _plus(nope, rope)),
            "km": _times(heads, _plus(nope, value)),
            "vm": _times(heads, value),
        }
        if name in simple:
            return simple[name]
        return self._falcon(name) if name.startswith("f") else self._global(name)

    def _wide(self) -> int | None:
        """The MLP of the layers that have one of another size."""
        size = self.number("intermediate_size")
        if self.get("use_double_wide_mlp") is True:
            return _times(size, 2)
        return self.number("intermediate_size_mlp") or size

    def _falcon(self, name: str) -> int | None:
        hidden, heads = self.number("hidden_size"), self.number("num_attention_heads")
        if name == "ff":
            return self.number("ffn_hidden_size") or _times(hidden, 4)
        if not hidden or not heads:
            return None
        size = hidden // heads
        if self.get("new_decoder_architecture"):
            return _times((self.number("num_kv_heads") or heads) * 2 + heads, size)
        return (heads + 2) * size if self.get("multi_query") is not False else 3 * hidden

    def _global(self, name: str) -> int | None:
        """Size and key heads of the layers that look at everything, where these differ from the others'."""
        by_layer = self.get("per_layer_config")
        rows = by_layer.values() if isinstance(by_layer, dict) else ()
        other: dict[str, Any] = next((row for row in rows if isinstance(row, dict)), {})
        if name == "gd":
            size = other.get("head_dim", self.get("global_head_dim"))
            return size if type(size) is int else None
        count = other.get("num_key_value_heads")
        if count is None and self.get("attention_k_eq_v"):
            count = self.get("num_global_key_value_heads")
        return count if type(count) is int else self.key_value_heads

    @cached_property
    def kinds(self) -> dict[str, frozenset[int]]:
        """The layers of each kind: ``*`` are all of them."""
        every = frozenset(range(self.layers or 0))
        sparse, full = self._sparse(every), self._full(every)
        crossed = self.get("cross_attention_layers")
        cross = every & _integers(crossed)
        own = frozenset(range(len(every) - (self.number("num_kv_shared_layers") or 0)))
        return {
            "*": every,
            "sparse": sparse,
            "dense": every - sparse,
            "full": full,
            "linear": every - full,
            "sliding": every - full,
            "cross": cross,
            "self": every - cross,
            "own": own,
            "shared": every - own,
        }

    def _sparse(self, every: frozenset[int]) -> frozenset[int]:
        """The layers with experts."""
        if (first := self.number("first_k_dense_replace")) is not None:
            each = self.number("moe_layer_freq") or 1
            return frozenset(layer for layer in every if layer >= first and layer % each == 0)
        if isinstance(chosen := self.get("moe_layers"), list) and chosen:
            return every & _integers(chosen)
        if step := self.number("interleave_moe_layer_step"):
            return frozenset(range(step - 1, len(every), step))
        step = self.number("decoder_sparse_step") or 1
        dense = _integers(self.get("mlp_only_layers"))
        return frozenset(layer for layer in every - dense if (layer + 1) % step == 0) if self.experts else frozenset()

    def _full(self, every: frozenset[int]) -> frozenset[int]:
        """The layers that look at everything."""
        kinds = self.get("layer_types")
        if isinstance(kinds, list) and len(kinds) == len(every):
            found = {layer for layer, kind in enumerate(kinds) if kind == "full_attention"}
            linear = "linear_attention" in kinds
            return frozenset(found if linear else found | {len(every) - 1})
        each = self.number("full_attention_interval") or 6
        return frozenset(layer for layer in every if (layer + 1) % each == 0)


def _integers(value: Any) -> frozenset[int]:
    return frozenset(each for each in value if type(each) is int) if isinstance(value, list) else frozenset()


def _times(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one * other


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
