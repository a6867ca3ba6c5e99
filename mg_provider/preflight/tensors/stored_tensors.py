"""The tensors of a folder by their names, and names that only a training wrapper gives."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mg_provider.preflight.findings import Finding, error, shown, some, warning
from mg_provider.preflight.folder import Folder
from mg_provider.preflight.tensors.safetensors_files import ReadFile
from mg_provider.preflight.tensors.safetensors_header import Tensor
from mg_provider.preflight.tensors.shard_index import ShardIndex

Numbers = tuple[int, ...]
_WHOLE = frozenset({"I16", "I32", "I64", "U16", "U64", "C64", "BOOL"})
_LARGE = 2**16
_NUMBER = re.compile(r"(?<=\.)[0-9]{1,6}(?=\.|$)")


@dataclass
class StoredTensors:
    """All tensors of a folder.

    Attributes:
        tensors: By name; None where only the index says that there is one.
        files: The file of each.
        groups: By name with ``*`` for each number in it, then by the numbers.
        twice: The first tensor that two files have, and these files.
        complete: Whether every header was read, so that what is not here is nowhere.
    """

    tensors: dict[str, Tensor | None] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    groups: dict[str, dict[Numbers, Tensor | None]] = field(default_factory=lambda: defaultdict(dict))
    twice: tuple[str, str, str] | None = None
    complete: bool = True

    def add(self, file: str, names: Mapping[str, Tensor] | Iterable[str]) -> None:
        """Add the tensors of a file, or their names alone."""
        known = names if isinstance(names, Mapping) else {}
        for name in names:
            tensor = known.get(name)
            if self.twice is None and name in self.files:
                self.twice = name, self.files[name], file
            self.tensors[name] = tensor
            self.files[name] = file
            numbers = tuple(int(found) for found in _NUMBER.findall(name))
            self.groups[_NUMBER.sub("*", name) if numbers else name][numbers] = tensor

    def file_of(self, folder: Folder, name: str) -> str:
        """URI of the file that has a tensor; that of the folder if none has."""
        return folder.object(self.files[name]) if name in self.files else folder.uri


def all_tensors(read: Iterable[ReadFile], index: ShardIndex | None) -> StoredTensors:
    """What the headers say, and for files whose header was not read in full, what the index says."""
    stored = StoredTensors()
    for file in read:
        if file.header is not None:
            stored.add(file.name, file.header.tensors)
        elif index is not None and file.name in index.tensors:
            stored.add(file.name, index.tensors[file.name])
        stored.complete = stored.complete and file.header is not None
    return stored


def not_floating_point(tensor: Tensor) -> bool:
    """Whether it is of whole numbers, packed or looked up, and too large to be an index or a mask."""
    return tensor.dtype in _WHOLE and math.prod(tensor.shape) >= _LARGE


def full_name(group: str, numbers: Numbers) -> str:
    """The name of a tensor of a group."""
    for number in numbers:
        group = group.replace("*", str(number), 1)
    return group


@dataclass(frozen=True)
class _Wrapper:
    """What a training wrapper adds to names, and how to save without it."""

    begin: str
    inside: str
    what: str
    repair: str
    sure: bool = True

    def wraps(self, name: str) -> bool:
        return bool(self.begin and name.startswith(self.begin)) or bool(self.inside and self.inside in name)


_MERGE = "model.merge_and_unload().save_pretrained(folder)"
_WRAPPERS = (
    _Wrapper("_orig_mod.", "._orig_mod.", "torch.compile", "model._orig_mod.save_pretrained(folder)"),
    _Wrapper(
        "_fsdp_wrapped_module.",
        "_fsdp_wrapped_module.",
        "FSDP",
        "accelerator.unwrap_model(model).save_pretrained(folder, state_dict=accelerator.get_state_dict(model))",
    ),
    _Wrapper(
        "_checkpoint_wrapped_module.",
        "_checkpoint_wrapped_module.",
        "activation checkpointing",
        "the model that was there before checkpoint_wrapper",
    ),
    _Wrapper("_forward_module.", "._forward_module.", "Lightning", "model._forward_module.save_pretrained(folder)"),
    _Wrapper("base_model.model.", "", "PEFT", _MERGE),
    _Wrapper("", ".base_layer.", "PEFT", _MERGE, sure=False),
    _Wrapper("", ".lora_", "PEFT", _MERGE, sure=False),
    _Wrapper("", ".modules_to_save.", "PEFT", _MERGE, sure=False),
    _Wrapper("pretrained_model.", "", "TRL", "model.pretrained_model.save_pretrained(folder)", sure=False),
    _Wrapper("module.", "", "DistributedDataParallel or DeepSpeed", "model.module.save_pretrained(folder)"),
    _Wrapper("", ".module.", "DistributedDataParallel", "model.module.save_pretrained(folder)", sure=False),
)


def wrapper_names(folder: Folder, stored: StoredTensors, *, known: bool) -> list[Finding]:
    """Names that a wrapper of the training added; at most one finding.

    Args:
        folder: The folder.
        stored: Its tensors.
        known: Whether the names of the architecture are known; those of another one might be so.
    """
    for wrapper in _WRAPPERS:
        # Groups are few, and have the same words as the names in them.
        if not any(map(wrapper.wraps, stored.groups)):
            continue
        names = [name for name in stored.tensors if wrapper.wraps(name)]
        mark = wrapper.begin if wrapper.begin and names[0].startswith(wrapper.begin) else wrapper.inside
        message = (
            f"{len(names)} of {len(stored.tensors)} tensors have names with {mark}, which {wrapper.what} adds and no "
            f"model server knows ({some(names)}): save them with {wrapper.repair} and upload the result"
        )
        make = error if known or wrapper.sure else warning
        return [make("wrapper_names", message, stored.file_of(folder, names[0]))]
    return []


def stored_twice(folder: Folder, stored: StoredTensors) -> list[Finding]:
    """A tensor that two files have, of which a model server loads either; at most one finding."""
    if stored.twice is None:
        return []
    name, one, other = stored.twice
    message = f"{one} and {other} both have {shown(name)}: which one is loaded depends on the server; remove one file"
    return [warning("stored_twice", message, folder.object(other))]


def empty_tensors(folder: Folder, stored: StoredTensors) -> list[Finding]:
    """Weights without a single number in them; at most one finding."""
    names = [
        name for name, tensor in stored.tensors.items() if tensor and 0 in tensor.shape and name.endswith("weight")
    ]
    if not names:
        return []
    tensor = stored.tensors[names[0]]
    message = (
        f"{len(names)} of {len(stored.tensors)} tensors are empty ({names[0]} is {shape_text(tensor)}): they are what "
        "a DeepSpeed ZeRO-3 run leaves in place of weights; run `python zero_to_fp32.py . whole/ --safe_serialization` "
        'in the folder of the checkpoint, or train with "stage3_gather_16bit_weights_on_model_save": true, and upload '
        "the result"
    )
    return [error("empty_tensors", message, stored.file_of(folder, names[0]))]


def shape_text(tensor: Tensor | None) -> str:
    """A shape as Python writes it."""
    return str(list(tensor.shape)) if tensor else "unknown"
