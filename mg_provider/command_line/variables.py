"""Environment variables for options: `MG_` and the option's name, the same on every command that has the option."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

PREFIX: Final = "MG_"
VERBOSE: Final = "MG_VERBOSE"
"""The variable of `--verbose`: errors come with a traceback."""

EMULATOR: Final = "MG_EMULATOR"
"""The variable of `--emulator`, which commands without that option take too."""

# Options that mean something else on each command: the command's name is part of the variable.
OF_A_COMMAND: Final = frozenset({"--as", "--engine", "--file", "--format", "--from", "--model", "--output", "--port"})
WITHOUT: Final = frozenset({"--version"})


def name_variables(command: Any) -> None:
    """Give every option of a command, and of the commands below it, its environment variable.

    Args:
        command: A command of click's, as typer builds it; those types are not public.
    """
    for path, option in options(command):
        if (variable := variable_of(path, option)) is not None:
            option.envvar = variable
            option.show_envvar = True


def options(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every option, with the names of the commands that lead to it."""
    for parameter in command.params:
        if parameter.param_type_name == "option":
            yield path, parameter
    for name, nested in getattr(command, "commands", {}).items():
        yield from options(nested, (*path, name))


def source_of(context: Any, parameter: str) -> str:
    """What gave an option its value, as a user calls it: the option itself, or its variable."""
    option = next(one for one in context.command.params if one.name == parameter)
    given = context.get_parameter_source(parameter)
    from_variable = given is not None and given.name == "ENVIRONMENT"
    return str(option.envvar if from_variable else max(option.opts, key=len))


def variable_of(path: tuple[str, ...], option: Any) -> str | None:
    """The variable of an option; None for one that has none."""
    name = max(option.opts, key=len)
    if name in WITHOUT:
        return None
    words = [*(path if name in OF_A_COMMAND else ()), name.removeprefix("--")]
    return PREFIX + "_".join(words).replace("-", "_").upper()
