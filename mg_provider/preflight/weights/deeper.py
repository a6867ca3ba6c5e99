"""What lies below a folder that has no model in it: one bounded listing finds it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mg_provider.api.errors import CloudError
from mg_provider.preflight.findings import Finding, error, shown, some
from mg_provider.preflight.folder import Folder, NotJson, read_json

ADAPTER = "adapter_config.json"
_CONFIG = "config.json"
_GLOB = f"**/{{{_CONFIG},{ADAPTER},*.distcp,mp_rank_*,*_optim_states.pt}}"
_STEP = re.compile(r"[0-9]+")


def below(folder: Folder) -> list[Finding]:
    """Models, adapters or training shards below a folder; at most one error. One call, of one page.

    Raises:
        CloudError: the folder cannot be listed.
    """
    names = [name.removeprefix(folder.prefix) for name in folder.storage.list_page(folder.bucket, folder.prefix, _GLOB)]
    homes = {kind: {_home(name) for name in names if _is(name, kind)} - {""} for kind in (_CONFIG, ADAPTER)}
    models = homes[_CONFIG] - homes[ADAPTER]
    whole = _CONFIG in folder.sizes
    pieces = (name for name in names if "/" in name and not _is(name, _CONFIG) and not _is(name, ADAPTER))
    shards = sorted(pieces, key=lambda name: ("optimizer" in name, name))
    if whole and shards:
        return [sharded(folder, shards[0])]
    if models:
        where = some(f"{folder.uri}/{home}" for home in _ordered(models))
        deeper = "one folder deeper" if all("/" not in home for home in models) else "some folders deeper"
        return [error("nested_folder", f"config.json is {deeper}: give {where}", folder.uri)]
    if homes[ADAPTER]:
        return [_adapters(folder, _ordered(homes[ADAPTER]))]
    return [sharded(folder, shards[0])] if shards else []


def sharded(folder: Folder, name: str) -> Finding:
    """A checkpoint whose weights are in pieces of one for each process of the training."""
    home = _home(name) or "."
    command = (
        f"`accelerate merge-weights {home} whole/`"
        if name.endswith(".distcp")
        else "`python zero_to_fp32.py . whole/ --safe_serialization`"
    )
    message = (
        f"{shown(name)} is a part of a sharded training checkpoint: gather it into whole weights with {command} and "
        "upload the result with config.json and the tokenizer"
    )
    return error("distributed_checkpoint", message, folder.object(name))


def base_of_adapter(folder: Folder) -> str:
    """The base model that an adapter in a folder names; empty if it cannot be read."""
    if ADAPTER not in folder.sizes:
        return ""
    try:
        base = read_json(folder, ADAPTER).get("base_model_name_or_path")
    except (NotJson, CloudError):
        return ""
    return shown(base) if isinstance(base, str) and base else ""


def _adapters(folder: Folder, homes: list[str]) -> Finding:
    first = Folder.listed(folder.storage, folder.bucket, f"{folder.prefix}{homes[0]}/")
    base = base_of_adapter(first)
    of = f" of {base}" if base else ""
    are = f"there are LoRA adapters{of}" if len(homes) > 1 else f"there is a LoRA adapter{of}"
    where = some(f"{folder.uri}/{home}" for home in homes)
    message = (
        f"{are} below this folder and no whole model ({where}): merge one into its base model with merge_and_unload() "
        "and upload the result"
    )
    return error("lora_adapter", message, folder.uri)


def _is(name: str, file: str) -> bool:
    return name == file or name.endswith(f"/{file}")


def _home(name: str) -> str:
    return name.rpartition("/")[0]


def _ordered(homes: Iterable[str]) -> list[str]:
    """Folders named final or merged first, then the latest step."""

    def key(home: str) -> tuple[bool, int, int, str]:
        last = home.rpartition("/")[2]
        steps = [int(found[-9:]) for found in _STEP.findall(last)]
        return not last.startswith(("final", "merged", "best")), home.count("/"), -(steps[-1] if steps else 0), home

    return sorted(homes, key=key)
