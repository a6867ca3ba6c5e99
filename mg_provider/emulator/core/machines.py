"""Machine types with GPUs.

Source: "Configure compute resources for inference" (cloud.google.com, read 2026-11).
"""

from __future__ import annotations

from typing import Any

from mg_provider.emulator.google.errors import invalid_argument

Json = dict[str, Any]

_L4 = {4: 1, 8: 1, 12: 1, 16: 1, 32: 1, 24: 2, 48: 4, 96: 8}
_G4 = {48: 1, 96: 2, 192: 4, 384: 8}

# machine type -> accelerator and the number of GPUs in it
MACHINES: dict[str, tuple[str, int]] = {
    **{f"g2-standard-{cpus}": ("NVIDIA_L4", gpus) for cpus, gpus in _L4.items()},
    **{f"g4-standard-{cpus}": ("NVIDIA_RTX_PRO_6000", gpus) for cpus, gpus in _G4.items()},
    **{f"a2-highgpu-{gpus}g": ("NVIDIA_TESLA_A100", gpus) for gpus in (1, 2, 4, 8)},
    "a2-megagpu-16g": ("NVIDIA_TESLA_A100", 16),
    **{f"a2-ultragpu-{gpus}g": ("NVIDIA_A100_80GB", gpus) for gpus in (1, 2, 4, 8)},
    **{f"a3-highgpu-{gpus}g": ("NVIDIA_H100_80GB", gpus) for gpus in (1, 2, 4, 8)},
    "a3-edgegpu-8g": ("NVIDIA_H100_80GB", 8),
    "a3-megagpu-8g": ("NVIDIA_H100_MEGA_80GB", 8),
    "a3-ultragpu-8g": ("NVIDIA_H200_141GB", 8),
    "a4-highgpu-8g": ("NVIDIA_B200", 8),
    "a4x-highgpu-4g": ("NVIDIA_GB200", 4),
}
_FAMILIES = ("n1-", "n2-", "n2d-", "c2-", "c2d-", "c3-", "e2-", "m1-", "ct5lp-", "ct6e-")
ACCELERATORS = frozenset(accelerator for accelerator, _ in MACHINES.values())
_QUOTA_NAMES = {"NVIDIA_H100_80GB": "H100"}
_ON_N1 = {"NVIDIA_TESLA_P100", "NVIDIA_TESLA_V100", "NVIDIA_TESLA_P4", "NVIDIA_TESLA_T4"}

DEFAULT_SPEC: Json = {"machineType": "g2-standard-12", "acceleratorType": "NVIDIA_L4", "acceleratorCount": 1}


def complete_spec(spec: Json) -> Json:
    """A machine spec with its accelerator filled in where the machine type decides it.

    Raises:
        ApiError: INVALID_ARGUMENT when the machine type does not exist or the accelerator does not fit it.
    """
    machine = spec.get("machineType") or "n1-standard-2"
    accelerator, count = spec.get("acceleratorType", ""), spec.get("acceleratorCount", 0)
    if spec.get("gpuPartitionSize") and count != 1:
        text = f"accelerator_count must be 1 with gpu_partition_size, not {count}."
        raise invalid_argument(text, ("machine_spec.accelerator_count", text))
    if machine in MACHINES:
        return _with_gpus(spec, machine, accelerator, count)
    if not machine.startswith(_FAMILIES):
        raise invalid_argument(f'Machine type "{machine}" is not supported.', ("machine_spec.machine_type", machine))
    if accelerator and not (machine.startswith("n1-") and accelerator in _ON_N1 and count in {1, 2, 4, 8}):
        raise _misfit(accelerator, count, machine)
    return {**spec, "machineType": machine}


def _with_gpus(spec: Json, machine: str, accelerator: str, count: int) -> Json:
    own, gpus = MACHINES[machine]
    if not accelerator and not count:
        return {**spec, "acceleratorType": own, "acceleratorCount": gpus}
    if accelerator != own or not 1 <= count <= gpus:
        raise _misfit(accelerator, count, machine)
    return spec


def _misfit(accelerator: str, count: int, machine: str) -> Exception:
    text = f'Accelerator "{accelerator}" with count {count} is not supported for machine type "{machine}".'
    return invalid_argument(text, ("machine_spec.accelerator_type", text))


def quota_name(accelerator: str) -> str:
    """The serving quota of an accelerator, such as ``CustomModelServingL4GPUsPerProjectPerRegion``."""
    return f"CustomModelServing{_in_quotas(accelerator).replace('_', '')}GPUsPerProjectPerRegion"


def quota_metric(accelerator: str) -> str:
    """The metric of that quota, such as ``custom_model_serving_nvidia_l4_gpus``."""
    return f"custom_model_serving_nvidia_{_in_quotas(accelerator).lower()}_gpus"


def _in_quotas(accelerator: str) -> str:
    """As quotas call it. Source: ``command_lib/ai/model_garden_utils.py`` of gcloud 528."""
    return _QUOTA_NAMES.get(accelerator) or accelerator.removeprefix("NVIDIA_").removeprefix("TESLA_")
