"""Which listed base model a config.json has the architecture and the shape of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mg_provider.data import table
from mg_provider.preflight.findings import Finding, error, shown, warning

# Families spell the number of experts in their own ways.
_EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts")


@dataclass(frozen=True)
class Identity:
    """What a config.json says of its model.

    Attributes:
        architecture: The first of ``architectures``, or None.
        base_model: Listed base model, or several that cannot be told apart, or None.
        native_quantization: ``quant_method`` that the family is published with, or None.
        native_dtypes: Quantized dtypes that the family is published with.
        findings: What is wrong.
    """

    architecture: str | None
    base_model: str | None = None
    native_quantization: str | None = None
    native_dtypes: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()


def identify(config: Mapping[str, Any], uri: str) -> Identity:
    """Find the base model.

    Args:
        config: config.json.
        uri: Its URI, for findings.
    """
    architectures = config.get("architectures")
    if not isinstance(architectures, list) or not architectures or not isinstance(architectures[0], str):
        return Identity(None, findings=(_no_architecture(config, uri),))
    architecture = architectures[0]
    family = next((row for row in table("base_models")["families"] if architecture in row["architectures"]), None)
    if family is None:
        return Identity(architecture, findings=(_unsupported(architecture, uri),))
    native = family.get("native_quantization", {})
    names = _sizes(family["models"], _shape(config))
    findings = [*_type_mismatch(config, family, uri), *([] if names else [_unlisted_size(family, uri)])]
    return Identity(
        architecture,
        " or ".join(names) or None,
        native.get("quant_method"),
        frozenset(native.get("dtypes", ())),
        tuple(findings),
    )


def _shape(config: Mapping[str, Any]) -> dict[str, int]:
    """Hidden size, layers and so on; a model that also sees images keeps them one level down."""
    text = config.get("text_config")
    source = {**config, **text} if isinstance(text, dict) else config
    names = ("hidden_size", "num_hidden_layers", "intermediate_size", "vocab_size")
    shape = {name: source[name] for name in names if type(source.get(name)) is int}
    experts = next((source[name] for name in _EXPERTS if type(source.get(name)) is int), None)
    return shape if experts is None else {**shape, "experts": experts}


def _sizes(models: list[dict[str, Any]], shape: dict[str, int]) -> list[str]:
    """Names of the models of this shape; of several, those whose vocabulary is the nearest."""
    exact = ("hidden_size", "num_hidden_layers", "experts", "intermediate_size")
    same = [row for row in models if all(shape.get(name) == row[name] for name in exact if name in row)]
    if not same or "vocab_size" not in shape:
        return [row["name"] for row in same]
    nearest = min(abs(row["vocab_size"] - shape["vocab_size"]) for row in same)
    return [row["name"] for row in same if abs(row["vocab_size"] - shape["vocab_size"]) == nearest]


def _no_architecture(config: Mapping[str, Any], uri: str) -> Finding:
    kind = config.get("model_type")
    families = (row for row in table("base_models")["families"] if kind in row["model_types"])
    example = next((row["architectures"][0] for row in families), "LlamaForCausalLM")
    return error("no_architecture", f'config.json names no architecture: add "architectures": ["{example}"]', uri)


def _unsupported(architecture: str, uri: str) -> Finding:
    families = ", ".join(row["family"] for row in table("base_models")["families"])
    return error(
        "unsupported_architecture",
        f"{shown(architecture)} is not the architecture of a base model that custom weights support: "
        f"use weights of {families}, or serve these in a container of your own",
        uri,
    )


def _type_mismatch(config: Mapping[str, Any], family: Mapping[str, Any], uri: str) -> list[Finding]:
    kind = config.get("model_type")
    if kind in family["model_types"]:
        return []
    expected = " or ".join(family["model_types"])
    message = f"config.json has model_type {shown(str(kind))}, its architecture goes with {expected}: set model_type"
    return [warning("model_type", message, uri)]


def _unlisted_size(family: Mapping[str, Any], uri: str) -> Finding:
    message = (
        f"the shape in config.json is that of no {family['family']} model that custom weights list "
        f"({', '.join(family['listed'])}): it may work, but Google does not say so"
    )
    return warning("unlisted_size", message, uri)
