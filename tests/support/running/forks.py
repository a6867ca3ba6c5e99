"""An interpreter that starts quickly, for tests that start many: it forks from a process that has imported much.

``environment()`` makes a folder like that of a virtual environment. Its ``bin/python`` hands its arguments,
environment and standard streams to the server, which forks; what runs is the same as with the real interpreter. Only
`python -u`, as both engines start programs and providers, goes that way. The folder ``google`` in it is another such
environment, whose processes have imported what they use of Google's package for Pulumi as well.

``shared()`` is one for all tests and all workers, and :class:`Fork` starts a process of it without an interpreter in
between.
"""

from __future__ import annotations

import array
import functools
import gc
import importlib
import marshal
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

if __name__ == "__main__":
    from hurried import hurry

# It imports as little as it can, as it is started a thousand times.
SHIM = """#!{python} -IS
import _signal, _socket, marshal, posix, sys
if sys.argv[1:2] != ["-u"]:
    posix.execv({python!r}, [{python!r}, *sys.argv[1:]])
server = _socket.socket(_socket.AF_UNIX)
server.connect({address!r})
text = marshal.dumps({{"argv": sys.argv[1:], "env": posix.environ, "cwd": posix.getcwd()}})
streams = b"".join(stream.to_bytes(4, sys.byteorder) for stream in (0, 1, 2))
server.sendmsg([len(text).to_bytes(8, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
server.sendall(text)
fork = int.from_bytes(server.recv(8, _socket.MSG_WAITALL), "big")
for number in (_signal.SIGINT, _signal.SIGTERM):
    _signal.signal(number, lambda sent, _: posix.kill(fork, sent))
for stream in (0, 1, 2):
    posix.close(stream)
answer = server.recv(1)
posix._exit(answer[0] if answer else 1)
"""
# What provider processes, programs and commands of ours import, when they start or while they run.
OURS = (
    "dill",
    "encodings.idna",
    "encodings.utf_8_sig",
    "grpc._channel",
    "grpc._server",
    "grpc._utilities",
    "grpc.experimental",
    "importlib.readers",
    "mg_provider:BatchJob",
    "mg_provider:CustomWeightsModel",
    "mg_provider:DedicatedEndpoint",
    "mg_provider:PscForwardingRule",
    "mg_provider.api.clients",
    "mg_provider.cli:app",
    "mg_provider.environment:run",
    "mg_provider.preflight.batch.check",
    "mg_provider.preflight.machines.recommend",
    "mg_provider.preflight.weights.check",
    "mg_provider.rehearsal.command",
    "mg_provider.rehearsal.engine.run",
    "mg_provider.rehearsal.show.digest",
    "mg_provider.rehearsal.show.display",
    "mg_provider.resources.batch_job.output_rows",
    "mg_provider.review.command",
    "pulumi.dynamic",
    "pydantic.plugin._loader",
    "typer._adapters",
    "urllib3.exceptions",
)
# It takes seconds to import, whatever is used of it.
GOOGLE = (
    "mg_provider.components:PscNetwork",
    "pulumi_gcp.compute:Network",
    "pulumi_gcp.dns:RecordSet",
    "pulumi_gcp.organizations:get_project_output",
    "pulumi_gcp.storage:BucketIAMMember",
)
_shared = ExitStack()
_given: list[Path] = []


@functools.cache
def shared() -> Path:
    """The folder of one server, which is started when first asked for, by a worker's controller for all workers."""
    return _given[0] if _given else _shared.enter_context(environment())


def use(folder: str) -> None:
    """Take the server of this folder for the shared one."""
    _given[:] = [Path(folder)]


def end() -> None:
    """End the shared server, if this process started one."""
    _shared.close()
    shared.cache_clear()


def project_file(name: str) -> str:
    """A ``Pulumi.yaml`` whose program and provider processes come from the shared server."""
    return f"name: {name}\nruntime:\n  name: python\n  options:\n    virtualenv: {shared()}\n"


