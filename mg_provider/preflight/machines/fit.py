"""Whether weights fit the machine that is to serve them, from the dated tables alone: it needs no call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mg_provider.data import table
from mg_provider.preflight.findings import Finding, WeightsReport, error, warning
from mg_provider.preflight.machines.machine import accelerators, described
from mg_provider.preflight.machines.memory import accelerator_gigabytes
from mg_provider.preflight.tensors.dimensions import MOST, Dimensions, text_of
from mg_provider.wire.vertex.machine import MachineSpec

TIGHT = 0.9
"""Part of the memory that a model server takes, weights, their use and the cache of requests together."""

_GIGABYTE = 10**9
_NUMBER_BYTES = 2


def fits(report: WeightsReport, machine: MachineSpec, *, own_container: bool = False) -> list[Finding]:
    """What speaks against a machine for checked weights.

    Args:
        report: Of the check.
        machine: The machine.
        own_container: Whether the user's own container serves them, which may load them in fewer bytes.
    """
    return [*_memory(report, machine, own_container), *_no_bfloat16(report, machine)]


def share_of_memory(report: WeightsReport, machine: MachineSpec) -> float | None:
    """The part of the machine's accelerator memory that the weights take; None if one of the two is not known."""
    have = accelerator_gigabytes(machine)
    return report.loaded_bytes / (have * _GIGABYTE) if have and report.loaded_bytes else None


def _memory(report: WeightsReport, machine: MachineSpec, own_container: bool) -> list[Finding]:
    have, share = accelerator_gigabytes(machine), share_of_memory(report, machine)
    if have is None or share is None or share <= TIGHT:
        return []
    need = report.loaded_bytes / _GIGABYTE
    if share > 1:
        make = warning if own_container else error
        message = (
            f"{need:.1f} GB of weights cannot fit into the {have} GB of {described(machine)}: choose a machine with "
            f"more accelerator memory{_such_as(need)}"
        )
        return [make("does_not_fit", message, report.gcs_uri)]
    message = (
        f"{need:.1f} GB of weights leave {have - need:.1f} of the {have} GB of {described(machine)} for all else"
        f"{_cache(report)}: choose a machine with more accelerator memory{_such_as(need)}, or serve a shorter context"
    )
    return [warning("tight_memory", message, report.gcs_uri)]


def _cache(report: WeightsReport) -> str:
    """What the cache of one request of the whole context takes, as a part of a sentence."""
    if not report.context_length or not report.cache_bytes:
        return ", the KV cache of requests among it"
    size = report.context_length * report.cache_bytes / _GIGABYTE
    return f", and the KV cache of one request of {report.context_length} tokens alone takes {size:.1f} GB"


def _such_as(need: float) -> str:
    """The smallest machine that the weights fit with room to spare, as a part of a sentence."""
    rows = [
        (gigabytes, row["machineType"])
        for row in table("machine_types")["fixed"]
        if (gigabytes := accelerator_gigabytes(MachineSpec(machine_type=row["machineType"])))
        and need <= TIGHT * TIGHT * gigabytes
    ]
    return f", such as {min(rows)[1]} ({min(rows)[0]} GB)" if rows else ""


def _no_bfloat16(report: WeightsReport, machine: MachineSpec) -> list[Finding]:
    kind, _ = accelerators(machine)
    if report.dtype != "bfloat16" or kind not in table("accelerator_memory")["no_bfloat16"]:
        return []
    message = (
        f"{kind} has no bfloat16, which config.json asks for: choose NVIDIA_L4 or newer, or save the weights with "
        'model.to(torch.float16).save_pretrained(folder), which sets "dtype": "float16"'
    )
    return [warning("no_bfloat16", message, report.gcs_uri)]


def context_length(config: Mapping[str, Any]) -> int | None:
    """Tokens of one request at most."""
    value = text_of(config).get("max_position_embeddings")
    return value if type(value) is int and 0 < value <= MOST else None


def cache_bytes(config: Mapping[str, Any]) -> int | None:
    """Bytes that each token of a request takes in 16 bits, in the layers that look at everything."""
    layouts = table("tensor_layouts")["architectures"]
    names = config.get("architectures")
    architecture = names[0] if isinstance(names, list) and names and isinstance(names[0], str) else ""
    sizes = Dimensions(config, layouts.get(architecture, {}).get("model_type", ""))
    layers = sizes.layers
    if layers is None:
        return None
    kinds = sizes.get("layer_types")
    if isinstance(kinds, list) and kinds:
        layers = sum(kind == "full_attention" for kind in kinds) or layers
    elif sizes.number("full_attention_interval"):
        layers = len(sizes.kinds["full"])
    compressed, rope = sizes.number("kv_lora_rank"), sizes.number("qk_rope_head_dim")
    if compressed:
        return layers * (compressed + (rope or 0)) * _NUMBER_BYTES
    heads, size = sizes.key_value_heads, sizes.head_size
    return 2 * layers * heads * size * _NUMBER_BYTES if heads and size else None
