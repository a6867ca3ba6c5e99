"""A world that is kept in a folder: each call that changed it is written down, and repeated when it is opened again.

A call is in the file before it is answered, so no answer is lost, whatever ends the process; and it is on the disk a
second later, which is what a power cut can take. The answers
are the same when the calls are repeated, because ids are counted and a call happens at one moment, both written down.
A snapshot of the objects would be quicker to read, but it would be of one version of this program, and be lost where
the process is killed.

In the folder: ``calls.jsonl`` begins with a line about itself; ``bodies/`` has what was long, by its hash; ``clock``
has the last moment that a client saw; ``identity`` has what no other world has; ``lock`` is held by the process that
has the world open, and holds its URL.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from mg_provider.emulator.core.clock import real_seconds
from mg_provider.version import __version__

FORMAT = 1
SYNC_SECONDS = 1.0
"""How long a call may be in the file without being on the disk."""

_LONG = 64 * 1024


class NotKept(Exception):
    """A folder that holds no world that can be opened.

    Attributes:
        remedy: what to do about it.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


class InUse(Exception):
    """A world that another process has open.

    Attributes:
        url: where that one answers; empty where it has only begun.
    """

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(f"{folder} is in use by the emulator at {url or 'another process, which has only begun'}")
        self.url = url


@dataclass(frozen=True)
class JournalEntry:
    """One call, and the moment at which it happened.

    Attributes:
        at: emulated seconds.
        numbers: how many numbers had been given out before it.
        address: the private address that it came in on; None for the main one.
        target: path and query as they were sent.
        status: of the answer; 0 for none.
    """

    at: float
    numbers: int
    method: str
    target: str
    headers: dict[str, str]
    address: str | None
    status: int


