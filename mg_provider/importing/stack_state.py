"""What a stack says and has: its config, and its state, as `pulumi stack export` prints it or a rehearsal keeps it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mg_provider.api.errors import UserError
from mg_provider.api.http.settings import EMULATOR, ENDPOINTS, misspelt_keys
from mg_provider.command_line.errors import unread
from mg_provider.importing.imported import TYPE_PREFIX
from mg_provider.inference.stack_outputs import settings_in


def stack_settings(folder: Path, stack: str, over: Mapping[str, str]) -> dict[str, str]:
    """The settings of a stack of the project in a folder.

    Args:
        folder: The folder of Pulumi.yaml, if there is one.
        stack: The stack's name.
        over: What was said beside it, which wins. An emulator stands for all endpoints of the stack's.

    Raises:
        UserError: A file is not YAML, or a key is almost one of the provider's.
    """
    settings = settings_in(folder, stack)
    for wrong, right in misspelt_keys(settings):
        raise UserError(f"config key {wrong} of stack {stack} does not exist", hint=f"did you mean {right}?")
    if f"mg:{EMULATOR}" in over:
        settings = {key: value for key, value in settings.items() if not key.endswith(tuple(ENDPOINTS))}
    return settings | dict(over)


def names_in_state(source: str) -> tuple[set[str], set[str]]:
    """What a stack has: the resource names in the cloud, and the names in the program.

    Args:
        source: A file, or - for standard input.

    Raises:
        UserError: It cannot be read, or is not a stack's state.
    """
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
        document = json.loads(text)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{source} cannot be read as a stack's state: {unread(error)}", property="--state", hint=_HINT
        ) from error
    deployment = document.get("deployment") if isinstance(document, dict) else None
    if not isinstance(deployment, dict):
        raise UserError(f"{source} is not a stack's state: it has no deployment", property="--state", hint=_HINT)
    found, names = set(), set()
    for resource in deployment.get("resources") or []:
        if isinstance(resource, dict) and str(resource.get("type")).startswith(TYPE_PREFIX):
            found |= _things(resource)
            names.add(str(resource.get("urn")).rpartition("::")[2])
    return found, names


_HINT = "give what `pulumi stack export` prints, a rehearsal's state file, or - for standard input"


def _things(resource: dict[str, Any]) -> set[str]:
    outputs = resource.get("outputs")
    job = outputs.get("batch_prediction_job") if isinstance(outputs, dict) else None
    return {without_project(str(name)) for name in (resource.get("id"), job) if name}


def without_project(name: str) -> str:
    """A resource name without its project: of an id and a number nobody can tell whether they are the same."""
    return "/".join(name.split("/")[2:]) if name.startswith("projects/") else name
