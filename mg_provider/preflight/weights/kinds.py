"""Folders that are something else than Hugging Face weights, and files beside the weights that nobody will read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mg_provider.api.errors import CloudError
from mg_provider.preflight.findings import Finding, error, shown, some, warning
from mg_provider.preflight.weights.folder import Folder, NotJson, read_json

LOOKED_INTO = 16
"""Of how many subfolders the files are listed in search of config.json."""

ADAPTER = "adapter_config.json"

# Other files that training leaves in a folder and that end like weights.
_LEFTOVERS = ("training_args", "optimizer", "scheduler", "rng_state", "random_states", "adapter_model", "scaler")
_HUGGING_FACE = "upload the folder that the transformers library writes with save_pretrained(safe_serialization=True)"


def weight_files(folder: Folder, suffix: str) -> list[str]:
    """Names of the files that are weights by their name."""
    return sorted(name for name in folder.sizes if name.endswith(suffix) and not name.startswith(_LEFTOVERS))


@dataclass(frozen=True)
class _Kind:
    """One kind of folder or file: its code, how it is recognised, what it is and what to do."""

    code: str
    matches: Callable[[str], bool]
    message: str


def _ends(*suffixes: str) -> Callable[[str], bool]:
    return lambda name: name.endswith(suffixes)


def _is(*names: str) -> Callable[[str], bool]:
    return lambda name: name in names


def _megatron(name: str) -> bool:
    return name == "latest_checkpointed_iteration.txt" or name.startswith(("mp_rank_", "iter_0"))


def _original(name: str) -> bool:
    return name.startswith("consolidated.") or name == "params.json"


_KINDS = (
    _Kind(
        "lora_adapter",
        _is(ADAPTER, "adapter_model.safetensors", "adapter_model.bin"),
        "is a LoRA adapter, not a whole model: merge it into its base model with merge_and_unload() and upload the "
        "result",
    ),
    _Kind("gguf", _ends(".gguf"), f"is a GGUF model, made for llama.cpp: {_HUGGING_FACE}"),
    _Kind(
        "diffusers",
        _is("model_index.json"),
        "is a diffusers pipeline, which makes images: custom weights serve text models only",
    ),
    _Kind("megatron", _megatron, f"is a Megatron checkpoint: convert it to Hugging Face weights, then {_HUGGING_FACE}"),
    _Kind(
        "distributed_checkpoint",
        lambda name: name.endswith(".distcp") or name == "zero_to_fp32.py" or name.startswith("global_step"),
        f"is a sharded training checkpoint: gather it into whole weights (zero_to_fp32.py does it for DeepSpeed), then "
        f"{_HUGGING_FACE}",
    ),
    _Kind(
        "original_format",
        _original,
        "is in the format of the model's authors (consolidated.*): upload the Hugging Face version, which is often the "
        "folder above",
    ),
    _Kind("onnx", _ends(".onnx"), f"is an ONNX model: {_HUGGING_FACE}"),
    _Kind(
        "tensorflow",
        lambda name: name.endswith((".h5", ".tflite", ".keras")) or name == "saved_model.pb",
        f"is a TensorFlow model: {_HUGGING_FACE}",
    ),
    _Kind("flax", _ends(".msgpack"), f"is a Flax model: {_HUGGING_FACE}"),
    _Kind("pytorch_checkpoint", _ends(".pt", ".pth", ".ckpt"), f"is a PyTorch checkpoint: {_HUGGING_FACE}"),
)


def other_kind(folder: Folder) -> list[Finding]:
    """What a folder without Hugging Face weights is instead; at most one error."""
    names = [*folder.sizes, *folder.subfolders]
    for kind in _KINDS:
        if found := sorted(filter(kind.matches, names)):
            base = _base_of_adapter(folder) if kind.code == "lora_adapter" else ""
            return [error(kind.code, f"the folder {kind.message}{base}", folder.object(found[0]))]
    return []


def unused_files(folder: Folder) -> list[Finding]:
    """Files of other kinds beside the weights; a warning for each kind that shows a misunderstanding."""
    findings = []
    for kind in _KINDS:
        found = sorted(filter(kind.matches, folder.sizes))
        if found and kind.code in {"lora_adapter", "gguf"}:
            message = f"{some(found)}: nothing serves this beside the weights; merge it into them, or remove it"
            findings.append(warning("unused_files", message, folder.object(found[0])))
    return findings


def misplaced(folder: Folder) -> list[Finding]:
    """Where config.json is when it is not in the folder: one folder deeper, one higher, or nowhere; one error."""
    if deeper := _subfolders_with_config(folder):
        where = some(f"{folder.uri}/{name}" for name in deeper)
        return [error("nested_folder", f"config.json is one folder deeper: give {where}", folder.uri)]
    name = folder.prefix.rstrip("/").rpartition("/")
    parent_prefix = f"{name[0]}/" if name[0] else ""
    parent = Folder.listed(folder.storage, folder.bucket, parent_prefix) if folder.prefix else None
    if parent and name[2] in parent.sizes:
        return [error("not_a_folder", f"{folder.uri} is a file: give its folder, {parent.uri}", folder.uri)]
    if not folder.sizes and not folder.subfolders:
        return [error("no_such_folder", f"there is nothing below {folder.uri}/: check the path", folder.uri)]
    if parent and "config.json" in parent.sizes:
        return [error("nested_folder", f"config.json is one folder higher: give {parent.uri}", folder.uri)]
    message = f"there is no config.json in {folder.uri}: {_HUGGING_FACE}"
    return [error("no_config", message, folder.object("config.json"))]


def _subfolders_with_config(folder: Folder) -> list[str]:
    def has_config(name: str) -> bool:
        return "config.json" in Folder.listed(folder.storage, folder.bucket, f"{folder.prefix}{name}/").sizes

    names = folder.subfolders[:LOOKED_INTO]
    return [name for name, has in zip(names, folder.each(names, has_config), strict=True) if has]


def _base_of_adapter(folder: Folder) -> str:
    """The base model that an adapter names, as the end of a sentence; nothing if it cannot be read."""
    if ADAPTER not in folder.sizes:
        return ""
    try:
        base = read_json(folder, ADAPTER).get("base_model_name_or_path")
    except (NotJson, CloudError):
        return ""
    return f" (its base model is {shown(base)})" if isinstance(base, str) and base else ""
