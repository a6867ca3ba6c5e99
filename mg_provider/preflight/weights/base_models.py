"""Which listed base model a config.json has the architecture and the shape of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mg_provider.data import table
from mg_provider.preflight.findings import Finding, Severity, error, note, shown, warning
from mg_provider.preflight.tensors.dimensions import MOST, Dimensions
from mg_provider.preflight.tensors.other_models import other_model

NEAR = 0.02
"""How far a vocabulary may be from that of the base model, as a part of it."""

_EXACT = ("hidden_size", "num_hidden_layers", "experts", "intermediate_size")

TOY_MODEL = "mg-provider/toy-llama"
"""What a toy of an emulated cloud calls itself, in the key that Hugging Face has for a model's name."""


@dataclass(frozen=True)
class Identity:
    """What a config.json says of its model.

    Attributes:
        architecture: The first of ``architectures``, or None.
        base_model: Listed base model, or several that cannot be distinguished, or None.
        kind: What it is where it is not a language model, or empty.
        native_quantization: ``quant_method`` that the family is published with, or None.
        native_dtypes: Quantized dtypes that the family is published with.
        findings: What is wrong.
    """

    architecture: str | None
    base_model: str | None = None
    kind: str = ""
    native_quantization: str | None = None
    native_dtypes: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()


def identify(config: Mapping[str, Any], uri: str, *, own_container: bool = False) -> Identity:
    """Find the base model.

    Args:
        config: config.json.
        uri: Its URI, for findings.
        own_container: Whether the user's own container serves it, which no list binds.
    """
    architectures = config.get("architectures")
    if not isinstance(architectures, list) or not architectures or not isinstance(architectures[0], str):
        return Identity(None, findings=(_no_architecture(config, uri, own_container),))
    architecture = architectures[0]
    family = next((row for row in table("base_models")["families"] if architecture in row["architectures"]), None)
    if family is None:
        other = other_model(architecture)
        found = _writes_nothing(architecture, other, uri) if other else _unlisted(architecture, uri)
        if own_container:
            what = f" ({other})" if other else ""
            said = f"{shown(architecture)}{what} is not a base model of custom weights: your own container must know it"
            found = note(found.code, said, uri)
        return Identity(architecture, kind=other or "", findings=(found,))
    native = family.get("native_quantization", {})
    names, nearest = _names(family["models"], config, architecture)
    findings = [
        *_type_mismatch(config, family, uri),
        *([] if names or _is_toy(config) else [_unlisted_size(family, nearest, uri)]),
    ]
    findings += [_alike(row, uri) for row in family["models"] if names and set(names) <= {*row.get("alike", {})}]
    return Identity(
        architecture,
        " or ".join(names) or None,
        native_quantization=native.get("quant_method"),
        native_dtypes=frozenset(native.get("dtypes", ())),
        findings=tuple(_bound(finding, own_container) for finding in findings),
    )


def _bound(finding: Finding, own_container: bool) -> Finding:
    """A finding as it is, or as a note where a container of the user's own serves: the lists are those of Google's."""
    severity: Severity = "note" if own_container else finding.severity
    return Finding(severity, finding.code, finding.message, finding.object)


def _names(models: list[dict[str, Any]], config: Mapping[str, Any], architecture: str) -> tuple[list[str], list[str]]:
    """Names of the models of this shape, and where there is none, of those that differ in their vocabulary alone."""
    layouts = table("tensor_layouts")["architectures"]
    sizes = Dimensions(config, layouts.get(architecture, {}).get("model_type", ""))
    same = [row for row in models if _same(row, sizes, config, architecture)]
    vocabulary, said = sizes.number("vocab_size"), _marks(sizes)
    if not same or vocabulary is None:
        return [row["name"] for row in same], []
    away = {row["name"]: abs(row["vocab_size"] - vocabulary) / row["vocab_size"] for row in same}
    near = [row for row in same if away[row["name"]] <= NEAR and _called(row, said)]
    if near:
        closest = [row for row in near if not away[row["name"]]] or near
        return [name for row in closest for name in _called(row, said)], []
    return [], [name for name in away if away[name] == min(away.values())]


