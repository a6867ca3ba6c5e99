"""`mg emulator`: an emulator as a process of its own, and what a user does next with it."""

from __future__ import annotations

import errno
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Final

from mg_provider.cloud.seeding import apply_seed
from mg_provider.command_line.errors import Refusal
from mg_provider.command_line.exits import FINE
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

    Raises:
        StatedError: the port is taken, the folder cannot keep a world, or the seed has a mistake.
    """
    over = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        emulator = Emulator(port=port, speed=speed, keep=keep)
    except OSError as error:
        raise _not_bound(port, error) from error
    except InUse as error:
        raise Refusal(str(error), hint=f"open {error.url or 'that one'}, or end it") from error
    except NotKept as error:
        raise Refusal(str(error), hint=f"{error.remedy}, or give another folder with --keep-in") from error
    with emulator:
        if seed:
            apply_seed(seed, emulator.url, _tell)
        sys.stdout.write(f"{emulator.url}\n")
        sys.stdout.flush()
        _tell(_NEXT.format(url=emulator.url).rstrip())
        over.wait()
    return FINE


def _not_bound(port: int, error: OSError) -> Refusal:
    if error.errno == errno.EADDRINUSE:
        return Refusal(
            f"port {port} of 127.0.0.1 is taken, perhaps by another `mg emulator`",
            hint=f"use that one, as with `--emulator http://127.0.0.1:{port}`, or take a free port with --port 0",
        )
    return Refusal(f"port {port} of 127.0.0.1 cannot be used: {error.strerror}", hint="take a free port with --port 0")


def _tell(line: str) -> None:
    """What is for a person goes to stderr: stdout has the URL alone, for programs."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
