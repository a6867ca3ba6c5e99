"""Runs the preview of a stack, on either engine, and returns what it wrote."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from mg_provider.command_line.errors import Refusal
from mg_provider.command_line.exits import USAGE
from mg_provider.review.reading.preview import PreviewError
from mg_provider.review.reading.values import name

_MG: Final = "from mg_provider.cli import main; main()"


def run_preview(stack: str, engine: str, program: Path) -> str:
    """The JSON of a preview, unchanged resources included.

    Raises:
        Refusal: The engine refused what it was asked for, such as a stack that does not exist.
        PreviewError: It could not be run; says what it wrote.
    """
    if engine == "rehearsal":
        command = [sys.executable, "-c", _MG, "rehearse", "preview", str(program), "--json", "--show-sames"]
        command += ["--stack", stack]
    else:
        found = shutil.which("pulumi")
        if found is None:
            raise PreviewError("pulumi is not on PATH", hint="install it, or use --engine rehearsal, or give a file")
        command = [found, "preview", "--json", "--show-sames", "--non-interactive", "--cwd", str(program)]
        command += ["--stack", stack]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603
    if not done.stdout.strip():
        raise _failed(stack, engine, done)
    return done.stdout


def _failed(stack: str, engine: str, done: subprocess.CompletedProcess[str]) -> Refusal:
    said, _, advice = done.stderr.strip().removeprefix("error: ").partition("\ndo: ")
    if engine == "rehearsal" and done.returncode == USAGE:
        return Refusal(said, hint=advice)
    if re.search(r"\bno stack named\b", said):
        return Refusal(f"stack {name(stack)} does not exist", hint="`pulumi stack ls` lists those that do")
    said = " ".join(said.split()) or "it wrote nothing"
    return PreviewError(
        f"the preview of {name(stack)} failed: {said[-400:]}",
        hint=advice or "correct what it says, then review again",
    )
