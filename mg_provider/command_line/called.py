"""How a user calls `mg` from here, for the lines that a command prints to be pasted."""

from __future__ import annotations

import shutil


def mg_command(environment: str = ".venv") -> str:
    """``mg`` where a shell finds it; else its place in the environment of a project or a clone."""
    return "mg" if shutil.which("mg") else f"{environment}/bin/mg"
