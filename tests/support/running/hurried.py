"""Time runs faster for providers in tests, as waits are most of what a life takes.

Run as ``python -m tests.support.running.hurried ENGINE`` it is Pulumi's dynamic host. Only the clock module sleeps and
reads clocks, so that every wait, every limit and every age of the provider is shorter in the same measure; sockets keep
real time.
"""

import os
import runpy
import sys
import threading
import time

FACTOR = 10


class Hurried:
    """As much of the module ``time`` as the clock module uses."""

    @staticmethod
    def sleep(seconds):
        time.sleep(seconds / FACTOR)

    @staticmethod
    def monotonic():
        return time.monotonic() * FACTOR


def hurry():
    """Let time run faster in this process and in those that it forks."""
    from mg_provider import clock

    clock.time = Hurried


if __name__ == "__main__":
    hurry()
    # The tests hold the other end and never write: it closes when they end, however they do.
    threading.Thread(target=lambda: os.read(0, 1) or os._exit(1), daemon=True).start()
    sys.argv = ["dynamic", *sys.argv[1:]]
    runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)
