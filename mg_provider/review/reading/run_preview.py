"""Runs the preview of a stack, on either engine, and returns what it wrote."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from mg_provider.review.reading.preview import PreviewError
from mg_provider.review.reading.values import name

_MG: Final = "from mg_provider.cli import main; main()"


def run_preview(stack: str, engine: str, program: Path) -> str:
    """The JSON of a preview, unchanged resources included.

    Raises:
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
        said = " ".join(done.stderr.split()) or "it wrote nothing"
        raise PreviewError(
            f"the preview of {name(stack)} failed: {said[-400:]}", hint="fix what it says, then review again"
        )
    return done.stdout