def _called(row: Mapping[str, Any], said: Mapping[str, float | None]) -> list[str]:
    """What a row's shape may be by other values: the listed model, and those of its shape that no list has."""
    listed = [row["name"]] if said["rope_theta"] in (None, row.get("rope_theta", said["rope_theta"])) else []
    alike: Mapping[str, Mapping[str, float]] = row.get("alike", {})
    exactly = [name for name, marks in alike.items() if all(said[key] == value for key, value in marks.items())]
    perhaps = [name for name, marks in alike.items() if any(said[key] is None and key in row for key in marks)]
    return exactly or listed + perhaps


def _same(row: Mapping[str, Any], sizes: Dimensions, config: Mapping[str, Any], architecture: str) -> bool:
    """Whether a model has these sizes; what config.json leaves open does not count, except hidden size and layers."""
    if row.get("architecture", architecture) != architecture:
        return False
    text = config.get("text_config")
    said = {**config, **text} if isinstance(text, dict) else config
    have = {name: said.get(name) for name in ("hidden_size", "num_hidden_layers", "intermediate_size")}
    have["experts"] = sizes.experts or None
    if "experts" not in row and have["experts"] is not None and sizes.kinds["sparse"]:
        return False
    if have["intermediate_size"] is None:
        have.pop("intermediate_size")
    return all(have[name] == row[name] for name in _EXACT if name in row and name in have)


def _marks(sizes: Dimensions) -> dict[str, float | None]:
    """What models of one shape differ in; the base of the rotary embedding as transformers 4 and as 5 write it."""
    ropes = sizes.get("rope_parameters")
    theta = ropes.get("rope_theta") if isinstance(ropes, dict) else None
    theta = sizes.get("rope_theta") if theta is None else theta
    return {
        "rope_theta": float(theta) if type(theta) in (int, float) and abs(theta) <= MOST else None,
        "max_position_embeddings": sizes.number("max_position_embeddings"),
    }


def _no_architecture(config: Mapping[str, Any], uri: str, own_container: bool) -> Finding:
    kind = config.get("model_type")
    families = (row for row in table("base_models")["families"] if kind in row["model_types"])
    example = next((row["architectures"][0] for row in families), "LlamaForCausalLM")
    message = f'config.json names no architecture: add "architectures": ["{example}"]'
    return _bound(error("no_architecture", message, uri), own_container)


def _unlisted(architecture: str, uri: str) -> Finding:
    families = ", ".join(row["family"] for row in table("base_models")["families"])
    message = (
        f"{shown(architecture)} is not in the list of what custom weights support, of {table('base_models')['as_of']}, "
        f"and may be newer than it: should the deployment fail, use weights of {families}, or serve these in a "
        "container of your own (container_spec)"
    )
    return warning("unsupported_architecture", message, uri)


def _writes_nothing(architecture: str, what: str, uri: str) -> Finding:
    message = (
        f"{shown(architecture)} is {what}: custom weights serve models that write text; serve it in a container of "
        "your own (container_spec)"
    )
    return error("not_a_language_model", message, uri)


def _type_mismatch(config: Mapping[str, Any], family: Mapping[str, Any], uri: str) -> list[Finding]:
    kind = config.get("model_type")
    if kind in family["model_types"]:
        return []
    expected = " or ".join(family["model_types"])
    message = f"config.json has model_type {shown(str(kind))}, its architecture goes with {expected}: set model_type"
    return [warning("model_type", message, uri)]


def _is_toy(config: Mapping[str, Any]) -> bool:
    """Whether it is a model of an emulated cloud, which nobody takes for one of the list."""
    return config.get("_name_or_path") == TOY_MODEL


def _alike(row: Mapping[str, Any], uri: str) -> Finding:
    message = (
        f"this is {' or '.join(row['alike'])}, which custom weights do not list. {row['name']}, which they list, has "
        "the same shape: it may work, but Google does not say so"
    )
    return note("alike", message, uri)


def _unlisted_size(family: Mapping[str, Any], nearest: list[str], uri: str) -> Finding:
    near = f"; the nearest is {' or '.join(nearest)}" if nearest else ""
    message = (
        f"config.json does not have the shape of a {family['family']} model that custom weights list "
        f"({', '.join(family['listed'])}){near}: it may work, but Google does not say so"
    )
    return warning("unlisted_size", message, uri)
