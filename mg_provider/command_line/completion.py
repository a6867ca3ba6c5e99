"""Completion in bash, zsh and fish: the script that a shell runs, and what it asks back."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from mg_provider.command_line.variables import options
from mg_provider.data import known_regions, table


class Shell(StrEnum):
    """The shells that have completion."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def script(shell: Shell, name: str) -> str:
    """What the shell is to run once, to complete a command from then on."""
    from typer._completion_classes import completion_init
    from typer._completion_shared import get_completion_script

    completion_init()
    return str(get_completion_script(prog_name=name, complete_var=_variable(name), shell=shell.value))


def answer_a_shell(command: Any, name: str) -> int | None:
    """Handle a shell that asks for words; None if no shell asks."""
    instruction = os.environ.get(_variable(name))
    if not instruction:
        return None
    from typer._completion_classes import completion_init
    from typer.completion import shell_complete

    completion_init()
    return shell_complete(command, {}, name, _variable(name), instruction)


def _variable(name: str) -> str:
    return f"_{name.upper()}_COMPLETE"


def _stacks(_context: Any) -> list[str]:
    """The stacks that have a config file in this folder, or where its Pulumi.yaml says."""
    folders = [Path(), *(path for path in Path().glob("*/config") if Path("Pulumi.yaml").is_file())]
    return sorted({path.name.split(".")[1] for folder in folders for path in folder.glob("Pulumi.*.yaml")})


def _regions(_context: Any) -> list[str]:
    return sorted(known_regions())


def _resources(context: Any) -> list[str]:
    """The resources that the rehearsal's state of the stack has, by name."""
    given = context.params
    stack, folder = given.get("stack") or "dev", Path(given.get("program") or "")
    files = [Path(given["state"])] if given.get("state") else folder.glob(f".mg/rehearsal/*/{stack}.json")
    names = set[str]()
    for file in files:
        with suppress(OSError, ValueError, LookupError, TypeError):
            state = json.loads(file.read_bytes())
            names |= {resource["urn"].rpartition("::")[2] for resource in state["deployment"]["resources"]}
    return sorted(names)


def _topics(context: Any) -> list[str]:
    return [] if context.params.get("words") else sorted({*table("help"), *context.find_root().command.commands})


Names = Callable[[Any], list[str]]
_OF_OPTIONS: Final[dict[str, Names]] = {
    "--stack": _stacks,
    "--region": _regions,
    "--from": _regions,
    "--target": _resources,
}


def complete_names(command: Any) -> None:
    """Complete names that are known here: stacks of this folder, regions, resources of a stack, topics."""
    for _, option in options(command):
        names = next((_OF_OPTIONS[name] for name in option.opts if name in _OF_OPTIONS), None)
        if names is not None and not option.type_descriptor.is_choice:
            option._custom_shell_complete = _completing(names)
    if topics := getattr(command, "commands", {}).get("help"):
        topics.params[0]._custom_shell_complete = _completing(_topics)


def _completing(names: Names) -> Callable[[Any, Any, str], list[str]]:
    return lambda context, _option, begun: [name for name in names(context) if name.startswith(begun)]
