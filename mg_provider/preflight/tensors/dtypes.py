"""The number formats of weights: what config.json declares, what is stored, and what a model server loads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from mg_provider.preflight.findings import Finding, shown, warning
from mg_provider.preflight.folder import Folder
from mg_provider.preflight.tensors.stored_tensors import StoredTensors

_DECLARED = {"bfloat16": "BF16", "float16": "F16", "float32": "F32", "float64": "F64"}
_NAMES = {dtype: name for name, dtype in _DECLARED.items()}
_WIDE = frozenset({"F32", "F64"})

_SHARE = 0.1
"""Part of the bytes that may have another format than declared: norms, biases and routers often do."""


def declared(config: Mapping[str, Any]) -> str | None:
    """The format that config.json declares, such as ``bfloat16``; None where it names none."""
    text = config.get("text_config")
    sources = (config, text if isinstance(text, dict) else {})
    said = (source.get(key) for source in sources for key in ("dtype", "torch_dtype"))
    return next((name.removeprefix("torch.") for name in said if isinstance(name, str) and name), None)


def loaded_bytes(stored: StoredTensors) -> int:
    """Bytes that the tensors take in memory: a model server loads wider numbers in 16 bits."""
    total = 0
    for tensor in stored.tensors.values():
        if tensor is not None:
            size = tensor.end - tensor.begin
            total += size // {"F64": 4, "F32": 2}.get(tensor.dtype, 1)
    return total


def compare_dtypes(folder: Folder, config: Mapping[str, Any], stored: StoredTensors) -> list[Finding]:
    """Whether the tensors have the declared format; at most one finding."""
    name = declared(config)
    wanted = _DECLARED.get(name or "")
    sizes: Counter[str] = Counter()
    example: dict[str, str] = {}
    for tensor_name, tensor in stored.tensors.items():
        if tensor is not None and tensor.dtype in _NAMES and len(tensor.shape) > 1:
            sizes[tensor.dtype] += tensor.end - tensor.begin
            example.setdefault(tensor.dtype, tensor_name)
    others = {dtype: size for dtype, size in sizes.items() if dtype != wanted}
    if wanted is None or not others or sum(others.values()) <= _SHARE * sizes.total():
        return []
    dtype = max(others, key=lambda each: others[each])
    share = round(100 * others[dtype] / sizes.total())
    cost = "they take more time to load, and the numbers are rounded" if dtype in _WIDE else "the numbers are converted"
    message = (
        f"config.json declares {shown(name or '')}, {share} % of the weights are {dtype} ({example[dtype]}): {cost} at "
        f'each start; save them with model.to(torch.{name}).save_pretrained(folder), or set "dtype": "{_NAMES[dtype]}"'
    )
    return [warning("other_dtype", message, stored.file_of(folder, example[dtype]))]
