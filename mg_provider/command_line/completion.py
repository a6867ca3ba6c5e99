"""Completion in bash, zsh and fish: the script that a shell runs, and what it asks back."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from mg_provider.command_line.variables import options


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


def _stacks() -> list[str]:
    """The stacks that have a config file in this folder, or where its Pulumi.yaml says."""
    folders = [Path(), *(path for path in Path().glob("*/config") if Path("Pulumi.yaml").is_file())]
    return sorted({path.name.split(".")[1] for folder in folders for path in folder.glob("Pulumi.*.yaml")})


def _regions() -> list[str]:
    from mg_provider.data import known_regions

    return sorted(known_regions())


_NAMES: Final[dict[str, Callable[[], list[str]]]] = {"--stack": _stacks, "--region": _regions, "--from": _regions}


def complete_names(command: Any) -> None:
    """Options with names that are known here complete them: stacks of this folder, regions."""
    for _, option in options(command):
        names = next((_NAMES[name] for name in option.opts if name in _NAMES), None)
        if names is not None and not option.type_descriptor.is_choice:
            option._custom_shell_complete = _completing(names)


def _completing(names: Callable[[], list[str]]) -> Callable[[Any, Any, str], list[str]]:
    return lambda _context, _option, begun: [name for name in names() if name.startswith(begun)]
