"""What the running dynamic host offers only to those who look inside it.

Pulumi's Python host (``pulumi.dynamic.__main__``) serves four calls at a time and has no way to report that a
create failed after something came to exist. Both are within reach of its private parts. Everything here is
feature-detected: where the host looks different, nothing happens and the caller falls back. A test runs it against
the pinned SDK.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any, cast

from google.protobuf import any_pb2, struct_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

_UNKNOWN_STATUS = 2
_MOST_FRAMES = 64
_POOL_PARTS = ("_threads", "_idle_semaphore", "_work_queue", "_shutdown_lock", "_adjust_thread_count")


class HostCall:
    """The gRPC call that the host is serving on this thread."""

    def __init__(self, request: Any, context: Any) -> None:
        self._request = request
        self._context = context

    @property
    def timeout(self) -> float | None:
        """Seconds of the program's ``custom_timeouts``; None if it set none."""
        seconds = getattr(self._request, "timeout", 0)
        return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else None

    @property
    def program_path(self) -> str:
        """The resource's URN without stack and project; empty where the engine gives none."""
        return str(getattr(self._request, "urn", "")).partition("::")[2].partition("::")[2]

    def say_only(self, text: str) -> None:
        """Let the failure that follows show this text to the user instead of a traceback."""
        abort = self._context.abort
        self._context.abort = lambda code, _details: abort(code, text)

    def keep_in_state(self, id: str, properties: Mapping[str, Any], reason: str) -> None:
        """Let the failure that follows keep this resource in the stack's state, marked as not finished."""
        outputs = struct_pb2.Struct()
        outputs.update(dict(properties))
        detail = provider_pb2.ErrorResourceInitFailed(id=id, properties=outputs, reasons=[reason])
        packed = any_pb2.Any()
        packed.Pack(detail)
        status = status_pb2.Status(code=_UNKNOWN_STATUS, message=reason, details=[packed])
        self._context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))


def current_call() -> HostCall | None:
    """The call being served on this thread, or None where the host looks different."""
    frame: FrameType | None = sys._getframe(1)
    for _ in range(_MOST_FRAMES):
        if frame is None:
            return None
        request, context = frame.f_locals.get("request"), frame.f_locals.get("context")
        if hasattr(context, "set_trailing_metadata") and hasattr(context, "abort") and hasattr(request, "DESCRIPTOR"):
            return HostCall(request, context)
        frame = frame.f_back
    return None


def _server() -> Any:
    """The host's gRPC server, found on its main thread; None where there is none."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None:
        server = frame.f_locals.get("server")
        if hasattr(server, "_state") and hasattr(server, "add_generic_rpc_handlers"):
            return server
        frame = frame.f_back
    return None


class _Idle:
    """Stands for the pool's count of idle threads: there is one for a call as long as calls are fewer than threads.

    Up to Python 3.11 the pool's own count is too high once calls have queued, and then no thread is started. Here
    calls are counted, beginning with one for each thread: threads may be too many by some, never too few.
    """

    def __init__(self, threads: Collection[threading.Thread]) -> None:
        self._threads = threads
        self._calls = len(threads)
        self._lock = threading.Lock()

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """A call has come; whether there is a thread for it."""
        with self._lock:
            self._calls += 1
            return self._calls <= len(self._threads)

    def release(self) -> None:
        """A call has ended."""
        with self._lock:
            self._calls -= 1


_server_seen: Any = None


def find_server() -> None:
    """Remember the host's server, whose end `is_stopping` looks for."""
    global _server_seen
    _server_seen = _server() or _server_seen


def widen(threads: int) -> int | None:
    """Let the host serve this many calls at once. Returns the number reached, None if it could not be changed."""
    find_server()
    pool: Any = getattr(getattr(_server_seen, "_state", None), "thread_pool", None)
    if not isinstance(pool, ThreadPoolExecutor) or not isinstance(getattr(pool, "_max_workers", None), int):
        return None
    if not all(hasattr(pool, part) for part in _POOL_PARTS):
        return None
    with pool._shutdown_lock:
        if pool._max_workers < threads:
            pool._max_workers = threads
            pool._idle_semaphore = cast(Any, _Idle(pool._threads))
            # The calls that wait already: no other call may come to start a thread for them.
            for _ in range(pool._work_queue.qsize()):
                pool._adjust_thread_count()
    return int(pool._max_workers)


def is_stopping() -> bool:
    """Whether the host was asked to end (the second Ctrl-C)."""
    stage = getattr(getattr(_server_seen, "_state", None), "stage", None)
    return _server_seen is not None and getattr(stage, "name", "STARTED") != "STARTED"
