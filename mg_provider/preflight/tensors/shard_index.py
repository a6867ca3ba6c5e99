"""The index of a model in several files: which tensor is in which file."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mg_provider.preflight.findings import Finding, error, some, warning
from mg_provider.preflight.folder import Folder, NotJson, read_json

AUTHORS = ("consolidated.", "consolidated-")
"""What weights in the format of a model's authors begin with; they may lie beside those that are served."""

_SERVED = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
"""The indexes that a model server reads, where there are others as well."""

_NUMBERED = re.compile(r"(?P<stem>.+)-(?P<number>\d+)-of-(?P<total>\d+)(?P<suffix>\.[a-z]+)")


@dataclass(frozen=True)
class ShardIndex:
    """An index that was read.

    Attributes:
        name: Its file.
        tensors: Names of tensors by file.
        total_size: Bytes of all tensors that it claims, or None.
    """

    name: str
    tensors: dict[str, list[str]]
    total_size: int | None


def read_index(folder: Folder, suffix: str) -> tuple[ShardIndex | None, list[Finding]]:
    """The index of the files with a suffix, if there is one, and what is wrong with it.

    Args:
        folder: The folder.
        suffix: ``.safetensors`` or ``.bin``.
    """
    indexes = (name for name in folder.sizes if name.endswith(f"{suffix}.index.json"))
    names = sorted(
        (name for name in indexes if not name.startswith(AUTHORS)), key=lambda name: (name not in _SERVED, name)
    )
    if not names:
        return None, []
    try:
        content = read_json(folder, names[0])
    except NotJson as problem:
        return None, [problem.finding]
    tensors: dict[str, list[str]] = defaultdict(list)
    weight_map = content.get("weight_map")
    if not isinstance(weight_map, dict) or not all(isinstance(file, str) for file in weight_map.values()):
        message = f"{names[0]} has no weight_map of tensors to files: upload it again"
        return None, [error("bad_index", message, folder.object(names[0]))]
    if not weight_map:
        message = f"{names[0]} lists no tensors, so a model server that follows it loads none: upload it again"
        return None, [error("bad_index", message, folder.object(names[0]))]
    for tensor, file in weight_map.items():
        tensors[file].append(tensor)
    return ShardIndex(names[0], dict(tensors), _total_size(content)), []


def compare_files(folder: Folder, files: list[str], index: ShardIndex | None) -> list[Finding]:
    """Whether the files in the folder are those that the index, or else their own numbers, speak of."""
    if index is None:
        return _compare_numbers(folder, files)
    findings = []
    if missing := sorted(set(index.tensors) - set(folder.sizes)):
        message = f"{len(missing)} of {len(index.tensors)} files in {index.name} are missing: upload {some(missing)}"
        findings.append(error("missing_shards", message, folder.object(missing[0])))
    return findings


def compare_size(folder: Folder, index: ShardIndex, parameter_bytes: int) -> list[Finding]:
    """Whether the bytes of all tensors are what the index claims."""
    if index.total_size in (None, parameter_bytes):
        return []
    message = (
        f"{index.name} claims {index.total_size} bytes of tensors, the files have {parameter_bytes}: "
        "check that index and files are of the same model"
    )
    return [warning("total_size", message, folder.object(index.name))]


def _total_size(content: dict[str, Any]) -> int | None:
    metadata = content.get("metadata")
    total = metadata.get("total_size") if isinstance(metadata, dict) else None
    # Some writers put a float there.
    return int(total) if isinstance(total, int | float) and abs(total) < 2**64 else None


def _compare_numbers(folder: Folder, files: Iterable[str]) -> list[Finding]:
    numbered = [match for name in files if (match := _NUMBERED.fullmatch(name))]
    if not numbered:
        return []
    # A number of many digits is not a count of files.
    total = min(max(int(match["total"][-6:]) for match in numbered), 10_000)
    present = {int(match["number"][-6:]) for match in numbered}
    missing = [number for number in range(1, total + 1) if number not in present]
    first = numbered[0]
    if missing:
        width, suffix = len(first["number"]), first["suffix"]
        names = [f"{first['stem']}-{number:0{width}}-of-{first['total']}{suffix}" for number in missing]
        message = f"{len(missing)} of {total} files are missing: upload {some(names)}"
        return [error("missing_shards", message, folder.object(names[0]))]
    if len(numbered) == 1:
        return []
    message = (
        f"the weights are in {len(numbered)} files without an index: upload {first['stem']}{first['suffix']}.index.json"
    )
    return [warning("no_index", message, folder.uri)]