def put_command(path: Path, script: Path | str) -> Path:
    """Make a command that runs a script in a process of the shared server."""
    path.write_text(f'#!/bin/sh\nexec "{shared()}/bin/python" -u "{script}" "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path


class Fork:
    """A process of the shared server, with as much of ``subprocess.Popen`` as tests use: output and errors are pipes.

    Args:
        arguments: What follows ``python`` on a command line, ``-u`` first.
        env: Its environment.
    """

    def __init__(self, arguments: list[str], env: dict[str, str]) -> None:
        self._connection = socket.socket(socket.AF_UNIX)
        # The tests' guard against connections elsewhere knows hosts only, so it is not asked about a path.
        socket.SocketType.connect(self._connection, str(shared() / "socket"))
        nothing, (output, said), (errors, told) = os.open(os.devnull, os.O_RDONLY), os.pipe(), os.pipe()
        self.stdout, self.stderr = open(output, encoding="utf-8"), open(errors, encoding="utf-8")  # noqa: SIM115
        given = (nothing, said, told)
        text = marshal.dumps(
            {"argv": arguments, "env": {os.fsencode(key): os.fsencode(env[key]) for key in env}, "cwd": os.getcwd()}
        )
        socket.send_fds(self._connection, [len(text).to_bytes(8, "big")], list(given))
        for stream in given:
            os.close(stream)
        self._connection.sendall(text)
        self.pid = int.from_bytes(self._connection.recv(8, socket.MSG_WAITALL), "big")
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._connection], [], [], timeout)[0]:
            answer = self._connection.recv(1)
            self._connection.close()
            self.returncode = answer[0] if answer else -signal.SIGKILL
        return self.returncode


@contextmanager
def environment() -> Iterator[Path]:
    """The folder, while the server runs."""
    folder = Path(tempfile.mkdtemp(prefix="forks"))
    listeners = [_listener(each) for each in (folder, folder / "google")]
    numbers = [listener.fileno() for listener in listeners]
    command = [sys.executable, "-u", __file__, *map(str, numbers)]
    # The server ends when the other end of its input closes, so it never outlives the tests.
    with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=numbers):
        for listener in listeners:
            listener.close()
        yield folder
    shutil.rmtree(folder)


def _listener(folder: Path) -> socket.socket:
    """What takes the requests of the interpreter that is made in a folder."""
    python, address = folder / "bin" / "python", str(folder / "socket")
    python.parent.mkdir(parents=True)
    python.write_text(SHIM.format(python=sys.executable, address=address), encoding="utf-8")
    python.chmod(0o755)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    return listener


def serve(ours: int, google: int) -> None:
    """Once the first fork is asked for, import what it needs, and fork for each connection to either listener."""
    if not asked(ours, google):
        return
    load(OURS)
    build()
    hurry()
    if os.fork():
        accept(ours)
    else:
        load(GOOGLE if asked(google) else ())
        accept(google)


def asked(*listeners: int) -> bool:
    """Wait for a connection; whether there is one, or this is the end of the tests."""
    return 0 not in select.select([0, *listeners], [], [])[0]


def accept(listener: int) -> None:
    """Fork for each connection."""
    requests = socket.socket(fileno=listener)
    # What is there already stays: a fork that looked through it for garbage would copy all of it.
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while asked(listener):
        connection, _ = requests.accept()
        if os.fork() == 0:
            requests.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            run(connection)
        connection.close()


def load(names: tuple[str, ...]) -> None:
    """Import modules, ``module:attribute`` where one is loaded when asked for the attribute."""
    for module, _, name in (each.partition(":") for each in names):
        found = importlib.import_module(module)
        if name:
            getattr(found, name)


def build() -> None:
    """Build the validators of all models and arguments, which otherwise each fork does at first use."""
    from pydantic import BaseModel

    from mg_provider.resources.model.args import Args
    from mg_provider.resources.model.salvage import adapter_of

    models = BaseModel.__subclasses__()
    for model in models:
        model.model_rebuild()
        models += model.__subclasses__()
        for name in model.model_fields if issubclass(model, Args) else ():
            adapter_of(model, name)


def run(connection: socket.socket) -> None:
    """Be the process that the other end asks for, for as long as it lives."""
    size = array.array("i", [0, 0, 0]).itemsize * 3
    head, ancillary, _, _ = connection.recvmsg(8, socket.CMSG_SPACE(size))
    streams = array.array("i")
    streams.frombytes(ancillary[0][2][:size])
    text = b""
    try:
        while len(text) < int.from_bytes(head, "big"):
            text += connection.recv(65536) or os._exit(1)
        # The signals that the other end gets are for this process.
        connection.sendall(os.getpid().to_bytes(8, "big"))
    except OSError:  # the other end was killed
        os._exit(1)
    request = marshal.loads(text)
    for target, given in enumerate(streams):
        os.dup2(given, target)
        os.close(given)
    os.environ.clear()
    os.environb.update(request["env"])
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    os.chdir(request["cwd"])
    sys.argv = request["argv"][1:]
    as_module = sys.argv[0] == "-m"
    if as_module:
        sys.argv.pop(0)
    first = os.getcwd() if as_module else str(Path(sys.argv[0]).parent)
    sys.path[0:1] = [first, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    threading.Thread(target=lambda: connection.recv(1) or os._exit(1), daemon=True).start()
    code = 0
    try:
        if as_module:
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)  # noqa: T201 - as an interpreter does
    except BaseException:  # noqa: BLE001 - the outermost frame of a script that may raise anything
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    connection.send(bytes([code & 255]))
    os._exit(code)


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:]))
