"""The commands of mg in this process: built once, where typer's runner builds all of them for each command."""

from functools import cache

from typer import testing
from typer.testing import CliRunner

__all__ = ["CliRunner"]
testing._get_command = cache(testing._get_command)  # type: ignore[attr-defined]
