"""Display names and labels, which all resources of Vertex AI have, as its protos say what they may be."""

from __future__ import annotations

from typing import Any

from mg_provider.emulator.core.world import World
from mg_provider.emulator.google.errors import invalid_argument

Json = dict[str, Any]

LONGEST_NAME = 128
LONGEST_LABEL = 64


def check_resource(world: World, config: Json, kind: str) -> None:
    """Display name and labels of a new or changed resource, ``kind`` in snake case. ApiError INVALID_ARGUMENT."""
    if not config.get("displayName"):
        raise invalid_argument("display_name is required.", (f"{kind}.display_name", "Required field is not set."))
    check_display_name(config["displayName"], f"{kind}.display_name")
    check_labels(world, config.get("labels", {}), f"{kind}.labels")


def check_display_name(name: str, path: str) -> None:
    """ApiError INVALID_ARGUMENT for a display name that is too long."""
    if len(name) > LONGEST_NAME:
        text = f"The display name has {len(name)} characters, at most {LONGEST_NAME} are allowed."
        raise invalid_argument(text, (path, text))


def check_labels(world: World, labels: dict[str, str], path: str) -> None:
    """ApiError INVALID_ARGUMENT for labels that no resource of Vertex AI can have."""
    most = int(world.behaviours["labels_at_most"])
    if len(labels) > most:
        text = f"{len(labels)} labels are too many, at most {most} are allowed."
        raise invalid_argument(text, (path, text))
    for key, value in labels.items():
        if not key or not _is_label(key) or not _is_label(value):
            text = (
                f"Label {key}={value} is not valid: keys and values have at most {LONGEST_LABEL} characters, which are "
                "lowercase letters, numeric characters, underscores and dashes."
            )
            raise invalid_argument(text, (path, text))


def _is_label(text: str) -> bool:
    letters = (each in "_-" or (each.isalnum() and each == each.lower()) for each in text)
    return len(text) <= LONGEST_LABEL and all(letters)
