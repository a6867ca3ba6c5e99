"""What a behaviour may be switched to: a misspelt value is refused, as it would quietly stand for the other one."""

from __future__ import annotations

from typing import Any

from mg_provider.emulator.google.errors import invalid_argument

# behaviour -> the words that it knows; other texts are free
CHOICES: dict[str, tuple[str, ...]] = {
    "allowlist_patch": ("allow", "refuse"),
    "unlisted_project": ("PENDING", "REJECTED", "NEEDS_ATTENTION"),
    "service_directory": ("always", "asked"),
    "own_service_directory": ("refuse", "keep"),
    "psc_description": ("dropped", "kept"),
    "psc_automated_dns": ("hidden", "shown"),
    "being_made": ("shown", "hidden"),
    "patch_global_access": ("allow", "refuse"),
    "fields_of_no_client": ("dropped", "kept"),
    "fast_tryout": ("hidden", "shown"),
    "rolled_out_deployment": ("undeployed", "kept"),
    "model_of_another_location": ("allow", "refuse"),
    "conflicting_operations": ("refuse", "allow"),
    "connection_policy": ("present", "missing"),
    "batch_end": ("", "expired", "never_ready"),
    "batch_completion_stats": ("live", "unknown_total", "at_end"),
    "missing_object": ("key", "named"),
    "batch_errors": ("apart", "as_answers"),
    "batch_output_order": ("scattered", "input"),
    "dedicated_endpoint_patch": ("refuse", "allow"),
    "client_connection_update": ("allow", "refuse"),
    "chat_model_name": ("checked", "ignored"),
    "upload_labels": ("version", "model"),
    "quota_counts": ("most", "current"),
    "failed_deploy_endpoint": ("kept", "removed"),
    "cancel_operation": ("ends", "refused"),
    "weights_of_another_region": ("allow", "refuse"),
    "publisher_env": ("dropped", "kept"),
}
_KINDS: dict[type, str] = {bool: "true or false", str: "a text", list: "a list", dict: "an object"}
# behaviours that map something to a number
_NUMBERED = ("load", "replicas_short", "durations")


def check_switch(name: str, default: Any, value: Any) -> None:
    """ApiError INVALID_ARGUMENT for a value that a behaviour cannot have."""
    if name in CHOICES and value not in CHOICES[name]:
        raise invalid_argument(f"{name} is one of {', '.join(map(repr, CHOICES[name]))}, not {value!r}")
    if type(default) in _KINDS and not isinstance(value, type(default)):
        raise invalid_argument(f"{name} is {_KINDS[type(default)]}, not {value!r}")
    if type(default) not in _KINDS and not _is_amount(value):
        raise invalid_argument(f"{name} is a number from 0, not {value!r}")
    if name in _NUMBERED and not all(map(_is_amount, value.values())):
        raise invalid_argument(f"{name} has a number from 0 for each name, not {value!r}")


def _is_amount(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
