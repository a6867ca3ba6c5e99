"""The outermost frame of `mg`: one form of errors, and the exit codes, whatever the command."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, TextIO, cast

import typer
import typer.main

from mg_provider.command_line.completion import answer_a_shell, complete_names
from mg_provider.command_line.errors import StatedError
from mg_provider.command_line.exits import FAILED, FINE, INTERRUPTED, NOBODY_READS
from mg_provider.command_line.lines import FittedStream
from mg_provider.command_line.mistakes import refusal_of, refuse_empty_paths
from mg_provider.command_line.variables import VERBOSE, name_variables

NAME = "mg"


@functools.cache
def built(app: typer.Typer) -> Any:
    """The command of an application, its options with environment variables and completion."""
    command = typer.main.get_command(app)
    name_variables(command)
    complete_names(command)
    refuse_empty_paths(command)
    return command


def run_app(app: typer.Typer, arguments: Sequence[str], redact: Callable[[str], str]) -> int:
    """Run a command line.

    Args:
        app: The application.
        arguments: What follows the command's name.
        redact: Takes secrets out of a text.

    Returns:
        The exit code.
    """
    if sys.stderr.isatty():
        # What people read goes there, whichever command says it.
        sys.stderr = cast(TextIO, FittedStream(sys.stderr))
    try:
        code = _ended(app, list(arguments), redact)
        sys.stdout.flush()
    except BrokenPipeError:
        _write_nowhere()
        return NOBODY_READS
    return code


def _ended(app: typer.Typer, arguments: list[str], redact: Callable[[str], str]) -> int:
    try:
        command = built(app)
        if (code := answer_a_shell(command, NAME)) is not None:
            return code
        with command.make_context(NAME, arguments) as context:
            command.invoke(context)
    except typer.Exit as ended:
        return ended.exit_code
    except typer.TyperException as error:
        return _mistake(error)
    except (KeyboardInterrupt, typer.Abort):
        return _say("interrupted", f"run `{' '.join((NAME, *arguments))}` again", INTERRUPTED)
    except StatedError as error:
        return _say(redact(str(error)), "", error.exit_code)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the outermost frame
        if os.environ.get(VERBOSE):
            sys.stderr.write(redact(traceback.format_exc()))
        text = redact(str(error)) or type(error).__name__
        return _say(text, f"run it again with `{NAME} -v …` to see where it happened", FAILED)
    return FINE


def _mistake(error: typer.TyperException) -> int:
    """What click says of a mistake in the command, in our form."""
    if error.message.startswith("Usage: "):
        # Nothing was given at all, and the error is the help.
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    refusal = refusal_of(error, NAME)
    return _say(str(refusal), "", refusal.exit_code)


def _say(what: str, hint: str, code: int) -> int:
    advice = "" if "\ndo: " in what else f"do: {hint}\n"
    sys.stderr.write(f"error: {what}\n{advice}")
    return code


def _write_nowhere() -> None:
    """Python flushes once more when it ends, and must not complain then."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(nothing, stream.fileno())
