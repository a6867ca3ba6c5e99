"""The emulator as a process of its own."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType

from mg_provider.emulator.emulator import Emulator


def serve(host_port: int, speed: float) -> None:
    """Serve on 127.0.0.1 until SIGINT or SIGTERM; the first line on stdout is the URL.

    Args:
        host_port: port of the main listener; 0 takes a free one.
        speed: emulated seconds per real second.
    """
    over = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    with Emulator(port=host_port, speed=speed) as emulator:
        sys.stdout.write(f"{emulator.url}\n")
        sys.stdout.flush()
        over.wait()
