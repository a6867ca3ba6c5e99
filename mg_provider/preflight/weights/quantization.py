"""Weights that were quantized, which custom weights refuse unless the base model itself is published so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mg_provider.preflight.findings import Finding, Severity, shown, some
from mg_provider.preflight.weights.base_models import Identity
from mg_provider.preflight.weights.folder import Folder
from mg_provider.preflight.weights.safetensors_header import Tensor

_FILES = ("quantize_config.json", "quant_config.json", "hf_quant_config.json")
# The last one is that of MLX.
_KEYS = ("quantization_config", "compression_config", "quantization")
_DTYPES = frozenset({"F4", "F6_E2M3", "F6_E3M2", "U8", "I8"} | {f"F8_{kind}" for kind in ("E4M3", "E5M2", "E8M0")})
# GPTQ and AWQ; compressed-tensors; bitsandbytes.
_SUFFIXES = (".qweight", ".qzeros", ".weight_packed", ".absmax", ".quant_map", ".SCB")


def configured(folder: Folder, config: Mapping[str, Any], identity: Identity, *, allowed: bool) -> list[Finding]:
    """What config.json and the names of files say of quantization; at most one finding."""
    methods = _methods(config)
    foreign = [method for method in methods if method != identity.native_quantization]
    if foreign:
        what = f"config.json says that the weights are quantized ({shown(foreign[0])})"
        return [_finding(what, folder, "config.json", allowed)]
    files = [name for name in _FILES if name in folder.sizes]
    if files and not methods:
        return [_finding(f"{files[0]} says that the weights are quantized", folder, files[0], allowed)]
    return []


def stored(
    folder: Folder, tensors: Iterable[tuple[str, str, Tensor]], identity: Identity, *, allowed: bool
) -> list[Finding]:
    """What the tensors themselves say of quantization; at most one finding.

    Args:
        folder: The folder.
        tensors: File, name and tensor.
        identity: What config.json says of the model.
        allowed: Whether the user wants to deploy quantized weights.
    """
    suspects = [
        (file, f"{name} ({tensor.dtype})")
        for file, name, tensor in tensors
        if name.endswith(_SUFFIXES) or (tensor.dtype in _DTYPES - identity.native_dtypes and len(tensor.shape) > 1)
    ]
    if not suspects:
        return []
    names = some(name for _, name in suspects)
    return [_finding(f"the weights are quantized: {names}", folder, suspects[0][0], allowed)]


def _methods(config: Mapping[str, Any]) -> list[str]:
    """Each ``quant_method``; ``unknown`` for one without a name."""
    text = config.get("text_config")
    sources = (config, text if isinstance(text, dict) else {})
    found = [source[key] for source in sources for key in _KEYS if isinstance(source.get(key), dict) and source[key]]
    methods = [each.get("quant_method") for each in found]
    return [method if isinstance(method, str) else "unknown" for method in methods]


def _finding(what: str, folder: Folder, name: str, allowed: bool) -> Finding:
    severity: Severity = "warning" if allowed else "error"
    hint = (
        "custom weights do not support that"
        if allowed
        else "custom weights do not support that: upload the weights in bfloat16, or set allow_quantized to try"
    )
    return Finding(severity, "quantized", f"{what}; {hint}", folder.object(name))
