"""Does a machine type go with an accelerator? Answered from the dated table in ``data/machine_types.json``."""

from __future__ import annotations

import difflib
from functools import cache

from mg_provider.data import table
from mg_provider.wire.machine import MachineSpec


@cache
def _fixed() -> dict[str, tuple[str, int]]:
    """Machine types that come with GPUs: to accelerator type and how many."""
    return {row["machineType"]: (row["acceleratorType"], row["gpus"]) for row in table("machine_types")["fixed"]}


@cache
def _optional() -> dict[str, dict[str, list[int]]]:
    """Machine types that take GPUs: to the counts allowed for each accelerator type."""
    rows = table("machine_types")["n1_optional"]
    return {row["machineType"]: {k: v for k, v in row.items() if k != "machineType"} for row in rows}


def accelerators(spec: MachineSpec) -> tuple[str, int]:
    """The accelerator type and count that a spec stands for; ``("", 0)`` for a machine without any."""
    if spec.accelerator_type:
        return spec.accelerator_type, spec.accelerator_count or 1
    if spec.machine_type in _fixed():
        return _fixed()[spec.machine_type]
    return "", 0


def machine_problem(spec: MachineSpec) -> str | None:
    """Why Vertex would refuse this machine spec, with what to do; None if nothing is known against it.

    A machine type that the table does not know is let through: the platform gains new ones before the table does.
    """
    kind, count, machine = spec.accelerator_type, spec.accelerator_count, spec.machine_type
    if not machine:
        return "machine_type is missing: name one, for example g2-standard-12"
    if kind and kind not in table("machine_types")["accelerator_enum"]:
        return f"accelerator_type {kind} is not one Vertex knows: {_close(kind)}"
    if count is not None and not kind:
        return f"accelerator_count is {count} but accelerator_type is missing: name the accelerator, or leave both out"
    if machine in table("machine_types")["tpu"]:
        return f"{machine} is a TPU machine: leave accelerator_type and accelerator_count out" if kind else None
    if machine in _fixed():
        return _fixed_problem(spec, *_fixed()[machine])
    if machine in _optional() and kind:
        return _optional_problem(machine, kind, count or 1)
    return None


def machine_doubt(spec: MachineSpec) -> str | None:
    """What speaks against a machine type that the table does not know, which may be a new one, or misspelt.

    CPU machines are not in the table: without an accelerator only what resembles a machine of the same series is told.
    """
    machine, known = spec.machine_type or "", [*_fixed(), *_optional(), *table("machine_types")["tpu"]]
    if not machine or machine in known:
        return None
    series = [name for name in known if name.split("-")[0] == machine.split("-")[0]]
    near = difflib.get_close_matches(machine, series, 1, cutoff=0.8) or (
        difflib.get_close_matches(machine, known, 1, cutoff=0.8) if spec.accelerator_type else []
    )
    if not near and not spec.accelerator_type:
        return None
    meant = f": did you mean {near[0]}?" if near else ""
    return f"{machine} is in no table of {table('machine_types')['as_of']}; a newer one may be used{meant}"


def _fixed_problem(spec: MachineSpec, kind: str, gpus: int) -> str | None:
    if spec.accelerator_type and spec.accelerator_type != kind:
        return f"{spec.machine_type} comes with {gpus} {kind}: set accelerator_type to {kind}"
    count = spec.accelerator_count
    if not spec.accelerator_type:
        return f"{spec.machine_type} needs accelerator_type {kind} and an accelerator_count of 1 to {gpus}"
    if count is None or not 1 <= count <= gpus:
        return f"{spec.machine_type} has {gpus} {kind}: set accelerator_count to 1 to {gpus}, not {count}"
    if spec.gpu_partition_size and count != 1:
        return f"with gpu_partition_size the accelerator_count must be 1, not {count}"
    return None


def _optional_problem(machine: str, kind: str, count: int) -> str | None:
    allowed = _optional()[machine]
    if kind not in allowed:
        return f"{machine} takes {', '.join(allowed)}, not {kind}: choose another machine_type or accelerator_type"
    if count not in allowed[kind]:
        counts = ", ".join(map(str, allowed[kind]))
        return f"{machine} takes {counts} of {kind}, not {count}: change accelerator_count"
    return None


def _close(kind: str) -> str:
    known = [name for name in table("machine_types")["accelerator_enum"] if name != "ACCELERATOR_TYPE_UNSPECIFIED"]
    written = kind.upper().replace("-", "_").replace(" ", "_")
    near = [name for name in known if written in name] or difflib.get_close_matches(written, known, 1)
    return f"did you mean {near[0]}?" if near else "use one of " + ", ".join(known)
