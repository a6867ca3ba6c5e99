"""An environment with the clients that Google and OpenAI publish, so that tests can run them unmodified.

It lies in ``.venv-clients``, holds exactly what ``tests/clients/requirements.lock`` says, and is made when it is first
needed or when the lock has changed. ``make test`` makes it before the tests begin; a test names the fixture
``clients_python``.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LOCK = ROOT / "tests" / "clients" / "requirements.lock"
FOLDER = ROOT / ".venv-clients"
REASON = """The environment of the real clients cannot be made in {folder}:
{problem}
Its packages come from the package index once, then it stays. Connect to the network and run `make test` again.
Tests that need no real client run without it: .venv/bin/python -m pytest -n auto --ignore=tests/clients"""


class NotMade(Exception):
    """The environment cannot be made; the text says why and what to do."""


def is_ready(folder: Path = FOLDER, lock: Path = LOCK) -> bool:
    """Whether the environment is there, and is what the lock says."""
    ready = folder / "ready"
    return ready.exists() and ready.read_text() == _key(lock) and _interpreter(folder).exists()


def _key(lock: Path) -> str:
    return hashlib.sha256(f"{sys.version}\n{lock.read_text(encoding='utf-8')}".encode()).hexdigest()


def _interpreter(folder: Path) -> Path:
    return folder / "environment" / "bin" / "python"


def python(folder: Path = FOLDER, lock: Path = LOCK, seconds: float = 300) -> str:
    """The interpreter of the environment, which is made first where it is missing or old.

    Processes that ask at the same time wait for the one that makes it.

    Args:
        folder: Where it lies.
        lock: What it holds.
        seconds: How long making it may take.

    Raises:
        NotMade: It is not there, and cannot be made.
    """
    folder.mkdir(exist_ok=True)
    ready, interpreter = folder / "ready", _interpreter(folder)
    with (folder / "lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if is_ready(folder, lock):
            return str(interpreter)
        ready.unlink(missing_ok=True)
        _uv(folder, seconds, "venv", "--clear", "--python", sys.executable, str(folder / "environment"))
        sync = ("pip", "sync", "--python", str(interpreter), "--require-hashes", "--compile-bytecode")
        _uv(folder, seconds, *sync, str(lock))
        ready.write_text(_key(lock))
    return str(interpreter)


def _uv(folder: Path, seconds: float, *arguments: str) -> None:
    command = [sys.executable, "-m", "uv", *arguments, "--quiet"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds, cwd=folder)
    except subprocess.TimeoutExpired as error:
        raise NotMade(REASON.format(folder=folder, problem=f"it took longer than {seconds:.0f} s")) from error
    if done.returncode:
        raise NotMade(REASON.format(folder=folder, problem=done.stderr.strip()))


if __name__ == "__main__":
    if not is_ready():
        print(f"test: making {FOLDER.name} with the clients of Google and OpenAI", flush=True)  # noqa: T201 - a command
    try:
        python()
    except NotMade as reason:
        sys.exit(str(reason))
