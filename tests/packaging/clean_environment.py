"""A clean virtual environment with the wheel and what the wheel declares, and nothing else; made without a network."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement


def build_wheel(root: Path, folder: Path) -> Path:
    """The wheel of the project, as ``make build`` makes it."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(root)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


class CleanEnvironment:
    """A virtual environment below ``folder``; ``python`` and ``site_packages`` are its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder, with_pip=False, symlinks=True)
        self.python = folder / "bin" / "python"
        (self.site_packages,) = folder.glob("lib/python*/site-packages")

    def install(self, wheel: Path, extra: str = "") -> None:
        """Install the wheel, and every distribution that it needs from those of this environment."""
        self._uv("pip", "install", "--quiet", "--offline", "--no-index", "--no-deps", str(wheel))
        (installed,) = (
            found for found in Distribution.discover(path=[str(self.site_packages)]) if found.name == "mg-provider"
        )
        for needed in _closure(installed.requires or [], frozenset({extra} - {""})):
            self._link(needed)

    def require(self, requirements: Path) -> None:
        """Install what a file of requirements names and finds by itself; not what that needs in turn."""
        self._uv("pip", "install", "--quiet", "--offline", "--no-index", "--no-deps", "-r", str(requirements))

    def check(self) -> str:
        """What ``pip check`` says: whether every declared dependency is there in a version that fits."""
        return self._uv("pip", "check", "--offline")

    def run(self, *command: str, folder: Path) -> str:
        """The output of a command of this environment, run from ``folder``."""
        return self._run([str(self.folder / "bin" / command[0]), *command[1:]], folder)

    def _uv(self, *arguments: str) -> str:
        return self._run([sys.executable, "-m", "uv", *arguments, "--python", str(self.python)])

    def _run(self, command: list[str], folder: Path | None = None) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}
        done = subprocess.run(
            command, cwd=folder or self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def _link(self, needed: Distribution) -> None:
        there = Path(str(needed.locate_file("")))
        for file in needed.files or []:
            # Scripts lie outside of site-packages; nothing that is imported does.
            if ".." in file.parts or (self.site_packages / file).exists():
                continue
            # A package as a whole, with its bytecode; a folder that distributions share has no __init__.py.
            packages = (folder for folder in reversed(file.parents) if (there / folder / "__init__.py").exists())
            linked = next(packages, file)
            target = self.site_packages / linked
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to((there / linked).resolve())


def _closure(requirements: Iterable[str], extras: frozenset[str]) -> Iterator[Distribution]:
    """Every distribution that these requirements lead to, extras as far as they are asked for."""
    waiting = [(Requirement(text), extras) for text in requirements]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement, extras = waiting.pop()
        environments = [{"extra": extra} for extra in extras or {""}]
        if requirement.marker and not any(requirement.marker.evaluate(each) for each in environments):
            continue
        key = (requirement.name.lower(), frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        found = distribution(requirement.name)
        yield found
        waiting += [(Requirement(text), frozenset(requirement.extras)) for text in found.requires or []]
