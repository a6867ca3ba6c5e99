"""Does a machine type go with an accelerator? Answered from the dated table in ``data/machine_types.json``."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from mg_provider.api.names import RESERVATION
from mg_provider.api.texts import cut, shown
from mg_provider.data import table
from mg_provider.spelling import did_you_mean, nearest
from mg_provider.wire.vertex.machine import MachineSpec, ReservationAffinity

_FORMS: Final = {
    "machine_type": (re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"), "g2-standard-12"),
    "gpu_partition_size": (re.compile(r"[0-9]{1,3}g\.[0-9]{1,4}gb(?:\+[a-z.]{1,20})?"), "1g.10gb"),
    "tpu_topology": (re.compile(r"[0-9]{1,4}(?:x[0-9]{1,4}){1,3}"), "2x2"),
    "min_gpu_driver_version": (re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"), "550.90.07"),
}
_AFFINITIES: Final = ("NO_RESERVATION", "ANY_RESERVATION", "SPECIFIC_RESERVATION")
_DIGITS: Final = re.compile("[0-9]+")
_MOST_ACCELERATORS: Final = 1024
_MOST_NODES: Final = 1024


@cache
def _fixed() -> dict[str, tuple[str, int]]:
    """Machine types that come with GPUs: to accelerator type and how many."""
    return {row["machineType"]: (row["acceleratorType"], row["gpus"]) for row in table("machine_types")["fixed"]}


@cache
def _optional() -> dict[str, dict[str, list[int]]]:
    """Machine types that take GPUs: to the counts allowed for each accelerator type."""
    rows = table("machine_types")["n1_optional"]
    return {row["machineType"]: {k: v for k, v in row.items() if k != "machineType"} for row in rows}


def choices(given: Any) -> list[Any]:
    """The machines of an argument that takes one, or a list in the order in which they are tried; empty for none."""
    return given if isinstance(given, list) else [] if given is None else [given]


def accelerators(spec: MachineSpec) -> tuple[str, int]:
    """The accelerator type and count that a spec stands for; ``("", 0)`` for a machine without any."""
    if spec.accelerator_type:
        return spec.accelerator_type, spec.accelerator_count or 1
    if spec.machine_type in _fixed():
        return _fixed()[spec.machine_type]
    return "", 0


def described(spec: MachineSpec | None) -> str:
    """A machine with its accelerators, for a message."""
    if spec is None:
        return "an unnamed machine"
    kind, count = accelerators(spec)
    return f"{spec.machine_type} ({count} x {kind})" if kind else str(spec.machine_type)


def machine_problem(spec: MachineSpec) -> str | None:
    """Why Vertex would refuse this machine spec, with what to do; None if nothing is known against it.

    A machine type that the table does not know is let through: the platform gains new ones before the table does.
    """
    kind, count, machine = spec.accelerator_type, spec.accelerator_count, spec.machine_type
    if not machine:
        return "machine_type is missing: name one, for example g2-standard-12"
    if problem := _form_problem(spec):
        return problem
    if kind and kind not in table("machine_types")["accelerator_enum"]:
        return f"accelerator_type {cut(kind)} is not one Vertex knows: {_close(kind)}"
    if count is not None and not kind:
        return f"accelerator_count is {count} but accelerator_type is missing: name the accelerator, or leave both out"
    if count is not None and not 1 <= count <= _MOST_ACCELERATORS:
        return f"accelerator_count is {count}: use 1 to {_MOST_ACCELERATORS}"
    if machine in table("machine_types")["tpu"]:
        return f"{machine} is a TPU machine: leave accelerator_type and accelerator_count out" if kind else None
    if machine in _fixed():
        return _fixed_problem(spec, *_fixed()[machine])
    if machine in _optional() and kind:
        return _optional_problem(machine, kind, count or 1)
    return None


def _form_problem(spec: MachineSpec) -> str | None:
    """Why a part of a machine spec could not be what it stands for, by its form alone."""
    for name, (form, example) in _FORMS.items():
        value = getattr(spec, name)
        if value is not None and not form.fullmatch(value):
            return f"{name} {shown(value)} is not valid: write one such as {example}"
    nodes = spec.multihost_gpu_node_count
    if nodes is not None and not 1 <= nodes <= _MOST_NODES:
        return f"multihost_gpu_node_count is {nodes}: use 1 to {_MOST_NODES}"
    return _reservation_problem(spec.reservation_affinity) if spec.reservation_affinity else None


def _reservation_problem(affinity: ReservationAffinity) -> str | None:
    kind, key, values = affinity.reservation_affinity_type, affinity.key, affinity.values or []
    if kind not in _AFFINITIES:
        return f"reservation_affinity_type {shown(kind)} is not valid: use {', '.join(_AFFINITIES)}"
    if kind != _AFFINITIES[-1] and (key or values):
        return (
            f"reservation_affinity has key or values, which {kind} does not take: remove them, or use {_AFFINITIES[-1]}"
        )
    if kind == _AFFINITIES[-1] and not (key and values):
        return f"reservation_affinity needs key and values with {kind}: name the reservation"
    return next(filter(None, map(RESERVATION.problem, values)), None)


def machine_doubt(spec: MachineSpec) -> str | None:
    """What speaks against a machine type that the table does not know, which may be a new one, or misspelt.

    CPU machines are not in the table: without an accelerator only a machine of the same series counts as similar.
    A name with other numbers is another size of the series, which may well exist, and not a slip.
    """
    machine, known = spec.machine_type or "", [*_fixed(), *_optional(), *table("machine_types")["tpu"]]
    if not machine or machine in known:
        return None
    known = [name for name in known if _DIGITS.findall(name) == _DIGITS.findall(machine)]
    series = [name for name in known if name.split("-")[0] == machine.split("-")[0]]
    near = nearest(machine, series, 0.8) or (nearest(machine, known, 0.8) if spec.accelerator_type else None)
    if not near and not spec.accelerator_type:
        return None
    meant = f": did you mean {near}?" if near else ""
    return f"{machine} is in no table of {table('machine_types')['as_of']}; a newer one may be used{meant}"


def _up_to(most: int) -> str:
    return "1" if most == 1 else f"1 to {most}"


def _fixed_problem(spec: MachineSpec, kind: str, gpus: int) -> str | None:
    if spec.accelerator_type and spec.accelerator_type != kind:
        return f"{spec.machine_type} comes with {gpus} {kind}: set accelerator_type to {kind}"
    count = spec.accelerator_count
    if not spec.accelerator_type:
        return f"{spec.machine_type} needs accelerator_type {kind} and an accelerator_count of {_up_to(gpus)}"
    if count is None or not 1 <= count <= gpus:
        return f"{spec.machine_type} has {gpus} {kind}: set accelerator_count to {_up_to(gpus)}, not {count}"
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
    written = cut(kind).upper().replace("-", "_").replace(" ", "_")
    near = next((name for name in known if written in name), None)
    return f"did you mean {near}?" if near else did_you_mean(written, known)
