"""Stacks by the config files that a project has."""

from __future__ import annotations

from pathlib import Path

from mg_provider.command_line.errors import Refusal
from mg_provider.spelling import nearest


def refuse_unknown_stack(path: Path, stack: str) -> None:
    """A misspelt stack would run with no config at all; a project that has no config files needs none.

    Args:
        path: The config file of the stack.
        stack: The name that was given.

    Raises:
        Refusal: Other stacks have a file, and this one does not.
    """
    others = sorted(found.name.split(".")[1] for found in path.parent.glob("Pulumi.*.yaml"))
    if others and stack not in others:
        near = nearest(stack, others)
        hint = f"did you mean --stack {near}?" if near else f"give --stack one of {', '.join(others)}"
        raise Refusal(f"stack {stack} has no config: {path} does not exist", hint=hint)
