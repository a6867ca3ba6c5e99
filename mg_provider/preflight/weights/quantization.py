"""Quantized weights, which custom weights refuse unless the base model itself is published so.

What config.json says and what the tensors are must also agree: a block that was left over makes a model server read
16-bit weights as something else, and quantized weights without their block are read as if they were numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mg_provider.preflight.findings import Finding, Severity, shown, some
from mg_provider.preflight.folder import Folder
from mg_provider.preflight.tensors.safetensors_header import Tensor
from mg_provider.preflight.tensors.stored_tensors import StoredTensors, not_floating_point
from mg_provider.preflight.weights.base_models import Identity

_FILES = ("quantize_config.json", "quant_config.json", "hf_quant_config.json")
# The last one is that of MLX.
_KEYS = ("quantization_config", "compression_config", "quantization")
_DTYPES = frozenset(
    {"F4", "F6_E2M3", "F6_E3M2", "U8", "I8", "U32"} | {f"F8_{kind}" for kind in ("E4M3", "E5M2", "E8M0")}
)
# Masks of bytes and positions, which some old classes save.
_MASKS = ("attention.bias", "attn.bias", "masked_bias", "mask", "position_ids")
# GPTQ and AWQ; compressed-tensors; bitsandbytes; fp8; MXFP4.
_SUFFIXES = (
    ".qweight", ".qzeros", ".weight_packed", ".absmax", ".quant_map", ".SCB",
    ".weight_scale_inv", ".weight_scale", "_proj_blocks", "_proj_scales",
)  # fmt: skip
_HINT = "upload the weights in bfloat16, or set allow_quantized (`--allow-quantized`) to try"


@dataclass(frozen=True)
class Quantization:
    """What is said of quantization and what is there.

    Attributes:
        methods: Each ``quant_method`` in config.json; ``unknown`` for one without a name.
        key: The key in config.json that says so, or empty.
        file: Another file that says so, or empty.
    """

    methods: tuple[str, ...] = ()
    key: str = ""
    file: str = ""


def said(folder: Folder, config: Mapping[str, Any]) -> Quantization:
    """What config.json and the names of files say of quantization."""
    text = config.get("text_config")
    sources = (config, text if isinstance(text, dict) else {})
    found = [
        (key, source[key]) for source in sources for key in _KEYS if isinstance(source.get(key), dict) and source[key]
    ]
    methods = tuple(method if isinstance(method := block.get("quant_method"), str) else "unknown" for _, block in found)
    file = next((name for name in _FILES if name in folder.sizes), "")
    return Quantization(methods, found[0][0] if found else "", "" if found else file)


def judge(
    folder: Folder,
    saying: Quantization,
    stored: StoredTensors | None,
    identity: Identity,
    *,
    allowed: bool,
    own_container: bool,
) -> list[Finding]:
    """What is wrong with quantization; at most one finding.

    Args:
        folder: The folder.
        saying: What config.json and other files say.
        stored: The tensors; None where they cannot be read.
        identity: What config.json says of the model.
        allowed: Whether the user wants to deploy quantized weights.
        own_container: Whether the user's own container serves them.
    """
    severity: Severity = "note" if own_container else "warning" if allowed else "error"
    suspects = _suspects(stored) if stored else []
    if stored and stored.tensors and not suspects and stored.complete and (saying.methods or saying.file):
        return [_left_over(folder, saying, stored, severity)]
    foreign = [method for method in saying.methods if method != identity.native_quantization]
    hint = "custom weights do not support that" + ("" if severity != "error" else f": {_HINT}")
    if foreign:
        what = f"config.json says that the weights are quantized ({shown(foreign[0])})"
        return [Finding(severity, "quantized", f"{what}; {hint}", folder.object("config.json"))]
    if saying.file and not saying.methods:
        what = f"{saying.file} says that the weights are quantized"
        return [Finding(severity, "quantized", f"{what}; {hint}", folder.object(saying.file))]
    return _tensors(folder, saying, stored, suspects, identity, severity, hint) if stored else []


def _tensors(
    folder: Folder,
    saying: Quantization,
    stored: StoredTensors,
    suspects: list[str],
    identity: Identity,
    severity: Severity,
    hint: str,
) -> list[Finding]:
    """Quantized tensors of which config.json says nothing, or which are not as the family is published."""
    native = identity.native_dtypes
    if identity.native_quantization and saying.methods:
        suspects = [name for name in suspects if _dtype(stored, name) not in native | {"F32", "BF16", "F16", None}]
    if not suspects:
        return []
    where = stored.file_of(folder, suspects[0])
    names = some(f"{name} ({_dtype(stored, name) or 'by its name'})" for name in suspects)
    method = identity.native_quantization
    if method and not saying.methods and all(_dtype(stored, name) in native | {"F32", None} for name in suspects):
        message = (
            f"{len(suspects)} tensors are quantized ({names}), and config.json has no quantization_config: copy it "
            f'from the config.json of the base model ("quant_method": "{method}"), or save the weights in bfloat16'
        )
        return [Finding("note" if severity == "note" else "error", "quantization_missing", message, where)]
    if not saying.methods and all(
        name.endswith(".weight") and (tensor := stored.tensors[name]) and not_floating_point(tensor)
        for name in suspects
    ):
        message = (
            f"the weights are not floating point numbers: {names}; save them with model.to(torch.bfloat16)"
            ".save_pretrained(folder), not through numpy, which has no bfloat16"
        )
        return [Finding("note" if severity == "note" else "error", "not_floating_point", message, where)]
    block = "" if saying.methods else ", and config.json has no quantization_config, which says how to read them"
    return [Finding(severity, "quantized", f"the weights are quantized: {names}{block}; {hint}", where)]


def _left_over(folder: Folder, saying: Quantization, stored: StoredTensors, severity: Severity) -> Finding:
    """A block beside weights that are not quantized."""
    kinds = Counter(tensor.dtype for tensor in stored.tensors.values() if tensor)
    dtype = kinds.most_common(1)[0][0] if kinds else "not quantized"
    if saying.file:
        message = f"the weights are {dtype}, only {saying.file} says that they are quantized: remove that file"
        return Finding(severity, "quantization_left_over", message, folder.object(saying.file))
    message = (
        f"the weights are {dtype}; only config.json says that they are quantized ({shown(saying.methods[0])}): remove "
        f"{saying.key} from config.json"
    )
    return Finding(severity, "quantization_left_over", message, folder.object("config.json"))


def _suspects(stored: StoredTensors) -> list[str]:
    """Names of the tensors that are quantized by dtype or by name, weights before their scales."""
    found = [
        name
        for name, tensor in stored.tensors.items()
        if name.endswith(_SUFFIXES) or (tensor and _numbers_in(tensor) and not name.endswith(_MASKS))
    ]
    return sorted(found, key=lambda name: (_dtype(stored, name) not in _DTYPES, name.endswith(("_scales", "_inv"))))


def _numbers_in(tensor: Tensor) -> bool:
    """Whether it is a matrix of numbers that a quantizer wrote."""
    if len(tensor.shape) < 2:
        return False
    return tensor.dtype in _DTYPES or not_floating_point(tensor)


def _dtype(stored: StoredTensors, name: str) -> str | None:
    tensor: Tensor | None = stored.tensors[name]
    return tensor.dtype if tensor else None
