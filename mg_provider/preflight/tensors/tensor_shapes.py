"""Whether the tensors of a folder are those that its config.json describes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mg_provider.preflight.findings import Finding, error, some, warning
from mg_provider.preflight.folder import Folder
from mg_provider.preflight.tensors.dtypes import declared
from mg_provider.preflight.tensors.layouts import Layout, Row, Shape
from mg_provider.preflight.tensors.safetensors_header import Tensor
from mg_provider.preflight.tensors.stored_tensors import (
    Numbers,
    StoredTensors,
    full_name,
    not_floating_point,
    shape_text,
)

_HEAD = "lm_head.weight"

# What quantization and old versions of transformers add beside the weights.
_BESIDE = (
    "scale", "scale_inv", "scale_2", "scales", "biases", "inv_freq", "masked_bias", "zero_point", "g_idx", "blocks",
    "amax", "qzeros", "weight_shape",
)  # fmt: skip
_PACKED = ("qweight", "qzeros", "weight_packed", "absmax", "quant_map", "SCB", "weight_blocks")
_PACKED_DTYPES = frozenset({"U8", "I8", "I32", "U32", "F4"})
# Those that a family is published with: their shapes are known.
_OWN_PACKED = ("_blocks", "_scales")

# Heads of reward and value models, which training saves beside a language model.
_OTHER_HEADS = ("v_head.", "value_head.", "score.", "reward_head.")

# Which keys of config.json a shape is made of, by a part of the tensor's name.
_KEYS = (
    ("experts", "moe_intermediate_size, intermediate_size and the number of experts"),
    ("mlp", "intermediate_size"),
    ("feed_forward", "intermediate_size"),
    ("linear_attn", "linear_num_key_heads and linear_num_value_heads"),
    ("attn", "num_attention_heads, num_key_value_heads and head_dim"),
    ("norm", "hidden_size and head_dim"),
)

_WIDTHS = {"float32": 4, "float64": 8}
_LESS, _MORE = 0.97, 1.1
"""Between which parts of the bytes that a shape needs the bytes of sound weights are."""

OWN_CONFIG = "upload the config.json that was saved with these weights, or the weights that belong to it"
_SAVE = "save the whole model again with model.save_pretrained(folder) and upload it"


def tied_of(config: Mapping[str, Any], layout: Layout) -> bool | None:
    """Whether the head is the embedding; None where config.json leaves it open."""
    text = config.get("text_config")
    if not isinstance(text, dict):
        value = layout.sizes.get("tie_word_embeddings")
        return bool(value)
    said = {
        source["tie_word_embeddings"] for source in (config, text) if type(source.get("tie_word_embeddings")) is bool
    }
    return said.pop() if len(said) == 1 else None


def compare_shapes(folder: Folder, config: Mapping[str, Any], stored: StoredTensors, layout: Layout) -> list[Finding]:
    """What the tensors are that config.json does not say, and the other way round, the most telling first."""
    comparison = _Comparison(folder, stored, layout)
    if not comparison.prefix_found:
        return [comparison.other_names()]
    if sized := comparison.size():
        return [sized]
    vocabulary = comparison.vocabulary(layout.embedding.name)
    found = [vocabulary or comparison.head(tied_of(config, layout))]
    if not packed(stored):
        found += comparison.rows()
    return [finding for finding in found if finding]


def packed(stored: StoredTensors) -> bool:
    """Whether several numbers are packed into one, so that shapes say nothing."""
    return any(group.endswith(_PACKED) for group in stored.groups) or any(
        tensor and not_floating_point(tensor) for tensor in stored.tensors.values()
    )


class _Comparison:
    def __init__(self, folder: Folder, stored: StoredTensors, layout: Layout) -> None:
        self.folder, self.stored, self.layout = folder, stored, layout
        counts = {prefix: self._count(prefix) for prefix in layout.prefixes}
        self.prefix = max(layout.prefixes, key=lambda prefix: counts[prefix])
        self.prefix_found = counts[self.prefix] > 0

    def _count(self, prefix: str) -> int:
        begins = (f"{prefix}{self.layout.layer}.*.", f"{prefix}{self.layout.embedding.name}")
        return sum(len(found) for group, found in self.stored.groups.items() if group.startswith(begins))

    def _found(self, name: str) -> dict[Numbers, Tensor | None]:
        return self.stored.groups.get(f"{self.prefix}{name}", {})

    def _at(self, name: str) -> str:
        return self.stored.file_of(self.folder, name)

    def other_names(self) -> Finding:
        """No tensor has a name that the architecture knows."""
        wanted = f"{self.prefix}{self.layout.embedding.name}"
        names = sorted(self.stored.tensors)
        near = [name for name in names if name.endswith(self.layout.embedding.name)] or names
        if {"tok_embeddings.weight", "layers.0.attention.wq.weight"} & self.stored.tensors.keys():
            repair = "they are in the format of the model's authors: upload the Hugging Face version of the model"
        elif near and near[0].endswith(f".{wanted}"):
            mark = near[0].removesuffix(wanted)
            repair = f"save the model that is inside {mark.removesuffix('.')}, so that no name begins with {mark}"
        elif self.layout.sees:
            repair = (
                "a model without its image part was saved: set architectures to its text class and put the values of "
                "text_config at the top of config.json, or save the whole model again"
            )
        else:
            repair = "save the model with its head (AutoModelForCausalLM) with model.save_pretrained(folder)"
        message = f"{self.layout.architecture} has a tensor {wanted}, these have other names ({some(near)}): {repair}"
        return error("other_names", message, self._at(near[0]) if near else self.folder.uri)

    def size(self) -> Finding | None:
        """Whether hidden size and layers are those of config.json."""
        sizes, name = self.layout.sizes, f"{self.prefix}{self.layout.embedding.name}"
        hidden, tensor = sizes.number("hidden_size"), self.stored.tensors.get(name)
        layers, wanted = self._layers(), sizes.layers or 0
        seen = tensor.shape[-1] if tensor and len(tensor.shape) == 2 and tensor.dtype not in _PACKED_DTYPES else hidden
        lost = {layer for layer in range(wanted)} - layers
        more = sorted(layer for layer in layers if layer >= wanted + self.layout.extra_layers)
        if seen == hidden and not lost and not more:
            return None
        have, say = [f"{len(layers)} {'layer' if len(layers) == 1 else 'layers'}"], [f"num_hidden_layers {wanted}"]
        if seen != hidden:
            have.insert(0, f"hidden size {seen}")
            say.insert(0, f"hidden_size {hidden}")
        which = f"; {_layers_text(lost)} missing" if lost and seen == hidden else ""
        example = f" ({name} is {shape_text(tensor)})" if tensor else ""
        message = (
            f"the weights have {' and '.join(have)}{example}, config.json says {' and '.join(say)}{which}: {OWN_CONFIG}"
        )
        return error("other_size", message, self._at(name))

    def _layers(self) -> set[int]:
        begin = f"{self.prefix}{self.layout.layer}.*."
        layers = self.layout.sizes.layers or 0
        extra = range(layers, layers + self.layout.extra_layers)
        found = {numbers[0] for group, all in self.stored.groups.items() if group.startswith(begin) for numbers in all}
        return {layer for layer in found if layer not in extra}

    def vocabulary(self, name: str) -> Finding | None:
        """Whether the embedding has a row for each token."""
        row, tensor = self.layout.embedding, self._found(name).get(())
        wanted = row.shapes[0]
        if () not in self._found(name):
            return self._missing_embedding(name)
        if tensor is None or tensor.dtype in _PACKED_DTYPES or _fits(tensor.shape, row.shapes):
            return None
        message = (
            f"{self.prefix}{name} is {shape_text(tensor)}, config.json makes it {_shape(wanted)}: set vocab_size to "
            f"{tensor.shape[0] - ((wanted[0] or 0) - (self.layout.sizes.number('vocab_size') or 0))} if these are the "
            "weights that you mean, or save the model again after model.resize_token_embeddings(len(tokenizer))"
        )
        return error("other_vocabulary", message, self._at(f"{self.prefix}{name}"))

    def _missing_embedding(self, name: str) -> Finding | None:
        if packed(self.stored):
            return None
        return error("missing_weights", f"there is no {self.prefix}{name}: {_SAVE}", self.folder.uri)

    def head(self, tied: bool | None) -> Finding | None:
        """Whether the head is there, or is the embedding."""
        names = [name for name in self.stored.groups if name == _HEAD or name.endswith(f".{_HEAD}")]
        sizes = self.layout.sizes
        if not names:
            if tied is not False or packed(self.stored):
                return None
            message = (
                f'there is no {_HEAD}, and config.json says "tie_word_embeddings": false: set it to true if the model '
                f"was trained so, or {_SAVE}"
            )
            return error("no_head", message, self.folder.uri)
        tensor = None if tied else self.stored.groups[names[0]].get(())
        wanted: Shape = (sizes.number("vocab_size"), sizes.number("hidden_size"))
        if tensor is None or tensor.dtype in _PACKED_DTYPES or _fits(tensor.shape, (wanted,)):
            return None
        message = (
            f"{names[0]} is {shape_text(tensor)}, config.json makes it {_shape(wanted)}: save the model again after "
            "model.resize_token_embeddings(len(tokenizer)), with the config.json of the same save"
        )
        return error("other_vocabulary", message, self._at(names[0]))

    def rows(self) -> list[Finding | None]:
        """Each other tensor: whether it is there, whether its shape is right, whether it is known at all."""
        missing: list[str] = []
        wrong: list[tuple[str, Tensor, Shape]] = []
        for row in self._chosen():
            self._compare(row, missing, wrong)
        unknown = self._unknown()
        if wrong:
            return [self._wrong(wrong)]
        return [self._missing(missing, unknown) if missing else self._extra(unknown) if unknown else None]

    def _chosen(self) -> Iterator[Row]:
        """Of each choice the rows that are there, or else the first ones; the embedding was looked at."""
        for choice in self.layout.choices:
            present = (rows for rows in choice if any(self._found(row.name) for row in rows))
            yield from (row for row in next(present, choice[0]) if row is not self.layout.embedding)

    def _compare(self, row: Row, missing: list[str], wrong: list[tuple[str, Tensor, Shape]]) -> None:
        found, group = self._found(row.name), f"{self.prefix}{row.name}"
        for numbers in row.indexes():
            if numbers not in found:
                missing += [full_name(group, numbers)] if row.required else []
                continue
            tensor = found[numbers]
            known = tensor and (tensor.dtype not in _PACKED_DTYPES or row.name.endswith(_OWN_PACKED))
            if tensor and known and not _fits(tensor.shape, row.shapes):
                wrong.append((full_name(group, numbers), tensor, row.shapes[0]))

    def _wrong(self, wrong: list[tuple[str, Tensor, Shape]]) -> Finding:
        name, tensor, wanted = wrong[0]
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        keys = next((keys for part, keys in _KEYS if part in name), "hidden_size")
        message = (
            f"{name} is {shape_text(tensor)}, config.json makes it {_shape(wanted)}{more}: check {keys}; {OWN_CONFIG}"
        )
        return error("other_shapes", message, self._at(name))

    def _missing(self, missing: list[str], unknown: list[str]) -> Finding:
        instead = f"; {some(unknown)} {'is' if len(unknown) == 1 else 'are'} there instead" if unknown else ""
        message = (
            f"{len(missing)} {'tensor' if len(missing) == 1 else 'tensors'} that {self.layout.architecture} needs "
            f"{'is' if len(missing) == 1 else 'are'} missing: {some(missing)}{instead}; check architectures in "
            f"config.json, or {_SAVE}"
        )
        return error("missing_weights", message, self.folder.uri)

    def _unknown(self) -> list[str]:
        """Tensors of layers, and heads, that the architecture does not have."""
        known = {f"{self.prefix}{row.name}" for choice in self.layout.choices for rows in choice for row in rows}
        begin = f"{self.prefix}{self.layout.layer}.*."
        wanted = self.layout.sizes.layers or 0
        heads = [name for name in self.stored.tensors if name.startswith(_OTHER_HEADS)]
        return heads + [
            full_name(group, numbers)
            for group, found in self.stored.groups.items()
            if group.startswith(begin) and group not in known and not group.endswith(_BESIDE)
            for numbers in found
            if numbers[0] < wanted
        ]

    def _extra(self, unknown: list[str]) -> Finding:
        message = (
            f"{some(unknown)}: {self.layout.architecture} has no such {'tensor' if len(unknown) == 1 else 'tensors'}, "
            "and a model server may refuse to load them: check architectures in config.json, or save the model without "
            "them"
        )
        return warning("unknown_tensors", message, self._at(unknown[0]))


def compare_bytes(
    folder: Folder, config: Mapping[str, Any], layout: Layout, size: int, methods: tuple[str, ...]
) -> list[Finding]:
    """Whether weights that were not looked at one by one have the bytes that config.json makes; at most one finding."""
    elements = _elements_of(layout, tied_of(config, layout))
    if methods not in ((), ("fp8",)) or not elements:
        return []
    needed = elements * (1 if methods else _WIDTHS.get(declared(config) or "", 2))
    ratios = [size / needed] if methods else [size / needed, size / needed / 2, size / needed * 2]
    most = math.inf if layout.sees else _MORE
    if any(_LESS <= ratio <= most for ratio in ratios):
        return []
    message = (
        f"the weights have {size / 1e9:.2f} GB, the shape in config.json makes {needed / 1e9:.2f} GB: {OWN_CONFIG}"
    )
    return [error("other_size", message, folder.uri)]


def _elements_of(layout: Layout, tied: bool | None) -> int:
    """Numbers in all tensors of the language model; those of unknown shape are left out."""
    # The last of several choices is the one that is not quantized.
    rows = [row for choice in layout.choices for row in choice[-1] if row.required]
    total = sum(sum(1 for _ in row.indexes()) * math.prod(size or 0 for size in row.shapes[0]) for row in rows)
    head = (layout.sizes.number("vocab_size") or 0) * (layout.sizes.number("hidden_size") or 0)
    return total if tied is not False else total + head


def _fits(shape: tuple[int, ...], shapes: Iterable[Shape]) -> bool:
    return any(
        len(shape) == len(wanted) and all(size in (None, there) for size, there in zip(wanted, shape, strict=True))
        for wanted in shapes
    )


def _shape(shape: Shape) -> str:
    return f"[{', '.join('?' if size is None else str(size) for size in shape)}]"


def _layers_text(layers: set[int]) -> str:
    ordered = sorted(layers)
    if len(ordered) == 1:
        return f"layer {ordered[0]} is"
    if ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"layers {ordered[0]} to {ordered[-1]} are"
    return f"layers {some(map(str, ordered))} are"
