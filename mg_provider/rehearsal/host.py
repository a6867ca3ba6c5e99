"""The process that runs dynamic providers: ``python -m pulumi.dynamic``, which also ends when its engine does.

It is started by its path, with the program's interpreter. The engine holds the other end of its standard input and
never writes; when the engine dies, however it dies, the end of that input is all that tells.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading


def end_with_the_engine() -> None:
    """End this process when the engine's end of standard input closes."""

    def watch() -> None:
        os.read(0, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    # As with ``-m``: modules come from the program's folder, which is the working directory.
    sys.path[0] = os.getcwd()
    end_with_the_engine()
    runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)
