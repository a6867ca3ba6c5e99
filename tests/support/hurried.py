"""Pulumi's dynamic host, for which time runs faster, as waits are most of what a life takes.

Run as ``python -m tests.support.hurried ENGINE``. Only the clock module sleeps and reads clocks, so that every wait,
every limit and every age of the provider is shorter in the same measure; sockets keep real time.
"""

import runpy
import sys
import time

from mg_provider import clock

FACTOR = 10


class Hurried:
    """As much of the module ``time`` as the clock module uses."""

    @staticmethod
    def sleep(seconds):
        time.sleep(seconds / FACTOR)

    @staticmethod
    def monotonic():
        return time.monotonic() * FACTOR


if __name__ == "__main__":
    clock.time = Hurried
    sys.argv = ["dynamic", *sys.argv[1:]]
    runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)
