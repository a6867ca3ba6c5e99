"""`mg rehearse`: what each of its commands does. Nothing here imports Pulumi until a deployment starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, cast

from mg_provider.clock import Clock, SystemClock
from mg_provider.rehearsal.errors import RehearsalError

if TYPE_CHECKING:
    from mg_provider.rehearsal.program.project import Project
    from mg_provider.rehearsal.state.steps import Reporter

Operation = Literal["up", "preview", "refresh", "destroy"]
OwnCloud = Callable[[Path, Path], AbstractContextManager[tuple[str, str]]]
"""Opens a cloud for the project in a folder, kept in another folder: its address, and which one it is."""

DEFAULT_STACK = "dev"
FAILED = 1
REFUSED = 2


def rehearse(
    operation: Operation,
    stack: str = DEFAULT_STACK,
    program_dir: Path = Path(),
    state_file: Path | None = None,
    *,
    as_json: bool = False,
    events: bool = False,
    expect_no_changes: bool = False,
    targets: tuple[str, ...] = (),
    config: dict[str, str] | None = None,
    secrets: dict[str, str] | None = None,
    write: Callable[[str], None] | None = None,
    emulator: str | None = None,
    own_cloud: OwnCloud | None = None,
) -> int:
    """Run one operation on a stack.

    Args:
        operation: ``up`` brings the stack to what the program wants, ``preview`` shows what that would do,
            ``refresh`` takes what is in the cloud into the state, ``destroy`` deletes everything.
        stack: the stack's name.
        program_dir: the folder of Pulumi.yaml.
        state_file: where the state is kept; by default below ``.mg/rehearsal`` in that folder.
        as_json: engine events as JSON lines instead of text; for a preview its digest.
        events: engine events for a preview too, as with PULUMI_ENABLE_STREAMING_JSON_PREVIEW.
        expect_no_changes: whether a change is a failure.
        targets: URNs or names of the only resources to change.
        config: config values that win over those of the stack's file, by full key.
        secrets: the same, for secret values.
        write: takes each piece of text; by default it is printed.
        emulator: address of an emulator, instead of whatever endpoints the config has.
        own_cloud: opens a cloud of the stack's own, where the config has no endpoint.

    Returns:
        0 if all went well, 1 if something failed, 2 if nothing was begun.
    """
    from mg_provider.rehearsal.program.project import load_project, require_answer
    from mg_provider.rehearsal.state.file import locked

    clock = SystemClock()
    try:
        project = load_project(program_dir, stack, config, secrets, emulator)
        path = (state_file or project.default_state_file).absolute()
        engine = import_module("mg_provider.rehearsal.engine.run")
        options = import_module("mg_provider.rehearsal.engine.deployment").Options(
            preview=operation == "preview", targets=frozenset(targets)
        )
        reporter = _reporter(operation, project, clock, as_json, events, write)
        run = engine.up if operation == "preview" else getattr(engine, operation)
        with locked(path), _on_a_cloud(project, path, own_cloud) as (project, cloud):
            if operation != "preview":
                require_answer(project.config)
            if cloud and not as_json:
                (write or _print)(f"cloud: {cloud}\n" if write else f"cloud: {cloud}")
            summary = run(project, path, options, reporter, clock)
    except RehearsalError as error:
        _complain(f"{error}")
        return REFUSED
    changed = sum(count for operation, count in summary.changes.items() if operation != "same")
    if expect_no_changes and summary.ok and changed:
        _complain(f"no changes were expected in {stack}, and there are {changed}")
        return FAILED
    return 0 if summary.ok else FAILED


def _complain(text: str) -> None:
    print(f"error: {text}", file=sys.stderr)  # noqa: T201 - the words of a refusal are this command's output


@contextmanager
def _on_a_cloud(project: Project, state_file: Path, own_cloud: OwnCloud | None) -> Iterator[tuple[Project, str]]:
    """The project with the address of a cloud, and which one that is."""
    from mg_provider.rehearsal.program.project import EMULATOR, endpoints, require_endpoint

    keys = endpoints(project.config)
    if keys or own_cloud is None:
        require_endpoint(project.config)
        yield project, f"{project.config[keys[0]]} ({keys[0]})" if keys else ""
        return
    with own_cloud(project.root, state_file.with_suffix(".cloud")) as (url, what):
        yield replace(project, config=project.config | {EMULATOR: url}), what


def _reporter(
    operation: str,
    project: Project,
    clock: Clock,
    as_json: bool,
    events: bool,
    write: Callable[[str], None] | None,
) -> Reporter:
    from mg_provider.rehearsal.show.digest import EventStream, PreviewDigest

    if as_json:
        out = write or _print
        digest = operation == "preview" and not events
        return PreviewDigest(project, out) if digest else EventStream(clock, out)
    from rich.console import Console

    from mg_provider.rehearsal.show.display import Display

    class Terminal(Console):
        def on_broken_pipe(self) -> None:
            _tell_nobody()

    console = Console(file=cast("IO[str]", _Writer(write))) if write else Terminal()
    return Display(console, clock, preview=operation == "preview")


def _print(text: str) -> None:
    try:
        print(text, flush=True)  # noqa: T201 - this command's output
    except BrokenPipeError:
        _tell_nobody()


def _tell_nobody() -> None:
    """Whoever read the output is gone, as after ``| head``; the run goes on, and what it makes gets into the state."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)


class _Writer:
    """A file that hands its text on."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def write(self, text: str) -> int:
        """Hand the text on."""
        self._write(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""
