"""`mg rehearse`: what each of its commands does. Nothing here imports Pulumi until a deployment starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Literal, TypedDict, Unpack, cast

from mg_provider.clock import Clock, SystemClock
from mg_provider.command_line.errors import StatedError
from mg_provider.command_line.exits import FAILED, FINE

if TYPE_CHECKING:
    from mg_provider.rehearsal.engine.deployment import Options
    from mg_provider.rehearsal.program.project import Project
    from mg_provider.rehearsal.state.steps import Reporter, Summary

Operation = Literal["up", "preview", "refresh", "destroy"]
OwnCloud = Callable[[Path, Path], AbstractContextManager[tuple[str, str]]]
"""Opens a cloud for the project in a folder, kept in another folder: its address, and which one it is."""

DEFAULT_STACK = "dev"
_UNEXPECTED: Final[dict[Operation, str]] = {
    "preview": "look at the changes above, then run `mg rehearse up` or correct the program",
    **dict.fromkeys(("up", "refresh", "destroy"), "look at the changes above: they were made"),
}


class Shown(TypedDict, total=False):
    """How a run is shown: by default as text for people, on standard output.

    Attributes:
        as_json: engine events as JSON lines instead of text; for a preview its digest.
        events: engine events for a preview too, as with PULUMI_ENABLE_STREAMING_JSON_PREVIEW.
        show_sames: what stays as it is in a preview's digest too.
        write: takes each piece of text instead of standard output.
    """

    as_json: bool
    events: bool
    show_sames: bool
    write: Callable[[str], None] | None


def rehearse(
    operation: Operation,
    stack: str = DEFAULT_STACK,
    program_dir: Path = Path(),
    state_file: Path | None = None,
    *,
    expect_no_changes: bool = False,
    targets: tuple[str, ...] = (),
    stock_sdk: bool = False,
    clear_pending_creates: bool = False,
    config: dict[str, str] | None = None,
    secrets: dict[str, str] | None = None,
    emulator: str | None = None,
    emulator_from: str = "--emulator",
    own_cloud: OwnCloud | None = None,
    **shown: Unpack[Shown],
) -> int:
    """Run one operation on a stack.

    Args:
        operation: ``up`` brings the stack to what the program wants, ``preview`` shows what that would do,
            ``refresh`` takes what is in the cloud into the state, ``destroy`` deletes everything.
        stack: the stack's name.
        program_dir: the folder of Pulumi.yaml.
        state_file: where the state is kept; by default below ``.mg/rehearsal`` in that folder.
        expect_no_changes: whether a change is a failure.
        targets: URNs or names of the only resources to change.
        stock_sdk: whether the program runs on Pulumi's SDK unchanged, which takes longer.
        clear_pending_creates: whether to forget the creations that earlier runs did not end.
        config: config values that win over those of the stack's file, by full key.
        secrets: the same, for secret values.
        emulator: address of an emulator, instead of whatever endpoints the config has.
        emulator_from: what gave that address, for what is said about it.
        own_cloud: opens a cloud of the stack's own, where the config has no endpoint.
        shown: see :class:`Shown`.

    Returns:
        0 if all went well, 1 if something failed, 2 if nothing was begun.

    Raises:
        KeyboardInterrupt: the user stopped it; what had begun has ended, and is in the state.
    """
    from mg_provider.rehearsal.engine.deployment import Options
    from mg_provider.rehearsal.program.project import load_project

    try:
        project = load_project(program_dir, stack, config, secrets, emulator, emulator_from)
        path = (state_file or project.default_state_file).absolute()
        options = Options(
            preview=operation == "preview",
            targets=frozenset(targets),
            stock_sdk=stock_sdk,
            clear_pending_creates=clear_pending_creates,
        )
        summary = _perform(operation, project, path, own_cloud, options, shown)
    except StatedError as error:
        _complain(str(error))
        return error.exit_code
    return _exit_code(operation, summary, stack, expect_no_changes)


def _perform(
    operation: Operation,
    project: Project,
    path: Path,
    own_cloud: OwnCloud | None,
    options: Options,
    shown: Shown,
) -> Summary:
    """Run the operation on its cloud, while nobody else uses the state."""
    from mg_provider.rehearsal.engine import run
    from mg_provider.rehearsal.program.project import endpoints, require_answer
    from mg_provider.rehearsal.state.file import locked

    clock = SystemClock()
    reporter = _reporter(options.preview, project, clock, **shown)
    perform = {"refresh": run.refresh, "destroy": run.destroy}.get(operation, run.up)
    named = endpoints(project.config)
    with locked(path), _on_a_cloud(project, path, own_cloud) as (project, cloud):
        if not options.preview:
            require_answer(project)
        options = _with_cloud(options, project, own=own_cloud is not None and not named)
        if cloud and not shown.get("as_json"):
            (shown.get("write") or _write)(f"cloud: {cloud}\n")
        return perform(project, path, options, reporter, clock)


def _with_cloud(options: Options, project: Project, *, own: bool) -> Options:
    """The options with the cloud that the run is on, where that has an identity."""
    from mg_provider.rehearsal.program.project import EMULATOR, endpoints
    from mg_provider.rehearsal.state.cloud import cloud_at

    keys = endpoints(project.config)
    if not keys:
        return options
    cloud = cloud_at(project.config[keys[0]], own=own)
    named_by = project.emulator_from if keys[0] == EMULATOR else keys[0]
    return replace(options, cloud=cloud if cloud.identity else None, named_by=named_by)


def _exit_code(operation: Operation, summary: Summary, stack: str, expect_no_changes: bool) -> int:
    if summary.interrupted:
        raise KeyboardInterrupt
    changed = sum(count for kind, count in summary.changes.items() if kind != "same")
    if expect_no_changes and summary.ok and changed:
        _complain(f"no changes were expected in {stack}, and there are {changed}\ndo: {_UNEXPECTED[operation]}")
        return FAILED
    return FINE if summary.ok else FAILED


def _complain(text: str) -> None:
    print(f"error: {text}", file=sys.stderr)  # noqa: T201 - the words of a refusal are this command's output


@contextmanager
def _on_a_cloud(project: Project, state_file: Path, own_cloud: OwnCloud | None) -> Iterator[tuple[Project, str]]:
    """The project with the address of a cloud, and which one that is."""
    from mg_provider.rehearsal.program.project import EMULATOR, OWNER, endpoints, require_endpoint

    keys = endpoints(project.config)
    if keys or own_cloud is None:
        require_endpoint(project.config)
        source = project.emulator_from if keys[:1] == [EMULATOR] else ", ".join(keys[:1])
        yield project, f"{project.config[keys[0]]} ({source})" if keys else ""
        return
    with own_cloud(project.root, state_file.with_suffix(".cloud")) as (url, what):
        # Nobody else makes anything in it, so what carries the labels of a nameless organization is this stack's too.
        own = {EMULATOR: url} | ({} if OWNER in project.config else {OWNER: project.organization})
        yield replace(project, config=project.config | own), what


def _reporter(
    preview: bool,
    project: Project,
    clock: Clock,
    as_json: bool = False,
    events: bool = False,
    show_sames: bool = False,
    write: Callable[[str], None] | None = None,
) -> Reporter:
    from mg_provider.rehearsal.show.digest import EventStream, PreviewDigest

    if as_json:
        out = write or _print
        return PreviewDigest(project, out, show_sames) if preview and not events else EventStream(clock, out)
    from rich.console import Console

    from mg_provider.rehearsal.show.display import Display

    class Terminal(Console):
        def on_broken_pipe(self) -> None:
            _drop_output()

    console = Console(file=cast("IO[str]", _Writer(write))) if write else Terminal()
    return Display(console, clock, preview=preview)


def _print(line: str) -> None:
    _write(f"{line}\n")


def _write(text: str) -> None:
    try:
        print(text, end="", flush=True)  # noqa: T201 - this command's output
    except BrokenPipeError:
        _drop_output()


def _drop_output() -> None:
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
