"""Files that are written whole or not at all: until the end, what was there before stays."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mg_provider.command_line.errors import Refusal, unread


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of ``path`` at the end; after an error ``path`` has not changed.

    What is not a file, such as ``/dev/stderr`` or a pipe, is written to directly.

    Raises:
        Refusal: ``path`` cannot be written.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("wb") as file:
            yield file
        return
    with draft_of(path) as draft:
        with draft.open("xb") as file:
            yield file
        put_in_place(draft, path)


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """The path of a draft beside ``path``. It does not exist yet, and at the end it is gone.

    Raises:
        Refusal: ``path`` is a folder, or its folder does not exist or cannot be written to.
    """
    if path.is_dir():
        raise Refusal(f"{path} is a folder", hint="name a file in it")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise Refusal(f"there is no folder {path.parent}", hint="make it, or name another")
    try:
        own = tempfile.TemporaryDirectory(dir=folder, prefix=".mg-draft-")
    except OSError as problem:
        raise Refusal(f"{path} cannot be written: {unread(problem)}", hint="name a file in another folder") from problem
    with own as name:
        # Made as any other file, so that the user's umask says who may read it.
        yield Path(name) / path.name


def put_in_place(draft: Path, path: Path) -> None:
    """Let a draft take the place of ``path``."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path.resolve())
