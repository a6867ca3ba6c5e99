"""The process that runs a Pulumi program: the part that `pulumi-language-python-exec` plays under the real engine.

It is started by its path, with the program's interpreter, so it imports nothing but Pulumi's SDK.
"""

# ruff: noqa: E402 - see _end_at_once

from __future__ import annotations

import atexit
import os
import sys

_ended: list[int] = []


def _end_at_once() -> None:
    """Skip the taking apart of every object at the end of a process, when everything else of its end has happened."""
    if _ended:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_ended[0])


# What is registered first is called last: before anything that the other imports register.
atexit.register(_end_at_once)

import asyncio
import difflib
import functools
import gc
import json
import logging
import runpy
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi
import pulumi.runtime
from pulumi import _types
from pulumi.runtime.proto import source_pb2

_NEAR = 0.8  # How much alike a misspelt config key and the right one are at least; 1 is the same.
REPORTED = 32  # The exit code that says the error has been reported already, as Pulumi's own host uses it.


def main(settings: dict[str, Any], target: str) -> int:
    """Run the program; its resources register with the engine whose address the settings hold."""
    if not settings["stock_sdk"]:
        _quicken_sdk()
    pulumi.runtime.set_all_config(pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env())
    parallel: int = settings["parallel"]
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=settings["project"],
            stack=settings["stack"],
            organization=settings["organization"],
            root_directory=settings["root_directory"],
            monitor=settings["engine"],
            engine=settings["engine"],
            parallel=parallel,
            dry_run=settings["dry_run"],
        )
    )
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=parallel)
    loop.set_default_executor(executor)
    # A failed program leaves futures behind that nobody awaits; asyncio's complaints about them help no user.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _run(target)))
    except pulumi.ConfigMissingError as error:
        pulumi.log.error(_without_value(error.key, error.secret))
        return REPORTED
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return REPORTED
    except Exception as error:  # noqa: BLE001 - the outermost frame of a user's program
        pulumi.log.error("Program failed with an unhandled exception:\n" + _traceback(error, target))
        return REPORTED
    finally:
        executor.shutdown(wait=True)
        loop.close()
    return 0


def _without_value(key: str, secret: bool) -> str:
    """What to say of a config key that the program needs and the stack does not have."""
    near = difflib.get_close_matches(key, [*pulumi.runtime.get_config_env()], 1, _NEAR)
    file = f"Pulumi.{pulumi.get_stack()}.yaml"
    command = f"pulumi config set {'--secret ' if secret else ''}{key} VALUE"
    hint = f"write the line `{key}: VALUE` below `config:` in {file}, or run `{command}`"
    if near:
        hint = f"did you mean {key}? The stack's file has {near[0]}: rename it there"
    return f"the config key {key} has no value\ndo: {hint}"


def _quicken_sdk() -> None:
    """Leave out of the SDK what costs much and shows nowhere in a rehearsal; ``--stock-sdk`` leaves it in."""

    def debug(*arguments: object, **options: object) -> None:
        """Debug messages: the SDK sends four for each resource, and waits for the answer to each."""

    pulumi.log.debug = debug
    # Where in the source a resource stands.
    if hasattr(pulumi.runtime.resource, "_get_stack_trace"):
        pulumi.runtime.resource._get_stack_trace = source_pb2.StackTrace
    # What types a class of resources has: found again for each resource.
    if hasattr(_types, "resource_types"):
        _types.resource_types = functools.cache(_types.resource_types)


def _end_with_the_engine() -> None:
    """End this process when the engine's end of standard input closes, which is how the engine's death shows."""

    def watch() -> None:
        os.read(0, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


async def _run(target: str) -> None:
    runpy.run_path(target, run_name="__main__")
    # Lets the registrations begin: the SDK then waits for them one by one, and not for all outputs again and again.
    await asyncio.sleep(0)


def _traceback(error: BaseException, target: str) -> str:
    """The traceback from the user's first own line on."""
    frames = traceback.extract_tb(error.__traceback__)
    folder = target if os.path.isdir(target) else os.path.dirname(target)
    own = [index for index, frame in enumerate(frames) if frame.filename.startswith(folder)]
    kept = frames[own[0] :] if own else frames
    heading = "Traceback (most recent call last):\n" if kept else ""
    return heading + "".join(traceback.format_list(kept)) + "".join(traceback.format_exception_only(error))


if __name__ == "__main__":
    # The folder of this file is not part of the user's program.
    sys.path.pop(0)
    _end_with_the_engine()
    # What a program makes lives until it ends, so looking for garbage as often as Python does finds none.
    gc.set_threshold(100_000, 10, 10)
    program = sys.argv[1]
    chosen = json.loads(sys.argv[2])
    sys.argv = [program]
    if not os.path.isdir(program):
        sys.path.insert(0, os.path.dirname(program))
    _ended.append(main(chosen, program))
    sys.exit(_ended[0])
