"""Folders that are something else than Hugging Face weights, and files beside the weights that nobody will read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mg_provider.preflight.findings import Finding, error, some, warning
from mg_provider.preflight.folder import Folder
from mg_provider.preflight.tensors.shard_index import AUTHORS, ShardIndex
from mg_provider.preflight.weights.deeper import ADAPTER, base_of_adapter, below, sharded

# Other files that training leaves in a folder and that end like weights.
_LEFTOVERS = ("training_args", "optimizer", "scheduler", "rng_state", "random_states", "adapter_model", "scaler")
_ORIGINAL = (*AUTHORS, "params.json")
_HUGGING_FACE = "upload the folder that the transformers library writes with save_pretrained(safe_serialization=True)"


def weight_files(folder: Folder, suffix: str) -> list[str]:
    """Names of the files that are weights by their name; beside PyTorch's own, other files may end in ``.bin``."""
    found = sorted(name for name in folder.sizes if name.endswith(suffix) and not name.startswith(_LEFTOVERS))
    own = [name for name in found if name.startswith("pytorch_model")]
    return own if suffix == ".bin" and own else found


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
    return name.startswith(_ORIGINAL)


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
    _Kind("nemo", _ends(".nemo"), f"is a NeMo model: export it to Hugging Face weights, then {_HUGGING_FACE}"),
    _Kind(
        "orbax",
        _is("manifest.ocdbt", "_CHECKPOINT_METADATA"),
        f"is an Orbax checkpoint, as MaxText writes: convert it to Hugging Face weights, then {_HUGGING_FACE}",
    ),
    _Kind(
        "archive",
        _ends(".tar", ".tar.gz", ".tgz", ".tar.zst", ".zip", ".7z"),
        "is an archive: unpack it and upload the files in it",
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
            if kind.code == "distributed_checkpoint":
                return [sharded(folder, found[0])]
            if kind.code == "archive" and (deeper := below(folder)):
                return deeper
            base = base_of_adapter(folder) if kind.code == "lora_adapter" else ""
            named = f" (its base model is {base})" if base else ""
            return [error(kind.code, f"the folder {kind.message}{named}", folder.object(found[0]))]
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


def belonging(folder: Folder, files: list[str], index: ShardIndex | None) -> tuple[list[str], list[Finding]]:
    """The weight files that a model server reads, and what the others beside them are; a finding for each kind.

    Args:
        folder: The folder.
        files: All weight files of one format.
        index: Their index, if there is one.
    """
    ours = [name for name in files if not name.startswith(_ORIGINAL)]
    original = [name for name in files if name not in ours]
    if not ours:
        return files, []
    findings = []
    if original:
        message = (
            f"{some(original)}: the same model in its authors' own format, which costs loading time and nothing reads; "
            "remove it"
        )
        findings.append(warning("original_format_beside", message, folder.object(original[0])))
    others = sorted(set(ours) - set(index.tensors)) if index else []
    if index and others and set(ours) - set(others):
        size = sum(folder.sizes[name] for name in others)
        message = (
            f"{some(others)} {'is' if len(others) == 1 else 'are'} not in {index.name} ({size / 1e9:.1f} GB, not "
            "counted): an older save, or of another model; remove what does not belong"
        )
        findings.append(warning("extra_shards", message, folder.object(others[0])))
        ours = [name for name in ours if name not in others]
    return ours, findings


def misplaced(folder: Folder) -> list[Finding]:
    """Where config.json is when it is not in the folder: deeper, one folder higher, or nowhere; one error."""
    if found := below(folder):
        return found
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
