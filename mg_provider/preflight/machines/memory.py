"""How much accelerator memory a machine has, from the dated tables in ``data/``."""

from __future__ import annotations

from mg_provider.data import table
from mg_provider.preflight.machines.machine import accelerators
from mg_provider.wire.vertex.machine import MachineSpec


def accelerator_gigabytes(spec: MachineSpec) -> int | None:
    """Memory of all accelerators of one replica, in GB; None if it has none or one that the table does not know.

    Source: ``data/accelerator_memory.json`` and ``data/machine_types.json``.
    """
    kind, count = accelerators(spec)
    tpu = table("machine_types")["tpu"].get(spec.machine_type)
    if tpu:
        kind, count = tpu["accelerator"], tpu["chips"]
    if spec.gpu_partition_size:
        return _partition(spec.gpu_partition_size)
    memory: int | None = table("accelerator_memory")["gigabytes"].get(kind)
    return memory * count * (spec.multihost_gpu_node_count or 1) if memory else None


def _partition(size: str) -> int | None:
    """The memory in a partition size such as ``1g.10gb``."""
    digits = size.rpartition(".")[2].removesuffix("gb")
    return int(digits) if digits.isdecimal() else None
