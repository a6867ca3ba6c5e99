"""The engine on the other end: what its log takes, and what happens when it is gone.

An engine that is killed says nothing, and its provider processes would go on by themselves, beside those of the next
``up``. What does show is that nobody reads their output any more. That needs no process ids, so it is the same under a
shell in between, in a container and wherever an engine is started from. A process whose output is a terminal or a file,
as one that somebody runs by hand, is left alone.
"""

from __future__ import annotations

import contextlib
import os
import select
import stat
import sys
import threading
from collections.abc import Callable

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from mg_provider.clock import SystemClock

_HOST_MODULE = "pulumi.dynamic"
_LOG_SECONDS = 5.0
_OUTPUT, _ERRORS = 1, 2


def is_host() -> bool:
    """Whether this process is Pulumi's dynamic host."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return str(getattr(spec, "name", "")).startswith(_HOST_MODULE)


def log_debug(text: str) -> None:
    """A line for those who ask the engine for them (``pulumi up --debug``); nothing waits for it."""
    if is_host() and len(sys.argv) > 1:
        threading.Thread(target=_log, args=(sys.argv[1], text), daemon=True).start()


def _log(address: str, text: str) -> None:
    request = engine_pb2.LogRequest(severity=engine_pb2.DEBUG, message=text)
    with contextlib.suppress(grpc.RpcError), grpc.insecure_channel(address) as channel:
        engine_pb2_grpc.EngineStub(channel).Log(request, timeout=_LOG_SECONDS)


def end_with_the_engine() -> None:
    """End this host at once when its engine is gone: a call that nobody waits for must not begin anything more.

    What it was doing stays as it is, as after any interruption, and the next ``up`` goes on from there.
    """
    if is_host():
        watch(lambda: os._exit(1))


def watch(gone: Callable[[], None], streams: tuple[int, ...] = (_OUTPUT, _ERRORS)) -> None:
    """Call ``gone`` once nobody reads any of the streams that somebody could read."""
    if not hasattr(select, "poll"):
        return
    # Copies, so that a stream which the process closes and opens again does not stand for another one.
    watched = [os.dup(stream) for stream in streams if _has_reader_at_all(stream)]
    if watched:
        threading.Thread(target=_watch, args=(watched, gone), daemon=True).start()


def _watch(streams: list[int], gone: Callable[[], None]) -> None:
    SystemClock().wait_until_unread(streams)
    gone()


def _has_reader_at_all(stream: int) -> bool:
    try:
        mode = os.fstat(stream).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
