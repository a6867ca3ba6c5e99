"""`mg emulator`: an emulator as a process of its own, and what a user does next with it."""

from __future__ import annotations

import errno
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Final

from mg_provider.api.errors import MgError
from mg_provider.cloud.seed_file import SeedError
from mg_provider.cloud.seeding import apply_seed
from mg_provider.command_line.exits import FAILED, FINE
from mg_provider.emulator import Emulator
from mg_provider.emulator.core.journal import InUse, NotKept

_NEXT: Final = """\
look at it in a browser:   {url}/
use it in a rehearsal:     mg rehearse up --emulator {url}
use it with pulumi:        pulumi config set mg:emulator {url}
put weights and data in:   mg emulator seed FILE --emulator {url}
Ctrl-C ends it.
"""


def serve(port: int, speed: float, *, seed: Path | None = None, keep: Path | None = None) -> int:
    """Serve on 127.0.0.1 until SIGINT or SIGTERM; the first line on stdout is the URL.

    Args:
        port: of the main listener; 0 takes a free one.
        speed: emulated seconds per real second.
        seed: what it has from the start.
        keep: a folder that keeps what is emulated.

    Returns:
        The exit code.
    """
    over = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        emulator = Emulator(port=port, speed=speed, keep=keep)
    except OSError as error:
        return _refuse(*_not_bound(port, error))
    except InUse as error:
        return _refuse(str(error), f"open {error.url or 'that one'}, or end it")
    except NotKept as error:
        return _refuse(str(error), "delete it, or give another folder with --keep-in")
    with emulator:
        if seed and (code := fill(seed, emulator.url, _tell, at_start=True)):
            return code
        sys.stdout.write(f"{emulator.url}\n")
        sys.stdout.flush()
        _tell(_NEXT.format(url=emulator.url).rstrip())
        over.wait()
    return FINE


def fill(seed: Path, url: str, say: Callable[[str], None], *, at_start: bool = False) -> int:
    """Put into an emulator what a seed says; the exit code."""
    try:
        apply_seed(seed, url, say)
    except SeedError as error:
        stays = "" if at_start else ": what is there already stays"
        return _refuse(str(error), f"correct {seed}, and run this again{stays}")
    except MgError as error:
        return _refuse(error.summary, error.hint or "see `mg emulator --help`")
    return FINE


def _not_bound(port: int, error: OSError) -> tuple[str, str]:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} of 127.0.0.1 is taken, perhaps by another `mg emulator`",
            f"use that one, as with `--emulator http://127.0.0.1:{port}`, or take a free port with --port 0",
        )
    return f"port {port} of 127.0.0.1 cannot be used: {error.strerror}", "take a free port with --port 0"


def _tell(line: str) -> None:
    """What is for a person goes to stderr: stdout has the URL alone, for programs."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _refuse(what: str, do: str) -> int:
    sys.stderr.write(f"error: {what}\ndo: {do}\n")
    return FAILED
