"""A mistake in a command line, in the one form of errors. The parser's own words are for its programmers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from mg_provider.command_line.errors import Refusal
from mg_provider.command_line.variables import source_of
from mg_provider.command_line.wrong_values import in_words
from mg_provider.spelling import did_you_mean

_NO_COMMAND: Final = re.compile(r"No such command '(.*?)'\.?(?: |$)", re.DOTALL)
_NOT_ONE_OF: Final = re.compile(r"'(.*)' is not one of (.+?)\.?", re.DOTALL)
_QUOTED: Final = re.compile(r"'([^']*)'")


def refusal_of(error: Any, name: str) -> Refusal:
    """What to say of a mistake.

    Args:
        error: As the parser raised it; its types are not public.
        name: The name of the program.
    """
    context: Any = getattr(error, "ctx", None)
    path = context.command_path if context is not None else name
    see = f"see `{path} --help`"
    if hasattr(error, "possibilities"):
        options = [each for option in context.command.params for each in option.opts if each.startswith("--")]
        hint = did_you_mean(error.option_name, options, see)
        return Refusal(f"`{path}` has no option {error.option_name}", hint=hint)
    if option := getattr(error, "option_name", None):
        return Refusal(f"{option} has no value, or one that it does not take", hint=f"write {option} VALUE; {see}")
    if command := _NO_COMMAND.match(error.message):
        return Refusal(f"`{path}` has no command {command[1]}", hint=did_you_mean(command[1], context.command.commands))
    if getattr(error, "param", None) is not None and context is not None:
        return _of_parameter(error, path, see)
    return Refusal(f"`{path}`: {_plain(error)}", hint=see)


def refuse_empty_paths(command: Any) -> None:
    """An empty path, as of a shell's variable that is not set, would be this folder."""
    for parameter in command.params:
        if parameter.type_descriptor.annotation is Path:
            parameter.process_value = _refusing(parameter, parameter.process_value)
    for nested in getattr(command, "commands", {}).values():
        refuse_empty_paths(nested)


def _refusing(parameter: Any, process: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def processed(context: Any, value: Any) -> Any:
        if value == "":
            is_option = parameter.param_type_name == "option"
            given = max(parameter.opts, key=len) if is_option else _shown(parameter)
            raise Refusal(f"{given} is an empty path", hint="give a path; . is this folder")
        return process(context, value)

    return processed


def _of_parameter(error: Any, path: str, see: str) -> Refusal:
    parameter = error.param
    is_option = parameter.param_type_name == "option"
    if hasattr(error, "param_type"):
        if is_option:
            option = max(parameter.opts, key=len)
            return Refusal(f"`{path}` needs {option}", hint=f"give {option} VALUE, or set {parameter.envvar}")
        kind = parameter.type_descriptor
        choices = ", ".join(each.value for each in kind.annotation) if kind.is_choice else ""
        return Refusal(f"`{path}` needs {_shown(parameter)}", hint=f"give one of {choices}" if choices else see)
    given = source_of(error.ctx, parameter.name) if is_option else _shown(parameter)
    wrong = error.__cause__.errors()[0] if hasattr(error.__cause__, "errors") else None
    if choice := _NOT_ONE_OF.fullmatch(in_words(wrong) if wrong else error.message):
        return Refusal(f"{given} cannot be {choice[1]!r}", hint=did_you_mean(choice[1], _QUOTED.findall(choice[2])))
    if wrong:
        return Refusal(f"{given} {in_words(wrong)}, not {str(wrong['input'])[:80]!r}", hint=see)
    return Refusal(f"{given}: {_plain(error)}", hint=see)


def _shown(argument: Any) -> str:
    return str(argument.metavar or argument.name).upper()


def _plain(error: Any) -> str:
    """The parser's sentence as the end of one of ours."""
    text = str(error.message).rstrip(".")
    return text[:1].lower() + text[1:]
