"""What a stack has already: its state, as `pulumi stack export` prints it or as a rehearsal keeps it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from mg_provider.api.errors import UserError
from mg_provider.importing.imported import TYPE_PREFIX


def read_stack(source: str) -> tuple[set[str], set[str]]:
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
            f"{source} cannot be read as a stack's state ({error})", property="--state", hint=_HINT
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
