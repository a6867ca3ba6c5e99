"""Starts what belongs to a user's project, with its own interpreter and its own environment: program and providers."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Final

from mg_provider.rehearsal.program.project import Project

_HERE: Final = ("127.0.0.1", "localhost", "::1")


def start(project: Project, script: Path, *arguments: str, stderr: int) -> subprocess.Popen[str]:
    """Run a script of ours in the project's Python.

    Args:
        project: Whose Python it is.
        script: What it runs.
        arguments: The arguments of the script.
        stderr: ``subprocess.PIPE``, or ``subprocess.STDOUT``.
    """
    return subprocess.Popen(  # noqa: S603 - the interpreter of the user's own project
        [project.python, "-u", str(script), *arguments],
        cwd=project.working_directory,
        env=os.environ | _environment(project),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        # Ctrl-C is for the engine to hear; it ends the others when it is time.
        start_new_session=True,
    )


def _environment(project: Project) -> dict[str, str]:
    """What the program and the providers find in their environment: as under the real engine, and one mark more."""
    return {
        "PULUMI_PROJECT": project.name,
        "PULUMI_STACK": project.stack,
        "PULUMI_CONFIG": json.dumps(project.config),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(sorted(project.secret_keys)),
        "MG_REHEARSAL": "1",
        **_straight_to_this_machine(),
    }


def _straight_to_this_machine() -> dict[str, str]:
    """What keeps proxies out between the engine, its program and its providers, whoever opens the connection."""
    straight = {}
    for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
        given = os.environ.get(name, "")
        straight[name] = ",".join(filter(None, [given, *_HERE])) if given != "*" else given
    return straight
