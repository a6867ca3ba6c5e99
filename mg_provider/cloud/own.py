"""A cloud of a stack's own: an emulator that lives as long as a run, and keeps what is emulated beside the state."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from mg_provider.clock import SystemClock
from mg_provider.cloud.seed_file import NAME, local_files, read_seed
from mg_provider.cloud.seeding import apply_seed
from mg_provider.rehearsal.errors import RehearsalError

SPEED: Final = 600.0
"""Emulated seconds per second in a run: a deployment takes two seconds. Between runs time goes on as it does here."""

_SEEDED: Final = "seeded"
_PATIENCE: Final = 5.0


class OwnCloud:
    """Opens the cloud of a stack.

    Args:
        seed: what it has from the start; by default ``emulator.yaml`` beside Pulumi.yaml, if that is there.
    """

    def __init__(self, seed: Path | None = None) -> None:
        self._seed = seed

    @contextmanager
    def __call__(self, root: Path, folder: Path) -> Iterator[tuple[str, str]]:
        """Open it.

        Args:
            root: the folder of Pulumi.yaml.
            folder: where it is kept.

        Yields:
            Its address, and which one it is.

        Raises:
            StatedError: it cannot be opened, or its seed has a mistake.
        """
        seed = self._seed or (root / NAME if (root / NAME).exists() else None)
        with _opened(folder) as (url, what):
            yield url, what + (_filled(folder, seed, url) if seed else "")


@contextmanager
def _opened(folder: Path) -> Iterator[tuple[str, str]]:
    from mg_provider.emulator import Emulator
    from mg_provider.emulator.core.journal import InUse, NotKept

    clock = SystemClock()
    patience = clock.monotonic() + _PATIENCE
    while True:
        try:
            emulator = Emulator(speed=SPEED, keep=folder)
            break
        except InUse as error:
            if error.url:
                yield error.url, f"the emulator at {error.url}, which has {_short(folder)}"
                return
            if clock.monotonic() > patience:
                raise RehearsalError(str(error), hint="wait for it to end, then run the same command again") from error
            clock.sleep(0.05)
        except NotKept as error:
            raise RehearsalError(str(error), hint=error.remedy) from error
    with emulator:
        changed = ""
        if emulator.otherwise:
            changed = f" (by another version: {emulator.otherwise} of its calls are answered otherwise now; refresh)"
        yield emulator.url, f"its own emulator, in {_short(folder)}{changed}"


def _filled(folder: Path, seed: Path, url: str) -> str:
    """Fill the cloud, unless that was done with just this seed; what was done."""
    mark = folder / _SEEDED
    state = _fingerprint(seed)
    if mark.exists() and mark.read_text(encoding="utf-8") == state:
        return ""
    apply_seed(seed, url, lambda _: None)
    mark.write_text(state, encoding="utf-8")
    return f", with {_short(seed)}"


def _fingerprint(path: Path) -> str:
    """Changes with the seed, and with each file of this machine that it names."""
    digest = hashlib.sha256(path.read_bytes() if path.is_file() else b"")
    for _, local, _ in local_files(read_seed(path), path.parent):
        for file in sorted(local.rglob("*")) if local.is_dir() else [local]:
            found = file.stat()
            digest.update(f"{file} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _short(path: Path) -> str:
    """A path as a user would write it from here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