class Journal:
    """The calls that made a world what it is.

    Args:
        folder: where they are kept; it is made.

    Raises:
        InUse: another process has it open.
        NotKept: it cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repeating = False
        self._unsynced: threading.Timer | None = None
        try:
            (folder / "bodies").mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _opened(folder / "lock")
            self._hold()
            self._clock = _opened(folder / "clock")
            self._calls = _opened(folder / "calls.jsonl")
        except OSError as error:
            raise NotKept(
                f"{folder} cannot keep an emulated cloud: {error.strerror or error}",
                "give a folder that is yours to write",
            ) from error

    def _hold(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            url = self._lock.read().decode(errors="replace").strip()
            self._lock.close()
            raise InUse(self.folder, url) from error
        self._lock.truncate(0)

    def identity(self, new: str) -> str:
        """What no other world has: the same in each of its lives, and a ``new`` one in its first."""
        with _opened(self.folder / "identity") as file:
            known = file.read().decode(errors="replace").strip()
            if not known:
                file.write(new.encode())
            return known or new

    def tell(self, url: str) -> None:
        """Say to other processes where this world answers."""
        self._lock.seek(0)
        self._lock.truncate()
        self._lock.write(url.encode())
        self._lock.flush()

    def close(self) -> None:
        """Let another process open it."""
        if self._unsynced:
            self._unsynced.cancel()
            self._sync()
        for file in (self._calls, self._clock, self._lock):
            file.close()

    def calls(self) -> Iterator[tuple[JournalEntry, bytes]]:
        """Each call with its body, oldest first; a last one that is not whole never happened.

        Raises:
            NotKept: the file is not one of ours, or of a version that is not known.
        """
        self._calls.seek(0)
        whole = 0
        for number, line in enumerate(self._calls):
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            try:
                if number == 0:
                    self._require_format(json.loads(line))
                    continue
                entry, body = _read(line)
                yield entry, self._body(body)
            except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
                raise NotKept(
                    f"line {number + 1} of {self.folder / 'calls.jsonl'} cannot be read ({error})", self._remedy()
                ) from error
        self._calls.seek(whole)
        self._calls.truncate()

    def _require_format(self, document: dict[str, Any]) -> None:
        if document.get("format") != FORMAT:
            wrote = f"mg {document.get('version')}, another version"
            raise NotKept(f"{self.folder} was written by {wrote}", self._remedy())

    def _remedy(self) -> str:
        return f"delete {self.folder} to begin with an empty cloud"

    def write(self, entry: JournalEntry, body: IO[bytes]) -> None:
        """Write a call down."""
        if self._calls.tell() == 0:
            self._line({"format": FORMAT, "version": __version__})
        self._line(asdict(entry) | {"body": self._kept(body)})

    def seen(self, at: float) -> None:
        """Note that a client saw this moment."""
        os.pwrite(self._clock.fileno(), b"%024.6f %024.6f\n" % (at, real_seconds()), 0)

    def now(self, last: float) -> float:
        """The emulated time to go on from: time passed as it did here since the last client looked."""
        try:
            at, real = map(float, os.pread(self._clock.fileno(), 100, 0).split())
        except ValueError:
            return last
        return max(at, last) + max(0.0, real_seconds() - real)

    def forget(self) -> None:
        """Keep nothing of what was."""
        if self.repeating:
            return
        for file in (self._calls, self._clock):
            file.seek(0)
            file.truncate()
        for body in (self.folder / "bodies").iterdir():
            body.unlink()

    def shorten(self, stays: Callable[[JournalEntry], bool], last: JournalEntry) -> None:
        """Leave out calls, in one step, so that an interruption leaves the old or the new file.

        Args:
            stays: whether a call is kept.
            last: a call that changes nothing, after which numbers and time go on from its own.
        """
        self._calls.seek(0)
        first, *lines = self._calls.read().splitlines(keepends=True)
        kept = [line for line in lines if stays(_read(line)[0])]
        draft = self.folder / "calls.draft"
        with _opened(draft) as file:
            file.truncate()
            file.write(first + b"".join(kept))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / "calls.jsonl")
        self._calls.close()
        self._calls = _opened(self.folder / "calls.jsonl")
        self._calls.seek(0, os.SEEK_END)
        self.write(last, BytesIO())
        held = {_read(line)[1].get("file") for line in kept}
        for body in (self.folder / "bodies").iterdir():
            if body.name not in held:
                body.unlink()

    def _line(self, document: dict[str, Any]) -> None:
        self._calls.write(json.dumps(document).encode() + b"\n")
        self._calls.flush()
        if self._unsynced is None:
            self._unsynced = threading.Timer(SYNC_SECONDS, self._sync)
            self._unsynced.daemon = True
            self._unsynced.start()

    def _sync(self) -> None:
        """Have what was written on the disk. What is written meanwhile has a turn of its own."""
        self._unsynced = None
        with suppress(ValueError, OSError):  # It was closed or shortened just now, and is on the disk by that.
            os.fsync(self._calls.fileno())

    def _kept(self, body: IO[bytes]) -> dict[str, str]:
        body.seek(0)
        content = body.read(_LONG + 1)
        if len(content) > _LONG:
            return {"file": self._long(content, body)}
        try:
            return {"text": content.decode()}
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(content).decode()}

    def _long(self, begun: bytes, rest: IO[bytes]) -> str:
        digest = hashlib.sha256()
        draft = self.folder / "bodies" / "draft"
        with _opened(draft) as file:
            file.truncate()
            while begun:
                digest.update(begun)
                file.write(begun)
                begun = rest.read(_LONG)
            file.flush()
            os.fsync(file.fileno())
        name = digest.hexdigest()
        draft.replace(draft.with_name(name))
        return name

    def _body(self, kept: dict[str, str]) -> bytes:
        if "file" in kept:
            return (self.folder / "bodies" / kept["file"]).read_bytes()
        return kept["text"].encode() if "text" in kept else base64.b64decode(kept["base64"])


def _read(line: bytes) -> tuple[JournalEntry, dict[str, str]]:
    document = json.loads(line)
    body = document.pop("body")
    return JournalEntry(**document), body


def _opened(path: Path) -> IO[bytes]:
    """A file to read and write, which others on this machine may not read: calls hold what users keep secret."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
