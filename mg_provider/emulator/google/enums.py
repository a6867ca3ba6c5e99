"""Enum numbers, which discovery documents leave out.

Clients that speak REST through protocol buffers send them. Source: the proto files of google-cloud-aiplatform 2.7.0.
"""

from __future__ import annotations

_ACCELERATORS = [
    "ACCELERATOR_TYPE_UNSPECIFIED",
    "NVIDIA_TESLA_K80",
    "NVIDIA_TESLA_P100",
    "NVIDIA_TESLA_V100",
    "NVIDIA_TESLA_P4",
    "NVIDIA_TESLA_T4",
    "TPU_V2",
    "TPU_V3",
    "NVIDIA_TESLA_A100",
    "NVIDIA_A100_80GB",
    "TPU_V4_POD",
    "NVIDIA_L4",
    "TPU_V5_LITEPOD",
    "NVIDIA_H100_80GB",
    "NVIDIA_H100_MEGA_80GB",
    "NVIDIA_H200_141GB",
    "NVIDIA_B200",
    "NVIDIA_GB200",
    "NVIDIA_RTX_PRO_6000",
]
_JOB_STATES = [
    "JOB_STATE_UNSPECIFIED",
    "JOB_STATE_QUEUED",
    "JOB_STATE_PENDING",
    "JOB_STATE_RUNNING",
    "JOB_STATE_SUCCEEDED",
    "JOB_STATE_FAILED",
    "JOB_STATE_CANCELLING",
    "JOB_STATE_CANCELLED",
    "JOB_STATE_PAUSED",
    "JOB_STATE_EXPIRED",
    "JOB_STATE_UPDATING",
    "JOB_STATE_PARTIALLY_SUCCEEDED",
]
_AFFINITIES = ["TYPE_UNSPECIFIED", "NO_RESERVATION", "ANY_RESERVATION", "SPECIFIC_RESERVATION"]
_VIEWS = [
    "PUBLISHER_MODEL_VIEW_UNSPECIFIED",
    "PUBLISHER_MODEL_VIEW_BASIC",
    "PUBLISHER_MODEL_VIEW_FULL",
    "PUBLISHER_MODEL_VERSION_VIEW_BASIC",
]

_TABLES = [_ACCELERATORS, _JOB_STATES, _AFFINITIES, _VIEWS]


def name_of(number: int, allowed: list[str]) -> str | None:
    """The name of enum value ``number``, for an enum that has the names ``allowed``; None if not known."""
    for table in _TABLES:
        if table[0] in allowed and 0 <= number < len(table) and table[number] in allowed:
            return table[number]
    return allowed[0] if number == 0 else None
