"""Run the tests of the host and the rehearsal on other versions: ``make test-all``, ``make test-sdk``, the gate.

``pythons`` takes every Python that pyproject.toml claims and this machine has; ``pythons host`` runs only the tests of
the host and the rehearsal there, as the gate does. ``sdk`` takes the oldest release of Pulumi's SDK that pyproject.toml
allows, and the newest that there is. Each has an environment of its own, with exactly what requirements.lock says but
for that.
"""

from __future__ import annotations

import glob
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from itertools import starmap
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
HOST: Final = (
    "tests/resources/test_dynamic_host.py",
    "tests/resources/interrupted/test_engine_gone.py",
    "tests/rehearsal",
)
SLICES: Final = (
    *HOST,
    "tests/resources/arguments/test_constructors.py",
    "tests/resources/arguments/test_spelling.py",
    "tests/resources/psc_forwarding_rule/test_life_psc_forwarding_rule.py",
    "tests/resources/arguments/test_secrets.py",
    "tests/conformance",
    "tests/cli",
)
"""The tests of what depends on the version: the host of the providers, programs, the rehearsal, the command."""
NEWEST: Final = "newest"


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; returns how many versions failed."""
    if arguments in (["pythons"], ["pythons", "host"]):
        slices = HOST if arguments[1:] else SLICES
        return sum(_on_python(minor, slices) for minor in minors() if minor != f"3.{sys.version_info.minor}")
    if arguments == ["sdk"]:
        environments = {_sdk_in(python): python for python in starmap(_with_sdk, sdks().items())}
        return sum(_tested(f"Pulumi's SDK {version}", python, SLICES) for version, python in environments.items())
    print("usage: python -m tools.versions pythons [host] | sdk")
    return 2


def minors() -> list[str]:
    """The Pythons that pyproject.toml claims, such as 3.12."""
    return [entry for line in _pyproject()["classifiers"] for entry in re.findall(r":: Python :: (3\.\d+)$", line)]


def sdks() -> dict[str, str]:
    """The oldest and the newest release of Pulumi's SDK in the range of pyproject.toml, as what to install."""
    (needed,) = (need for need in map(Requirement, _pyproject()["dependencies"]) if need.name == "pulumi")
    (lowest,) = (entry.version for entry in needed.specifier if entry.operator == ">=")
    return {lowest: f"pulumi=={lowest}", NEWEST: str(needed)}


def find_python(minor: str) -> str | None:
    """The path of a Python of this minor version that can make environments; None if there is none."""
    return next((path for path in _candidates(minor) if _works(path, minor)), None)


def _candidates(minor: str) -> Iterator[str]:
    yield from (str(Path(folder) / f"python{minor}") for folder in os.get_exec_path())
    homes = (os.environ.get("PYENV_ROOT") or "~/.pyenv", "~/.local/share/uv/python")
    for pattern in (f"{homes[0]}/versions/{minor}.*/bin/python", f"{homes[1]}/cpython-{minor}.*/bin/python"):
        yield from sorted(glob.glob(os.path.expanduser(pattern)), reverse=True)


def _works(path: str, minor: str) -> bool:
    if not os.access(path, os.X_OK):
        return False
    question = f"import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != {minor!r})"
    return subprocess.run([path, "-c", question], capture_output=True, check=False).returncode == 0


def _on_python(minor: str, slices: Sequence[str]) -> bool:
    python = find_python(minor)
    if python is None:
        print(f"versions: there is no Python {minor} on this machine, so nothing ran on it", flush=True)
        return False
    return _tested(f"Python {minor}", _environment(f".venv-python-{minor}", python), slices)


def _with_sdk(release: str, requirement: str) -> str:
    """The Python of an environment with that release of Pulumi's SDK."""
    python = _environment(f".venv-sdk-{release}", sys.executable)
    _uv("pip", "install", "--quiet", "--python", python, "--upgrade", requirement)
    return python


def _sdk_in(python: str) -> str:
    shown = [python, "-c", "import importlib.metadata as m; print(m.version('pulumi'))"]
    return subprocess.run(shown, capture_output=True, text=True, check=True).stdout.strip()


def _environment(name: str, python: str) -> str:
    """The Python of an environment with what requirements.lock says."""
    own = str(ROOT / name / "bin" / "python")
    if not Path(own).exists():
        subprocess.run([python, "-m", "venv", "--clear", "--without-pip", str(ROOT / name)], check=True)
    _uv("pip", "sync", "--quiet", "--python", own, "--require-hashes", "requirements.lock")
    _uv("pip", "install", "--quiet", "--python", own, "--no-deps", "--no-build-isolation", "--editable", ".")
    return own


def _uv(*arguments: str) -> None:
    subprocess.run([str(Path(sys.executable).parent / "uv"), *arguments], cwd=ROOT, check=True)


def _tested(what: str, python: str, slices: Sequence[str]) -> bool:
    """Whether the tests failed."""
    print(f"testing on {what}", flush=True)
    workers = os.environ.get("WORKERS", "auto")
    failed = subprocess.run([python, "-m", "pytest", "-q", "-n", workers, *slices], cwd=ROOT, check=False).returncode
    print(f"{'FAILED' if failed else 'passed'} on {what}", flush=True)
    return failed != 0


def _pyproject() -> dict[str, list[str]]:
    project: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
