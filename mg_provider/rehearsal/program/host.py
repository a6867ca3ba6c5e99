"""The process that runs dynamic providers: ``python -m pulumi.dynamic``, which also ends when its engine does.

It is started by its path, with the program's interpreter. The engine holds the other end of its standard input and
never writes; when the engine dies, however it dies, the end of that input is the only sign.

The providers that the state names are loaded while the program still starts, which otherwise the first call waits for.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import runpy
import sys
import threading

import dill  # type: ignore[import-untyped]


def end_with_the_engine() -> None:
    """End this process when the engine's end of standard input closes."""

    def watch() -> None:
        os.read(0, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def load(serialized: list[str]) -> None:
    """Load providers ahead; one that cannot be loaded is reported by the call that needs it, if one does."""
    for text in serialized:
        # Standard output has the port.
        with contextlib.suppress(Exception), contextlib.redirect_stdout(sys.stderr):
            dill.loads(base64.b64decode(text))  # noqa: S301 - names of classes of this package; the engine sends no others


if __name__ == "__main__":
    # As with ``-m``: modules come from the program's folder, which is the working directory.
    sys.path[0] = os.getcwd()
    end_with_the_engine()
    load(json.loads(sys.argv.pop()))
    runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)
