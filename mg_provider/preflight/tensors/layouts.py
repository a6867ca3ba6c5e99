"""Which tensors a model of a known architecture has, and their shapes, from ``data/tensor_layouts.json``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mg_provider.data import table
from mg_provider.preflight.tensors.dimensions import Dimensions

Shape = tuple[int | None, ...]

_MOST_EXPERTS = 200_000
"""More experts in all layers than any model has; a config.json that says so is not worth the time."""


@dataclass(frozen=True)
class Row:
    """Tensors of one name, ``*`` standing for the numbers of layer and expert.

    Attributes:
        name: The name behind the model's prefix.
        shapes: Each shape that is right; None in one is a size that config.json does not tell.
        layers: The layers that have it; None for what is there once.
        experts: How many a layer has; None for what a layer has once.
        required: Whether it must be there.
    """

    name: str
    shapes: tuple[Shape, ...]
    layers: frozenset[int] | None = None
    experts: int | None = None
    required: bool = True

    def indexes(self) -> Iterator[tuple[int, ...]]:
        """The numbers in each tensor's name."""
        if self.layers is None:
            yield ()
            return
        for layer in self.layers:
            if self.experts is not None:
                yield from ((layer, expert) for expert in range(self.experts))
            else:
                yield (layer,)


@dataclass(frozen=True)
class Layout:
    """The tensors of a language model.

    Attributes:
        architecture: Its class.
        prefixes: What names begin with, each as good as another.
        layer: What comes before the number of a layer.
        choices: Sets of rows, of each of which one is there.
        sizes: The sizes in config.json.
        extra_layers: Layers that may come after the last, which predict further tokens.
        sees: Whether it has parts beside the language model.
    """

    architecture: str
    prefixes: tuple[str, ...]
    layer: str
    choices: tuple[tuple[tuple[Row, ...], ...], ...]
    sizes: Dimensions
    extra_layers: int
    sees: bool

    @property
    def embedding(self) -> Row:
        """The row of the token embedding."""
        return self.choices[0][0][0]


def layout_of(architecture: str, config: Mapping[str, Any]) -> Layout | None:
    """The layout of an architecture with the sizes of a config.json; None for one that is not known."""
    entry = table("tensor_layouts")["architectures"].get(architecture)
    if entry is None:
        return None
    sizes = Dimensions(config, entry["model_type"], entry.get("experts_size", "moe_intermediate_size"))
    if sizes.layers is None or sizes.layers * (sizes.experts or 1) > _MOST_EXPERTS:
        return None
    layer = entry.get("layer", "layers")
    choices = [*_choices(entry["top"], sizes, None, "")]
    for kind, blocks in entry["layers"].items():
        layers = frozenset.intersection(*(sizes.kinds[name] for name in kind.split("&")))
        if layers:
            choices += _choices(blocks, sizes, layers, f"{layer}.*.")
    extra = sizes.number("num_nextn_predict_layers")
    return Layout(
        architecture,
        tuple(entry["prefixes"]),
        layer,
        tuple(choices),
        sizes,
        max(entry.get("extra_layers", 0), extra or 0),
        "language_model." in "".join(entry["prefixes"]),
    )


def _choices(
    blocks: list[str], sizes: Dimensions, layers: frozenset[int] | None, before: str
) -> Iterator[tuple[tuple[Row, ...], ...]]:
    for text in blocks:
        names, _, condition = text.partition(" ")
        if condition and not _holds(condition, sizes):
            continue
        required = not names.endswith("?")
        yield tuple(
            tuple(
                Row(f"{before}{name}", _shapes(shape, sizes), layers, _experts(name, sizes), required)
                for name, shape in table("tensor_layouts")["blocks"][block].items()
            )
            for block in names.strip("?").split("|")
        )


def _holds(condition: str, sizes: Dimensions) -> bool:
    word, key = condition.split(" ")
    return bool(sizes.get(key)) is (word == "if")


def _shapes(text: str, sizes: Dimensions) -> tuple[Shape, ...]:
    return tuple(sizes.shape(each) for each in text.split("|"))


def _experts(name: str, sizes: Dimensions) -> int | None:
    return (sizes.experts or 0) if ".*." in name else None
